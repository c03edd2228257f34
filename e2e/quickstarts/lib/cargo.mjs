// Stands in for cargo: `cargo install --path FOLDER` brings the program that was built from this folder already.
import { existsSync, readFileSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"

const [target, bin, ...words] = process.argv.slice(2)
const SOURCE = resolve(import.meta.dirname, "../../..")

const [command, ...options] = words.filter((word) => word !== "--locked")
if (command !== "install" || options.length !== 2 || options[0] !== "--path") throw new Error(`cargo ${words.join(" ")}: only install --path`)
const manifest = join(SOURCE, options[1], "Cargo.toml")
if (!existsSync(manifest)) throw new Error(`${manifest} is not there`)
const program = /\[\[bin\]\]\s+name = "(.+?)"/.exec(readFileSync(manifest, "utf8"))?.[1]
if (!program) throw new Error(`${manifest} names no program`)
symlinkSync(join(target, "debug", program), join(bin, program))
