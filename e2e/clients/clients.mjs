// Unmodified next-auth@4/react and next-auth@5/react against Hallpass in Chromium, behind a proxy on the same origin:
// signed in, the extended session shown, updated in every tab, signed out in every tab. With the session in the cookie
// in every mixture of the dialects, and with the session in the database for next-auth 5.
//
//   npm ci && node clients.mjs
import { getToken as getToken4 } from "next-auth-4/jwt"
import { getToken as getToken5 } from "next-auth-5/jwt"
import { GRACE, NAMES, SESSION, browser, check, cookies, equal, finish, logged, mailed, press, result, shows, without } from "./lib/checks.mjs"
import { SECRET } from "./lib/hallpass.mjs"
import { start } from "./lib/site.mjs"

const SITES = [["jwt", "v5"], ["database", "v5"], ["jwt", "v4"], ["jwt", "v5", "v4"], ["jwt", "v4", "v5"]]
for (const [strategy, ...dialects] of SITES) {
  const site = await start(dialects, strategy)
  const test = (name, run) => check(`${strategy}, ${dialects.join(", ")}: ${name}`, site, run)
  for (const library of dialects) {
    await test(`${library} signs in, updates and signs out, in two tabs`, async (open, context) => {
      const [page, tab] = [await open(library), await open(library)]
      await shows(page, "unauthenticated", null)

      await press(page, "Wrong password")
      const refused = await result(page)
      equal([refused.ok, refused.error], [library === "v5", "CredentialsSignin"])
      await shows(page, "unauthenticated", null)

      await press(page, "Sign in")
      equal((await result(page)).ok, true)
      await shows(page, "authenticated", SESSION)
      await tab.reload() // the libraries tell other tabs of updates and of the end, not of the beginning
      await shows(tab, "authenticated", SESSION)
      equal(await cookies(context), [NAMES[dialects[0]]])

      await press(page, "Change company")
      const changed = { ...SESSION, selectedCompanyId: "globex" }
      equal(without(await result(page)), changed)
      await shows(page, "authenticated", changed)
      await shows(tab, "authenticated", changed)
      equal(await (await context.request.get(`${site.origin}/company`)).text(), "globex")

      // What the application does not take changes nothing.
      const answered = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/session"))
      await press(page, "Change role")
      equal((await answered).status(), 400)
      await page.reload()
      await shows(page, "authenticated", changed)

      await press(page, "Sign out")
      await shows(page, "unauthenticated", null)
      await shows(tab, "unauthenticated", null)
      equal(await cookies(context), [])
    })

    await test(`${library} seed_1_6 useSession() has the id`, async (open) => {
      const page = await open(library)
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
    })

    await test(`${library} seed_2_4 what stays in the token is read by getToken() on the server, and nowhere else`, async (open, context) => {
      const page = await open(library)
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      const session = await (await context.request.get(`${site.origin}/api/auth/session`)).text()
      for (const seen of [await page.evaluate(() => document.cookie), await page.content(), session]) {
        equal(/the-token-of-ada|session-token/.test(seen), false)
      }
      if (strategy === "database") return // the cookie holds no token
      const cookies = Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]))
      const cookie = Object.entries(cookies).map((pair) => pair.join("=")).join("; ")
      const token = dialects[0] === "v4"
        ? await getToken4({ req: { cookies, headers: { cookie } }, secret: SECRET })
        : await getToken5({ req: { headers: { cookie } }, secret: SECRET, salt: NAMES.v5 })
      equal([token.name, token.sessionToken], ["Ada", "the-token-of-ada"])
    })

    await test(`${library} seed_3_2 seed_3_6 seed_3_7 seed_3_9 seed_3_11 a company picked with fetch is in the answer, and in useSession() from then on`, async (open, context) => {
      const [page, tab] = [await open(library), await open(library)]
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      await press(page, "Fetch company")
      const picked = { ...SESSION, selectedCompanyId: "hooli" }
      equal(without(await result(page)), picked)
      await page.reload()
      await shows(page, "authenticated", picked)
      await tab.reload()
      await shows(tab, "authenticated", picked)
      // A link on another site changes nothing.
      await tab.goto(`data:text/html,<a href="${site.origin}/api/auth/session?companyId=evil">here</a>`)
      await tab.getByText("here").click()
      await tab.getByText('"selectedCompanyId":"hooli"').waitFor()
      equal(await (await context.request.get(`${site.origin}/company`)).text(), "hooli")
    })

    await test(`${library} seed_3_12 update() takes complex data`, async (open) => {
      const page = await open(library)
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      await press(page, "Change much")
      await shows(page, "authenticated", { ...SESSION, selectedCompanyId: "initech as owner and buyer" })
    })

    await test(`${library} seed_3_2 the company that was picked survives a restart, and signing in by another provider`, async (open, context) => {
      const page = await open(library)
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      await press(page, "Change company")
      const picked = { ...SESSION, selectedCompanyId: "globex" }
      await shows(page, "authenticated", picked)
      const before = site.server.origin
      await site.server.restart()
      equal(site.server.origin === before, false)
      await page.reload()
      await shows(page, "authenticated", picked)

      // In another browser, by a link in a mail.
      const other = await browser.newContext()
      const theirs = await other.newPage()
      await theirs.goto(`${site.origin}/${library}`)
      await shows(theirs, "unauthenticated", null)
      await theirs.goto(await mailed(site, () => asksForALink(theirs)))
      await press(theirs, "Sign in")
      await theirs.waitForURL(`${site.origin}/${library}`)
      await shows(theirs, "authenticated", picked)
      await other.close()
    })

    await test(`${library} seed_2_7 an error in the session callback signs this person out, and nobody else`, async (open, context) => {
      const page = await open(library)
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      const other = await browser.newContext()
      const theirs = await other.newPage()
      await theirs.goto(`${site.origin}/${library}`)
      await press(theirs, "Sign in as Grace")
      await shows(theirs, "authenticated", GRACE)
      const mark = site.server.output().length
      await press(page, "Break")
      await result(page)
      await page.reload()
      await shows(page, "unauthenticated", null)
      await logged(site, mark, "WARN", "the company's API says no")
      // A row is not given up for it: the session is there again when the callback is well.
      equal(await cookies(context), strategy === "jwt" ? [] : [NAMES[dialects[0]]])
      await theirs.reload()
      await shows(theirs, "authenticated", GRACE)
      await other.close()
    })

    await test(`${library} seed_3_1 a new first name is in every session of that person, without signing in again`, async (open, context) => {
      const [page, tab] = [await open(library), await open(library)]
      await press(page, "Sign in")
      await shows(page, "authenticated", SESSION)
      const [other, stranger] = [await browser.newContext(), await browser.newContext()]
      const elsewhere = await other.newPage()
      await elsewhere.goto(`${site.origin}/${library}`)
      await press(elsewhere, "Sign in")
      await shows(elsewhere, "authenticated", SESSION)
      const theirs = await stranger.newPage()
      await theirs.goto(`${site.origin}/${library}`)
      await press(theirs, "Sign in as Grace")
      await shows(theirs, "authenticated", GRACE)

      equal((await context.request.post(`${site.origin}/rename`)).status(), 200)
      const renamed = { ...SESSION, user: { ...SESSION.user, name: "Augusta" } }
      for (const one of [page, tab, elsewhere]) {
        await one.reload()
        await shows(one, "authenticated", renamed)
      }
      await theirs.reload()
      await shows(theirs, "authenticated", GRACE)
      await other.close()
      await stranger.close()
    })

    await test(`${library} signs in and goes where it was told`, async (open) => {
      const page = await open(library)
      await shows(page, "unauthenticated", null)
      await press(page, "Sign in and go")
      await shows(page, "authenticated", SESSION)
      equal(new URL(page.url()).pathname, `/${library}`)
    })

    await test(`${library} leads to the sign-in page and back`, async (open) => {
      const page = await open(library)
      await shows(page, "unauthenticated", null)
      await press(page, "Sign-in page")
      await page.getByLabel("Username").fill("ada")
      await page.getByLabel("Password").fill("wrong")
      await page.getByRole("button", { name: "Sign in", exact: true }).click()
      await page.getByRole("alert").waitFor()
      await page.getByLabel("Username").fill("ada")
      await page.getByLabel("Password").fill("right")
      await page.getByRole("button", { name: "Sign in", exact: true }).click()
      await page.waitForURL(`${site.origin}/${library}`)
      await shows(page, "authenticated", SESSION)
    })
  }

  if (dialects.length === 2) {
    await test("what one library does the other one sees", async (open, context) => {
      const [old, young] = [await open("v4"), await open("v5")]
      await press(old, "Sign in")
      await shows(old, "authenticated", SESSION)
      await young.reload()
      await shows(young, "authenticated", SESSION)
      await press(young, "Change company")
      await result(young)
      await old.reload()
      await shows(old, "authenticated", { ...SESSION, selectedCompanyId: "globex" })
      await press(young, "Sign out")
      await shows(young, "unauthenticated", null)
      await old.reload()
      await shows(old, "unauthenticated", null)
      equal(await cookies(context), [])
    })
  }
  await site.stop()
}

await check("a session of a v4 server goes on after the move, under the new name", null, async () => {
  const context = await browser.newContext()
  const before = await start(["v4"])
  const page = await context.newPage()
  await page.goto(`${before.origin}/v4`)
  await press(page, "Sign in")
  await shows(page, "authenticated", SESSION)
  await before.stop()
  const after = await start(["v5", "v4"])
  await page.goto(`${after.origin}/v5`) // cookies know no ports
  await shows(page, "authenticated", SESSION)
  equal(await cookies(context), [NAMES.v5])
  await after.stop()
  await context.close()
})

await finish()

/** The library leads to the page that tells of the mail. */
async function asksForALink(page) {
  await press(page, "Mail a link")
  await page.getByRole("heading", { name: "Check your email" }).waitFor()
}
