import { build } from "esbuild"
import { createServer, request } from "node:http"
import { hallpass } from "./hallpass.mjs"

const bundles = Object.fromEntries(await Promise.all(["v4", "v5"].map(async (name) => {
  const built = await build({
    entryPoints: [`pages/${name}.jsx`],
    bundle: true, write: false, format: "iife", jsx: "automatic", logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
  })
  return [name, built.outputFiles[0].text]
})))

/** The application: a page for each library, and below /api/auth the server, as a proxy passes it on. */
export async function start(dialects, strategy) {
  const server = await hallpass(dialects, strategy)
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
  return { origin: `http://127.0.0.1:${front.address().port}`, server, stop }
}

const html = (page) => `<!doctype html><html lang="en"><title>${page}</title><link rel="icon" href="data:,"><div id="page"></div><script src="/${page}.js"></script></html>`
