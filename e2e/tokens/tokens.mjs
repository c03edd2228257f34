// node tokens.mjs     tokens sealed by @auth/core and next-auth 4 open in Hallpass, and the reverse; `getToken` and TokenReader find the same
import { spawnSync } from "node:child_process"
import { isDeepStrictEqual } from "node:util"
import * as v5 from "@auth/core/jwt"
import next4 from "next-auth/jwt"

const libraries = { v5, v4: next4 }
const SECRET = "e2e-secret-0123456789abcdef0123456789"
const OLDER = "e2e-retired-secret-fedcba9876543210"
const MAX_AGE = 3600
const NOW = Math.floor(Date.now() / 1000)

const cookies = [
  ["v5", "authjs.session-token"], ["v5", "__Secure-authjs.session-token"], ["v5", "authjs.state"], ["v5", "__Host-custom"],
  ["v4", ""], ["v4", "next-auth.state"], ["v4", "__Secure-next-auth.pkce.code_verifier"],
]
const payloads = {
  "nothing": {},
  "a session": { name: "Alice Example", email: "alice@example.com", picture: "https://example.com/alice.png", sub: "alice" },
  "all kinds of values": { text: "Zoë ☃ 😀 \u0000 \" \\ </script>", numbers: [0, -1, 1.5, 1e21, 2 ** 53], nested: { a: [null, true, {}] }, empty: "" },
  "three cookies full": { filler: "0123456789".repeat(1000) },
}

const checks = []
const check = (name, passed) => checks.push({ name, passed })

const sealed = []
for (const [dialect, salt] of cookies) {
  for (const [what, claims] of Object.entries(payloads)) {
    const token = await libraries[dialect].encode({ token: claims, secret: SECRET, salt, maxAge: MAX_AGE })
    const expected = await libraries[dialect].decode({ token, secret: SECRET, salt })
    sealed.push({ name: `${dialect} "${salt}": ${what}`, dialect, salt, claims, token, expected })
  }
}

const full = (claims) => ({ ...claims, iat: NOW, exp: NOW + MAX_AGE, jti: "0b8a5a0e-4a1c-4a53-9a4e-0c6a6c2f7b11" })
const opened = hallpass(sealed.map((it) => ["open", it.dialect, SECRET, it.salt, it.token]))
const rotated = hallpass(sealed.map((it) => ["open", it.dialect, `${OLDER},${SECRET}`, it.salt, it.token]))
const foreign = hallpass(sealed.map((it) => ["open", it.dialect, OLDER, it.salt, it.token]))
const moved = hallpass(sealed.map((it) => ["open", it.dialect, SECRET, `${it.salt}x`, it.token]))
const crossed = hallpass(sealed.map((it) => ["open", it.dialect === "v5" ? "v4" : "v5", SECRET, it.salt, it.token]))
const made = hallpass(sealed.map((it) => ["seal", it.dialect, SECRET, it.salt, JSON.stringify(full(it.claims))]))
const expired = hallpass(sealed.map((it) => ["seal", it.dialect, SECRET, it.salt, JSON.stringify({ ...full(it.claims), exp: NOW - 60 })]))

for (const [i, it] of sealed.entries()) {
  check(`node seals, Hallpass opens: ${it.name}`, isDeepStrictEqual(json(opened[i]), it.expected))
  check(`opens with the second secret: ${it.name}`, isDeepStrictEqual(json(rotated[i]), it.expected))
  check(`another secret does not open: ${it.name}`, foreign[i].startsWith("error: "))
  check(`another cookie's does not open: ${it.name}`, moved[i].startsWith("error: "))
  check(`the other dialect does not open: ${it.name}`, crossed[i].startsWith("error: "))

  check(`Hallpass seals, node opens: ${it.name}`, isDeepStrictEqual(await decode(it, made[i]), full(it.claims)))
  check(`the same length and header: ${it.name}`, sameShape(it, made[i]))
  check(`node refuses it when expired: ${it.name}`, (await decode(it, expired[i])) === undefined)
  check(`node refuses it with another secret: ${it.name}`, (await decode({ ...it, secret: OLDER }, made[i])) === undefined)
  if (it.dialect === "v5") {
    check(`node opens it with the second secret: ${it.name}`, isDeepStrictEqual(await decode({ ...it, secret: [OLDER, SECRET] }, made[i]), full(it.claims)))
  }
}

// Requests of somebody who is signed in, as they reach a service that only reads sessions.
const sessions = [
  ["v5", "__Secure-authjs.session-token"], ["v5", "authjs.session-token"],
  ["v4", "__Secure-next-auth.session-token"], ["v4", "next-auth.session-token"],
]
const requests = []
for (const [dialect, cookie] of sessions) {
  const salt = dialect === "v5" ? cookie : ""
  for (const [what, payload] of Object.entries(payloads)) {
    const encoded = await libraries[dialect].encode({ token: payload, secret: SECRET, salt, maxAge: MAX_AGE })
    const [ours] = hallpass([["seal", dialect, SECRET, salt, JSON.stringify(full(payload))]])
    for (const [by, token] of [["node", encoded], ["Hallpass", ours]]) {
      const name = `${by}'s token in ${cookie}: ${what}`
      const whole = token.length > 3936 ? token.match(/.{1,3936}/g).map((piece, i) => `${cookie}.${i}=${piece}`).join("; ") : `${cookie}=${token}`
      requests.push({ name: `${name}, cookie`, dialect, cookie, header: "cookie", value: `theme=dark; ${whole}; a=b` })
      requests.push({ name: `${name}, bearer`, dialect, cookie, header: "authorization", value: `Bearer ${token}` })
      requests.push({ name: `${name}, bearer percent-encoded`, dialect, cookie, header: "authorization", value: `Bearer ${token.replaceAll(".", "%2E")}` })
    }
  }
  const foreign = await libraries[dialect].encode({ token: payloads["a session"], secret: OLDER, salt, maxAge: MAX_AGE })
  const state = await libraries[dialect].encode({ token: payloads["a session"], secret: SECRET, salt: cookie.replace("session-token", "state"), maxAge: MAX_AGE })
  const old = await libraries[dialect].encode({ token: payloads["a session"], secret: SECRET, salt, maxAge: -60 })
  for (const [what, token] of Object.entries({ "another secret": foreign, "another purpose": state, "an expired one": old, "no token": "x", "nothing": "" })) {
    requests.push({ name: `${what} in ${cookie}, cookie`, dialect, cookie, header: "cookie", value: `${cookie}=${token}`, refused: true })
    requests.push({ name: `${what} for ${cookie}, bearer`, dialect, cookie, header: "authorization", value: `Bearer ${token}`, refused: true })
  }
  requests.push({ name: `no bearer at all for ${cookie}`, dialect, cookie, header: "authorization", value: "Basic YTpi", refused: true })
}
const found = hallpass(requests.map((it) => ["read", it.header, SECRET, "-", it.value]))
const foundRotated = hallpass(requests.map((it) => ["read", it.header, `${OLDER}x,${SECRET}`, "-", it.value]))
for (const [i, it] of requests.entries()) {
  const real = await getToken(it)
  check(`getToken: ${it.name}`, it.refused ? real === null : real !== null)
  check(`TokenReader finds the same as getToken: ${it.name}`, isDeepStrictEqual(json(found[i]) ?? null, real))
  check(`TokenReader with two secrets: ${it.name}`, isDeepStrictEqual(json(foundRotated[i]) ?? null, real))
}
// GHSA-xmf8-cvqr-rfgj: one of these ended a program that called `getToken`.
for (const value of ["Bearer %", "Bearer %zz", "Bearer %E0%A4%A", "Bearer", "Bearer  "]) {
  check(`no token in ${JSON.stringify(value)}`, hallpass([["read", "authorization", SECRET, "-", value]])[0].startsWith("error: "))
}

for (const { name, passed } of checks) if (!passed) console.log(`failed: ${name}`)
const failed = checks.filter((it) => !it.passed).length
console.log(`${checks.length - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)

/** The answers of the example `token` to these commands, in order. */
function hallpass(commands) {
  // Where somebody has built it already, asking cargo could build it once more, with other features.
  const built = process.env.HALLPASS_TARGET && `${process.env.HALLPASS_TARGET}/debug/examples/token`
  const arguments_ = built ? [] : ["run", "-q", "-p", "hallpass", "--example", "token", "--"]
  const input = commands.map((it) => `${it.join("\t")}\n`).join("")
  const run = spawnSync(built || "cargo", arguments_, { input, encoding: "utf8", cwd: new URL("../..", import.meta.url), stdio: ["pipe", "pipe", "inherit"] })
  if (run.error) throw run.error
  const answers = run.stdout.split("\n").slice(0, -1)
  if (run.status !== 0 || answers.length !== commands.length) throw new Error(`the example ended with ${run.status} after ${answers.length} of ${commands.length} answers`)
  return answers
}

/** The claims as the real library sees them, or undefined when it refuses. */
async function decode({ dialect, salt, secret = SECRET }, token) {
  try {
    return { ...(await libraries[dialect].decode({ token, secret, salt })) }
  } catch {
    return undefined
  }
}

/** What the real `getToken` finds in a request. */
async function getToken({ dialect, cookie, header, value }) {
  const cookies = header === "cookie" ? Object.fromEntries(value.split("; ").map((it) => it.split(/=(.*)/s).slice(0, 2))) : {}
  const req = { headers: dialect === "v5" ? new Headers({ [header]: value }) : { [header]: value }, cookies }
  const claims = await libraries[dialect].getToken({ req, secret: SECRET, secureCookie: cookie.startsWith("__Secure-") })
  return claims && { ...claims }
}

function json(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Header and lengths of the parts as the real library makes them; the payloads are equally long. */
function sameShape({ token }, ours) {
  const lengths = (it) => it.split(".").map((part) => part.length)
  return token.split(".")[0] === ours.split(".")[0] && isDeepStrictEqual(lengths(token), lengths(ours))
}
