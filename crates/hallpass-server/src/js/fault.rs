//! What went wrong in a configuration: where, and what to do about it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use hallpass::{BoxError, Error, ErrorKind};
use rquickjs::{Ctx, Function, Object, Value};

use super::engine::DRIVER;

/// A place in a source, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// The place of a byte.
    pub(super) fn of(source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 }
    }
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file is no program, or no configuration.
    Broken,
    /// The program threw.
    Threw,
    /// It did not answer in time.
    TimedOut,
    /// It took more memory than it may.
    OutOfMemory,
    /// A server that it asked cannot be reached, and it did not catch that.
    Unreachable,
    /// Too many callbacks are running already.
    Busy,
}

/// What went wrong: a box, since results carry it everywhere and nearly none has one.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Box<Details>);

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) kind: Kind,
    /// The message of the error, with its name.
    pub(crate) message: String,
    pub(crate) position: Option<Position>,
    pub(crate) file: String,
    /// `jwt`, `session`, …; empty while the file is loaded.
    pub(crate) callback: String,
    pub(crate) cure: Option<String>,
    /// The lines around it.
    pub(crate) excerpt: Option<String>,
    /// The code of a `CredentialsSignin`.
    pub(crate) code: Option<String>,
    /// Auth.js' name of the error, if it is one of its own.
    pub(crate) auth_error: Option<String>,
}

impl Fault {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: message.into(),
            position: None,
            file: String::new(),
            callback: String::new(),
            cure: None,
            excerpt: None,
            code: None,
            auth_error: None,
        }))
    }

    pub(super) fn syntax(message: impl fmt::Display) -> Self {
        Self::new(Kind::Broken, format!("SyntaxError: {message}"))
    }

    pub(super) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    pub(super) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    pub(super) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    pub(super) fn in_callback(mut self, callback: &str) -> Self {
        callback.clone_into(&mut self.callback);
        self
    }

    /// Adds the lines around the place.
    pub(super) fn with_excerpt(mut self, source: &str) -> Self {
        let Some(Position { line, column }) = self.position else { return self };
        let first = line.saturating_sub(3).max(1);
        let mut excerpt = String::new();
        for (number, text) in
            (1..).zip(source.lines()).skip(first - 1).take_while(|(number, _)| *number <= line + 2)
        {
            let mark = if number == line { '>' } else { ' ' };
            excerpt.push_str(&format!("{mark} {number:4} | {text}\n"));
            if number == line {
                excerpt.push_str(&format!("       | {}^\n", " ".repeat(column.saturating_sub(1))));
            }
        }
        self.excerpt = Some(excerpt);
        self
    }

    /// What was thrown in the engine.
    pub(super) fn caught(ctx: &Ctx<'_>, file: &str, source: &str) -> Self {
        let thrown = ctx.catch();
        let Some(error) = thrown.as_object() else {
            let text = ctx.json_stringify(thrown.clone()).ok().flatten().and_then(|it| it.to_string().ok());
            return Self::new(
                Kind::Threw,
                format!("{} was thrown", text.unwrap_or_else(|| "nothing".to_owned())),
            )
            .in_file(file);
        };
        let text = |name: &str| field(error, name).unwrap_or_default();
        let (name, message, stack) = (text("name"), text("message"), text("stack"));
        let is_syntax = name == "SyntaxError";
        let kind = match (name.as_str(), message.as_str()) {
            ("InternalError", "interrupted") => Kind::TimedOut,
            (_, "out of memory") => Kind::OutOfMemory,
            _ if is_syntax && stack.lines().count() <= 1 => Kind::Broken,
            _ => Kind::Threw,
        };
        let shown = match (name.is_empty(), message.is_empty()) {
            (false, false) => format!("{name}: {message}"),
            (false, true) => name.clone(),
            _ => message.clone(),
        };
        let kind = if kind == Kind::Threw && is_unreachable(ctx, &thrown) { Kind::Unreachable } else { kind };
        let mut fault = Self::new(kind, shown).in_file(file);
        fault.position = position(&stack, file).or_else(|| import(&message, source));
        fault.cure = cure(&message, fault.position, source);
        fault.auth_error = field(error, "type");
        fault.code =
            field(error, "code").filter(|_| fault.auth_error.as_deref() == Some("CredentialsSignin"));
        fault
    }

    /// Whether the program threw: its context can be used again.
    pub(super) fn is_thrown(&self) -> bool {
        matches!(self.kind, Kind::Threw | Kind::Unreachable)
    }

    /// The error that the library gets.
    pub(super) fn into_error(self) -> BoxError {
        match self.kind {
            Kind::TimedOut | Kind::OutOfMemory | Kind::Unreachable | Kind::Busy => {
                Box::new(Error::new(ErrorKind::Unavailable, self.to_string()))
            }
            Kind::Broken | Kind::Threw => match self.auth_error.as_deref() {
                Some("CredentialsSignin") => {
                    Box::new(Error::credentials(self.0.code.unwrap_or_else(|| "credentials".to_owned())))
                }
                Some("AccessDenied") => Box::new(Error::new(ErrorKind::AccessDenied, self.to_string())),
                _ => self.to_string().into(),
            },
        }
    }
}

impl Deref for Fault {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ", line {line}, column {column}")?;
        }
        f.write_str(": ")?;
        if !self.callback.is_empty() {
            let verb = if self.is_thrown() { " threw " } else { ": " };
            write!(f, "`{}`{verb}", self.callback)?;
        }
        f.write_str(&self.message)?;
        match &self.cure {
            Some(cure) => write!(f, " ({cure})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Whether an error says that a server cannot be reached: only the program's world knows.
fn is_unreachable<'js>(ctx: &Ctx<'js>, error: &Value<'js>) -> bool {
    let driver: rquickjs::Result<Object<'js>> = ctx.globals().get(DRIVER);
    driver
        .and_then(|driver| driver.get::<_, Function<'js>>("isUnreachable"))
        .and_then(|is_unreachable| is_unreachable.call((error.clone(),)))
        .unwrap_or_default()
}

/// A field that is a text.
fn field(object: &Object<'_>, name: &str) -> Option<String> {
    let value: Value<'_> = object.get(name).ok()?;
    value.as_string()?.to_string().ok()
}

/// The first place in a stack that is in the file: `    at jwt (hallpass.config.ts:12:5)`.
fn position(stack: &str, file: &str) -> Option<Position> {
    stack.lines().find_map(|line| {
        let (_, place) = line.rsplit_once(file)?;
        let mut numbers = place.trim_end_matches(')').trim_start_matches(':').split(':');
        let line = numbers.next()?.parse().ok()?;
        let column = numbers.next().and_then(|it| it.parse().ok()).unwrap_or(1);
        Some(Position { line, column })
    })
}

/// Where a module is imported that there is not: the engine does not say.
fn import(message: &str, source: &str) -> Option<Position> {
    let (before, after) = message.split_once('"')?;
    let (name, said) = after.split_once('"')?;
    let is_of_one = before == "no provider " || said.starts_with(" cannot be imported");
    let ends = ['\'', '"', '`'].map(|quote| format!("{name}{quote}"));
    let at = ends.iter().filter_map(|end| source.find(end.as_str())).min().filter(|_| is_of_one)?;
    Some(Position::of(source, at))
}

/// What to do about a mistake that people make.
fn cure(message: &str, position: Option<Position>, source: &str) -> Option<String> {
    let line =
        position.and_then(|position| source.lines().nth(position.line.saturating_sub(1))).unwrap_or_default();
    if message.contains("redefinition")
        || message.contains("redeclaration")
        || message.contains("is not initialized")
        || message.contains("already been declared")
    {
        let declared =
            line.split_whitespace().skip_while(|word| !matches!(*word, "const" | "let" | "var")).nth(1);
        let name = declared.unwrap_or("it").trim_end_matches(['=', ';', ',']);
        return Some(format!(
            "the callback has `{name}` as an argument already: give this one another name, such as `{name}Value`"
        ));
    }
    if message.starts_with("no provider ") {
        return Some(
            "take the import out and describe it yourself: `{ id, name, type: \"oauth\", authorization, token, userinfo, \
             profile }` with addresses, or `{ id, name, type: \"oidc\", issuer }`, and `clientId` and `clientSecret`"
                .to_owned(),
        );
    }
    if message.contains("import is not available") {
        return None;
    }
    if let Some(name) = message.strip_suffix(" is not defined") {
        let name = name.trim_matches('\'');
        return Some(match name {
            "require" | "module" | "exports" => "write `import` and `export default`".to_owned(),
            "req" | "request" => {
                "export a function of the request: `export default (req) => ({ callbacks: { … } })`"
                    .to_owned()
            }
            _ => format!("import or declare `{name}`"),
        });
    }
    if message.starts_with("cannot read property") || message.starts_with("cannot read properties") {
        return Some("look whether it is there first: `?.`".to_owned());
    }
    if message.starts_with("fetch failed") && message.contains("may not be asked") {
        return Some("list its origin under `allow` in [fetch] of hallpass.toml".to_owned());
    }
    if message.starts_with("fetch failed") && message.contains("is larger than") {
        return Some("ask for less, or raise `max_body` in [fetch] of hallpass.toml".to_owned());
    }
    None
}
