// Signs in and out in Chromium, as people do: by password and through a real OpenID provider, with the mouse and with
// the keyboard alone, with JavaScript and without. Screenshots go to target/e2e.
//
//   npm ci && node browser.mjs [--screenshots ../../docs/screenshots]
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import * as chromium from "./lib/chromium.mjs"
import * as hallpass from "./lib/hallpass.mjs"
import * as provider from "./lib/provider.mjs"

const SHOTS = join(hallpass.TARGET, "e2e")
mkdirSync(SHOTS, { recursive: true })

const { values } = parseArgs({ options: { screenshots: { type: "string" } } })

const op = await provider.start()
const server = await hallpass.start(settings(), ["--dev"])
await op.register(`${server.origin}/api/auth/callback/local`)
const browser = await chromium.launch()
let passed = 0, failed = 0

await test("the address that is printed first shows how to sign in", async (page) => {
  await page.goto(server.origin)
  await sees(page, "h1", "Hallpass is running")
  await page.getByRole("link", { name: "Sign in" }).click()
  await sees(page, "h1", "Sign in")
  await page.getByRole("button", { name: "Sign in with Local" }).waitFor()
})

await test("by password: the session, its private claims, what the callbacks did, signed out", async (page) => {
  await signInByPassword(page, "lena", "demo")
  await sees(page, "h1", "You are signed in, Lena Liddell")
  await sees(page, "#session", '"email": "lena@example.com"')
  await sees(page, "#session", '"expires": "20')
  await sees(page, "#claims", '"role": "reader"', '"provider": "credentials"', '"signed_in_at": "20')
  const signIn = page.locator("#timeline li", { hasText: "POST /api/auth/callback/credentials" }).first()
  for (const callback of ["authorize", "sign_in", "jwt", "on_event"]) await signIn.locator("summary", { hasText: callback }).first().waitFor()
  await signIn.locator("summary", { hasText: "authorize" }).click()
  await signIn.getByText('"password": "(hidden)"').first().waitFor()
  equal((await session(page)).user, { name: "Lena Liddell", email: "lena@example.com", role: "reader" })
  await signOut(page)
})

await test("a look at the session renews its cookie, which no script can read", async (page) => {
  await signInByPassword(page, "milo", "demo")
  await sees(page, "h1", "You are signed in, Milo Cratchit")
  const before = await sessionCookie(page)
  equal(before.httpOnly, true)
  equal(before.sameSite, "Lax")
  equal(await page.evaluate(() => document.cookie.includes("session-token")), false)
  await page.goto(`${server.origin}/api/auth/session`)
  const after = await sessionCookie(page)
  // The session is in the database: its token stays, and lives longer.
  equal(after.value, before.value)
  equal(after.expires >= before.expires, true)
})

await test("a demo user with one click", async (page) => {
  await page.goto(server.origin)
  await page.getByRole("button", { name: "Sign in as Ada Lovelace" }).click()
  await sees(page, "h1", "You are signed in, Ada Lovelace")
  await sees(page, "#claims", '"role": "admin"')
  await signOut(page)
})

await test("the display name changes while the session lives", async (page) => {
  await signInByPassword(page, "milo", "demo")
  await page.getByLabel("Display name").fill("Robert Cratchit")
  await page.getByRole("button", { name: "Change" }).click()
  await sees(page, "[role=status]", "nobody had to sign in again")
  await sees(page, "h1", "Robert Cratchit")
  equal((await session(page)).user.name, "Robert Cratchit")
})

await test("a wrong password is told, and signs nobody in", async (page) => {
  await signInByPassword(page, "lena", "wrong")
  await sees(page, "h1", "Sign in")
  const alert = await page.getByRole("alert").innerText()
  equal(alert.length > 10, true)
  await page.screenshot({ path: join(SHOTS, "wrong-password.png") })
  equal(await session(page), null)
})

await test("through the provider: its pages, the session, signed out", async (page) => {
  await page.goto(server.origin)
  await page.getByRole("link", { name: "Sign in" }).click()
  await page.getByRole("button", { name: "Sign in with Local" }).click()
  await page.waitForURL(`${op.issuer}/**`)
  await page.getByPlaceholder("Enter any login").fill("carol")
  await page.getByPlaceholder("and password").fill("whatever she likes")
  await page.getByRole("button", { name: "Sign-in" }).click()
  await page.getByRole("button", { name: "Continue" }).click()
  await page.waitForURL(`${server.origin}/`)
  await sees(page, "h1", "You are signed in, Carol Danvers")
  await sees(page, "#claims", '"provider": "local"')
  equal((await session(page)).user, { name: "Carol Danvers", email: "carol@example.com" })
  await page.screenshot({ path: join(SHOTS, "through-the-provider.png") })
  await signOut(page)
})

await test("whoever declines at the provider is told, and is not signed in", async (page) => {
  await page.goto(`${server.origin}/api/auth/signin?callbackUrl=/`)
  await page.getByRole("button", { name: "Sign in with Local" }).click()
  await page.getByRole("link", { name: "Cancel" }).click()
  await page.waitForURL(`${server.origin}/**`)
  await page.getByRole("alert").waitFor()
  equal(await session(page), null)
})

await test("a magic link: a scanner opens it first, a person confirms it", async (page) => {
  await page.goto(`${server.origin}/api/auth/signin?callbackUrl=%2F`)
  await page.getByLabel("Email").fill("Grace@Example.com")
  await page.getByRole("button", { name: "Email me a link" }).click()
  await sees(page, "h1", "Check your email")
  await page.goto(`${server.origin}/dev/inbox`)
  await sees(page, "#mail", "grace@example.com")
  await page.frameLocator("iframe.mail").getByRole("link", { name: "Sign in" }).waitFor()
  equal(await chromium.problems(page), [])
  await page.screenshot({ path: join(SHOTS, "inbox.png"), fullPage: true })

  const link = await page.getByRole("link", { name: "Open the link" }).getAttribute("href")
  const scanner = await browser.newContext()
  await (await scanner.newPage()).goto(link)
  equal((await scanner.request.get(link)).status(), 200)
  equal(await (await scanner.request.get(`${server.origin}/api/auth/session`)).json(), null)
  await scanner.close()

  await page.getByRole("link", { name: "Open the link" }).click()
  await sees(page, "h1", "Sign in?")
  await sees(page, "strong", "grace@example.com")
  equal(await session(page), null)
  const sent = page.waitForRequest((request) => request.method() === "POST")
  await page.getByRole("button", { name: "Sign in" }).click()
  const headers = await (await sent).allHeaders()
  equal([headers.origin, headers.referer], [server.origin, `${server.origin}/`])
  await sees(page, "h1", "You are signed in, grace@example.com")
  equal((await session(page)).user, { email: "grace@example.com" })

  const late = await browser.newContext()
  const again = await late.newPage()
  await again.goto(link)
  await again.getByRole("button", { name: "Sign in" }).click()
  await sees(again, "h1", "This link no longer works")
  await late.close()
})

await test("keyboard alone, no JavaScript: by password, a change, signed out", async (page) => {
  await page.goto(server.origin)
  await keys(page, "Tab", "Enter") // the link to the sign-in page
  await sees(page, "h1", "Sign in")
  await keys(page, "Tab", "Tab", "=lena", "Tab", "=demo", "Enter") // past the provider
  await sees(page, "h1", "You are signed in, Lena Liddell")
  await keys(page, "Tab", "Tab", "Tab", "=Lena by keyboard", "Tab", "Enter") // sign out, link, field, button
  await sees(page, "h1", "You are signed in, Lena by keyboard")
  await keys(page, "Tab", "Enter")
  await sees(page, "h1", "Hallpass is running")
}, { javaScriptEnabled: false })

await test("keyboard alone, no JavaScript: through the provider, what a callback was given, signed out", async (page) => {
  await page.goto(server.origin)
  await keys(page, "Tab", "Enter")
  await sees(page, "h1", "Sign in")
  await keys(page, "Tab", "Enter")
  await page.waitForURL(`${op.issuer}/**`)
  await page.getByPlaceholder("Enter any login").waitFor()
  await keys(page, "=carol", "Tab", "=secret", "Enter") // it puts the cursor into its first field
  await page.getByRole("button", { name: "Continue" }).waitFor()
  await keys(page, "Enter")
  await sees(page, "h1", "You are signed in, Carol Danvers")
  const details = page.locator("details").first()
  await keys(page, "Tab", "Tab", "Tab", "Tab", "Tab", "Enter") // to the first callback
  await details.getByText("Given").waitFor()
  await keys(page, "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Enter")
  await sees(page, "h1", "Hallpass is running")
}, { javaScriptEnabled: false })

await test("every control is reached in its order and shows the focus", async (page) => {
  await signInByPassword(page, "lena", "demo")
  await sees(page, "h1", "You are signed in, Lena Liddell")
  const controls = "a, button, summary, input:not([type=hidden])"
  const count = await page.locator(controls).count()
  for (let at = 0; at < count; at++) {
    await page.keyboard.press("Tab")
    await page.waitForFunction(([controls, at]) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
      const index = [...document.querySelectorAll(controls)].indexOf(document.activeElement)
      return index === at && outlineStyle === "solid" && parseFloat(outlineWidth) >= 2
    }, [controls, at])
  }
})

for (const colorScheme of ["light", "dark"]) for (const width of [360, 1440]) {
  await test(`the page at / is sound, signed out and in: ${colorScheme}, ${width}`, async (page) => {
    await page.goto(server.origin)
    equal(await chromium.problems(page), [])
    await page.screenshot({ path: join(SHOTS, `signed-out-${colorScheme}-${width}.png`), fullPage: true })
    await page.getByRole("button", { name: "Sign in as Lena Liddell" }).click()
    await page.locator("summary", { hasText: "authorize" }).first().click()
    await page.getByText('"password": "(hidden)"').first().waitFor()
    equal(await chromium.problems(page), [])
    await page.screenshot({ path: join(SHOTS, `signed-in-${colorScheme}-${width}.png`), fullPage: true })
  }, { colorScheme, viewport: { width, height: 800 } })
}

if (values.screenshots) await screenshots(resolve(values.screenshots))
await browser.close()
op.close()
await check("the server stops when it is asked to", async () => equal(await server.stop(), 0))
if (failed) console.log(server.log())
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0

/** Demo users, and the provider. */
function settings() {
  return `
listen = "127.0.0.1:0"

[providers.local]
type = "oidc"
name = "Local"
issuer = "${op.issuer}"
id = "${op.client.client_id}"
secret = "${op.client.client_secret}"
profile_source = "userinfo"
`
}

/** Small ones, for the README. */
async function screenshots(folder) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1040, height: 590 }, reducedMotion: "reduce" })
    const page = await context.newPage()
    await page.goto(server.origin)
    await page.getByRole("button", { name: "Sign in as Lena Liddell" }).click()
    await sees(page, "h1", "You are signed in")
    await page.screenshot({ path: join(folder, `server-${colorScheme}.jpg`), quality: 80 })
    await context.close()
  }
}

/** A test in a browser that knows nothing. Errors that our pages put on the console are failures. */
async function test(name, run, options = {}) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  // The provider's pages ask for fonts from elsewhere.
  await context.route((url) => url.hostname !== "127.0.0.1", (route) => route.abort())
  const errors = []
  page.on("console", (message) => {
    const { url } = message.location()
    if (message.type() === "error" && url.startsWith(server.origin)) errors.push(`${url}: ${message.text()}`)
  })
  page.on("pageerror", (error) => errors.push(error.message))
  await check(name, async () => {
    try {
      await run(page)
      equal(errors, [])
    } catch (error) {
      await page.screenshot({ path: join(SHOTS, `failed-${name.replace(/\W+/g, "-")}.png`) })
      throw error
    }
  })
  await context.close()
}

async function check(name, run) {
  try {
    await run()
    passed++
    console.log(`ok: ${name}`)
  } catch (error) {
    failed++
    console.log(`FAILED: ${name}\n    ${error.message.replaceAll("\n", "\n    ")}`)
  }
}

function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value))
  if (a !== b) throw new Error(`got ${a}, expected ${b}`)
}

async function sees(page, where, ...texts) {
  for (const text of texts) await page.locator(where, { hasText: text }).first().waitFor()
}

async function signInByPassword(page, username, password) {
  await page.goto(`${server.origin}/api/auth/signin?callbackUrl=%2F`)
  await page.getByLabel("Username").fill(username)
  await page.getByLabel("Password").fill(password)
  await page.getByRole("button", { name: "Sign in", exact: true }).click()
}

async function signOut(page) {
  await page.getByRole("button", { name: "Sign out" }).click()
  await sees(page, "h1", "Hallpass is running")
  equal(await session(page), null)
}

/** What the browser is told. */
async function session(page) {
  const answer = await page.context().request.get(`${server.origin}/api/auth/session`)
  return answer.json()
}

async function sessionCookie(page) {
  const cookies = await page.context().cookies()
  return cookies.find((cookie) => cookie.name === "authjs.session-token")
}

/** Presses keys; what begins with `=` is typed. */
async function keys(page, ...sequence) {
  for (const key of sequence) await (key.startsWith("=") ? page.keyboard.type(key.slice(1)) : page.keyboard.press(key))
}
