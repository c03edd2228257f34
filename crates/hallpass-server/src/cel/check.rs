//! What can be said about an expression before it is evaluated.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

use crate::config::nearest;

/// Refuses variables and functions that do not exist, and loops in loops in loops.
///
/// # Errors
/// What is wrong, and the nearest name.
pub(super) fn expression(expression: &IdedExpr, variables: &[&str]) -> Result<(), String> {
    Walk { variables, bound: Vec::new(), loops: 0 }.enter(expression)
}

/// How deep brackets and signs are nested, roughly: the parser goes down as deep.
pub(super) fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest, mut signs) = (0_usize, 0, 0_usize);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Each of these can be an operand of the one before.
        signs += usize::from(matches!(byte, b'!' | b'-' | b'?' | b'+' | b'*' | b'/' | b'%' | b'&' | b'|'));
        deepest = deepest.max(depth).max(signs / SIGNS_PER_LEVEL);
    }
    deepest
}

struct Walk<'a> {
    variables: &'a [&'a str],
    /// Variables of the loops around.
    bound: Vec<&'a str>,
    loops: usize,
}

impl<'a> Walk<'a> {
    fn enter(&mut self, expression: &'a IdedExpr) -> Result<(), String> {
        match &expression.expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.enter(&select.operand),
            Expr::Call(call) => {
                function(&call.func_name)?;
                call.target.iter().try_for_each(|target| self.enter(target))?;
                call.args.iter().try_for_each(|argument| self.enter(argument))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.enter(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr)),
            Expr::Comprehension(looped) => {
                self.enter(&looped.iter_range)?;
                self.loops += 1;
                if self.loops > MOST_LOOPS {
                    return Err(
                        "it goes through lists inside of lists inside of lists: two are the most".to_owned()
                    );
                }
                let before = self.bound.len();
                self.bound.extend([looped.iter_var.as_str(), looped.accu_var.as_str()]);
                self.bound.extend(looped.iter_var2.as_deref());
                for part in [&looped.accu_init, &looped.loop_cond, &looped.loop_step, &looped.result] {
                    self.enter(part)?;
                }
                self.bound.truncate(before);
                self.loops -= 1;
                Ok(())
            }
            Expr::Struct(_) => Err("there are no messages here: `{'name': value}` is a map".to_owned()),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr) -> Result<(), String> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.enter(&entry.key)?;
                self.enter(&entry.value)
            }
            EntryExpr::StructField(field) => self.enter(&field.value),
        }
    }

    fn variable(&self, name: &str) -> Result<(), String> {
        if self.variables.contains(&name) || self.bound.contains(&name) || TYPES.contains(&name) {
            return Ok(());
        }
        Err(match nearest(name, self.variables.iter().copied()) {
            Some(known) => format!("`{name}` is unknown: did you mean `{known}`?"),
            None => format!("`{name}` is unknown: there are {}", self.variables.join(", ")),
        })
    }
}

fn function(name: &str) -> Result<(), String> {
    // Operators have names such as `_&&_`.
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !is_name || FUNCTIONS.contains(&name) {
        return Ok(());
    }
    // Names are compared in small letters.
    let lower: Vec<_> = FUNCTIONS.iter().map(|known| known.to_lowercase()).collect();
    let near = nearest(name, lower.iter().map(String::as_str));
    let near = near.and_then(|near| FUNCTIONS.iter().find(|known| known.to_lowercase() == near));
    Err(match near {
        Some(known) => format!("there is no function `{name}`: did you mean `{known}`?"),
        None => format!("there is no function `{name}`"),
    })
}

const FUNCTIONS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "dyn",
    "type",
    "max",
    "min",
];

/// Names that stand for kinds of values.
const TYPES: &[&str] = &["string", "int", "uint", "double", "bool", "list", "map", "null_type"];

const MOST_LOOPS: usize = 2;

/// A chain of operators is parsed one after the other; some parsers go down for each.
const SIGNS_PER_LEVEL: usize = 8;
