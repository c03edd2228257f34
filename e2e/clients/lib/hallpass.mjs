import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export const TARGET = resolve(process.env.HALLPASS_TARGET ?? "../../target")

/** What the example seals its cookies with. */
export const SECRET = "a secret for tests in a browser, and for nothing else"

/** The example `clients` of hallpass-axum, which is built where it is missing, on a database of its own. */
export async function hallpass(dialects, strategy = "jwt") {
  const program = join(TARGET, "debug/examples/clients")
  if (!existsSync(program)) execFileSync("cargo", ["build", "--package", "hallpass-axum", "--example", "clients"], { stdio: "inherit" })
  const folder = mkdtempSync(join(tmpdir(), "hallpass-clients-"))
  const start = () => run(program, [strategy, `sqlite:${join(folder, "clients.db")}`, ...dialects], {})
  let server = await start()
  return {
    strategy,
    get origin() {
      return server.output().split("\n", 1)[0]
    },
    /** What it has written since it was started, to its log too. */
    output: () => server.output(),
    /** Everybody is as they were at the start. */
    forget: async function () {
      const { status } = await fetch(`${this.origin}/forget`, { method: "POST" })
      if (status !== 200) throw new Error(`forget answers ${status}`)
    },
    /** Another process on the same database, elsewhere. */
    restart: async () => {
      await server.stop()
      server = await start()
    },
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Starts a program; it runs once it has said something. */
export async function run(program, words, env) {
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"] })
  const ended = new Promise((done) => child.once("exit", done))
  let output = ""
  child.stderr.on("data", (data) => { output += data })
  await new Promise((done, fail) => {
    child.stdout.on("data", (data) => {
      output += data
      done()
    })
    ended.then((code) => fail(new Error(`${program} ended with ${code}: ${output}`)))
  })
  // Whatever becomes of the tests.
  const kill = () => child.kill()
  process.once("exit", kill)
  const stop = async () => {
    kill()
    await ended
    process.off("exit", kill)
  }
  return { output: () => output, stop }
}
