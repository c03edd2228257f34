//! Options as the sign-in template sees them: runs of buttons, and forms.

use minijinja::Value;
use serde::Serialize;

use super::SignInOption;
use super::logos::logo;
use super::style::class;

/// What stands between two lines that say "or".
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Group<'a> {
    /// Buttons one below the other.
    Redirects { buttons: Vec<Button<'a>> },
    /// A form for an address.
    Email { id: &'a str, action: &'a str, input: String, submit: String },
    /// A form with fields.
    Credentials { id: &'a str, action: &'a str, fields: Vec<Input<'a>>, submit: String },
}

/// A button that leads to a provider.
#[derive(Debug, Serialize)]
pub(super) struct Button<'a> {
    id: &'a str,
    name: &'a str,
    action: &'a str,
    class: String,
    logo: Option<Value>,
    initial: String,
}

/// A field of a credentials form.
#[derive(Debug, Serialize)]
pub(super) struct Input<'a> {
    id: String,
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    placeholder: Option<&'a str>,
    value: Option<&'a str>,
    required: bool,
    autocomplete: Option<&'a str>,
}

/// Puts neighbouring buttons together; the order stays.
pub(super) fn groups(options: &[SignInOption]) -> Vec<Group<'_>> {
    let several_emails =
        options.iter().filter(|option| matches!(option, SignInOption::Email { .. })).count() > 1;
    let mut groups = Vec::new();
    for (at, option) in options.iter().enumerate() {
        match option {
            SignInOption::Redirect { id, name, action } => {
                let button = button(id, name, action);
                if let Some(Group::Redirects { buttons }) = groups.last_mut() {
                    buttons.push(button);
                } else {
                    groups.push(Group::Redirects { buttons: vec![button] });
                }
            }
            SignInOption::Email { id, name, action } => groups.push(Group::Email {
                id,
                action,
                input: format!("email-{at}"),
                submit: if several_emails {
                    format!("Email me a link with {name}")
                } else {
                    "Email me a link".to_owned()
                },
            }),
            SignInOption::Credentials { id, name, action, fields } => groups.push(Group::Credentials {
                id,
                action,
                fields: fields.iter().enumerate().map(|(n, field)| input(at, n, field)).collect(),
                submit: match name.as_str() {
                    "" | "Credentials" => "Sign in".to_owned(),
                    name => format!("Sign in with {name}"),
                },
            }),
        }
    }
    groups
}

fn button<'a>(id: &'a str, name: &'a str, action: &'a str) -> Button<'a> {
    Button {
        id,
        name,
        action,
        class: class(id),
        logo: logo(id).map(|svg| Value::from_safe_string(svg.trim_end().to_owned())),
        initial: name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default(),
    }
}

/// Two forms may have fields of the same name; the ids, which labels need, count forms and fields.
fn input(form: usize, at: usize, field: &super::Field) -> Input<'_> {
    Input {
        id: format!("field-{form}-{at}"),
        name: &field.name,
        label: field.label.as_deref().unwrap_or(&field.name),
        kind: field.kind.as_deref().unwrap_or("text"),
        placeholder: field.placeholder.as_deref().filter(|text| !text.is_empty()),
        value: field.value.as_deref(),
        required: field.required,
        autocomplete: field.autocomplete_or_guess(),
    }
}
