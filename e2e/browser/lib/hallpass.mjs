import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export const TARGET = resolve(process.env.HALLPASS_TARGET ?? "../../target")

/** The program: `HALLPASS_BIN`, or the one in the target folder, which is built where it is missing. */
function program() {
  if (process.env.HALLPASS_BIN) return resolve(process.env.HALLPASS_BIN)
  const built = join(TARGET, "debug/hallpass")
  if (!existsSync(built)) execFileSync("cargo", ["build", "--package", "hallpass-server"], { stdio: "inherit" })
  return built
}

/**
 * Starts the server with these settings in a folder of its own, and waits for the first http address that it prints.
 * Nothing of the caller's environment reaches it.
 */
export async function start(settings, args = []) {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-browser-"))
  writeFileSync(join(folder, "hallpass.toml"), settings)
  const child = spawn(program(), ["serve", ...args], { cwd: folder, env: {}, stdio: ["ignore", "pipe", "pipe"] })
  const ended = new Promise((done) => child.once("exit", done))
  let log = ""
  child.stderr.on("data", (data) => { log += data })
  const origin = await new Promise((done, fail) => {
    let printed = ""
    child.stdout.on("data", (data) => {
      printed += data
      const address = /http:\/\/\S+/.exec(printed)
      if (address) done(address[0])
    })
    ended.then((code) => fail(new Error(`hallpass ended with ${code}:\n${printed}${log}`)))
  })
  const stop = async () => {
    child.kill("SIGTERM")
    const code = await ended
    rmSync(folder, { recursive: true })
    return code
  }
  return { origin, stop, log: () => log }
}
