import { execFileSync } from "node:child_process"
import { createServer } from "node:http"
import { join } from "node:path"
import { SECRET, TARGET, hallpass, run } from "./hallpass.mjs"

/** The application in `nuxt/`, built into the folder `target`. */
export function build() {
  const env = { ...process.env, HALLPASS_TARGET: TARGET, NUXT_TELEMETRY_DISABLED: "1" }
  execFileSync(process.execPath, ["node_modules/nuxt/bin/nuxt.mjs", "build", "--logLevel=silent"], { cwd: "nuxt", env, stdio: ["ignore", "ignore", "inherit"] })
}

/** The application runs, and passes what is below /api/auth on to the server. */
export async function start(dialects) {
  const server = await hallpass(dialects)
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const app = await run(process.execPath, [join(TARGET, "e2e/clients-nuxt/server/index.mjs")], {
    AUTH_ORIGIN: `${origin}/api/auth`, NITRO_HOST: "127.0.0.1", NITRO_PORT: String(port), NUXT_BACKEND: server.origin, NUXT_SECRET: SECRET,
  })
  const stop = async () => {
    await app.stop()
    await server.stop()
  }
  return { origin, backend: server.origin, server, stop }
}

/** Nitro wants to be told a port. */
async function freePort() {
  const listener = createServer()
  await new Promise((done) => listener.listen(0, "127.0.0.1", done))
  const { port } = listener.address()
  await new Promise((done) => listener.close(done))
  return port
}
