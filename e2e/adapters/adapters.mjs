// node adapters.mjs fill <url>             a user, accounts, a session and a verification token, written by @auth/pg-adapter
// node adapters.mjs check <url> <json>     what Hallpass has written, read by @auth/pg-adapter
// node adapters.mjs people <url> <json>    somebody with an account at a provider, somebody with an address, and a session
// node adapters.mjs signed-in <url> <json> those and others after they have signed in with Hallpass over HTTP
// The last two take the name of the adapter: `pg` or `drizzle`.
import { isDeepStrictEqual } from "node:util"
import { DrizzleAdapter } from "@auth/drizzle-adapter"
import PostgresAdapter from "@auth/pg-adapter"
import { drizzle } from "drizzle-orm/node-postgres"
import pg from "pg"

const [, , command, url, written] = process.argv
const pool = new pg.Pool({ connectionString: url })
const given = written && JSON.parse(written)
const adapter = given?.adapter === "drizzle" ? DrizzleAdapter(drizzle(pool)) : PostgresAdapter(pool)

const checks = []
const check = (name, actual, expected) => {
  const passed = isDeepStrictEqual(actual, expected)
  checks.push(passed)
  if (!passed) console.log(`FAILED ${name}\n  got      ${JSON.stringify(actual)}\n  expected ${JSON.stringify(expected)}`)
}

if (command === "fill") await fill()
else if (command === "people") await people(given)
else if (command === "signed-in") await signedIn(given)
else await verify(given)
if (checks.length > 0) {
  const failed = checks.filter((passed) => !passed).length
  console.log(`${checks.length - failed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}
await pool.end()

async function fill() {
  const user = await adapter.createUser({
    id: "dropped", name: "Ada", email: "ada@example.com", emailVerified: new Date("2026-11-20T10:00:00.123Z"), image: "https://example.com/a.png",
  })
  await adapter.linkAccount({
    userId: user.id, type: "oidc", provider: "google", providerAccountId: "1234", access_token: "ya29.access", refresh_token: "1//refresh",
    id_token: "e30.e30.x", expires_at: 1800000000, token_type: "bearer", scope: "openid email", session_state: "s",
  })
  await adapter.createSession({ sessionToken: "session-of-authjs", userId: user.id, expires: new Date("2099-12-31T23:59:59.999Z") })
  await adapter.createVerificationToken({
    identifier: "ada@example.com", token: "hash-of-authjs", expires: new Date("2099-12-31T23:59:59.999Z"),
  })
  console.log(JSON.stringify({ id: user.id }))
}

async function verify({ ada, grace, session, token }) {
  const expires = new Date(session.expires)
  const is = (user) => user && { id: String(user.id), name: user.name, email: user.email, emailVerified: user.emailVerified, image: user.image }
  const wanted = { id: grace.id, name: "Grace", email: "grace@example.com", emailVerified: new Date("2026-11-21T00:00:00.007Z"), image: null }

  check("getUser", is(await adapter.getUser(grace.id)), wanted)
  check("getUserByEmail", is(await adapter.getUserByEmail("grace@example.com")), wanted)
  check("getUserByAccount", is(await adapter.getUserByAccount({ provider: "github", providerAccountId: "5678" })), wanted)
  const found = await adapter.getSessionAndUser(session.token)
  check("getSessionAndUser: user", is(found?.user), wanted)
  check("getSessionAndUser: expires", found?.session.expires, expires)
  check("getSessionAndUser: owner", String(found?.session.userId), grace.id)

  const later = new Date("2100-06-01T00:00:00.000Z")
  await adapter.updateSession({ sessionToken: session.token, expires: later })
  check("updateSession", (await adapter.getSessionAndUser(session.token))?.session.expires, later)

  const used = await adapter.useVerificationToken(token)
  check("useVerificationToken", used && { identifier: used.identifier, token: used.token, expires: used.expires }, { ...token, expires })
  check("useVerificationToken again", await adapter.useVerificationToken(token), null)

  const own = await adapter.getSessionAndUser("session-of-authjs")
  check("a session of its own, renewed by Hallpass", own?.session.expires, expires)
  check("a user of its own, changed by Hallpass", own?.user.name, "Ada Lovelace")
  check("a user of its own", String(own?.user.id), ada.id)
  const { rows } = await pool.query('select access_token, expires_at, scope from accounts where "providerAccountId" = $1', ["5678"])
  check("the account's tokens", rows, [{ access_token: "gho_access", expires_at: "1800000001", scope: "read:user" }])

  await adapter.createSession({ sessionToken: "second-session", userId: Number(grace.id), expires })
  await adapter.deleteSession(session.token)
  check("deleteSession", await adapter.getSessionAndUser(session.token), null)
}

async function people({ session }) {
  const person = (name, email, emailVerified) => adapter.createUser({ id: crypto.randomUUID(), name, email, emailVerified, image: null })
  const ada = await person("Ada Lovelace", "ada@example.com", null)
  await adapter.linkAccount({
    userId: ada.id, type: "oidc", provider: "oidc", providerAccountId: "42", access_token: "an access token", expires_at: 1800000000,
    token_type: "bearer", scope: "openid",
  })
  const grace = await person("Grace Hopper", "grace@example.com", new Date("2026-01-02T03:04:05.678Z"))
  await adapter.createSession({ sessionToken: session, userId: grace.id, expires: new Date("2099-12-31T23:59:59.999Z") })
  console.log(JSON.stringify({ ada: String(ada.id), grace: String(grace.id) }))
}

async function signedIn({ ada, grace, live, sessions }) {
  const byAccount = async (providerAccountId) => adapter.getUserByAccount({ provider: "oidc", providerAccountId })
  const owner = async (sessionToken) => (await adapter.getSessionAndUser(sessionToken))?.user
  check("ada, by her account", String((await byAccount("42"))?.id), ada)
  check("ada, by her session", String((await owner(sessions.ada))?.id), ada)
  check("grace, by her address", String((await adapter.getUserByEmail("grace@example.com"))?.id), grace)
  check("grace, by her session", String((await owner(sessions.grace))?.id), grace)
  check("grace, by the session from before", String((await owner(live))?.id), grace)

  const hedy = await byAccount("77")
  check("hedy, by her account", [hedy?.name, hedy?.email, hedy?.emailVerified], ["Hedy Lamarr", "hedy@example.com", null])
  check("hedy, by her session", (await owner(sessions.hedy))?.id, hedy?.id)
  const found = await adapter.getSessionAndUser(sessions.hedy)
  check("hedy's session is a date to come", found?.session.expires > new Date(), true)
  const table = given.adapter === "drizzle" ? "account" : "accounts"
  const { rows } = await pool.query(`select type, token_type, access_token <> '' as has_token, expires_at::int > 1700000000 as is_later
    from ${table} where "providerAccountId" = '77'`)
  check("hedy's account", rows, [{ type: "oidc", token_type: "bearer", has_token: true, is_later: true }])
  const proven = (await adapter.getUserByEmail("new@example.com"))?.emailVerified
  check("who came by mail has proven the address", proven instanceof Date && proven <= new Date(), true)

  // Auth.js goes on with what Hallpass has begun.
  const later = new Date("2100-06-01T00:00:00.000Z")
  await adapter.updateSession({ sessionToken: sessions.hedy, expires: later })
  check("updateSession", (await adapter.getSessionAndUser(sessions.hedy))?.session.expires, later)
  await adapter.deleteSession(sessions.grace)
  check("deleteSession", await adapter.getSessionAndUser(sessions.grace), null)
}
