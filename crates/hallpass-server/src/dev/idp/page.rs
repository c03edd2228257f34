//! The page where somebody signs in.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use hallpass::providers::Spec;
use http::{HeaderValue, StatusCode, header};
use minijinja::context;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::fault::{self, Button};
use super::people::{Answers, PEOPLE, Person};
use super::request::{Asked, Parameter};
use super::{StandIn, answer};
use crate::home;

/// Everything that the template shows.
#[derive(Debug, Serialize)]
struct Page {
    name: &'static str,
    /// Names of the variables that bring the real one.
    variable: String,
    people: Vec<Row>,
    /// Whom the texts are about.
    person: &'static str,
    person_name: String,
    editor: Editor,
    buttons: Vec<Button>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    slug: &'static str,
    name: String,
    initial: &'static str,
    email: &'static str,
    is_verified: bool,
    shows_name: bool,
    is_open: bool,
    /// Where their profile is in the editor.
    link: String,
}

/// The texts of the form.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Editor {
    pub(super) profile: String,
    /// None where the provider has no such thing.
    pub(super) follow_up: Option<String>,
    pub(super) posted: Option<String>,
}

pub(super) async fn page(
    State(stand_in): State<StandIn>,
    Path(provider): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(spec) = stand_in.spec(&provider) else { return answer::nobody() };
    let asked = match Asked::read(spec, &query) {
        Ok(asked) => asked,
        Err(why) => return refused(spec, why),
    };
    let person = person(query.get("person"));
    let answers = stand_in.answers(spec, person);
    show(spec, &asked, &query, person, Editor::of(&answers, spec, &asked), None)
}

/// The page, with these texts in its form.
pub(super) fn show(
    spec: &Spec,
    asked: &Asked,
    query: &HashMap<String, String>,
    person: &'static Person,
    editor: Editor,
    problem: Option<String>,
) -> Response {
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Page {
        name: spec.name,
        variable: format!("AUTH_{}", spec.id.to_ascii_uppercase().replace('-', "_")),
        people: PEOPLE.iter().map(|row| Row::of(row, row.slug == person.slug, query)).collect(),
        person: person.slug,
        person_name: person.name(),
        editor,
        buttons: fault::buttons(spec).copied().collect(),
        problem,
    };
    with_form_to(&asked.redirect_uri, status, home::page("authorize.html", AUTHORIZE, page))
}

/// The form that the browser posts back, with a button: no script presses it.
pub(super) fn hand_over(spec: &Spec, asked: &Asked, parameters: &[Parameter]) -> Response {
    let shown: Vec<_> = parameters.iter().filter(|it| it.name != "code" && it.name != "state").collect();
    let data = context! {
        name => spec.name,
        action => asked.redirect_uri.as_str(),
        host => asked.redirect_uri.host_str(),
        parameters => minijinja::value::Serde(parameters),
        shown => minijinja::value::Serde(&shown),
    };
    with_form_to(&asked.redirect_uri, StatusCode::OK, home::page("hand-over.html", HAND_OVER, data))
}

/// Says what is wrong with a request, and sends nobody back.
pub(super) fn refused(spec: &Spec, why: &str) -> Response {
    let page = home::page("refused.html", REFUSED, context! { name => spec.name, why });
    (StatusCode::BAD_REQUEST, page).into_response()
}

/// The person of this name, else the first.
pub(super) fn person(slug: Option<&String>) -> &'static Person {
    let [first, ..] = &PEOPLE;
    PEOPLE.iter().find(|person| Some(person.slug) == slug.map(String::as_str)).unwrap_or(first)
}

impl Row {
    fn of(person: &'static Person, is_open: bool, query: &HashMap<String, String>) -> Self {
        let mut pairs: Vec<_> = query.iter().filter(|(name, _)| *name != "person").collect();
        pairs.sort();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .append_pair("person", person.slug)
            .finish();
        Self {
            slug: person.slug,
            name: person.name(),
            initial: person.given.get(..1).unwrap_or_default(),
            email: person.email,
            is_verified: person.is_verified,
            shows_name: person.shows_name,
            is_open,
            link: format!("?{query}#profile-of"),
        }
    }
}

impl Editor {
    fn of(answers: &Answers, spec: &Spec, asked: &Asked) -> Self {
        Self {
            profile: pretty(&answers.profile),
            follow_up: answers.follow_up.as_ref().map(pretty),
            posted: asked.takes_posted(spec).then(|| match answers.posted.is_empty() {
                true => String::new(),
                false => pretty(&answers.posted),
            }),
        }
    }
}

impl StandIn {
    /// What the provider says of somebody; some of it only the first time.
    pub(super) fn answers(&self, spec: &Spec, person: &Person) -> Answers {
        let mut answers = person.at(spec);
        if self.grants().met.contains(&(spec.id, person.slug.to_owned())) {
            answers.posted = serde_json::Map::new();
        }
        answers
    }
}

/// Browsers also look at where a form leads in the end.
fn with_form_to(address: &Url, status: StatusCode, mut response: Response) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        address.origin().ascii_serialization()
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

fn pretty(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

const AUTHORIZE: &str = include_str!("authorize.html");

const HAND_OVER: &str = include_str!("hand-over.html");

const REFUSED: &str = include_str!("refused.html");
