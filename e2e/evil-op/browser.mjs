// A browser: it keeps cookies for the relying party, gives up after a while, and looks at every answer.
import { request } from "node:http"

/** Milliseconds after which an answer is given up. */
export const PATIENCE = 12_000
/** Bytes of name and value that browsers take for one cookie, and that we want a site to need in all. */
const COOKIE_LIMIT = 4096
const JAR_LIMIT = 16 * 1024

export class Browser {
  /** Name to `{ value, sameSite }`. */
  cookies = new Map()
  /** What was wrong with an answer of the relying party, whatever the mode. */
  problems = []
  /** Milliseconds that the slowest answer of the relying party took. */
  slowest = 0

  constructor(rp) {
    this.rp = rp
  }

  get(url, options) {
    return this.#send("GET", url, undefined, options)
  }

  post(url, fields, options) {
    return this.#send("POST", url, new URLSearchParams(fields).toString(), options)
  }

  /** The cookies' size as they would be sent. */
  get jarSize() {
    return [...this.cookies].reduce((sum, [name, { value }]) => sum + name.length + value.length + 3, 0)
  }

  async #send(method, url, form, { from = this.rp } = {}) {
    const crossSite = from !== this.rp
    const isRp = new URL(url).origin === this.rp
    const headers = { "sec-fetch-site": crossSite ? "cross-site" : "same-origin", "sec-fetch-mode": "navigate" }
    if (isRp && this.cookies.size) headers.cookie = this.#cookieHeader(crossSite && method === "POST")
    if (form !== undefined) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin: from })
    const answer = await exchange(method, url, headers, form)
    if (isRp) {
      this.slowest = Math.max(this.slowest, answer.ms)
      this.#keep(answer.setCookies)
      this.problems.push(...problemsOf(answer, this.jarSize))
    }
    return answer
  }

  /** `SameSite=Lax` cookies stay at home when another site posts. */
  #cookieHeader(crossSitePost) {
    const sent = [...this.cookies].filter(([, { sameSite }]) => !crossSitePost || sameSite === "none")
    return sent.map(([name, { value }]) => `${name}=${value}`).join("; ")
  }

  #keep(setCookies) {
    for (const cookie of setCookies) {
      if (cookie.lifetime !== undefined && cookie.lifetime <= 0) this.cookies.delete(cookie.name)
      else this.cookies.set(cookie.name, cookie)
    }
  }
}

function exchange(method, url, headers, form) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, maxHeaderSize: 512 * 1024, signal: AbortSignal.timeout(PATIENCE) }
    const sent = request(url, options, (res) => {
      const chunks = []
      res.on("data", (chunk) => chunks.push(chunk))
      res.on("error", reject)
      res.on("end", () =>
        resolve({
          url,
          method,
          status: res.statusCode,
          headers: res.headers,
          location: res.headers.location,
          setCookies: (res.headers["set-cookie"] ?? []).map(parseSetCookie),
          body: Buffer.concat(chunks).toString(),
          ms: performance.now() - started,
        }),
      )
    })
    sent.on("error", (error) => {
      const why = error.name === "AbortError" || error.name === "TimeoutError" ? `no answer in ${PATIENCE / 1000} s` : error.message
      reject(new Error(`${method} ${shown(url)}: ${why}`))
    })
    sent.end(form)
  })
}

/** Seconds of life, or undefined for a cookie that ends with the browser. */
function lifetimeOf(attributes) {
  if (attributes["max-age"] !== undefined) return Number(attributes["max-age"])
  if (attributes.expires !== undefined) return (Date.parse(attributes.expires) - Date.now()) / 1000
  return undefined
}

function parseSetCookie(line) {
  const [pair, ...rest] = line.split(";")
  const split = (text) => {
    const at = text.indexOf("=")
    return at < 0 ? [text.trim(), ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  }
  const [name, value] = split(pair)
  const attributes = Object.fromEntries(rest.map(split).map(([key, text]) => [key.toLowerCase(), text]))
  return { name, value, sameSite: attributes.samesite?.toLowerCase(), lifetime: lifetimeOf(attributes) }
}

/** What no answer of the relying party may be or hold. */
function problemsOf(answer, jarSize) {
  const problems = []
  const where = `${answer.method} ${shown(answer.url)}`
  if (answer.status >= 500 && !isConfigurationPage(answer)) problems.push(`${where} answers ${answer.status}`)
  if (answer.location !== undefined && !isWeb(answer.location, answer.url)) problems.push(`${where} redirects to ${answer.location.slice(0, 80)}`)
  for (const { name, value } of answer.setCookies) {
    if (name.length + value.length > COOKIE_LIMIT) problems.push(`${where} sets ${name} of ${name.length + value.length} bytes`)
    if (FOREIGN_COOKIES.has(name) || value === "evil") problems.push(`${where} sets the cookie ${name} of somebody else`)
  }
  if (jarSize > JAR_LIMIT) problems.push(`${where}: ${jarSize} bytes of cookies`)
  if (answer.body.includes("top-secret")) problems.push(`${where} shows the client secret`)
  if ((answer.headers["content-type"] ?? "").startsWith("text/html")) {
    for (const markup of INJECTED) if (markup.test(answer.body)) problems.push(`${where} has ${markup} in its page`)
  }
  return problems
}

/** Auth.js answers 500 there, so we do. */
function isConfigurationPage({ url, method }) {
  const { pathname, searchParams } = new URL(url)
  return method === "GET" && pathname.endsWith("/error") && searchParams.get("error") === "Configuration"
}

function isWeb(location, base) {
  try {
    return /^https?:$/.test(new URL(location, base).protocol) && !/[\0-\x1f\x7f]/.test(location)
  } catch {
    return false
  }
}

const shown = (url) => new URL(url).pathname

/** Cookies that the provider tries to set through us. */
const FOREIGN_COOKIES = new Set(["op_session", "pwned", "a"])
/** Markup that the provider sends in names, pictures and errors. As text the address of a script does no harm. */
const INJECTED = [/<script>alert\(1\)/, /<img src=x onerror/, /=\s*["']?\s*javascript:/i]
