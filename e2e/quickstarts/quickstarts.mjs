// Does what docs/quickstart-*.md say, to the letter: runs the commands and writes the files in the order of the page, each in an empty folder,
// then follows the numbered steps in Chromium. What a page must look like for that is in lib/page.mjs.
//
//   npm ci && node quickstarts.mjs [NAME …]
import { readFileSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { follow } from "./lib/browser.mjs"
import { parse } from "./lib/page.mjs"
import { Terminal } from "./lib/terminal.mjs"

const DOCS = resolve("../../docs")

const wanted = process.argv.slice(2)
const names = readdirSync(DOCS).flatMap((file) => /^quickstart-(.+)\.md$/.exec(file)?.[1] ?? [])
for (const name of names.filter((name) => !wanted.length || wanted.includes(name))) {
  console.log(`--- ${name}`)
  const terminal = new Terminal(name)
  try {
    for (const part of parse(readFileSync(join(DOCS, `quickstart-${name}.md`), "utf8"))) {
      if (part.kind === "file") terminal.write(part.path, part.text)
      else if (part.kind === "steps") await follow(part.steps)
      else if (part.port) await terminal.keep(part.text, part.port)
      else await terminal.run(part.text)
    }
  } catch (error) {
    console.error(terminal.said())
    throw error
  } finally {
    await terminal.close()
  }
  terminal.clear()
}
