// Opens every built-in page in Chromium, in both colour schemes and at two widths, and asks axe-core about it.
// Then walks through the forms with the keyboard alone and JavaScript switched off.
//
//   npm ci && node pages.mjs [--screenshots ../../docs/screenshots] [folder that the example has written]
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import axe from "axe-core"
import { launch } from "./browser.mjs"
import { serve } from "./server.mjs"

const SCHEMES = ["light", "dark"]
const WIDTHS = [360, 1440]
const SHOTS = [
  { file: "sign-in", page: "sign-in-with-error", scheme: "light", width: 560, height: 760 },
  { file: "sign-in-dark", page: "sign-in", scheme: "dark", width: 360, height: 640 },
  { file: "error", page: "error-AccessDenied", scheme: "light", width: 560, height: 480 },
  { file: "sign-out", page: "sign-out", scheme: "light", width: 560, height: 400 },
  { file: "verify-request", page: "verify-request", scheme: "light", width: 560, height: 480 },
  { file: "verify-request-dark", page: "verify-request", scheme: "dark", width: 560, height: 480 },
  { file: "confirm", page: "confirm", scheme: "light", width: 560, height: 480 },
  { file: "confirm-dark", page: "themed-confirm", scheme: "dark", width: 560, height: 480 },
  { file: "themed", page: "themed-sign-in", scheme: "light", width: 560, height: 640 },
  { file: "many", page: "sign-in-many", scheme: "dark", width: 720, height: 700 },
]

const { values, positionals } = parseArgs({ allowPositionals: true, options: { screenshots: { type: "string" } } })
const made = positionals[0] ? null : mkdtempSync(join(tmpdir(), "hallpass-pages-"))
const folder = resolve(positionals[0] ?? made)
if (made) execFileSync("cargo", ["run", "-q", "-p", "hallpass", "--example", "pages", "--", folder], { cwd: join(import.meta.dirname, "../.."), stdio: "inherit" })

const { origin, posts, close } = await serve(folder)
const browser = await launch()
let passed = 0, failed = 0

await everyPage()
await keyboardOnly()
await framing()
if (values.screenshots) await screenshots(resolve(values.screenshots))

await browser.close()
close()
if (made) rmSync(made, { recursive: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0

async function check(name, problems) {
  let found
  try { found = await problems() } catch (error) { found = [error.message] }
  if (found.length === 0) { passed++; return }
  failed++
  console.log(`failed: ${name}`)
  for (const problem of found) console.log(`    ${problem}`)
}

function same(actual, expected) {
  const [a, b] = [actual, expected].map((x) => JSON.stringify(x))
  return a === b ? [] : [`got ${a}, expected ${b}`]
}

async function everyPage() {
  const names = readdirSync(folder).filter((name) => name.endsWith(".html"))
  for (const colorScheme of SCHEMES) for (const width of WIDTHS) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" })
    for (const name of names) await check(`${name} ${colorScheme} ${width}`, async () => {
      const page = await context.newPage()
      const found = []
      page.on("console", (message) => { if (message.type() === "error") found.push(`console: ${message.text()}`) })
      page.on("pageerror", (error) => found.push(`script: ${error.message}`))
      await page.goto(`${origin}/${name}`)
      found.push(...await page.evaluate(layoutProblems))
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate(() => globalThis.axe.run())
      for (const v of violations) found.push(`axe ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`)
      await page.close()
      return found
    })
    await context.close()
  }
}

// Runs in the page.
function layoutProblems() {
  const found = []
  const root = document.documentElement
  if (root.scrollWidth > innerWidth) found.push(`wider than the window: ${root.scrollWidth} > ${innerWidth}`)
  if (document.querySelectorAll("h1").length !== 1) found.push("not exactly one h1")
  if (getComputedStyle(document.querySelector("main")).maxWidth === "none") found.push("the stylesheet does not apply")
  if (document.getAnimations().length > 0) found.push("moves although motion is not wanted")
  for (const element of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    const { width, height } = element.getBoundingClientRect()
    if (width < 44 || height < 44) found.push(`target of ${width} by ${height}: ${element.outerHTML.slice(0, 80)}`)
  }
  return found
}

async function keyboardOnly() {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const csrfToken = /name="csrfToken" value="(\w+)"/.exec(readFileSync(join(folder, "sign-in.html"), "utf8"))[1]
  const walk = async (name, keys) => {
    const page = await context.newPage()
    posts.length = 0
    await page.goto(`${origin}/${name}`)
    for (const key of keys) await (key === "Tab" || key === "Enter" ? page.keyboard.press(key) : page.keyboard.type(key))
    await page.waitForURL((url) => url.pathname !== `/${name}`)
    const path = new URL(page.url()).pathname
    await page.close()
    return { path, posts: [...posts] }
  }
  const post = (path, body) => ({ path, posts: [{ path, origin, body }] })

  await check("keyboard: first provider", async () => same(await walk("sign-in.html", ["Tab", "Enter"]),
    post("/signin/github", { csrfToken, callbackUrl: "/dashboard?tab=1" })))
  await check("keyboard: third provider", async () => same(await walk("sign-in-many.html", ["Tab", "Tab", "Tab", "Enter"]),
    post("/signin/apple", { csrfToken, callbackUrl: "/dashboard?tab=1" })))
  await check("keyboard: name and password, by the button", async () => same(await walk("sign-in-credentials.html", ["Tab", "alice", "Tab", "secret", "Tab", "Enter"]),
    post("/callback/credentials", { csrfToken, username: "alice", password: "secret" })))
  await check("keyboard: name and password, Enter in the field", async () => same(await walk("sign-in-credentials.html", ["Tab", "alice", "Tab", "secret", "Enter"]),
    post("/callback/credentials", { csrfToken, username: "alice", password: "secret" })))
  await check("keyboard: magic link", async () => same(await walk("themed-sign-in.html", ["Tab", "Tab", "Tab", "me@example.com", "Enter"]),
    post("/signin/email", { csrfToken, email: "me@example.com" })))
  await check("keyboard: sign out", async () => same(await walk("sign-out.html", ["Tab", "Enter"]), post("/signout", { csrfToken })))
  for (const name of ["error-AccessDenied.html", "verify-request.html"])
    await check(`keyboard: link of ${name}`, async () => same(await walk(name, ["Tab", "Enter"]), { path: "/sign-in.html", posts: [] }))
  await context.close()

  await check("keyboard: every control is reached in order and shows it", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${origin}/sign-in-many.html`)
    const count = await page.locator("a, button, input:not([type=hidden])").count()
    const found = []
    for (let at = 0; at < count; at++) {
      await page.keyboard.press("Tab")
      const { index, ring } = await page.evaluate(() => ({
        index: [...document.querySelectorAll("a, button, input:not([type=hidden])")].indexOf(document.activeElement),
        ring: getComputedStyle(document.activeElement).outlineStyle === "solid" && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2,
      }))
      if (index !== at || !ring) found.push(`control ${at}: focus is on ${index}, ring: ${ring}`)
    }
    await context.close()
    return found
  })
}

async function framing() {
  await check("no framing, not even by the same origin", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${origin}/frame`)
    const cards = await Promise.all(page.frames().slice(1).map((frame) => frame.locator("main.card").count()))
    await context.close()
    return same(cards, [0])
  })
}

async function screenshots(target) {
  mkdirSync(target, { recursive: true })
  for (const { file, page: name, scheme: colorScheme, width, height } of SHOTS) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" })
    const page = await context.newPage()
    await page.goto(`${origin}/${name}.html`)
    await page.screenshot({ path: join(target, `${file}.png`), fullPage: true })
    await context.close()
  }
}
