// What some modes need besides one sign-in, and what must hold besides its outcome.
import { Browser } from "./browser.mjs"
import { ALICE } from "./trial.mjs"

/** Modes that need other steps than one sign-in. Each judges by itself. */
export const STEPS = {
  "authz-mixup": mixUp,
  "authz-mixup-no-iss": mixUp,
  "authz-state-replay": refusedThreeTimes,
  "authz-code-replay": refusedThreeTimes,
  "authz-error-bad-state": forgedErrorLeavesOthersAlone,
  "authz-never": pendingSignInsDoNotPileUp,
  "idt-nonce-replay": refusedThreeTimes,
  "jwks-rotate-before-sign": acceptedAcrossRotation,
  "jwks-rotate-drop-old": acceptedAcrossRotation,
  "jwks-kid-flood": floodCausesFewRequests,
  "id-sub-changes": subjectsNeverMerge,
}

/** Rows that must be there before the sign-in. */
export const SEEDS = {
  "id-email-unverified": owner("alice@example.test"),
  "id-email-verified-string": owner("alice@example.test"),
  "id-email-verified-missing": owner("alice@example.test"),
  "id-email-noauth": owner("victim@example.test"),
  "id-email-array": owner("victim@example.test"),
  "id-email-comma": owner("victim@example.test"),
  "id-email-fullwidth-at": owner("victim@example.test"),
  "id-email-homoglyph": owner("victim@example.test"),
  "id-email-kelvin": owner("mike@example.test"),
  "id-email-nul": owner("victim@example.test"),
  "ui-email-swap": owner("victim@example.test"),
  "id-sub-case": owner("neighbour@example.test", ALICE),
  "id-sub-space": owner("neighbour@example.test", ALICE),
}

/** What must hold after the sign-in, whatever its outcome. Every `guard` mode is here. */
export const DEFENCES = {
  "disc-authz-crlf": headersAreWhole,
  "disc-token-canary": tokenEndpointIsAskedOnce,
  "disc-pkce-plain": challengeIsS256,
  "disc-pkce-absent": codeIsProtected,
  "tok-account-override": accountIsOurs,
  "tok-expires-string": expiryIsANumber,
  "tok-expires-negative": expiryIsOver,
  "tok-expires-huge": expiryIsNotOver,
  "authz-form-post": noSessionWithoutTheStateCookie,
  "id-email-unverified": ownerIsNotReached,
  "id-email-verified-string": ownerIsNotReached,
  "id-email-verified-missing": ownerIsNotReached,
  "id-email-noauth": victimIsNotReached,
  "id-email-array": addressIs(() => false),
  "id-email-comma": addressIs((email) => email === "victim@example.test,attacker@evil.test"),
  "id-email-fullwidth-at": addressIs((email) => email === "victim\uFF20example.test@evil.test"),
  "id-email-homoglyph": addressIs((email) => email === "vict\u0456m@example.test"),
  "id-email-kelvin": addressIs((email) => email === "mi\u212Ae@example.test"),
  "id-email-nul": addressIs((email) => email === "victim@example.test\0@evil.test"),
  "id-email-long": addressIs((email) => email === `${"a".repeat(4096)}@example.test`),
  "id-sub-changes": () => {},
  "id-sub-case": subjectIsStored("ALICE-0001"),
  "id-sub-space": subjectIsStored(`${ALICE} `),
  "id-sub-nul": subjectIsStored(`${ALICE}\0x`),
  "id-sub-long": subjectIsStored("s".repeat(10_000)),
  "id-sub-emoji": subjectIsStored(`\u{1F600}${ALICE}`),
  "id-name-html": pagesEscape,
  "id-picture-js": pagesEscape,
  "id-picture-canary": canaryIsNotAsked,
  "id-picture-huge": cookiesFit,
  "id-many-claims": cookiesFit,
  "ui-email-swap": victimIsNotReached,
  "idt-jku": canaryIsNotAsked,
  "idt-x5u": canaryIsNotAsked,
}
for (const endpoint of ["discovery", "jwks", "token", "userinfo"]) {
  DEFENCES[`redir@${endpoint}`] = canaryIsNotAsked
  DEFENCES[`redir307@${endpoint}`] = canaryIsNotAsked
}

/** Modes that look at what all of them share, so they run one at a time. */
export const ALONE = /^(authz-mixup|disc-token-canary|id-picture-canary|idt-jku|idt-x5u|redir)/

/** The subject under which an accepted sign-in is stored, where it is not Alice's; undefined: any. */
export const SUBJECTS = {
  "id-sub-case": "ALICE-0001",
  "id-sub-space": `${ALICE} `,
  "id-sub-nul": `${ALICE}\0x`,
  "id-sub-long": "s".repeat(10_000),
  "id-sub-emoji": `\u{1F600}${ALICE}`,
}

// ---- steps

/** The answer of this provider is delivered to the callback of another one. */
async function mixUp(trial) {
  const browser = trial.browser()
  const providers = JSON.parse((await browser.get(`${trial.base}/providers`)).body)
  const other = providers.other ? trial : trial.beside(healthy(2))
  const target = `${other.base}/callback/${providers.other ? "other" : "evil"}`
  const otherBefore = await other.state()
  await trial.op.settings({ mixup_target: target })
  try {
    const result = await trial.signIn(browser)
    trial.expect(result.called?.url.startsWith(target), "the answer was not delivered to the other provider")
    trial.expect(result.outcome === "reject", "accepted")
    const elsewhere = await other.judge(browser, otherBefore, {})
    trial.expect(elsewhere.outcome === "reject", "signed in at the other provider")
    trial.expect(elsewhere.after.users.length === otherBefore.users.length, "wrote a user")
    trial.expect(elsewhere.after.accounts.length === otherBefore.accounts.length, "wrote an account")
    trial.expect(elsewhere.after.errors.length > otherBefore.errors.length, "logged no error")
    const asked = [...(await trial.log("/token")), ...(other === trial ? [] : await other.log("/token"))]
    trial.expect(asked.length === 0, "asked for tokens")
  } finally {
    await trial.op.settings({ mixup_target: null })
  }
}

/** A replay needs something to replay: what the provider calls the previous flow is there at the third. */
async function refusedThreeTimes(trial) {
  for (let flow = 0; flow < 3; flow++) trial.refused(await trial.signIn())
}

/** An error with a foreign state must not sign anybody out, nor end the flow of another tab. */
async function forgedErrorLeavesOthersAlone(trial) {
  trial.refused(await trial.signIn())

  const beside = trial.beside(healthy(3))
  const forged = `${beside.base}/callback/evil?error=login_required&state=evil`
  const browser = trial.browser()
  const signedIn = await beside.signIn(browser)
  beside.accepted(signedIn)
  await beside.follow(browser, await browser.get(forged, { from: trial.op.origin }))
  const { outcome } = await beside.judge(browser, await beside.state(), {})
  trial.expect(outcome === "accept", "a forged error signs out")

  const tab = trial.browser()
  const started = await beside.start(tab)
  await beside.follow(tab, await tab.get(forged, { from: trial.op.origin }))
  await beside.comeBack(tab, started.location)
  const finished = await beside.judge(tab, await beside.state(), {})
  trial.expect(finished.outcome === "accept", "a forged error ends the flow of another tab")
}

async function pendingSignInsDoNotPileUp(trial) {
  const browser = trial.browser()
  trial.refused(await trial.signIn(browser))
  const size = browser.jarSize
  for (let again = 0; again < 20; again++) {
    const { setCookies } = await trial.start(browser)
    for (const { name, lifetime } of setCookies.filter(isFlowCookie)) {
      trial.expect(lifetime > 0 && lifetime <= 3600, `the pending sign-in in ${name} does not expire`)
    }
  }
  trial.expect(browser.jarSize <= size + 512, `pending sign-ins pile up: ${browser.jarSize} bytes of cookies`)
}

async function acceptedAcrossRotation(trial) {
  trial.accepted(await trial.signIn())
  trial.accepted(await trial.signIn())
}

async function floodCausesFewRequests(trial) {
  for (let flow = 0; flow < 30; flow++) trial.refused(await trial.signIn())
  const { length } = await trial.log("/jwks")
  trial.expect(length <= 6, `${length} JWKS requests for 30 unknown key ids`)
}

async function subjectsNeverMerge(trial) {
  await trial.signIn()
  const { after } = await trial.signIn()
  const owners = after.accounts.map((account) => account.userId)
  trial.expect(after.accounts.length > 0, "nobody was signed in")
  trial.expect(new Set(owners).size === owners.length, "two subjects became one user")
}

// ---- defences

async function headersAreWhole(trial, { started }) {
  trial.expect(!Object.keys(started.headers).some((name) => name.includes("pwned")), "a header was split")
}

async function tokenEndpointIsAskedOnce(trial, { outcome }) {
  trial.expect(outcome === "reject", "accepted an empty answer")
  const asked = (await trial.newCanaryHits()).filter((hit) => hit.path === "/__canary")
  trial.expect(asked.length <= 1, `sent the code ${asked.length} times`)
}

async function challengeIsS256(trial, { outcome }) {
  const asked = await trial.log("/authorize")
  trial.expect(outcome === "reject" || asked.length > 0, "never came to the provider")
  for (const { query } of asked) trial.expect(query.code_challenge_method === "S256", `sent ${query.code_challenge_method ?? "no PKCE"}`)
}

async function codeIsProtected(trial) {
  for (const { query } of await trial.log("/authorize")) {
    const protectedBy = query.code_challenge_method === "S256" || (query.state && query.nonce)
    trial.expect(protectedBy, "sent neither S256 nor both state and nonce")
  }
}

async function accountIsOurs(trial, { outcome, after }) {
  if (outcome === "reject") return
  const [account] = after.accounts
  trial.expect(account.provider === "evil" && account.providerAccountId === ALICE && account.type === "oidc", "the answer replaced fields of the account")
  trial.expect(account.userId === after.users[0].id && account.userId !== "admin", "the answer replaced the owner of the account")
}

async function expiryIsANumber(trial, { after }) {
  for (const { expires_at: at } of after.accounts) trial.expect(at === null || at === undefined || Number.isSafeInteger(at), `stored ${typeof at} as expiry`)
}

async function expiryIsOver(trial, { after }) {
  for (const { expires_at: at } of after.accounts) trial.expect(Number.isSafeInteger(at) && at <= Date.now() / 1000, "a token that is over is stored as one that never ends")
}

async function expiryIsNotOver(trial, { after }) {
  for (const { expires_at: at } of after.accounts) trial.expect(at === null || at === undefined || at > Date.now() / 1000, "the expiry wrapped into the past")
}

async function noSessionWithoutTheStateCookie(trial, { outcome }) {
  trial.expect(outcome === "reject", "made a session without the state cookie")
}

async function ownerIsNotReached(trial, result) {
  trial.refused(result)
  await victimIsNotReached(trial, result)
}

async function victimIsNotReached(trial, { before, after }) {
  const victims = new Set(before.users.map((user) => user.id))
  const linked = after.accounts.filter((account) => victims.has(account.userId) && !before.accounts.some((row) => row.providerAccountId === account.providerAccountId))
  trial.expect(linked.length === 0, "linked to the existing user")
  for (const row of before.users) {
    const now = after.users.find((user) => user.id === row.id)
    trial.expect(now !== undefined && now.email === row.email, "changed the existing user")
  }
}

/** The address is stored exactly, or not at all, and nobody who has another one is reached. */
function addressIs(exact) {
  return async (trial, result) => {
    await victimIsNotReached(trial, result)
    const known = new Set(result.before.users.map((user) => user.id))
    for (const { id, email } of result.after.users) {
      const stored = known.has(id) || email === null || email === undefined || exact(email)
      trial.expect(stored, `stored another address than the provider gave: ${String(email).slice(0, 60)}`)
    }
  }
}

/** Stored exactly, and as somebody else than a neighbour who differs a little. */
function subjectIsStored(sub) {
  return async (trial, { outcome, before, after }) => {
    if (outcome === "reject") return
    const account = after.accounts.find((row) => row.providerAccountId === sub)
    trial.expect(account !== undefined, "the subject is not stored as it is")
    trial.expect(!before.users.some((user) => user.id === account?.userId), "the neighbour was signed in")
  }
}

/** What the provider says comes out as text wherever it comes out: the browser looks for markup in every page. */
async function pagesEscape(trial, { browser, session }) {
  const { field, said, login } = SAID[trial.mode.name]
  trial.expect(session?.user?.[field] === said, `the session's ${field} is ${JSON.stringify(session?.user?.[field])}`)
  trial.expect((await browser.get(`${trial.base}/session`)).headers["content-type"] === "application/json", "the session is no JSON")
  for (const page of ["signin", "signout", "error"]) await browser.get(`${trial.base}/${page}`)
  await serverEscapes(trial, field, said, login)
}

/** The server's development page shows who is signed in, the session and what the callbacks were given. */
async function serverEscapes(trial, field, said, login) {
  const { origin } = trial.server
  const base = `${origin}/api/auth`
  const browser = new Browser(origin)
  const { csrfToken } = JSON.parse((await browser.get(`${base}/csrf`)).body)
  const started = await browser.post(`${base}/signin/${trial.mode.name}?login_hint=${login}`, { csrfToken, callbackUrl: "/" })
  const sent = await browser.get(started.location)
  await browser.get(sent.location, { from: trial.op.origin })

  const session = await browser.get(`${base}/session`)
  trial.expect(JSON.parse(session.body)?.user?.[field] === said, `the server's session is ${session.body.slice(0, 200)}`)
  trial.expect(session.headers["content-type"] === "application/json", "the server's session is no JSON")
  trial.expect(session.headers["x-content-type-options"] === "nosniff", "a browser may guess what the server's session is")

  const page = await browser.get(`${origin}/`)
  trial.expect(/default-src 'none'|script-src 'none'/.test(page.headers["content-security-policy"]), "the server's page may run scripts")
  const json = parsedBlocks(page.body).find((block) => block?.user)
  trial.expect(json?.user[field] === said, "the server's page does not show the session as it is")
  if (field === "name") {
    const [heading, title] = ["h1", "title"].map((element) => textOf(page.body, element))
    trial.expect(heading === `You are signed in, ${said}`, `the server's page greets ${heading}`)
    trial.expect(title === `${said} · Hallpass`, `the server's page is called ${title}`)
  }
  for (const path of ["/dev/inbox", "/api/auth/signin", "/api/auth/signout", "/api/auth/error?error=%3Cscript%3Ealert(1)%3C%2Fscript%3E"]) {
    const { status, headers } = await browser.get(origin + path)
    trial.expect(status < 500 && headers["content-type"].startsWith("text/html"), `${path} answers ${status}`)
  }
  trial.problems.push(...browser.problems)
}

/** What the first element of this kind says to a reader: `undefined` when it holds markup. */
function textOf(html, element) {
  const inner = new RegExp(`<${element}[^>]*>([^<]*)</${element}>`).exec(html)?.[1]
  return inner && plain(inner)
}

function parsedBlocks(html) {
  return [...html.matchAll(/<pre><code>([^<]*)<\/code><\/pre>/g)].map(([, text]) => {
    try {
      return JSON.parse(plain(text))
    } catch {
      return undefined
    }
  })
}

/** Each reference once: what is escaped twice stays visible. */
function plain(text) {
  const named = { lt: "<", gt: ">", quot: '"', amp: "&" }
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|(lt|gt|quot|amp));/gi, (_, hex, code, name) => named[name] ?? String.fromCharCode(hex ? parseInt(hex, 16) : Number(code)))
}

async function canaryIsNotAsked(trial) {
  const paths = (await trial.newCanaryHits()).map((hit) => hit.path)
  trial.expect(paths.length === 0, `asked ${paths.join(", ")}`)
}

/** Each cookie is measured as it comes; here, that the browser still gets an answer. */
async function cookiesFit(trial, { browser }) {
  const { status } = await browser.get(`${trial.base}/session`)
  trial.expect(status === 200, `the session answers ${status}: the browser is locked out`)
}

// ---- rows and names

/** What the provider says of a person that would be markup, a header or a template in the wrong hands. */
const SAID = {
  "id-name-html": { field: "name", said: "<script>alert(1)</script>\r\nBcc: x@evil.test {{7*7}} ${7*7}", login: "alice" },
  "id-picture-js": { field: "image", said: "javascript:alert(1)", login: "bob" },
}
/** The modes that are tried at the server too. */
export const AT_THE_SERVER = Object.keys(SAID)

/** A user who is there already, and the account of this subject when one is given. */
function owner(email, sub) {
  const user = { id: "owner", name: "Owner", email, emailVerified: "2026-01-01T00:00:00.000Z" }
  const account = { userId: "owner", type: "oidc", provider: "evil", providerAccountId: sub }
  return { users: [user], accounts: sub ? [account] : [] }
}

/** A tenant that is right and that no mode of the list uses; each number is another one. */
export const healthy = (times) => Array(times).fill("healthy").join(",")

const isFlowCookie = ({ name }) => /(state|nonce|pkce)/.test(name)
