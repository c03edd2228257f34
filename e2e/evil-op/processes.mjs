// The provider and the relying party, as programs that run beside us.
import { spawn } from "node:child_process"
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PATIENCE } from "./browser.mjs"

export const CLIENT_ID = "rp"
export const CLIENT_SECRET = "top-secret"

/** Starts the provider; the result speaks its admin interface. */
export async function startProvider(folder) {
  const script = ["--import", new URL("keys.mjs", import.meta.url).href, join(folder, "server.mjs")]
  const client = ["--port", "0", "--client", `${CLIENT_ID}:${CLIENT_SECRET}`]
  const child = spawn(process.execPath, [...script, ...client], { stdio: ["ignore", "pipe", "inherit"] })
  const origin = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(JSON.parse(line).origin))
    child.once("exit", (code) => reject(new Error(`the provider ended with ${code}`)))
  })
  const ask = async (path, options) => (await control(origin + path, options)).json()
  return {
    origin,
    modes: () => ask("/__modes"),
    /** The requests that a tenant got at paths with this end. */
    log: (tenant, path = "") => ask(`/__log?${new URLSearchParams({ tenant, path })}`),
    canaryLog: () => ask("/__canary-log"),
    /** Makes the keys of a tenant, which takes a while and holds up all the others. */
    prepare: (tenant) => control(`${origin}/m/${encodeURIComponent(tenant)}/`),
    settings: (values) => ask("/__settings", { method: "POST", body: JSON.stringify(values) }),
    stop: () => child.kill(),
  }
}

/** Asks a program about itself; it answers soon, or there is something wrong with it. */
export async function control(url, options) {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) })
  if (!answer.ok) throw new Error(`${options?.method ?? "GET"} ${new URL(url).pathname} answers ${answer.status}`)
  return answer
}

/** Starts the relying party; what it prints goes to a file beside it. */
export async function startRelyingParty(program, opOrigin) {
  const port = await freePort()
  const child = spawn(program, ["--evil-op", opOrigin, "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "pipe"] })
  const logFile = `${program}.evil-op.log`
  const log = createWriteStream(logFile)
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  let ended
  child.once("error", (error) => { ended = error.message })
  child.once("exit", (code, signal) => { ended = `ended with ${code ?? signal}` })
  await listening(port, () => ended)
  return {
    origin: `http://127.0.0.1:${port}`,
    logFile,
    /** Why it does not run any more, or undefined. */
    ended: () => ended,
    /** Bytes of resident memory; undefined where the system does not tell. */
    memory: () => residentBytes(child.pid),
    stop: () => child.kill(),
  }
}

/** Starts the server in development mode, with a provider for each of these modes. */
export async function startServer(program, opOrigin, modes) {
  const folder = mkdtempSync(join(tmpdir(), "hallpass-evil-op-"))
  const providers = modes.map((mode) => `
[providers.${mode}]
type = "oidc"
issuer = "${opOrigin}/m/${mode}"
id = "${CLIENT_ID}"
secret = "${CLIENT_SECRET}"
`)
  writeFileSync(join(folder, "hallpass.toml"), `listen = "127.0.0.1:0"\n${providers.join("")}`)
  const child = spawn(program, ["serve", "--dev"], { cwd: folder, env: {}, stdio: ["ignore", "pipe", "pipe"] })
  const ended = new Promise((done) => child.once("exit", done))
  let log = ""
  child.stderr.on("data", (data) => { log += data })
  const origin = await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      log += data
      const [address] = /http:\/\/\S+/.exec(log) ?? []
      if (address) resolve(address)
    })
    ended.then((code) => reject(new Error(`the server ended with ${code}: ${log}`)))
  })
  const stop = async () => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true })
  }
  return { origin, stop }
}

function residentBytes(pid) {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return Number(kib) * 1024
  } catch {
    return undefined
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function listening(port, ended) {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (ended()) throw new Error(`the relying party ${ended()}`)
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false))
      socket.once("connect", () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("the relying party does not listen after 20 s")
}
