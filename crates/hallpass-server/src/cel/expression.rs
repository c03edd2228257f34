//! One expression: compiled at the start, evaluated within bounds.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program};
use serde_json::Value;

use super::check;
use super::value::{Variables, to_json};

/// An expression that can be evaluated.
pub(crate) struct Expression {
    source: String,
    program: Program,
}

impl Expression {
    /// Compiles it; `variables` are those that it may use.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn compile(source: &str, variables: &[&str]) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!("the expression is longer than {LONGEST} characters"));
        }
        if check::nesting(source) > DEEPEST {
            return Err(format!("the expression is nested more than {DEEPEST} times"));
        }
        let compiled = catch_unwind(AssertUnwindSafe(|| ENV.compile(source)));
        let program = match compiled {
            Ok(Ok(program)) => program,
            Ok(Err(errors)) => {
                let Some(first) = errors.errors.first() else { return Err("it is no expression".to_owned()) };
                let message = first.msg.lines().next().unwrap_or_default();
                let column = first.pos.1.max(1);
                return Err(format!("the expression is wrong at its character {column}: {message}"));
            }
            Err(_) => return Err("it is no expression".to_owned()),
        };
        check::expression(program.expression(), variables)?;
        Ok(Self { source: source.to_owned(), program })
    }

    /// Its value.
    ///
    /// # Errors
    /// Why there is none, without what it was given.
    pub(super) fn evaluate(&self, variables: &Variables) -> Result<Value, String> {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::with_env(Arc::clone(&ENV));
            for (name, value) in variables {
                context.add_variable_from_value(*name, value.clone());
            }
            self.program.execute(&context).map_err(|error| why(&error)).and_then(|value| to_json(&value))
        }));
        result.unwrap_or_else(|_| Err("the interpreter failed".to_owned()))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// The errors of the interpreter show values, which are people's.
fn why(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => {
            format!("there is no `{name}`: ask before, as in `has(user.{name}) && …`")
        }
        ExecutionError::UndeclaredReference(name) => format!("`{name}` is unknown"),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments, and has {actual}")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than that".to_owned(),
        _ => "the kinds of the values do not go together".to_owned(),
    }
}

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// In bytes.
const LONGEST: usize = 4096;

const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::value::variables;
    use super::*;

    const KNOWN: &[&str] = &["user", "profile", "email_verified"];

    fn value(source: &str) -> Result<Value, String> {
        let given = variables([
            ("user", json!({ "email": "ada@acme.example", "age": 36, "tags": ["a", "b"] })),
            (
                "profile",
                json!({ "groups": [{ "name": "ops", "level": 2 }], "big": (0..1000).collect::<Vec<_>>() }),
            ),
            ("email_verified", json!(true)),
        ])
        .unwrap();
        Expression::compile(source, KNOWN)?.evaluate(&given)
    }

    #[test]
    fn expressions_have_values() {
        for (source, want) in [
            ("user.email.endsWith('@acme.example') ? 'admin' : 'reader'", json!("admin")),
            ("email_verified && user.age >= 18", json!(true)),
            ("has(user.name) ? user.name : 'nobody'", json!("nobody")),
            ("profile.groups.exists(it, it.name == 'ops' && it.level > 1)", json!(true)),
            ("profile.groups.map(it, it.name)", json!(["ops"])),
            ("'a' in user.tags", json!(true)),
            ("user.email.matches('^[a-z]+@')", json!(true)),
            ("{'a': 1, 'b': [true, null, 1.5]}", json!({ "a": 1, "b": [true, null, 1.5] })),
            ("size(user.tags) + 1", json!(3)),
        ] {
            assert_eq!(value(source), Ok(want), "{source}");
        }
    }

    #[test]
    fn mistakes_are_told_before_anybody_signs_in() {
        for (source, said) in [
            ("user.email ==", "wrong at its character"),
            ("usr.email == ''", "`usr` is unknown: did you mean `user`?"),
            ("claims.role", "`claims` is unknown: there are user, profile, email_verified"),
            ("user.email.endWith('x')", "no function `endWith`: did you mean `endsWith`?"),
            ("open('/etc/passwd')", "no function `open`"),
            ("user.a.all(x, user.a.all(y, user.a.all(z, true)))", "lists inside of lists inside of lists"),
        ] {
            let told = Expression::compile(source, KNOWN).map(drop).unwrap_err();
            assert!(told.contains(said), "{source}: {told}");
        }
        assert!(Expression::compile(&"(".repeat(4000), KNOWN).is_err());
        assert!(Expression::compile(&format!("{}1", "!".repeat(4000)), KNOWN).is_err());
        assert!(Expression::compile(&format!("1{}", "+1".repeat(4000)), KNOWN).is_err());
    }

    #[test]
    fn errors_at_evaluation_do_not_show_what_was_given() {
        for source in [
            "user.name.size() > 0",
            "user.email + 1",
            "user.email < 3",
            "1 / 0",
            "user.tags[7]",
            "user.email.size(1)",
        ] {
            let told = value(source).unwrap_err();
            assert!(!told.contains("ada") && !told.is_empty(), "{source}: {told}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let long = json!({ "groups": (0..1001).collect::<Vec<_>>() });
        assert!(variables([("profile", long)]).is_err());
        let large = json!({ "text": "x".repeat(70_000) });
        assert!(variables([("profile", large)]).is_err());
        // The worst that is left ends.
        assert_eq!(value("profile.big.all(a, profile.big.exists(b, b == a))"), Ok(json!(true)));
    }
}
