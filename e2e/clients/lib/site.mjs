import { build } from "esbuild"
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer, request } from "node:http"
import { join, resolve } from "node:path"

const TARGET = resolve(process.env.HALLPASS_TARGET ?? "../../target")

const bundles = Object.fromEntries(await Promise.all(["v4", "v5"].map(async (name) => {
  const built = await build({
    entryPoints: [`pages/${name}.jsx`],
    bundle: true, write: false, format: "iife", jsx: "automatic", logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
  })
  return [name, built.outputFiles[0].text]
})))

/** The application: a page for each library, and below /api/auth the server, as a proxy passes it on. */
export async function start(dialects) {
  const server = await hallpass(dialects)
  const front = createServer((asked, answer) => {
    const [, page, script] = /^\/(v[45])(\.js)?(?:\?.*)?$/.exec(asked.url) ?? []
    if (script) return answer.writeHead(200, { "content-type": "text/javascript" }).end(bundles[page])
    if (page) return answer.writeHead(200, { "content-type": "text/html" }).end(html(page))
    const headers = { ...asked.headers, "x-forwarded-host": asked.headers.host, "x-forwarded-proto": "http" }
    const passed = request(server.origin + asked.url, { method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers)
      got.pipe(answer)
    })
    passed.on("error", () => answer.writeHead(502).end())
    asked.pipe(passed)
  })
  await new Promise((done) => front.listen(0, "127.0.0.1", done))
  const stop = async () => {
    front.closeAllConnections()
    front.close()
    await server.stop()
  }
  return { origin: `http://127.0.0.1:${front.address().port}`, stop }
}

const html = (page) => `<!doctype html><html lang="en"><title>${page}</title><link rel="icon" href="data:,"><div id="page"></div><script src="/${page}.js"></script></html>`

/** The example `clients` of hallpass-axum, which is built where it is missing. */
async function hallpass(dialects) {
  const program = join(TARGET, "debug/examples/clients")
  if (!existsSync(program)) execFileSync("cargo", ["build", "--package", "hallpass-axum", "--example", "clients"], { stdio: "inherit" })
  const child = spawn(program, dialects, { env: {}, stdio: ["ignore", "pipe", "inherit"] })
  const ended = new Promise((done) => child.once("exit", done))
  const origin = await new Promise((done, fail) => {
    child.stdout.once("data", (data) => done(String(data).trim()))
    ended.then((code) => fail(new Error(`the server ended with ${code}`)))
  })
  // Whatever becomes of the tests.
  process.once("exit", () => child.kill())
  const stop = () => {
    child.kill()
    return ended
  }
  return { origin, stop }
}
