// The real thing, with the callbacks of crates/hallpass-axum/examples/bench_session.rs: node express.mjs PORT
import { ExpressAuth } from "@auth/express"
import Credentials from "@auth/express/providers/credentials"
import express from "express"

const user = {
  id: "3f0c2e6b-7c1d-4b54-9f0e-1f6a5d0e9a77",
  name: "Alice Example",
  email: "alice@example.com",
  image: "https://example.com/alice.png",
}

const app = express()
app.set("trust proxy", true)
app.use(
  "/api/auth",
  ExpressAuth({
    secret: "a secret of at least thirty-two characters",
    trustHost: true,
    providers: [Credentials({ credentials: { username: {} }, authorize: () => user })],
    callbacks: {
      jwt({ token, user }) {
        if (user) {
          token.role = "editor"
          token.companyId = "company-0000000000000000000000000000000000000000042"
        }
        return token
      },
      session({ session, token }) {
        session.user.id = token.sub
        session.user.role = token.role
        session.user.companyId = token.companyId
        return session
      },
    },
  }),
)
app.listen(Number(process.argv[2]), "127.0.0.1")
