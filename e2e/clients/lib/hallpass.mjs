import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"

export const TARGET = resolve(process.env.HALLPASS_TARGET ?? "../../target")

/** What the example seals its cookies with. */
export const SECRET = "a secret for tests in a browser, and for nothing else"

/** The example `clients` of hallpass-axum, which is built where it is missing. */
export async function hallpass(dialects) {
  const program = join(TARGET, "debug/examples/clients")
  if (!existsSync(program)) execFileSync("cargo", ["build", "--package", "hallpass-axum", "--example", "clients"], { stdio: "inherit" })
  const { said, stop } = await run(program, dialects, {})
  return { origin: said.trim(), stop }
}

/** Starts a program; it runs once it has said something. */
export async function run(program, words, env) {
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((done) => child.once("exit", done))
  const said = await new Promise((done, fail) => {
    child.stdout.once("data", (data) => done(String(data)))
    ended.then((code) => fail(new Error(`${program} ended with ${code}`)))
  })
  // Whatever becomes of the tests.
  process.once("exit", () => child.kill())
  const stop = () => {
    child.kill()
    return ended
  }
  return { said, stop }
}
