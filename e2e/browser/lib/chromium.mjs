import axe from "axe-core"
import { chromium } from "playwright-core"

/** Chromium as the system has it; `CHROMIUM` names another one. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  })
}

/** What axe-core and a look at the layout find. */
export async function problems(page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => globalThis.axe.run())
  const found = violations.map((v) => `axe ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`)
  return [...found, ...await page.evaluate(layoutProblems)]
}

// Runs in the page.
function layoutProblems() {
  const found = []
  const root = document.documentElement
  if (root.scrollWidth > innerWidth) found.push(`wider than the window: ${root.scrollWidth} > ${innerWidth}`)
  if (document.querySelectorAll("h1").length !== 1) found.push("not exactly one h1")
  if (getComputedStyle(document.querySelector("main")).maxWidth === "none") found.push("the stylesheet does not apply")
  for (const element of document.querySelectorAll("a.button, button, summary, textarea, input:not([type=hidden])")) {
    const { width, height } = element.getBoundingClientRect()
    if (width < 44 || height < 44) found.push(`target of ${width} by ${height}: ${element.outerHTML.slice(0, 80)}`)
  }
  return found
}
