/**
 * What there is to do on a page, in its order:
 *
 * - a block of `sh` is run; with `port=N` behind the word it goes on running, and the next part waits until the port answers;
 * - any other block is a file: the text before it ends with its name, as in "The settings, in `hallpass.toml`:";
 * - a numbered list is followed in a browser.
 */
export function parse(markdown) {
  const parts = []
  const lines = markdown.split("\n")
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)(?: port=(\d+))?$/.exec(lines[at])
    if (fence) {
      const end = lines.indexOf("```", at + 1)
      const text = lines.slice(at + 1, end).join("\n") + "\n"
      const [, language, port] = fence
      parts.push(language === "sh" ? { kind: "commands", text, port: Number(port ?? 0) } : { kind: "file", path: nameBefore(lines, at), text })
      at = end
    } else if (lines[at].startsWith("```")) {
      throw new Error(`line ${at + 1}: ${lines[at]}`)
    } else if (/^\d+\. /.test(lines[at])) {
      let end = at
      while (/^(\d+\.|  ) /.test(lines[end])) end++
      parts.push({ kind: "steps", steps: steps(lines.slice(at, end).join(" ")) })
      at = end
    }
  }
  if (!["commands", "file", "steps"].every((kind) => parts.some((part) => part.kind === kind))) throw new Error("nothing to do on this page")
  return parts
}

function nameBefore(lines, at) {
  const before = lines.slice(0, at).findLast((line) => line !== "")
  const name = /`([^`]+)`:$/.exec(before)?.[1]
  if (!name) throw new Error(`line ${at + 1}: the text before this block does not end with the name of a file`)
  return name
}

/**
 * What a list asks for: `<http://…>` is opened, `**Name**` is pressed, ``_Label_ `text` `` is typed (words may stand
 * between), and "what is quoted" must be seen.
 */
function steps(text) {
  const found = []
  for (const [, open, press, label, type, see] of text.matchAll(/<(http[^>]+)>|\*\*(.+?)\*\*|_(\w+?)_ `(.+?)`|"(.+?)"/g)) {
    found.push(open ? { open } : press ? { press } : label ? { label, type } : { see })
  }
  return found
}
