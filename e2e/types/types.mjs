// The declarations that Hallpass generates, read by the TypeScript compiler together with the types of the clients.
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const EXAMPLE = "../../examples/axum-extend-session/types/hallpass.d.ts"
const SEED = "../../examples/axum-session-recipes/types/next-auth.d.ts"

const checks = [
  { project: "v4", compiler: "typescript/bin/tsc" },
  { project: "v5", compiler: "typescript/bin/tsc" },
  { project: "v4", compiler: "typescript/bin/tsc", folder: "odd", declarations: "odd.d.ts" },
  { project: "v5", compiler: "typescript/bin/tsc", folder: "odd", declarations: "odd.d.ts" },
  { project: "v5", compiler: "typescript/bin/tsc", folder: "example", declarations: EXAMPLE },
  { project: "v4", compiler: "typescript/bin/tsc", folder: "seed", declarations: SEED },
  { project: "v5", compiler: "typescript/bin/tsc", folder: "seed", declarations: SEED },
  { project: "v4", compiler: "typescript/bin/tsc", folder: "schema", declarations: "json/schema.d.ts" },
  { project: "v5", compiler: "typescript/bin/tsc", folder: "schema", declarations: "json/schema.d.ts" },
  { project: "v5", compiler: "typescript/bin/tsc", folder: "sample", declarations: "json/sample.d.ts" },
  { project: "nuxt", compiler: "vue-tsc/bin/vue-tsc.js", options: [] },
]

let failures = 0
for (const check of checks.filter(it => process.argv.includes(it.project))) {
  const name = join(check.project, check.folder ?? "")
  const folder = join(here, name)
  const program = join(here, check.project, "node_modules", check.compiler)
  // Below the packages, where an application has it.
  copyFileSync(join(here, check.declarations ?? "hallpass.d.ts"), join(folder, "hallpass.d.ts"))
  if (check.project === "nuxt" && !existsSync(join(folder, ".nuxt/nuxt.d.ts"))) {
    const prepare = [join(folder, "node_modules/nuxt/bin/nuxt.mjs"), "prepare"]
    const { status } = spawnSync(process.execPath, prepare, { cwd: folder, stdio: "inherit" })
    if (status !== 0) throw new Error("nuxt prepare failed")
  }
  const sources = readdirSync(folder).filter(name => /^(right|wrong)[-.]/.test(name))
  const expected = sources.flatMap(name => expectedErrors(folder, name))

  // Errors that the libraries have themselves are not ours.
  const found = compile(program, folder, check.options ?? ["--skipLibCheck", "false"])
  compare(name, found.filter(it => !it.file.includes("node_modules/")), expected)
}
process.exit(failures === 0 ? 0 : 1)

function compile(program, folder, more) {
  const args = [program, "-p", ".", "--pretty", "false", ...more]
  const { stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })
  if (error) throw error
  if (stderr) console.error(stderr)
  const found = []
  for (const line of stdout.split("\n")) {
    const match = /^(.+)\((\d+),\d+\): error (TS\d+: .*)$/.exec(line)
    if (match) found.push({ file: match[1], line: Number(match[2]), text: match[3] })
    // A continuation, or something that the compiler says of itself.
    else if (found.length > 0 && line.startsWith(" ")) found.at(-1).text += line
    else if (line.trim()) found.push({ file: "", line: 0, text: line })
  }
  return found
}

/** What the comments of a file say: `// error: part of the message`. */
function expectedErrors(folder, file) {
  const lines = readFileSync(join(folder, file), "utf8").split("\n")
  return lines.flatMap((line, index) => {
    const text = line.split("// error: ")[1]?.replace(" -->", "")
    return text ? [{ file, line: index + 1, text }] : []
  })
}

function compare(name, found, expected) {
  const isAt = (one, other) => one.file === other.file && one.line === other.line
  const unexpected = found.filter(it => !expected.some(other => isAt(it, other) && it.text.includes(other.text)))
  const missing = expected.filter(it => !found.some(other => isAt(it, other) && other.text.includes(it.text)))
  for (const { file, line, text } of unexpected) console.error(`${name}: ${file}:${line}: ${text}`)
  for (const { file, line, text } of missing) console.error(`${name}: ${file}:${line}: not refused: ${text}`)
  failures += unexpected.length + missing.length
  if (unexpected.length + missing.length === 0) console.log(`${name}: ok, ${expected.length} lines refused`)
}
