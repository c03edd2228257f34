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
  await page.getByLabel("What update(…) sends").fill('{ "name": "Robert Cratchit" }')
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

await test("GitHub, offline: the stand-in, the session, the account", async (page) => {
  await standIn(page, "GitHub")
  await sees(page, "#people", "Robin Hale", "Zoë Tanaka", "unverified e-mail")
  equal(JSON.parse(await page.getByLabel("Profile", { exact: true }).inputValue()).login, "robin")
  await page.getByRole("button", { name: "Sign in as Zoë Tanaka" }).click()
  await sees(page, "h1", "You are signed in, Zoë Tanaka")
  await sees(page, "#claims", '"provider": "github"')
  await sees(page, "#accounts", "github", "address proven")
  equal((await session(page)).user.email, "zoe.tanaka@example.com")
  await signOut(page)
})

await test("Microsoft, offline: a profile that was edited", async (page) => {
  await standIn(page, "Microsoft Entra ID")
  await page.getByRole("link", { name: "edit the profile of Kit Moreau" }).click()
  const profile = page.getByLabel("Profile", { exact: true })
  const claims = JSON.parse(await profile.inputValue())
  equal(claims.preferred_username, "kit.moreau@example.com")
  await profile.fill("{ this is no JSON")
  await page.getByRole("button", { name: "Sign in with this profile" }).click()
  await sees(page, "[role=alert]", "The profile is not JSON")
  equal(await profile.inputValue(), "{ this is no JSON")
  await profile.fill(JSON.stringify({ ...claims, name: "Kit the Second" }))
  await page.getByRole("button", { name: "Sign in with this profile" }).click()
  await sees(page, "h1", "You are signed in, Kit the Second")
}, {}, /400/)

await test("Apple, offline: it posts the name beside the code", async (page) => {
  await standIn(page, "Apple")
  await page.getByRole("button", { name: "Sign in as Robin Hale" }).click()
  await sees(page, "h1", "Back from Apple")
  await sees(page, "main", "firstName")
  equal(await chromium.problems(page), [])
  await page.getByRole("button", { name: "Continue to 127.0.0.1" }).click()
  await sees(page, "h1", "You are signed in, Robin Hale")
})

await test("GitHub, offline: whoever denies is told so, and is not signed in", async (page) => {
  await standIn(page, "GitHub")
  await page.getByRole("button", { name: "Deny" }).click()
  await sees(page, "[role=alert]", "The provider did not confirm who you are, or you cancelled")
  equal(await chromium.problems(page), [])
  equal(await session(page), null)
})

for (const [provider, outcome, heading] of [
  ["Google", "Unknown key", "Something is wrong on our side"],
  ["Google", "Wrong nonce", "Something is wrong on our side"],
  ["Google", "No tokens", "Something is wrong on our side"],
  ["GitHub", "No profile", "Something is wrong on our side"],
]) {
  await test(`${provider}, offline: ${outcome} is told in plain words, and signs nobody in`, async (page) => {
    await standIn(page, provider)
    await page.getByRole("button", { name: outcome }).click()
    await sees(page, "h1", heading)
    equal(await chromium.problems(page), [])
    equal(await session(page), null)
  }, {}, /403|500/)
}

await test("Google, offline: a rotated key signs in", async (page) => {
  await standIn(page, "Google")
  const profile = page.getByLabel("Profile", { exact: true })
  await profile.fill((await profile.inputValue()).replaceAll("robin", "rita"))
  await page.getByRole("button", { name: "Rotated key" }).click()
  await sees(page, "#claims", '"provider": "google"')
})

await test("Discord, offline: an unverified address is unproven", async (page) => {
  await standIn(page, "Discord")
  const profile = page.getByLabel("Profile", { exact: true })
  await profile.fill((await profile.inputValue()).replaceAll("robin", "ruth"))
  await page.getByRole("button", { name: "Unverified e-mail" }).click()
  await sees(page, "#accounts", "discord", "address unproven")
})

await test("sessions are listed, and one ends the others", async (page) => {
  const other = await (await browser.newContext({ userAgent: "Lynx <2.9> " + "x".repeat(400) })).newPage()
  for (const it of [other, page]) {
    await it.goto(server.origin)
    await it.getByRole("button", { name: "Sign in as Milo Cratchit" }).click()
    await sees(it, "h1", "You are signed in")
  }
  await page.setViewportSize({ width: 360, height: 800 })
  equal(await chromium.problems(page), [])
  await sees(page, "#sessions", "Lynx <2.9>", "Chrome on Linux", "this one")
  await page.locator("#sessions li", { hasText: "Lynx" }).getByRole("button").click()
  await sees(page, "[role=status]", "That session is over")
  equal(await session(other), null)
  equal(await page.locator("#sessions li", { hasText: "Lynx" }).count(), 0)
  // Milo was left signed in by an earlier test.
  await page.getByRole("button", { name: "End all others" }).click()
  await sees(page, "[role=status]", "All other sessions are over")
  equal(await page.locator("#sessions li").count(), 1)
  await other.context().close()
  await page.getByRole("button", { name: "End this session" }).click()
  await sees(page, "h1", "Hallpass is running")
})

await test("keyboard alone, no JavaScript: through a stand-in", async (page) => {
  await standIn(page, "GitHub")
  await keys(page, "Tab", "Tab", "Tab", "Tab", "Enter") // link and button of the first person, and of the second
  await sees(page, "h1", "You are signed in, Zoë Tanaka")
}, { javaScriptEnabled: false })

await test("keyboard alone, no JavaScript: by password, a change, signed out", async (page) => {
  await page.goto(server.origin)
  await keys(page, "Tab", "Enter") // the link to the sign-in page
  await sees(page, "h1", "Sign in")
  await keys(page, "Tab", "Tab", "=lena", "Tab", "=demo", "Enter") // past the provider
  await sees(page, "h1", "You are signed in, Lena Liddell")
  await keys(page, "Tab", "Tab", "Tab", "Control+A", '={ "name": "Lena by keyboard" }', "Tab", "Enter") // sign out, link, field, button
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
  const tabs = Array(1 + await page.locator("#sessions button").count()).fill("Tab")
  await keys(page, "Tab", "Tab", "Tab", "Tab", ...tabs, "Enter") // to the first callback
  await details.getByText("Given").waitFor()
  await keys(page, "Shift+Tab", "Shift+Tab", "Shift+Tab", ...tabs.map((key) => `Shift+${key}`), "Enter")
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

for (const colorScheme of ["light", "dark"]) for (const width of [360, 1440]) {
  await test(`the stand-in's pages are sound: ${colorScheme}, ${width}`, async (page) => {
    for (const [provider, person] of [["GitHub", "Zoë"], ["Apple", "Kit"]]) {
      await standIn(page, provider)
      equal(await chromium.problems(page), [])
      await page.getByRole("link", { name: person }).click()
      await page.screenshot({ path: join(SHOTS, `stand-in-${provider}-${colorScheme}-${width}.png`), fullPage: true })
    }
    await page.getByRole("button", { name: "Sign in as Kit" }).click()
    await sees(page, "h1", "Back from Apple")
    equal(await chromium.problems(page), [])
    await page.screenshot({ path: join(SHOTS, `stand-in-back-${colorScheme}-${width}.png`), fullPage: true })
    await page.goto(`${server.origin}/api/auth/signin`)
    equal(await chromium.problems(page), [])
    await page.screenshot({ path: join(SHOTS, `sign-in-${colorScheme}-${width}.png`), fullPage: true })
    await page.goto(`${server.origin}/dev/idp/github/authorize`)
    equal(await chromium.problems(page), [])
  }, { colorScheme, viewport: { width, height: 800 } }, /400/)
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

/** A test in a browser that knows nothing. Errors that our pages put on the console are failures, but for those expected. */
async function test(name, run, options = {}, expected = undefined) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  // The provider's pages ask for fonts from elsewhere.
  await context.route((url) => url.hostname !== "127.0.0.1", (route) => route.abort())
  const errors = []
  page.on("console", (message) => {
    const { url } = message.location()
    if (message.type() === "error" && url.startsWith(server.origin) && !expected?.test(message.text())) errors.push(`${url}: ${message.text()}`)
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

/** Chooses a provider that the server stands in for. */
async function standIn(page, name) {
  await page.goto(`${server.origin}/api/auth/signin?callbackUrl=%2F`)
  await page.getByRole("button", { name: `Sign in with ${name}` }).click()
  await sees(page, "h1", `Stand-in for ${name}`)
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
