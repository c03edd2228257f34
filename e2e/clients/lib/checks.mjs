import { chromium } from "playwright-core"

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
})

/** The cookie that a session is in. */
export const NAMES = { v4: "next-auth.session-token", v5: "authjs.session-token" }

/** What the example shows of Ada. */
export const SESSION = { user: { id: "1", name: "Ada", role: "admin" }, selectedCompanyId: "acme" }

/** What it shows of another person. */
export const GRACE = { user: { id: "2", name: "Grace", role: "admin" }, selectedCompanyId: "acme" }

let passed = 0, failed = 0

/** Ends the script. */
export async function finish() {
  await browser.close()
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}

export async function check(name, site, run) {
  const context = await browser.newContext()
  const open = async (path) => {
    const page = await context.newPage()
    page.setDefaultTimeout(10_000)
    await page.goto(`${site.origin}/${path}`)
    return page
  }
  try {
    await site?.server.forget()
    await run(open, context)
    passed++
    console.log(`ok: ${name}`)
  } catch (error) {
    failed++
    const text = `${error.stack}\n${site?.server.output() ?? ""}`.trim()
    console.log(`FAILED: ${name}\n    ${text.replaceAll("\n", "\n    ")}`)
  }
  await context.close()
}

export function press(page, name) {
  return page.getByRole("button", { name, exact: true }).click()
}

/** What the last promise of the library gave. */
export async function result(page) {
  await page.waitForFunction(() => document.getElementById("result").textContent !== "")
  return JSON.parse(await page.locator("#result").textContent())
}

export async function shows(page, status, session) {
  await page.locator("#status", { hasText: new RegExp(`^${status}$`) }).waitFor()
  const wanted = JSON.stringify(session)
  const shown = async () => JSON.stringify(without(JSON.parse(await page.locator("#session").textContent() || "null")))
  for (let left = 50; await shown() !== wanted; left--) {
    if (!left) throw new Error(`shown ${await shown()}, expected ${wanted}`)
    await page.waitForTimeout(100)
  }
}

/** The next link that the example would mail, once `ask` was done. */
export async function mailed(site, ask) {
  const links = () => site.server.output().match(/^http\S+\/callback\/email\S*$/gm) ?? []
  const { length } = links()
  await ask()
  return within(() => links()[length], "no mail was sent")
}

/** Waits until the log of the example has a line with all of these words since `mark`, which `site.server.output().length` gives. */
export function logged(site, mark, ...words) {
  const lines = () => site.server.output().slice(mark).split("\n")
  return within(() => lines().find((line) => words.every((word) => line.includes(word))), `the log does not say ${words.join(", ")}`)
}

async function within(look, otherwise) {
  for (let left = 50; ; left--) {
    const found = look()
    if (found) return found
    if (!left) throw new Error(otherwise)
    await new Promise((done) => setTimeout(done, 100))
  }
}

export function without(session) {
  if (session === null) return null
  const { expires, ...rest } = session
  if (!(Date.parse(expires) > Date.now())) throw new Error(`expires: ${expires}`)
  return rest
}

export async function cookies(context) {
  const all = (await context.cookies()).map((cookie) => cookie.name)
  return all.filter((name) => name.includes("session-token"))
}

export function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value))
  if (a !== b) throw new Error(`got ${a}, expected ${b}`)
}
