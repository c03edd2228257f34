// What express.mjs does, for `hallpass`.
import Credentials from "@auth/core/providers/credentials"

const person = {
  id: "3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77",
  name: "Lena Example",
  email: "lena@example.com",
  image: "https://example.com/lena.png",
}

export default {
  basePath: "/auth",
  secret: "a secret of at least thirty-two characters",
  providers: [Credentials({ credentials: { username: {} }, authorize: () => person })],
  callbacks: {
    jwt: ({ token, user }) => (user ? { ...token, role: "editor", companyId: "company-42" } : token),
    session: ({ session, token }) => {
      const user = { ...session.user, id: token.sub, role: token.role, companyId: token.companyId }
      return { user, expires: session.expires }
    },
  },
}
