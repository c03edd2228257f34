import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { basename, join } from "node:path"

/** Serves the pages with their own headers, and keeps what their forms send in `posts`. */
export async function serve(folder) {
  const posts = []
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname
    if (request.method === "POST") {
      let body = ""
      for await (const chunk of request) body += chunk
      posts.push({ path, origin: request.headers.origin, body: Object.fromEntries(new URLSearchParams(body)) })
      return response.setHeader("content-type", "text/html").end("<!DOCTYPE html><title>Received</title>")
    }
    if (path === "/frame") return response.setHeader("content-type", "text/html").end('<!DOCTYPE html><title>Frame</title><iframe src="/sign-in.html"></iframe>')
    if (path === "/favicon.ico") return response.writeHead(204).end()
    try {
      const file = join(folder, basename(path))
      const headers = path.endsWith(".html") ? JSON.parse(readFileSync(`${file}.json`, "utf8")) : { "content-type": "image/svg+xml" }
      response.writeHead(200, headers).end(readFileSync(file))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((done) => server.listen(0, "127.0.0.1", done))
  return { origin: `http://127.0.0.1:${server.address().port}`, posts, close: () => server.close() }
}
