//! TypeScript declarations of an application's types, for the clients of Auth.js.
//!
//! ```
//! use hallpass::ViewUser;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! #[serde(rename_all = "lowercase")]
//! enum Role { Admin, Reader }
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Claims { role: Role }
//!
//! #[derive(Serialize, JsonSchema)]
//! #[serde(rename_all = "camelCase")]
//! struct View { user: ViewUser, role: Role, selected_company_id: Option<String> }
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(rename_all = "camelCase")]
//! struct Update { company_id: String }
//!
//! let declarations = hallpass::typescript::<Claims, View, Update>();
//! assert!(declarations.as_str().contains(r#"export type Role = "admin" | "reader";"#));
//! assert!(declarations.as_str().contains("  selectedCompanyId: string | null;"));
//! ```
//!
//! In a test, so that CI fails when the file no longer fits the types:
//!
//! ```no_run
//! # type Claims = (); type View = (); type Update = ();
//! #[test]
//! # fn hidden() {}
//! fn declarations_are_fresh() -> Result<(), hallpass::typescript::Stale> {
//!     hallpass::typescript::<Claims, View, Update>().check("web/hallpass.d.ts")
//! }
//! ```
//!
//! `HALLPASS_TYPES=write cargo test` writes it. With the file in a project, `useSession()` and `useAuth()` know
//! `session.user.role`.
//!
//! # What becomes of a type
//!
//! It is described by [`schemars`], which knows serde's attributes: names, tags, flattening, defaults.
//!
//! | Rust | TypeScript |
//! |---|---|
//! | a struct | an interface, with the fields as serde names them |
//! | an enum of names | a union of literals |
//! | any other enum | a union, tagged as serde tags it |
//! | `Option<T>` that is shown | `T \| null`; with `skip_serializing_if` an optional field, never null |
//! | `Option<T>`, or a `default`, in an `Update` | an optional field |
//! | all numbers | `number` |
//! | `serde_json::Value` | `unknown` |
//!
//! JavaScript reads integers beyond 2⁵³ inexactly: serialize such as a text, with `#[schemars(with = "String")]`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;

mod documents;
mod module;
mod print;

pub use documents::{SchemaError, Schemas};

/// TypeScript declarations of what a session keeps, shows and takes.
///
/// There are plain types, under the names that they have in Rust; `HallpassClaims`, `HallpassSession` (the body of
/// `GET /session`, with `expires`) and `HallpassUpdate`, whatever the three are called; `Session`, `User` and `JWT`
/// of Auth.js, extended with them; and `UpdateSession`, since Auth.js declares the argument of `update()` in a way that
/// nobody can extend. See the [module](mod@crate::typescript) for an example.
///
/// The same types give the same text. For applications without an `Update`, pass [`NoUpdate`](crate::NoUpdate).
pub fn typescript<Claims: JsonSchema, View: JsonSchema, Update: JsonSchema>() -> Declarations {
    Declarations(module::module(&crate::schema::<Claims, View, Update>(), module::Origin::Rust))
}

/// The text of a `.d.ts` file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Declarations(String);

impl Declarations {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Wants the file to have this text. With `HALLPASS_TYPES=write` in the environment it writes the file instead.
    ///
    /// A relative path starts where the program runs: for `cargo test` that is the folder of the package.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has another text.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), Stale> {
        let path = path.as_ref();
        if std::env::var_os(VARIABLE).is_some_and(|value| value == WRITE) {
            return self.write(path);
        }
        let stale = |why| Err(Stale { path: path.to_owned(), why });
        match fs::read_to_string(path) {
            Err(error) => stale(Why::Io(error)),
            // Git may have changed the line ends.
            Ok(text) if text.replace("\r\n", "\n") == self.0 => Ok(()),
            Ok(text) => {
                let same = text.lines().zip(self.0.lines()).take_while(|(old, new)| old == new).count();
                stale(Why::Line(same + 1))
            }
        }
    }

    /// Writes the file, and the folder that it is in. A file that has this text already is left alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Stale> {
        let path = path.as_ref();
        if fs::read_to_string(path).is_ok_and(|text| text == self.0) {
            return Ok(());
        }
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| fs::write(path, &self.0));
        written.map_err(|error| Stale { path: path.to_owned(), why: Why::Io(error) })
    }
}

impl fmt::Display for Declarations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Declarations> for String {
    fn from(declarations: Declarations) -> Self {
        declarations.0
    }
}

/// A file of declarations does not have the text that it should have.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct Stale {
    path: PathBuf,
    #[source]
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Io(std::io::Error),
    #[error("line {0} no longer fits the Rust types: write it with {VARIABLE}={WRITE}")]
    Line(usize),
}

const VARIABLE: &str = "HALLPASS_TYPES";

const WRITE: &str = "write";

#[cfg(test)]
mod tests;
