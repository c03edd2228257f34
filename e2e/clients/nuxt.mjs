// Unmodified @sidebase/nuxt-auth with its provider `authjs` against Hallpass in Chromium, in an application of Nuxt that
// passes /api/auth on: in the browser, in pages that the server renders, and in its handlers and middleware.
//
//   npm ci && (cd nuxt && npm install) && node nuxt.mjs
import { GRACE, NAMES, SESSION, browser, check, cookies, equal, finish, logged, mailed, press, result, shows, without } from "./lib/checks.mjs"
import { build, start } from "./lib/nuxt.mjs"

/** v4 takes what a proxy passes on for https, unless it says otherwise. */
const HTTP = { "x-forwarded-proto": "http" }

build()
for (const dialects of [["v4"], ["v5", "v4"], ["v4", "v5"]]) {
  const site = await start(dialects)
  const test = (name, run) => check(`nuxt, ${dialects.join(", ")}: ${name}`, site, (open, context) => run(async (path) => ready(await open(path)), context))
  const looks = async () => Number(await (await fetch(`${site.backend}/looks`)).text())
  /** What a handler of the application answers. */
  const asked = async (context, path) => (await context.request.get(`${site.origin}/api/${path}`)).text()

  /** What the server's own routes answer. */
  const told = async (context, path) => (await context.request.get(`${site.backend}/${path}`, { headers: HTTP })).text()

  await test("signs in, looks, updates and signs out", async (open, context) => {
    const page = await open("")
    await shows(page, "unauthenticated", null)
    await press(page, "Providers")
    equal(Object.keys(await result(page)), ["credentials", "email"])

    await press(page, "Wrong password")
    equal((await result(page)).error, "CredentialsSignin")
    await shows(page, "unauthenticated", null)

    await press(page, "Sign in")
    equal((await result(page)).error, null)
    await shows(page, "authenticated", SESSION)
    equal(await cookies(context), [NAMES[dialects[0]]])

    await press(page, "Refresh")
    equal(without(await result(page)), SESSION)

    await press(page, "Change company")
    const changed = { ...SESSION, selectedCompanyId: "globex" }
    equal(without(await result(page)), changed)
    await shows(page, "authenticated", changed)
    equal(await told(context, "company"), "globex")

    // What the application does not take changes nothing.
    await press(page, "Change role")
    const refused = await result(page)
    equal(refused.status, 400)
    await reload(page)
    await shows(page, "authenticated", changed)

    await press(page, "Sign out")
    await result(page)
    await shows(page, "unauthenticated", null)
    equal(await cookies(context), [])
    await reload(page)
    await shows(page, "unauthenticated", null)
  })

  await test("another tab sees the end, and an update, when it is looked at", async (open) => {
    const [page, tab] = [await open(""), await open("")]
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    await shows(tab, "unauthenticated", null)
    await reload(tab)
    await shows(tab, "authenticated", SESSION)
    await press(page, "Change company")
    await result(page)
    await focus(tab)
    await shows(tab, "authenticated", { ...SESSION, selectedCompanyId: "globex" })
    await press(page, "Sign out")
    await result(page)
    await focus(tab)
    await shows(tab, "unauthenticated", null)
  })

  await test("seed_1_6 seed_2_8 useAuth() has what the session callback shows, in the browser and in the page as rendered", async (open, context) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    const greeting = "Hello, Ada. You have the role: admin!"
    const rendered = await (await context.request.get(`${site.origin}/hello`)).text()
    equal(rendered.includes(greeting), true)
    await page.goto(`${site.origin}/hello`)
    await page.getByText(greeting).waitFor()
  })

  await test("seed_2_4 what stays in the token is read by getToken() on the server, and nowhere else", async (open, context) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    await reload(page)
    for (const seen of [await page.evaluate(() => document.cookie), await page.content(), await asked(context, "auth/session")]) {
      equal(/the-token-of-ada|session-token/.test(seen), false)
    }
    const token = await asked(context, "token")
    // It knows the names of v4 alone.
    equal(token.includes('"sessionToken":"the-token-of-ada"'), dialects[0] === "v4")
  })

  await test("seed_2_5 the session callback runs each time that the session is asked for", async (open, context) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    let before = await looks()
    const ran = async (times) => {
      equal(await looks() - before, times)
      before = await looks()
    }
    await reload(page) // useAuth(), on the server; the browser gets it with the page
    await ran(1)
    await press(page, "Refresh")
    await result(page)
    await ran(1)
    const answered = page.waitForResponse((answer) => answer.url().includes("/api/auth/session"))
    await focus(page)
    await answered
    await ran(1)
    await asked(context, "members/me") // the server's own look
    await ran(1)
  })

  await test("seed_2_7 an error in the session callback signs this person out, and nobody else", async (open, context) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    const other = await browser.newContext()
    const theirs = await other.newPage()
    await theirs.goto(site.origin)
    await ready(theirs)
    await press(theirs, "Sign in as Grace")
    await shows(theirs, "authenticated", GRACE)
    const mark = site.server.output().length
    await press(page, "Break")
    await result(page)
    await shows(page, "unauthenticated", null)
    await logged(site, mark, "WARN", "the company's API says no")
    equal(await cookies(context), [])
    await reload(page)
    await shows(page, "unauthenticated", null)
    await reload(theirs)
    await shows(theirs, "authenticated", GRACE)
    await other.close()
  })

  await test("seed_3_1 a new first name is in every session of that person, without signing in again", async (open, context) => {
    const [page, tab] = [await open(""), await open("")]
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    const other = await browser.newContext()
    const elsewhere = await other.newPage()
    await elsewhere.goto(site.origin)
    await ready(elsewhere)
    await press(elsewhere, "Sign in")
    await shows(elsewhere, "authenticated", SESSION)
    equal((await context.request.post(`${site.backend}/rename`, { headers: HTTP })).status(), 200)
    for (const one of [page, tab, elsewhere]) {
      await reload(one)
      await shows(one, "authenticated", { ...SESSION, user: { ...SESSION.user, name: "Augusta" } })
    }
    await other.close()
  })

  await test("seed_3_2 seed_3_6 seed_3_7 seed_3_9 a company picked with $fetch is in the answer, and in useAuth() from then on", async (open, context) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    await press(page, "Fetch company")
    const picked = { ...SESSION, selectedCompanyId: "hooli" }
    equal(without(await result(page)), picked)
    await press(page, "Refresh")
    await shows(page, "authenticated", picked)
    await reload(page)
    await shows(page, "authenticated", picked)
    // A link on another site changes nothing, although the application passes it on.
    const tab = await context.newPage()
    await tab.goto(`data:text/html,<a href="${site.origin}/api/auth/session?companyId=evil">here</a>`)
    await tab.getByText("here").click()
    await tab.getByText('"selectedCompanyId":"hooli"').waitFor()
    equal(await told(context, "company"), "hooli")
  })

  await test("seed_3_2 the company that was picked survives signing in by another provider", async (open) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    await press(page, "Change company")
    const picked = { ...SESSION, selectedCompanyId: "globex" }
    await shows(page, "authenticated", picked)
    await press(page, "Sign out")
    await shows(page, "unauthenticated", null)
    await page.goto(await mailed(site, () => asksForALink(page)))
    await press(page, "Sign in")
    await page.waitForURL(`${site.origin}/`)
    await ready(page)
    await shows(page, "authenticated", picked)
  })

  await test("seed_3_11 seed_3_12 an update takes complex data, and is shown without a reload", async (open) => {
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    await press(page, "Change much")
    await shows(page, "authenticated", { ...SESSION, selectedCompanyId: "initech as owner and buyer" })
  })

  await test("signs in and out, and goes where it was told", async (open) => {
    const page = await open("")
    await press(page, "Sign in and go")
    await page.waitForURL(`${site.origin}/hello`)
    await page.getByText("Hello, Ada.").waitFor()
    await page.goto(site.origin)
    await ready(page)
    await shows(page, "authenticated", SESSION)
    await press(page, "Sign out and go")
    await page.waitForURL(`${site.origin}/hello`)
    equal((await page.locator("body").textContent()).includes("Ada"), false)
  })

  for (const [way, ask] of [["a page that needs a session", (page) => page.goto(`${site.origin}/members`)], ["signIn()", (page) => press(page, "Sign-in page")], ["getSession({ required: true })", (page) => press(page, "Require session")]]) {
    await test(`${way} leads to the sign-in page and back`, async (open) => {
      const page = await open("")
      await ask(page)
      await page.getByLabel("Username").fill("ada")
      await page.getByLabel("Password").fill("wrong")
      await page.getByRole("button", { name: "Sign in", exact: true }).click()
      await page.getByRole("alert").waitFor()
      await page.getByLabel("Username").fill("ada")
      await page.getByLabel("Password").fill("right")
      await page.getByRole("button", { name: "Sign in", exact: true }).click()
      if (way.startsWith("a page")) return page.locator("#member", { hasText: "Ada" }).waitFor()
      await page.waitForURL(`${site.origin}/`)
      await shows(page, "authenticated", SESSION)
    })
  }

  await test("handlers and middleware of the application read the session from the server", async (open, context) => {
    equal((await context.request.get(`${site.origin}/api/members/me`)).status(), 401)
    const page = await open("")
    await press(page, "Sign in")
    await shows(page, "authenticated", SESSION)
    equal(JSON.parse(await asked(context, "members/me")), SESSION.user)
    // This one asks a NuxtAuthHandler, of which there is none.
    equal((await context.request.get(`${site.origin}/api/server-session`)).status(), 500)
  })
  await site.stop()
}

await finish()

/** The library leads to the page that tells of the mail. */
async function asksForALink(page) {
  await press(page, "Mail a link")
  await page.getByRole("heading", { name: "Check your email" }).waitFor()
}

/** A button does nothing before the page has come to life. */
async function ready(page) {
  await page.waitForFunction(() => window.useNuxtApp?.().isHydrating === false)
  return page
}

async function reload(page) {
  await page.reload()
  await ready(page)
}

/** As when somebody comes back to the tab. */
function focus(page) {
  return page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))
}
