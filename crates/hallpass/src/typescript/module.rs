//! The whole file: plain types, and what they add to those of Auth.js.

use std::collections::BTreeMap;

use serde_json::Value;

use super::print::{array, declaration, expression, is_required, key, literal, properties};
use crate::schema::reference;

/// The declarations for what [`schema`](crate::schema()) describes.
pub(super) fn module(schema: &Value) -> String {
    let part =
        |name: &str| schema.get("properties").and_then(|parts| parts.get(name)).unwrap_or(&Value::Null);
    let types = Types(schema);
    let (claims, session) = (part("claims"), part("session"));
    let view = array(session, "allOf").first().unwrap_or(session);

    let mut text = HEADER.to_owned();
    for (name, schema) in types.all() {
        text += &declaration(name, schema);
        text.push('\n');
    }
    text += &alias("What a session keeps: for the server alone.", "HallpassClaims", &expression(claims));
    let shown = match types.members(view).is_empty() && reference(view).is_some() {
        true => "{ expires: string }".to_owned(),
        false => format!("{} & {{ expires: string }}", expression(view)),
    };
    text += &alias("The body of `GET /session` when somebody is signed in.", "HallpassSession", &shown);
    text += &alias("What `update()` takes.", "HallpassUpdate", &expression(part("update")));
    text += UPDATE_SESSION;

    let user = types.members(view).get("user").map(|user| user.schema);
    let session = session_interface(&types, view);
    let user = user.map(|user| user_interface(&types, view, user)).unwrap_or_default();
    let token =
        members("JWT", types.members(claims).iter().map(|(name, it)| it.line(name, "HallpassClaims")));
    let shown = format!("{session}{user}");
    for (module, interfaces) in [
        ("next-auth", &shown),
        ("next-auth/jwt", &token),
        ("@auth/core/types", &shown),
        ("@auth/core/jwt", &token),
    ] {
        if !interfaces.is_empty() {
            text += &format!("\ndeclare module {} {{\n{interfaces}}}\n", literal(module));
        }
    }
    text
}

fn session_interface(types: &Types<'_>, view: &Value) -> String {
    let shown = types.members(view);
    let mut lines: Vec<String> = shown
        .iter()
        .filter(|(name, _)| **name != "expires")
        .map(|(name, it)| {
            let line = it.line(name, "HallpassSession");
            let fields = types.members(it.schema);
            // TypeScript refuses an object that has nothing in common with one whose fields are all optional.
            let is_foreign = *name == "user" && !DEFAULT_USER.iter().any(|name| fields.contains_key(name));
            if is_foreign { format!("{line} & {{ name?: undefined }}") } else { line }
        })
        .collect();
    if !shown.contains_key("user") {
        lines.push("user?: undefined".to_owned());
    }
    lines.push("expires: string".to_owned());
    members("Session", lines.into_iter())
}

/// In version 5 the user of a session is a `User`.
fn user_interface(types: &Types<'_>, view: &Value, user: &Value) -> String {
    let always = types.members(view).get("user").is_some_and(|it| it.is_required);
    let whole = r#"HallpassSession["user"]"#;
    let whole = if always { whole.to_owned() } else { format!("NonNullable<{whole}>") };
    let fields = types.members(user);
    let own = fields.iter().filter(|(name, _)| **name != "id" && !DEFAULT_USER.contains(name));
    members("User", own.map(|(name, it)| it.line(name, &whole)))
}

/// An interface of Auth.js and what it has besides; nothing where there is nothing.
fn members(interface: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("    {line};\n")).collect();
    if lines.is_empty() { String::new() } else { format!("  interface {interface} {{\n{lines}  }}\n") }
}

fn alias(doc: &str, name: &str, expression: &str) -> String {
    format!("/** {doc} */\nexport type {name} = {expression};\n\n")
}

/// The types of a schema.
struct Types<'a>(&'a Value);

/// A field of a type.
struct Member<'a> {
    schema: &'a Value,
    is_required: bool,
}

impl Member<'_> {
    /// The field as a member of another interface. Types are not named there: the module may have others of that name.
    fn line(&self, name: &str, owner: &str) -> String {
        let optional = if self.is_required { "" } else { "?" };
        format!("{}{optional}: {owner}[{}]", key(name), literal(name))
    }
}

impl<'a> Types<'a> {
    fn all(&self) -> BTreeMap<&'a str, &'a Value> {
        let types = self.0.get("$defs").and_then(Value::as_object);
        types.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
    }

    /// The fields that every value of a type may have, in the order of their names.
    fn members(&self, schema: &'a Value) -> BTreeMap<&'a str, Member<'a>> {
        self.members_within(schema, DEEPEST)
    }

    fn members_within(&self, schema: &'a Value, depth: usize) -> BTreeMap<&'a str, Member<'a>> {
        let Some(depth) = depth.checked_sub(1) else { return BTreeMap::new() };
        let inner = |schema| self.members_within(schema, depth);
        let mut found = BTreeMap::new();
        if let Some(named) = reference(schema).and_then(|name| self.all().get(name).copied()) {
            found.append(&mut inner(named));
        }
        for part in array(schema, "allOf") {
            found.append(&mut inner(part));
        }
        for cases in ["oneOf", "anyOf"] {
            let is_null = |case: &&Value| case.get("type").is_some_and(|name| name == "null");
            let mut cases = array(schema, cases).iter().filter(|case| !is_null(case)).map(inner);
            let Some(mut common) = cases.next() else { continue };
            for case in cases {
                common.retain(|name, _| case.contains_key(name));
                for (name, member) in &mut common {
                    member.is_required &= case.get(name).is_some_and(|other| other.is_required);
                }
            }
            found.append(&mut common);
        }
        for (name, property) in properties(schema).into_iter().flatten() {
            found.insert(name, Member { schema: property, is_required: is_required(schema, name) });
        }
        found
    }
}

const HEADER: &str = "\
// Generated by Hallpass from the Rust types of the application: do not edit.
// To write it again: HALLPASS_TYPES=write cargo test

import type { Session as AuthSession } from \"next-auth\";

";

const UPDATE_SESSION: &str = "\
/** `update()` with its argument: `const update: UpdateSession = useSession().update`. */
export type UpdateSession = (data?: HallpassUpdate) => Promise<AuthSession | null>;

// Not every version of Auth.js has all of these modules.
";

/// What a user has in every version.
const DEFAULT_USER: [&str; 3] = ["name", "email", "image"];

/// Types may contain themselves.
const DEEPEST: usize = 32;
