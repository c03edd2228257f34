//! `[dev]`: for which providers development mode stands in.

use hallpass::Environment;
use hallpass::providers::{ALL, Spec};
use serde_json::Value;

use super::document::{Section, nearest};
use super::problem::Problem;
use super::{Config, providers};
use crate::dev::StandIn;
use crate::js::Script;

/// For which of the catalogue.
#[derive(Debug, Default)]
pub(super) enum Wanted {
    /// Those without a client.
    #[default]
    Missing,
    All,
    Named(Vec<String>),
}

/// The section. Outside of development mode it is a mistake.
pub(super) fn read(top: &mut Section<'_>, dev: bool) -> Wanted {
    let Some(mut section) = top.section("dev") else { return Wanted::default() };
    if !dev {
        section.note(
            "[dev] is for development mode (`hallpass dev`), and this is not: take it out, or keep it in a file of its own",
        );
    }
    let wanted = match section.json("stand_in") {
        None => Wanted::Missing,
        Some(Value::Bool(true)) => Wanted::All,
        Some(Value::Bool(false)) => Wanted::Named(Vec::new()),
        Some(value) => names(&section, &value),
    };
    section.end();
    wanted
}

fn names(section: &Section<'_>, value: &Value) -> Wanted {
    let names: Option<Vec<_>> =
        value.as_array().and_then(|items| items.iter().map(|it| it.as_str().map(str::to_owned)).collect());
    let Some(names) = names else {
        section.note("`dev.stand_in` must be true, false or a list of providers such as [\"github\"]");
        return Wanted::Missing;
    };
    for name in names.iter().filter(|name| ALL.iter().all(|spec| spec.id != **name)) {
        let hint = nearest(name, ALL.iter().map(|spec| spec.id));
        let hint = hint.map(|known| format!(": did you mean {known:?}?")).unwrap_or_default();
        section
            .note(format!("`dev.stand_in` names {name:?}, which is no provider that Hallpass knows{hint}"));
    }
    Wanted::Named(names)
}

impl Config {
    /// Starts to stand in, in development mode only.
    pub(super) fn read_stand_in(&mut self, wanted: &Wanted, problems: &mut Vec<Problem>) {
        if !self.dev {
            return;
        }
        let covered = ALL.iter().copied().filter(|spec| match wanted {
            Wanted::Missing => self.lacks_client(spec),
            Wanted::All => true,
            Wanted::Named(names) => names.iter().any(|name| name == spec.id),
        });
        match StandIn::new(covered.collect()) {
            Ok(stand_in) => self.stand_in = Some(stand_in),
            Err(error) => problems.push(Problem::new(error.to_string())),
        }
    }

    /// Whether nobody has registered a client there. A configuration in JavaScript that names providers names all.
    fn lacks_client(&self, spec: &Spec) -> bool {
        if has_client(spec, &self.environment) {
            return false;
        }
        match self.providers.iter().find(|provider| provider.id() == spec.id) {
            Some(provider) => provider.client_id().is_none(),
            None => !self.script.as_ref().is_some_and(Script::names_providers),
        }
    }
}

fn has_client(spec: &Spec, environment: &Environment) -> bool {
    environment.get(&providers::variable(spec.id, "ID")).is_some()
}
