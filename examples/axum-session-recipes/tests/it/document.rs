//! `docs/session.md` is held against what it speaks of.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/session.md";

/// How many rows each seed has, and those that only a browser can see.
const ROWS: [usize; 3] = [8, 10, 14];

const ONLY_IN_A_BROWSER: [&str; 4] = ["2.4", "2.8", "3.10", "3.11"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document() -> String {
    fs::read_to_string(root().join(DOCUMENT)).unwrap()
}

/// The text of the file that a link of the document leads to.
fn linked(link: &str) -> String {
    let path = root().join("docs").join(link);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{link}: {error}"))
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A block of Rust is in the file that is linked to first after it; `…` stands for what it leaves out.
#[test]
fn rust_of_the_document_is_that_of_the_examples() {
    let document = document();
    let blocks: Vec<_> = document.split("```rust").skip(1).collect();
    assert!(blocks.len() >= 10, "{}", blocks.len());
    for block in blocks {
        let (code, after) = block.split_once('\n').unwrap().1.split_once("```").unwrap();
        let mut links = after.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let link = links.find(|link| link.ends_with(".rs")).unwrap();
        assert!(link.starts_with("../examples/"), "{link}");
        let source = without_space(&linked(link));
        let mut rest = source.as_str();
        for part in code.split('…').map(without_space) {
            let Some((_, after)) = rest.split_once(&part) else { panic!("not in {link}:\n{code}") };
            rest = after;
        }
    }
}

/// Each row has its tests, and each test is where the document says: after the link to its file.
#[test]
fn tests_of_the_rows_are_where_the_document_says() {
    let document = document();
    let (_, table) = document.split_once("## The rows").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let mut found = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [row, rust, server, browser] = cells.as_slice() else { panic!("{line}") };
        let tests = tests_of(row, rust);
        assert_eq!(tests == 0, ONLY_IN_A_BROWSER.contains(row), "{line}");
        tests_of(row, server);
        tests_of(row, browser);
        found.push((*row).to_owned());
    }
    let expected = ROWS.iter().enumerate();
    let expected =
        expected.flat_map(|(seed, rows)| (1..=*rows).map(move |row| format!("{}.{row}", seed + 1)));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

/// How many tests a cell names: `[file](link): `name`, `name`; [file](link): `name``.
fn tests_of(row: &str, cell: &str) -> usize {
    let id = format!("{}_", row.replace('.', "_"));
    let mut count = 0;
    for file in cell.split("; ").filter(|file| file.contains("](")) {
        let (_, rest) = file.split_once("](").unwrap();
        let (link, names) = rest.split_once(')').unwrap();
        let source = linked(link);
        for name in names.split('`').skip(1).step_by(2) {
            let name_ends = format!("{name}_").replace(' ', "_");
            assert!(name_ends.starts_with("seed_") && name_ends.contains(&format!("_{id}")), "{row}: {name}");
            let written = source.contains(&format!("fn {name}(")) || source.contains(&format!("{name} "));
            assert!(written, "{row}: {name} is not in {link}");
            count += 1;
        }
    }
    count
}
