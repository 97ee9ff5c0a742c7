//! What must hold of the settings: `[[assert]]` and `[[warn]]`.

use crate::base::report::{Diagnostic, Severity};
use crate::base::value::Value;

use super::config::module::RuleDecl;
use super::config::tree::Data;
use super::expression::CREDENTIAL;
use super::instance::Instance;
use super::names::Names;
use super::options::Settings;
use super::options::evaluate::{EachEntry, Machine, Nothing, Site};
use super::world::Each;

/// Checks all rules, in module order.
pub fn check(machine: &Machine<'_>, settings: &Settings) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in machine.world.order.iter().filter_map(|name| machine.world.modules.get(name)) {
        for rule in &module.file.rules {
            match check_rule(machine, module, rule, settings) {
                Ok(broken) => found.extend(broken),
                Err(Nothing::Known) if !settings.failed.is_empty() => {}
                Err(nothing) => found.push(nothing.reported(&rule.place)),
            }
        }
    }
    found
}

fn check_rule(
    machine: &Machine<'_>,
    module: &Instance,
    rule: &RuleDecl,
    settings: &Settings,
) -> Result<Vec<Diagnostic>, Nothing> {
    let mut broken = Vec::new();
    for each in machine.entries(module, &rule.guard, settings)? {
        let site = Site { module, each: each.as_ref() };
        let holds = match &rule.that {
            Some(that) => machine.condition(that, site, settings)?,
            None => false,
        };
        if !holds {
            broken.push(diagnostic(machine, (rule, each.as_ref()), site, settings)?);
        }
    }
    Ok(broken)
}

fn diagnostic(
    machine: &Machine<'_>,
    (rule, each): (&RuleDecl, Option<&EachEntry>),
    site: Site<'_>,
    settings: &Settings,
) -> Result<Diagnostic, Nothing> {
    let message = match machine.node(&rule.message, site, settings)?.data {
        Data::Str(text) => text,
        Data::Secret(_) => {
            let error = Diagnostic::error("this is a secret, which has no text");
            return Err(error.at(rule.message.place.clone(), "").help(CREDENTIAL).into());
        }
        other => other.kind().to_owned(),
    };
    let severity = if rule.warning { Severity::Warning } else { Severity::Error };
    let mut diagnostic = Diagnostic { severity, ..Diagnostic::error(message) };
    let code = rule.that.as_ref().or(rule.guard.when.as_ref());
    let known = if each.is_some() { Each::Entry(None) } else { Each::No };
    let mut names = Names { world: machine.world, module: site.module, faults: &mut Vec::new() };
    let mut meanings = code.map(|code| names.bare(code, known)).unwrap_or_default();
    meanings.extend(names.guard(&rule.guard));
    for (place, _) in settings.written(&meanings) {
        diagnostic = diagnostic.at(place, "");
    }
    let demand = match (&rule.that, rule.warning) {
        (Some(_), false) => "this must hold",
        (Some(_), true) => "this does not hold",
        (None, _) => "because of this",
    };
    let place = code.map_or(&rule.place, |code| &code.place).clone();
    diagnostic = diagnostic.at(place, demand);
    let entry = match each.map(|each| &each.key) {
        Some(Value::Str(key)) => format!(", in its entry `{key}`"),
        Some(Value::Int(index)) => format!(", in its entry {}", index + 1),
        _ => String::new(),
    };
    let own = &site.module.name;
    let says = if rule.warning { "warns of" } else { "demands" };
    Ok(diagnostic.of(own).help(format!("module `{own}` {says} it{entry}")))
}
