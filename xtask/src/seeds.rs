//! The blocks of JavaScript and TypeScript that people have, kept byte for byte in `e2e/seeds`.

use std::collections::BTreeMap;
use std::fs;

use crate::command::{Failure, Outcome};
use crate::harness;
use crate::options::Options;
use crate::workspace::Workspace;

/// Checks that each block is what it was, and, where the documents are at hand, that it stands there.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--documents"])?;
    let folder = workspace.path("e2e/seeds");
    let documents = harness::find(workspace, "seeds", options.value("--documents"));
    let mut sums = BTreeMap::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name == SUMS {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        for (number, block) in
            blocks(&text).map_err(|why| Failure::new(format!("{name}: {why}")))?.iter().enumerate()
        {
            if let Some(documents) = &documents {
                let document = fs::read_to_string(documents.join(format!("{}.txt", block.document)))?;
                if !document.contains(&block.text) {
                    return Err(Failure::new(format!(
                        "{name}: block {} does not stand in {}",
                        number + 1,
                        block.document
                    )));
                }
            }
            sums.insert(format!("{name} {}", number + 1), sum(block.text.as_bytes()));
        }
    }
    let found: String = sums.iter().map(|(block, sum)| format!("{block} {sum:016x}\n")).collect();
    let known = fs::read_to_string(folder.join(SUMS)).unwrap_or_default();
    if found != known {
        return Err(Failure::new(format!(
            "the blocks are not those of e2e/seeds/{SUMS}, which would be:\n{found}"
        )));
    }
    Ok(Outcome::Passed)
}

/// A block between its two marks.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    document: String,
    /// As it was before repairs.
    text: String,
}

/// `// <seed NAME>` or `// <seed NAME but "this" is "that" and …>` … `// </seed>`
fn blocks(text: &str) -> Result<Vec<Block>, &'static str> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("// <seed ") {
        let (head, after) = after.split_once(">\n").ok_or("a mark does not end")?;
        let (block, after) = after.split_once("// </seed>\n").ok_or("a block does not end")?;
        let mut quoted = head.split('"').skip(1).step_by(2);
        let mut text = block.to_owned();
        while let Some(original) = quoted.next() {
            let repaired = quoted.next().ok_or("a repair says only half")?;
            if !text.contains(repaired) {
                return Err("a repair is not in its block");
            }
            text = text.replacen(repaired, original, 1);
        }
        let document = head.split(' ').next().unwrap_or_default().to_owned();
        blocks.push(Block { document, text });
        rest = after;
    }
    if blocks.is_empty() { Err("there is no block in it") } else { Ok(blocks) }
}

/// FNV-1a, 64 bits: against slips, not against attacks.
fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

const SUMS: &str = "checksums.txt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_it_was_before_its_repair() {
        let text = "x\n// <seed a but \"b c\" is \"d\" and \"1\" is \"2\">\n[d 2]\n// </seed>\ny\n";
        let block = Block { document: "a".to_owned(), text: "[b c 1]\n".to_owned() };
        assert_eq!(blocks(text).unwrap(), [block]);
    }

    #[test]
    fn a_file_without_a_block_is_a_mistake() {
        assert!(blocks("const a = 1").is_err());
        assert!(blocks("// <seed a>\nconst a = 1").is_err());
    }
}
