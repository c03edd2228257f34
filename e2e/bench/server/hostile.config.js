// A session callback that does what the query says.
import Credentials from "@auth/core/providers/credentials"

const harm = {
  loop() { for (;;); },
  allocate() { const all = []; for (;;) all.push("x".repeat(1e6) + all.length) },
  throw() { throw new Error("thrown") },
  recurse() { return harm.recurse() + 1 },
  read() {},
}

export default (req) => ({
  basePath: "/auth",
  secret: "a secret of at least thirty-two characters",
  providers: [Credentials({ credentials: { username: {} }, authorize: ({ username }) => ({ id: username, name: username }) })],
  callbacks: {
    session({ session }) {
      harm[req.query.do]?.()
      return session
    },
  },
})
