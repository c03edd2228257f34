//! `hallpass types`: declarations for TypeScript, from samples or JSON Schemas.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass::typescript::{Declarations, Schemas};
use serde_json::Value;

use crate::Failure;
use crate::admin::Printer;
use crate::cli::Types;

mod sample;

use sample::Shape;

pub(crate) fn types(arguments: &Types) -> Result<(), Failure> {
    let declarations = declarations(arguments)?;
    let Some(out) = &arguments.out else {
        return Printer { json: false }.answer(&(), declarations.as_str());
    };
    if arguments.check {
        return check(&declarations, out);
    }
    declarations.write(out).map_err(Failure::other)?;
    eprintln!("{} is written", out.display());
    Ok(())
}

fn declarations(arguments: &Types) -> Result<Declarations, Failure> {
    let session = match &arguments.schema {
        Some(path) => read(path)?,
        None => of_samples(&read_all(&arguments.sample)?)?,
    };
    let mut schemas = Schemas::of_session(session).written_by(command(arguments));
    if let Some(claims) = either("--claims", &arguments.claims)? {
        schemas = schemas.claims(claims);
    }
    if let Some(update) = either("--update", &arguments.update)? {
        schemas = schemas.update(update);
    }
    schemas.declarations().map_err(Failure::other)
}

/// A schema as it is, or the one that fits all samples.
fn either(option: &str, paths: &[PathBuf]) -> Result<Option<Value>, Failure> {
    let files = read_all(paths)?;
    if !files.iter().any(|(_, value)| is_schema(value)) {
        return if files.is_empty() { Ok(None) } else { of_samples(&files).map(Some) };
    }
    match <[_; 1]>::try_from(files) {
        Ok([(_, schema)]) => Ok(Some(schema)),
        Err(_) => Err(Failure::Other(format!("{option}: give one schema, or only samples"))),
    }
}

fn is_schema(value: &Value) -> bool {
    value.get("$schema").is_some()
        || (value.get("type").is_some_and(|it| it == "object")
            && value.get("properties").is_some_and(Value::is_object))
}

fn of_samples(files: &[(&Path, Value)]) -> Result<Value, Failure> {
    let mut shape = Shape::default();
    for (path, sample) in files {
        match sample {
            Value::Object(_) => shape.add(sample),
            Value::Null => {
                let path = path.display();
                return Err(Failure::Other(format!(
                    "{path} is null: nobody was signed in when it was taken"
                )));
            }
            _ => return Err(Failure::Other(format!("{} is no JSON object", path.display()))),
        }
    }
    Ok(shape.schema())
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<(&Path, Value)>, Failure> {
    paths.iter().map(|path| Ok((path.as_path(), read(path)?))).collect()
}

fn read(path: &Path) -> Result<Value, Failure> {
    let bytes = fs::read(path)
        .map_err(|error| Failure::Other(format!("{} cannot be read: {error}", path.display())))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Other(format!("{} is not JSON: {error}", path.display())))
}

fn check(declarations: &Declarations, out: &Path) -> Result<(), Failure> {
    let stale = |why: &str| {
        let path = out.display();
        Err(Failure::Other(format!("{path} {why}: write it with the same command without --check")))
    };
    match fs::read_to_string(out) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => stale("is not there"),
        Err(error) => Err(Failure::Other(format!("{} cannot be read: {error}", out.display()))),
        // Git may have changed the line ends.
        Ok(text) if text.replace("\r\n", "\n") == declarations.as_str() => Ok(()),
        Ok(_) => stale("is stale"),
    }
}

/// What writes the file again, for its head.
fn command(arguments: &Types) -> String {
    let mut command = "hallpass types".to_owned();
    let paths = |option: &'static str, paths: &[PathBuf]| {
        paths.iter().map(move |path| (option, path.clone())).collect::<Vec<_>>()
    };
    let all = [
        paths("--sample", &arguments.sample),
        paths("--schema", arguments.schema.as_slice()),
        paths("--claims", &arguments.claims),
        paths("--update", &arguments.update),
        paths("--out", arguments.out.as_slice()),
    ];
    for (option, path) in all.into_iter().flatten() {
        let path = path.to_string_lossy();
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "-_./\\:".contains(c));
        let path = if plain { path.into_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) };
        command.push_str(&format!(" {option} {}", path.replace(['\r', '\n'], " ")));
    }
    command
}
