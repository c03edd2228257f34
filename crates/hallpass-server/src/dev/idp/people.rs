//! Plausible people, in the shape that each provider gives to them: what the catalogue has recorded of Ada Lovelace,
//! with other names and numbers.

use hallpass::providers::{Spec, recorded};
use serde_json::{Map, Value};

/// Somebody who does not exist.
#[derive(Debug)]
pub(super) struct Person {
    /// Names them in forms.
    pub(super) slug: &'static str,
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    pub(super) email: &'static str,
    /// Whether providers have checked the address.
    pub(super) is_verified: bool,
    /// Whether they tell providers their name.
    pub(super) shows_name: bool,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// The claims of the ID token, and the answer of userinfo.
    pub(super) profile: Map<String, Value>,
    /// The answer to the follow-up request.
    pub(super) follow_up: Option<Value>,
    /// What the browser posts beside the code, the first time.
    pub(super) posted: Map<String, Value>,
}

impl Person {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// What the provider says of them.
    pub(super) fn at(&self, spec: &Spec) -> Answers {
        let mut json: Value =
            recorded(spec.id).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let expected = |name: &str| json.pointer(&format!("/expected/{name}")).and_then(Value::as_str);
        let own_id = expected("id").unwrap_or_default().to_owned();
        let id = self.id_like(&own_id);
        let mut names: Vec<(String, String)> = vec![(own_id, id)];
        names.extend(expected("email").map(|email| (email.to_owned(), self.email.to_owned())));
        names.extend(
            [
                ("ada@example.com", self.email),
                ("Ada Lovelace", &self.name()),
                ("Ada", self.given),
                ("Lovelace", self.family),
                ("ada", self.slug),
            ]
            .map(|(from, to)| (from.to_owned(), to.to_owned())),
        );
        self.take_over(&mut json, &names);
        let mut profile = object(json.get_mut("profile").map(Value::take));
        profile.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
        // The recorded address is one that the provider hides others behind.
        if let Some(is_hidden) = profile.get_mut("is_private_email") {
            *is_hidden = "false".into();
        }
        let mut posted = Map::new();
        if spec.posted.is_some()
            && let Some(mut user) = profile.shift_remove("user")
            && self.shows_name
        {
            if let Some(email) = user.get_mut("email") {
                *email = self.email.into();
            }
            posted.insert("user".to_owned(), user);
        }
        let mut answers = Answers { profile, follow_up: json.get_mut("follow_up").map(Value::take), posted };
        answers.set_verified(self.is_verified);
        answers
    }

    /// Replaces names and numbers.
    fn take_over(&self, value: &mut Value, names: &[(String, String)]) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|it| self.take_over(it, names)),
            Value::Array(items) => items.iter_mut().for_each(|it| self.take_over(it, names)),
            Value::Number(number) => {
                let text = number.to_string();
                if let Some((_, id)) = names.iter().find(|(from, _)| *from == text) {
                    *value = id.parse::<u64>().map_or_else(|_| id.as_str().into(), Into::into);
                }
            }
            Value::String(text) => {
                for (from, to) in names {
                    *text = replaced(text, from, to);
                }
                if is_uuid(text) && names.iter().all(|(_, to)| to != text) {
                    *text = self.shifted(text);
                }
                let hidden = [self.name().as_str(), self.given, self.family].contains(&text.as_str());
                if hidden && !self.shows_name {
                    *value = Value::Null;
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Another id of the same kind.
    fn id_like(&self, id: &str) -> String {
        let shifted = self.shifted(id);
        if shifted == id && self.number() > 0 && !id.contains("ada") {
            return format!("{id}{}", self.number());
        }
        shifted
    }

    /// With other digits: no two people have the same.
    fn shifted(&self, text: &str) -> String {
        let shift = |digit: u32| char::from_digit((digit + self.number()) % 10, 10);
        text.chars().map(|c| c.to_digit(10).and_then(shift).unwrap_or(c)).collect()
    }

    fn number(&self) -> u32 {
        PEOPLE.iter().zip(0..).find(|(person, _)| person.slug == self.slug).map_or(0, |(_, number)| number)
    }
}

impl Answers {
    /// Says whether the address was checked, in whatever field the provider does.
    pub(super) fn set_verified(&mut self, is_verified: bool) {
        set_verified(&mut self.profile, is_verified);
        let rows = self.follow_up.iter_mut().filter_map(Value::as_array_mut).flatten();
        rows.filter_map(Value::as_object_mut).for_each(|row| set_verified(row, is_verified));
        if let Some(Value::Object(fields)) = &mut self.follow_up {
            set_verified(fields, is_verified);
        }
    }
}

fn set_verified(fields: &mut Map<String, Value>, is_verified: bool) {
    for (name, value) in fields {
        match (name.as_str(), &value) {
            ("email_verified" | "verified" | "verified_email" | "xms_edov", Value::String(_)) => {
                *value = is_verified.to_string().into();
            }
            ("email_verified" | "verified" | "verified_email" | "xms_edov", _) => *value = is_verified.into(),
            ("confirmed_at", _) if !is_verified => *value = Value::Null,
            _ => {}
        }
    }
}

/// Replaces whole words.
fn replaced(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() {
        return text.to_owned();
    }
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        done.push_str(before);
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_word = !touches(done.chars().next_back()) && !touches(after.chars().next());
        done.push_str(if is_word { to } else { from });
        rest = after;
    }
    done + rest
}

fn is_uuid(text: &str) -> bool {
    let dashes: Vec<_> = text.match_indices('-').map(|(at, _)| at).collect();
    text.len() == 36 && dashes == [8, 13, 18, 23] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Everybody.
pub(super) const PEOPLE: [Person; 3] = [
    Person {
        slug: "robin",
        given: "Robin",
        family: "Hale",
        email: "robin.hale@example.com",
        is_verified: true,
        shows_name: true,
    },
    Person {
        slug: "zoe",
        given: "Zoë",
        family: "Tanaka",
        email: "zoe.tanaka@example.com",
        is_verified: true,
        shows_name: true,
    },
    Person {
        slug: "kit",
        given: "Kit",
        family: "Moreau",
        email: "kit.moreau@example.com",
        is_verified: false,
        shows_name: false,
    },
];

/// Claims that belong to one token.
const OF_THE_TOKEN: &[&str] = &[
    "iss",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "at_hash",
    "auth_time",
    "jti",
    "sid",
    "acr",
    "rh",
    "uti",
];
