// node bench.mjs [SECONDS]           requests per second of GET /auth/session, of each server in turn
// node bench.mjs SECONDS hostile     how long reads take while callbacks of somebody else loop, allocate or throw
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline/promises"
import { fileURLToPath } from "node:url"
import { isDeepStrictEqual } from "node:util"

const SECONDS = Number(process.argv[2] ?? 2)
if (!(SECONDS > 0)) throw new Error(`not a number of seconds: ${process.argv[2]}`)
const WARM_UP = 0.5
const PATH = "/auth/session"
const TARGET = process.env.HALLPASS_TARGET ?? fileURLToPath(new URL("../../target", import.meta.url))
const SERVER = join(TARGET, "release/examples/bench_server")
const LOAD = join(TARGET, "release/examples/bench_load")
const JAVASCRIPT = [join(TARGET, "release/hallpass"), "--config", fileURLToPath(new URL("server/hallpass.toml", import.meta.url))]
const EXPRESS = fileURLToPath(new URL("express.mjs", import.meta.url))
/** What the HTTP library adds by itself. */
const OF_THE_CONNECTION = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"]
const TICKS = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout || 100)
const [SERVER_CPU, LOAD_CPU] = processors()
const folder = mkdtempSync(join(tmpdir(), "hallpass-bench-"))

try {
  await (process.argv[3] === "hostile" ? hostile() : compare())
} finally {
  rmSync(folder, { recursive: true })
}

async function compare() {
  const rows = {}
  rows.hallpass = await signedIn("hallpass", [SERVER, "hallpass"])
  rows.bare = await bare("bare", rows.hallpass)
  rows["hallpass-hour"] = await signedIn("hallpass-hour", [SERVER, "hallpass-hour"])
  rows["bare-hour"] = await bare("bare-hour", rows["hallpass-hour"])
  rows["hallpass server, JavaScript"] = await signedIn("hallpass server, JavaScript", JAVASCRIPT)
  rows["@auth/express"] = await signedIn("@auth/express", [process.execPath, EXPRESS])
  const users = ["hallpass", "hallpass-hour", "hallpass server, JavaScript", "@auth/express"].map((name) => JSON.parse(rows[name].answer.body).user)
  if (!users.every((user) => user && isDeepStrictEqual(user, users[0]))) throw new Error("the servers do not show the same user")
  print(rows)
}

/** One connection does harm over and over, 32 of another person read their session. */
async function hostile() {
  const settings = fileURLToPath(new URL("server/hostile.toml", import.meta.url))
  await withServer("hallpass", [JAVASCRIPT[0], "--config", settings], async (origin, pid) => {
    const [reader, eve] = [await signIn(origin, "lena"), await signIn(origin, "eve")]
    console.log(`\n32 connections that read, ${SECONDS} s each; the server on every processor\n`)
    console.log("| Somebody else's callback | Requests/s | p50, µs | p99, µs |\n| --- | ---: | ---: | ---: |")
    for (const harm of ["none", "read", "loop", "allocate", "throw", "recurse"]) {
      const command = ["-c", LOAD_CPU, LOAD, new URL(origin).host, `${PATH}?do=${harm}`, eve, String(SECONDS + WARM_UP + 1), "1", "sleeps"]
      const other = harm === "none" ? undefined : spawn("taskset", command, { stdio: "ignore" })
      const ended = other && once(other, "exit")
      const row = load(harm, origin, reader, pid)
      console.log(`| ${harm} | ${row.rps.toFixed(0)} | ${row.p50_us} | ${row.p99_us} |`)
      await ended
    }
  }, [])
}

/** A server with sessions, asked with the cookies of somebody who has signed in. */
async function signedIn(name, command) {
  return withServer(name, command, async (origin, pid) => {
    const cookie = await signIn(origin)
    const answer = await ask(`${origin}${PATH}`, { headers: { cookie } })
    const body = await answer.text()
    const headers = [...answer.headers].filter(([header]) => !OF_THE_CONNECTION.includes(header))
    return { ...load(name, origin, cookie, pid), cookie, answer: { headers, body } }
  })
}

/** A server that only repeats what another one answered, asked with the same cookies. */
async function bare(name, { cookie, answer }) {
  const file = join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify(answer))
  return withServer(name, [SERVER, name, file], async (origin, pid) => {
    const body = await (await ask(`${origin}${PATH}`, { headers: { cookie } })).text()
    if (body !== answer.body) throw new Error(`${name} answers something else`)
    return load(name, origin, cookie, pid)
  })
}

async function withServer(name, command, use, pinned = ["taskset", "-c", SERVER_CPU]) {
  // What callbacks do wrong is logged, line by line.
  const env = { HALLPASS_LOG: "off", ...process.env, NODE_ENV: "production" }
  const [executable, ...rest] = [...pinned, ...command]
  const server = spawn(executable, rest, { env, stdio: ["ignore", "pipe", "inherit"] })
  const ended = once(server, "exit")
  try {
    const lines = createInterface({ input: server.stdout })
    const port = await Promise.race([once(lines, "line"), ended.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)))])
    // The program `hallpass` says more than its port.
    return await use(`http://127.0.0.1:${/(\d+)$/.exec(port[0])[1]}`, server.pid)
  } finally {
    server.kill()
    await ended
  }
}

async function signIn(origin, username = "lena") {
  const csrf = await ask(`${origin}/auth/csrf`)
  const { csrfToken } = await csrf.json()
  const before = cookiesOf(csrf)
  const signedIn = await fetch(`${origin}/auth/callback/credentials`, {
    method: "POST",
    headers: { cookie: before },
    body: new URLSearchParams({ csrfToken, username }),
    redirect: "manual",
  })
  const session = cookiesOf(signedIn)
  if (!session.includes("session-token=")) throw new Error(`signing in gave ${signedIn.status} and no session`)
  return `${before}; ${session}`
}

async function ask(address, options) {
  const answer = await fetch(address, options)
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`)
  return answer
}

function cookiesOf(answer) {
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ")
}

function load(name, origin, cookie, pid) {
  const one = (seconds) => {
    const command = ["-c", LOAD_CPU, LOAD, new URL(origin).host, PATH, cookie, String(seconds)]
    const ended = spawnSync("taskset", command, { encoding: "utf8", timeout: (seconds + 30) * 1000 })
    if (ended.status !== 0) throw new Error(`${name}: the load ended with ${ended.status ?? ended.signal ?? ended.error}\n${ended.stderr}`)
    return JSON.parse(ended.stdout)
  }
  one(WARM_UP)
  const before = cpuSeconds(pid)
  const seen = one(SECONDS)
  const cpu = cpuSeconds(pid) - before
  if (seen.requests === 0) throw new Error(`${name} answered nothing`)
  if (seen.non_200 > 0) throw new Error(`${name}: ${seen.non_200} of ${seen.requests} answers were not 200`)
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return { ...seen, cpu: (1e6 * cpu) / seen.requests, mib: kib / 1024 }
}

/** What the process has used of its processor: less disturbed by what else runs there than requests per second. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** The processors of the server and of the load: two if this process may use two. */
function processors() {
  const [, list] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))
  const numbers = list.split(/[-,]/)
  return [numbers.at(0), numbers.at(-1)]
}

function print(rows) {
  console.log(`\nGET ${PATH}, 32 connections, ${SECONDS} s each; server on processor ${SERVER_CPU}, load on ${LOAD_CPU}\n`)
  console.log("| Server | Requests/s | p50, µs | p99, µs | CPU, µs/request | RSS, MiB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
  for (const [name, row] of Object.entries(rows)) {
    console.log(`| ${name} | ${row.rps.toFixed(0)} | ${row.p50_us} | ${row.p99_us} | ${row.cpu.toFixed(1)} | ${row.mib.toFixed(1)} |`)
  }
  const percent = (ratio) => `${(100 * ratio).toFixed(0)} %`
  const times = (ratio) => `${ratio.toFixed(1)} ×`
  const line = (name, other, shown, target) => {
    const [it, than] = [rows[name], rows[other]]
    console.log(`| ${name} / ${other} | ${shown(it.rps / than.rps)} | ${shown(than.cpu / it.cpu)} | ${target} |`)
  }
  console.log("\n| Ratio | By requests/s | By CPU | Target |\n| --- | ---: | ---: | ---: |")
  line("hallpass", "bare", percent, "")
  line("hallpass-hour", "bare-hour", percent, "")
  line("hallpass", "@auth/express", times, "≥ 30 ×")
  line("hallpass server, JavaScript", "@auth/express", times, "≥ 20 ×")
  const more = (name, other, target) => {
    console.log(`${name}: ${(rows[name].cpu - rows[other].cpu).toFixed(1)} µs of processor time for each request more than ${other}; target: at most ${target}`)
  }
  console.log()
  more("hallpass", "bare", 10)
  more("hallpass-hour", "bare-hour", 7)
}
