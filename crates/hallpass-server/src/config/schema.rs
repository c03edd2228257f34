//! The JSON Schema of the file, for editors. It is written from what the reader asks for (`schema/tests.rs`);
//! descriptions and defaults are its own.

/// Draft 7, which editors of TOML understand.
pub(crate) const SCHEMA: &str = include_str!("hallpass.schema.json");

#[cfg(test)]
mod tests;
