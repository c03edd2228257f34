import { execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { dirname, join, resolve } from "node:path"

const TARGET = resolve(process.env.HALLPASS_TARGET ?? "../../target")

/** A folder that is empty at first, and what runs in it. */
export class Terminal {
  #home
  #folder
  #running = []
  #env

  constructor(name) {
    this.#home = join(TARGET, "quickstarts", name)
    rmSync(this.#home, { recursive: true, force: true })
    this.#folder = join(this.#home, "projects")
    mkdirSync(this.#folder, { recursive: true })
    this.#env = environment(join(this.#home, "bin"))
  }

  write(path, text) {
    console.log(`> ${path}`)
    const file = join(this.#folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** Runs commands to their end, and stays in the folder that they end in. */
  async run(commands) {
    for (const line of commands.trimEnd().split("\n")) console.log(`$ ${line}`)
    const left = join(this.#home, "folder")
    execFileSync("bash", ["-ec", `${commands}pwd > "${left}"`], { cwd: this.#folder, env: this.#env, stdio: ["ignore", "ignore", "inherit"] })
    this.#folder = readFileSync(left, "utf8").trim()
  }

  /** Starts a command that goes on, and waits until its port answers. */
  async keep(command, port) {
    console.log(`$ ${command.trim()} &`)
    if (await answers(port)) throw new Error(`something else listens on port ${port}`)
    const child = spawn("bash", ["-c", command], { cwd: this.#folder, env: this.#env, stdio: ["ignore", "pipe", "pipe"], detached: true })
    const running = { child, said: "" }
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (running.said += data))
    this.#running.push(running)
    process.once("exit", () => end(child, "SIGKILL"))
    const started = Date.now()
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`${command.trim()} ended with ${child.exitCode}`)
      if (Date.now() - started > 60_000) throw new Error(`${command.trim()}: nothing listens on port ${port} after a minute`)
      await new Promise((done) => setTimeout(done, 100))
    }
  }

  /** What the running programs have said. */
  said() {
    return this.#running.map(({ said }) => said).join("\n")
  }

  /** Ends what runs. */
  async close() {
    for (const { child } of this.#running) {
      end(child, "SIGTERM")
      for (let left = 50; left && end(child, 0); left--) await new Promise((done) => setTimeout(done, 100))
      end(child, "SIGKILL")
    }
  }

  /** Removes all files: what npm installs is large. */
  clear() {
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Signals the whole group, for what npx starts would stay; whether somebody was there to hear it. */
function end(child, signal) {
  try {
    return process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, "localhost")
    socket.once("connect", () => done(true)).once("error", () => done(false)).once("close", () => socket.destroy())
  })
}

/** A `cargo` comes first that installs what was built already, so that not everything is compiled once more. */
function environment(bin) {
  mkdirSync(bin, { recursive: true })
  const cargo = join(bin, "cargo")
  writeFileSync(cargo, `#!/bin/sh\nexec "${process.execPath}" "${resolve("lib/cargo.mjs")}" "${TARGET}" "${bin}" "$@"\n`)
  chmodSync(cargo, 0o755)
  const { HALLPASS_TARGET, ...env } = process.env
  const quiet = { NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", npm_config_update_notifier: "false" }
  // Packages that npm has in its cache are not asked for again: the pages name exact versions.
  return { ...env, ...quiet, PATH: `${bin}:${process.env.PATH}`, npm_config_prefer_offline: "true" }
}
