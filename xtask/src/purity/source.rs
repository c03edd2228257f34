//! The names that a Rust source writes down, without comments, texts and test code.

use std::iter::Peekable;
use std::str::Chars;

/// A path as written, with `use` trees taken apart: `use a::{b, c}` is `a::b` and `a::c`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

/// Every name in the source, in order.
pub(crate) fn names_in(source: &str) -> Vec<Name> {
    let tokens = without_tests(&tokens(source));
    let mut names = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        rest = if token.text == "use" {
            use_tree(after, &[], &mut names)
        } else if token.is_word() {
            path(rest, &mut names)
        } else {
            after
        };
    }
    names
}

#[derive(Clone, Debug)]
struct Token {
    line: usize,
    /// A word, `::`, or one other character.
    text: String,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// Reads `a::b::c` and returns what follows it.
fn path<'a>(tokens: &'a [Token], names: &mut Vec<Name>) -> &'a [Token] {
    let line = tokens.first().map_or(0, |token| token.line);
    let mut path = Vec::new();
    let mut rest = tokens;
    while let Some((word, after)) = rest.split_first().filter(|(token, _)| token.is_word()) {
        path.push(word.text.clone());
        rest = after;
        let Some((_, after)) = rest.split_first().filter(|(token, _)| token.text == "::") else { break };
        rest = after;
    }
    names.push(Name { line, path });
    rest
}

/// Reads one branch of a `use` tree, whose beginning is `prefix`, and returns what follows it.
fn use_tree<'a>(tokens: &'a [Token], prefix: &[String], names: &mut Vec<Name>) -> &'a [Token] {
    let mut path = prefix.to_vec();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        match token.text.as_str() {
            "::" => rest = after,
            "{" => {
                rest = after;
                while let Some((token, after)) = rest.split_first() {
                    rest = match token.text.as_str() {
                        "}" => return after,
                        "," => after,
                        _ => use_tree(rest, &path, names),
                    };
                }
                return rest;
            }
            "as" => rest = after.get(1..).unwrap_or_default(),
            "*" => {
                path.push("*".into());
                rest = after;
            }
            _ if token.is_word() => {
                path.push(token.text.clone());
                rest = after;
            }
            _ => {
                names.push(Name { line: token.line, path });
                // The list that this branch stands in reads its own end.
                return if token.text == ";" { after } else { rest };
            }
        }
    }
    rest
}

/// Leaves out what stands under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let attribute = CFG_TEST.iter().zip(rest).filter(|(wanted, token)| **wanted == token.text).count();
        if attribute == CFG_TEST.len() {
            rest = after_item(rest.get(CFG_TEST.len()..).unwrap_or_default());
        } else {
            kept.push(token.clone());
            rest = after;
        }
    }
    kept
}

/// What follows an item that ends with `;` or with a block.
fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            ";" if depth == 0 => break,
            _ => {}
        }
    }
    rest
}

fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = length_of_next(rest, first);
        let (text, after) = rest.split_at(length);
        let is_code = !first.is_whitespace() && !is_comment(text) && !is_literal(text);
        if is_code {
            tokens.push(Token { line, text: text.to_owned() });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

fn is_comment(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("/*")
}

fn is_literal(text: &str) -> bool {
    text.ends_with('"') || text.starts_with('\'') || (text.contains('"') && text.ends_with('#'))
}

/// How many bytes the token, comment, literal or blank at the start of `rest` has.
fn length_of_next(rest: &str, first: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with("::") {
        return 2;
    }
    if first == '"' {
        return quoted(rest, 1);
    }
    if first == '\'' {
        return character_or_lifetime(rest);
    }
    if first.is_alphabetic() || first == '_' {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return text_with_prefix(rest, word).unwrap_or(word);
    }
    if first.is_ascii_digit() {
        return rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    }
    first.len_utf8()
}

/// `b"…"`, `c"…"`, `r"…"`, `r#"…"#`, `br#"…"#`; nothing when the word is no prefix of a text.
fn text_with_prefix(rest: &str, word: usize) -> Option<usize> {
    let (prefix, after) = rest.split_at_checked(word)?;
    match prefix {
        "b" | "c" if after.starts_with('"') => Some(quoted(rest, word + 1)),
        "b" if after.starts_with('\'') => Some(word),
        "r" | "br" | "cr" => {
            let hashes = after.len() - after.trim_start_matches('#').len();
            let text = after.get(hashes..)?.strip_prefix('"')?;
            let end = format!("\"{}", "#".repeat(hashes));
            Some(rest.len() - text.len() + text.find(&end).map_or(text.len(), |at| at + end.len()))
        }
        _ => None,
    }
}

/// Up to the closing quote of a text whose opening quote ends at `start`.
fn quoted(rest: &str, start: usize) -> usize {
    end_of(rest, start, '"')
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    let is_character = match (characters.next(), characters.next()) {
        (Some('\\'), _) => true,
        (Some(_), after) => after == Some('\''),
        (None, _) => false,
    };
    if is_character { end_of(rest, 1, '\'') } else { lifetime(rest) }
}

fn lifetime(rest: &str) -> usize {
    let name = rest.get(1..).unwrap_or_default();
    1 + name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len())
}

fn end_of(rest: &str, start: usize, quote: char) -> usize {
    let mut characters: Peekable<Chars<'_>> = rest.get(start..).unwrap_or_default().chars().peekable();
    let mut length = start;
    while let Some(character) = characters.next() {
        length += character.len_utf8();
        if character == quote {
            break;
        }
        if character == '\\' {
            length += characters.next().map_or(0, char::len_utf8);
        }
    }
    length
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut length = 0;
    let mut left = rest;
    while let Some(first) = left.chars().next() {
        let step = if left.starts_with("/*") {
            depth += 1;
            2
        } else if left.starts_with("*/") {
            depth -= 1;
            2
        } else {
            first.len_utf8()
        };
        length += step;
        left = left.get(step..).unwrap_or_default();
        if depth == 0 {
            break;
        }
    }
    length
}

const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

#[cfg(test)]
mod tests;
