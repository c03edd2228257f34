//! `[claims]`, `[view]` and `[conditions]`: expressions.

use std::sync::Arc;

use super::document::Section;
use crate::cel::{AT_READ, AT_SIGN_IN, Expression, Expressions};

pub(super) fn read(top: &mut Section<'_>) -> Option<Arc<Expressions>> {
    let mut all = Expressions::default();
    if let Some(mut section) = top.section("claims") {
        for name in section.keys().collect::<Vec<_>>() {
            if RESERVED.contains(&name) {
                section.note(format!("`claims.{name}`: the name is Hallpass' own, choose another"));
            }
            if let Some(expression) = expression(&mut section, name, AT_SIGN_IN) {
                all.claims.push((name.to_owned(), expression));
            }
        }
        section.end();
    }
    if let Some(section) = top.section("view") {
        read_view(section, &[], &mut all);
    }
    if let Some(mut section) = top.section("conditions") {
        all.sign_in = expression(&mut section, "sign_in", AT_SIGN_IN);
        section.end();
    }
    (all.has_claims() || all.has_view() || all.has_condition()).then(|| Arc::new(all))
}

/// Tables in it are objects of the view.
fn read_view(mut section: Section<'_>, path: &[String], all: &mut Expressions) {
    for name in section.keys().collect::<Vec<_>>() {
        let mut path = path.to_vec();
        path.push(name.to_owned());
        if path.len() == 1 && name == "expires" {
            section.note("`view.expires`: Hallpass says when a session ends");
        }
        if section.is_section(name) {
            if path.len() < DEEPEST
                && let Some(inner) = section.section(name)
            {
                read_view(inner, &path, all);
            }
        } else if let Some(expression) = expression(&mut section, name, AT_READ) {
            all.view.push((path, expression));
        }
    }
    section.end();
}

fn expression<'a>(section: &mut Section<'a>, key: &'a str, variables: &[&str]) -> Option<Expression> {
    let text = section.text(key)?;
    match Expression::compile(&text.value, variables) {
        Ok(expression) => Some(expression),
        Err(wrong) => {
            let name = section.path_of(key);
            section.document().note(text.span, format!("`{name}`: {wrong}"));
            None
        }
    }
}

const RESERVED: [&str; 8] = ["sub", "name", "email", "picture", "iat", "exp", "nbf", "jti"];

const DEEPEST: usize = 8;
