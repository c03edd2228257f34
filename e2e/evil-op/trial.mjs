// One mode: a mount of its own at the relying party, sign-ins there, and what must hold.
import { Browser } from "./browser.mjs"
import { control } from "./processes.mjs"

/** The person that the provider signs in when nobody else is named. */
export const ALICE = "alice-0001"
export const SESSION_COOKIE = /session-token(\.\d+)?$/

export class Trial {
  /** Why the mode is not met. */
  problems = []
  /** What the relying party did at the last sign-in: "accept" or "reject". */
  outcome
  #browsers = []

  /** @param mode as the provider lists it @param kind which mount: "rp" or "rp-userinfo" */
  constructor({ op, rp, server }, mode, kind = "rp", tenant = mode.name) {
    this.op = op
    this.rp = rp
    this.server = server
    this.mode = mode
    this.kind = kind
    this.tenant = tenant
    const segment = encodeURIComponent(tenant)
    this.base = `${rp.origin}/${kind}/${segment}/auth`
    this.control = `${rp.origin}/__${kind}/${segment}`
  }

  /** The mount of another tenant, for what needs two; its problems are ours. */
  beside(tenant) {
    const other = new Trial(this, this.mode, this.kind, tenant)
    other.problems = this.problems
    other.#browsers = this.#browsers
    return other
  }

  /** Milliseconds that the slowest answer took. */
  get slowest() {
    return Math.max(0, ...this.#browsers.map((browser) => browser.slowest))
  }

  expect(holds, otherwise) {
    if (!holds) this.problems.push(otherwise)
  }

  browser() {
    const browser = new Browser(this.rp.origin)
    this.#browsers.push(browser)
    return browser
  }

  async state() {
    const { users, accounts, errors } = await (await control(`${this.control}/state`)).json()
    return { users, accounts, errors }
  }

  /** Stores rows, and makes sure that they are there: a check against nothing would prove nothing. */
  async seed({ users, accounts = [] }) {
    const body = JSON.stringify({ users, accounts })
    await control(`${this.control}/seed`, { method: "POST", headers: { "content-type": "application/json" }, body })
    const state = await this.state()
    const stored = users.every(({ email }) => state.users.some((user) => user.email === email))
    if (!stored || state.accounts.length < accounts.length) throw new Error("the rows of the seed are not stored")
    return state
  }

  /** The requests that the provider got for this tenant. */
  log(path) {
    return this.op.log(this.tenant, path)
  }

  /** Posts the sign-in form and returns the answer. */
  async start(browser, { login } = {}) {
    const { body } = await browser.get(`${this.base}/csrf`)
    const { csrfToken } = JSON.parse(body)
    const query = login ? `?${new URLSearchParams({ login_hint: login })}` : ""
    return browser.post(`${this.base}/signin/evil${query}`, { csrfToken, callbackUrl: `${this.rp.origin}/` })
  }

  /** One whole sign-in, from the form to the session. */
  async signIn(browser = this.browser(), options = {}) {
    const before = await this.state()
    const started = await this.start(browser, options)
    const reached = started.location && new URL(started.location, this.base).origin === this.op.origin
    const called = reached ? await this.comeBack(browser, started.location) : undefined
    if (!reached) await this.follow(browser, started)
    return this.judge(browser, before, { started, called })
  }

  /** Goes to the provider and back with what it answers; undefined when it sends nobody back. */
  async comeBack(browser, authorizationUrl) {
    const sent = await browser.get(authorizationUrl)
    if (sent.location) {
      const callback = new URL(sent.location)
      callback.hash = ""
      return this.follow(browser, await browser.get(callback.href, { from: this.op.origin }))
    }
    const form = formIn(sent.body)
    if (!form) return undefined
    return this.follow(browser, await browser.post(form.action, form.fields, { from: this.op.origin }))
  }

  /** Follows redirects to our own pages, such as the error page, and returns the first answer. */
  async follow(browser, first) {
    let answer = first
    for (let hops = 0; answer.location && hops < 5; hops++) {
      const next = new URL(answer.location, answer.url)
      if (!next.href.startsWith(this.base)) break
      answer = await browser.get(next.href)
    }
    return first
  }

  async judge(browser, before, answers) {
    const seen = await browser.get(`${this.base}/session`)
    const session = parsed(seen.body)
    const after = await this.state()
    this.outcome = session?.user ? "accept" : "reject"
    return { browser, before, after, session, ...answers, outcome: this.outcome }
  }

  /** The sign-in completed, and the rows are right. */
  accepted({ outcome, after }, sub = ALICE) {
    this.expect(outcome === "accept", `refused: ${after.errors.at(-1) ?? "without an error"}`)
    if (outcome !== "accept") return
    const accounts = after.accounts.filter((row) => row.provider === "evil" && row.providerAccountId === sub)
    this.expect(accounts.length === 1, `${accounts.length} accounts of ${sub.slice(0, 40)}`)
    const owners = after.users.filter((user) => user.id === accounts[0]?.userId)
    this.expect(owners.length === 1, `the account belongs to ${owners.length} users`)
  }

  /** A clean refusal: no session, no session cookie, no row, and an error for the log. */
  refused({ outcome, before, after, started, called }) {
    this.expect(outcome === "reject", "accepted")
    const given = [started, called].flatMap((answer) => answer?.setCookies ?? [])
    const kept = given.filter(({ name, value }) => SESSION_COOKIE.test(name) && value !== "")
    this.expect(kept.length === 0, "set a session cookie")
    this.expect(after.users.length === before.users.length, "wrote a user")
    this.expect(after.accounts.length === before.accounts.length, "wrote an account")
    const cameToUs = called !== undefined || !started.location?.startsWith(this.op.origin)
    this.expect(!cameToUs || after.errors.length > before.errors.length, "logged no error")
  }

  /** Either is lawful, but it is wholly one or the other. */
  settled(result, sub) {
    if (result.outcome === "accept") this.accepted(result, sub)
    else this.refused(result)
  }

  /** What holds whatever the mode: the answers were clean, and the provider was asked cleanly. */
  async finish() {
    for (const browser of this.#browsers) this.problems.push(...browser.problems)
    for (const entry of await this.log()) {
      if (entry.path?.endsWith("/authorize")) continue
      this.expect(entry.cookies === null, `sent a cookie to ${entry.path}`)
      this.expect(!entry.headers?.includes("x-injected"), `sent an injected header to ${entry.path}`)
    }
  }
}

const parsed = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The form of a page that posts itself. */
function formIn(html) {
  const action = /<form method="post" action="([^"]*)"/.exec(html)?.[1]
  if (!action) return undefined
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return { action: plain(action), fields: inputs.map(([, name, value]) => [plain(name), plain(value)]) }
}

const plain = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
