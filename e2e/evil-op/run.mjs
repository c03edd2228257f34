// node run.mjs --op FOLDER --target PROGRAM --server PROGRAM [--only REGEX] [--verbose]
// Every misbehaviour of the provider against the relying party. See README.md.
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { ALONE, AT_THE_SERVER, DEFENCES, SEEDS, STEPS, SUBJECTS, healthy } from "./defences.mjs"
import { CLIENT_SECRET, startProvider, startRelyingParty, startServer } from "./processes.mjs"
import { Trial } from "./trial.mjs"

const { values: options } = parseArgs({
  options: { op: { type: "string" }, target: { type: "string" }, server: { type: "string" }, only: { type: "string" }, verbose: { type: "boolean" } },
})
if (!options.op || !options.target || !options.server) {
  console.error("usage: node run.mjs --op FOLDER --target PROGRAM --server PROGRAM [--only REGEX] [--verbose]")
  process.exit(2)
}

/** Modes that a whole run must have tried. */
const WANTED = 310
/** Bytes that the relying party may grow by while an answer is huge. */
const GROWTH = 16 * 1024 * 1024
/** Milliseconds that an answer may take while a provider hangs or sends too much. */
const ANSWER = 6000
/** Milliseconds that a sign-in may take while other providers hang. */
const PROMPT = 3000
const BESIDE = "healthy, beside slow ones"
const SLOW = /^(hang|drip|slow)@/

const op = await startProvider(options.op)
let rp, server
try {
  rp = await startRelyingParty(options.target, op.origin)
  server = await startServer(resolve(options.server), op.origin, AT_THE_SERVER)
  process.exitCode = await main()
} finally {
  rp?.stop()
  await server?.stop()
  op.stop()
}

async function main() {
  const started = performance.now()
  const only = new RegExp(options.only ?? "")
  const modes = (await op.modes()).filter((mode) => only.test(mode.name))
  const refreshing = modes.filter((mode) => mode.stage === "refresh")
  const todo = modes.filter((mode) => mode.stage !== "refresh")
  const slow = todo.filter((mode) => SLOW.test(mode.name))
  const heavy = todo.filter((mode) => mode.expect === "bounded" && !SLOW.test(mode.name))
  const single = todo.filter((mode) => ALONE.test(mode.name))
  const rest = todo.filter((mode) => ![slow, heavy, single].some((lane) => lane.includes(mode)))

  // Waiting costs nothing, so the slow ones wait together; who looks at memory or at what all share goes alone.
  const shown = todo.filter((mode) => AT_THE_SERVER.includes(mode.name))
  for (const name of [healthy(5), healthy(6), ...[...slow, ...shown].map((mode) => mode.name)]) await op.prepare(name)
  // What the machine takes for a sign-in when nothing else is asked of us: it may have other things to do.
  const alone = await timed({ name: healthy(6), stage: "all", expect: "accept" })
  const results = await within(GROWTH, "slow answers", async () => {
    if (!slow.length) return []
    let isOver = false
    const waiting = lane(slow, slow.length).finally(() => { isOver = true })
    return [await promptly(alone, () => isOver), ...(await waiting)]
  })
  results.push(...(await Promise.all([lane(rest, 8), lane(single, 1)])).flat())
  for (const mode of heavy) results.push(...(await within(GROWTH, mode.name, () => lane([mode], 1))))
  const lag = Math.max(alone.slowest, ...results.filter(({ name }) => name === BESIDE).map(({ slowest }) => slowest))
  for (const { expect, slowest, problems } of results) {
    if (expect === "bounded" && slowest > ANSWER + lag) problems.push(`an answer took ${slowest.toFixed(0)} ms, one at ease ${lag.toFixed(0)} ms`)
  }
  results.push(alone, ...(await afterwards()))

  const failed = results.filter(({ problems }) => problems.length > 0)
  for (const { name, expect, problems } of failed) {
    console.log(`FAILED   ${name} (${expect}): ${[...new Set(problems)].join("; ")}`)
  }
  if (refreshing.length) console.log(`skipped  ${refreshing.length} modes of refreshing: later, with sessions`)
  const tried = new Set(todo.map((mode) => mode.name)).size
  const tooFew = !options.only && tried < WANTED
  if (tooFew) console.log(`FAILED   only ${tried} modes tried, wanted ${WANTED}`)
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s, log of the relying party: ${rp.logFile}`)
  console.log(`${results.length - failed.length} met, ${failed.length} failed`)
  return failed.length || tooFew || todo.length === 0 ? 1 : 0
}

/** Sign-ins elsewhere do not wait for the slow ones: one after another, as long as these wait. */
async function promptly(alone, isOver) {
  const results = []
  do results.push(await timed({ name: healthy(5), stage: "all", expect: "accept" }))
  while (!isOver())
  const ms = results.map((result) => result.ms).sort((a, b) => a - b)[Math.floor(results.length / 2)]
  const problems = results.flatMap((result) => result.problems)
  if (ms > Math.max(PROMPT, 2 * alone.ms)) problems.push(`took ${ms.toFixed(0)} ms, alone ${alone.ms.toFixed(0)} ms`)
  return { ...alone, name: BESIDE, slowest: Math.max(...results.map(({ slowest }) => slowest)), problems }
}

async function timed(mode) {
  const started = performance.now()
  const result = await attempt(mode)
  return { ...result, ms: performance.now() - started }
}

/** Runs modes, so many at a time. */
async function lane(modes, width) {
  const results = []
  const queue = [...modes]
  const worker = async () => {
    for (let mode = queue.shift(); mode; mode = queue.shift()) results.push(await attempt(mode))
  }
  await Promise.all(Array.from({ length: Math.min(width, modes.length) }, worker))
  return results
}

/** One mode, at each mount that it concerns. */
async function attempt(mode) {
  const problems = []
  const outcomes = []
  let slowest = 0
  const started = performance.now()
  for (const kind of mountsOf(mode)) {
    const trial = new Trial({ op, rp, server }, mode, kind)
    try {
      await conduct(trial)
      await trial.finish()
    } catch (error) {
      trial.problems.push(rp.ended() ? `the relying party ${rp.ended()}` : error.message)
    }
    problems.push(...trial.problems)
    slowest = Math.max(slowest, trial.slowest)
    outcomes.push(`${trial.outcome}, slowest answer ${trial.slowest.toFixed(0)} ms`)
  }
  const ms = performance.now() - started
  if (options.verbose) console.log(`${problems.length ? "FAILED" : "met   "}   ${mode.name} (${mode.expect}): ${outcomes.join("; ")}; ${ms.toFixed(0)} ms`)
  return { name: mode.name, expect: mode.expect, slowest, problems }
}

/** Userinfo is asked where the profile comes from there. What must not get into that request is tried at both. */
function mountsOf({ name, stage }) {
  if (stage === "userinfo") return ["rp-userinfo"]
  return name.startsWith("tok-access-token") ? ["rp", "rp-userinfo"] : ["rp"]
}

async function conduct(trial) {
  const { name, stage, expect } = trial.mode
  const hitsBefore = (await op.canaryLog()).length
  trial.newCanaryHits = async () => (await op.canaryLog()).slice(hitsBefore)
  if (SEEDS[name]) await trial.seed(SEEDS[name])
  if (STEPS[name]) {
    await STEPS[name](trial)
  } else {
    const result = await trial.signIn()
    judge(trial, result)
    if (expect === "guard") trial.expect(DEFENCES[name], "no defence is written for this mode")
    await DEFENCES[name]?.(trial, result)
  }
  // The code is lawful to redeem where it is the code that is wrong.
  if (expect === "reject" && stage === "authorize" && !/^authz-code-(replay|injection)$/.test(name)) {
    trial.expect((await trial.log("/token")).length === 0, "asked for tokens")
  }
}

function judge(trial, result) {
  const sub = SUBJECTS[trial.mode.name]
  switch (trial.mode.expect) {
    case "accept":
      return trial.accepted(result, sub)
    case "reject":
      return trial.refused(result)
    default:
      return trial.settled(result, sub ?? subjectIn(trial.mode, result))
  }
}

/** Where the subject is what the mode plays with, any is taken, as long as it is the only one. */
function subjectIn({ name }, { after }) {
  const free = /^(id-email-noauth|idt-dup-sub)$/.test(name)
  return free ? after.accounts.at(-1)?.providerAccountId : undefined
}

/** Does it, and looks at the memory of the relying party meanwhile. */
async function within(bytes, what, work) {
  const before = rp.memory()
  let most = before
  const timer = setInterval(() => { most = Math.max(most ?? 0, rp.memory() ?? 0) }, 10)
  const results = await work()
  clearInterval(timer)
  const grown = (most ?? 0) - (before ?? 0)
  if (options.verbose) console.log(`memory   ${what}: ${(grown / 1024 / 1024).toFixed(1)} MiB`)
  if (grown > bytes) results.push({ name: what, expect: "bounded", problems: [`memory grew by ${(grown / 1024 / 1024).toFixed(0)} MiB`] })
  return results
}

/** What must hold when all is over. */
async function afterwards() {
  const problems = []
  if (rp.ended()) problems.push(`the relying party ${rp.ended()}`)
  const log = readFileSync(rp.logFile, "utf8")
  if (log.includes(CLIENT_SECRET)) problems.push("the client secret is in the log")
  if (log.includes("panicked at")) problems.push("the log tells of a panic")
  const again = await attempt({ name: healthy(4), stage: "all", expect: "accept" })
  return [...(problems.length ? [{ name: "afterwards", expect: "accept", problems }] : []), { ...again, name: "healthy, after all the others" }]
}
