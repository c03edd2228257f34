import { chromium } from "playwright-core"

/** Follows the steps in a new browser. */
export async function follow(steps) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  })
  const page = await browser.newPage()
  // The first look at a page of a development server compiles it.
  page.setDefaultTimeout(60_000)
  try {
    for (const step of steps) {
      console.log(`  ${Object.entries(step).map((pair) => pair.join(" ")).join(", ")}`)
      await take(page, step)
    }
  } catch (error) {
    console.error(`${page.url()}\n${await page.locator("body").innerText().catch(() => "")}`)
    throw error
  } finally {
    await browser.close()
  }
}

async function take(page, { open, press, label, type, see }) {
  // A button does nothing before the page has come to life.
  if (press || type) await page.waitForLoadState("networkidle")
  if (open) {
    await page.goto(open)
  } else if (press) {
    await page.getByRole("button", { name: press, exact: true }).click()
  } else if (type) {
    await page.getByLabel(label, { exact: true }).fill(type)
  } else {
    await page.getByText(see, { exact: false }).first().waitFor()
  }
}
