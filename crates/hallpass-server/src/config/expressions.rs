//! `[claims]`, `[view]` and `[conditions]`: expressions.

use std::sync::Arc;

use serde_json::Value;

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
    if let Some(mut section) = top.section("view") {
        for name in section.keys().collect::<Vec<_>>() {
            let Some(value) = section.json(name) else { continue };
            if let Err(wrong) = read_view(vec![name.to_owned()], &value, &mut all) {
                section.document().note(section.value_span(name), wrong);
            }
        }
        section.end();
    }
    if let Some(mut section) = top.section("conditions") {
        all.sign_in = expression(&mut section, "sign_in", AT_SIGN_IN);
        section.end();
    }
    (all.has_claims() || all.has_view() || all.has_condition()).then(|| Arc::new(all))
}

/// Tables in it are objects of the view.
fn read_view(path: Vec<String>, value: &Value, all: &mut Expressions) -> Result<(), String> {
    let name = path.join(".");
    if name == "expires" {
        return Err("`view.expires`: Hallpass says when a session ends".to_owned());
    }
    match value {
        Value::String(source) => {
            let expression =
                Expression::compile(source, AT_READ).map_err(|wrong| format!("`view.{name}`: {wrong}"))?;
            all.view.push((path, expression));
            Ok(())
        }
        Value::Object(fields) if path.len() < DEEPEST => fields.iter().try_for_each(|(name, value)| {
            let path = path.iter().chain([name]).cloned().collect();
            read_view(path, value, all)
        }),
        _ => Err(format!("`view.{name}` must be an expression: a text in quotation marks")),
    }
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
