//! Who said what about a setting.

use std::fmt::Write as _;

use super::{Compiled, good, module};
use crate::build::options::history::History;

const M: &str = "modules/m/module.toml";

/// The history of a setting, a line each: place, strength, what is given, what that does.
fn told(compiled: &Compiled, name: &str) -> String {
    let found = compiled.settings.values.iter().find(|(leaf, _)| leaf.to_string() == name);
    let mut out = String::new();
    tell(&found.unwrap().1.history, name, &mut out);
    out
}

fn tell(history: &History, name: &str, out: &mut String) {
    for definition in &history.definitions {
        let place = &definition.origin.place;
        let (line, _) = place.line_column();
        let each = definition.by.as_ref().and_then(|by| by.for_each.as_ref()).map(|(_, key)| key.as_str());
        writeln!(
            out,
            "{name}: {}:{line} {:?} {} {}{}",
            place.source.name,
            definition.origin.strength,
            definition.counts.as_str(),
            definition.given,
            each.map(|key| format!(" for {key}")).unwrap_or_default(),
        )
        .unwrap();
    }
    history.parts.iter().for_each(|(key, part)| tell(part, &format!("{name}.{key}"), out));
}

#[test]
fn every_definition_is_kept_with_its_strength() {
    let options = [
        ("scalar", "type = 'int'\ndefault = 1"),
        ("list", "type = 'list of int'\ndefault = [0]"),
        ("gone", "type = 'list of int'\ndefault = []"),
        ("unset", "type = 'int'\noptional = true"),
    ];
    let sets = "[[set]]\n[set.m]\nscalar = '{{ 1 + 1 }}'\nlist = [1]\n\
                [[set]]\nfor_each = '[7, 8]'\n[set.m]\ngone = ['{{ each.value }}']\n";
    let host = "modules = ['m']\nimports = ['site.toml']\n\
                [m]\nscalar = 4\nlist = [1, 3]\ngone = { replace = [9] }\n";
    let site = ("hosts/site.toml", "[m]\nscalar = 3\nlist = [2]\n");
    let compiled = good(host, &[(M, &module(&options, sets)), site]);
    insta::assert_snapshot!(told(&compiled, "m.scalar"), @"
    m.scalar: modules/m/module.toml:6 Default overridden 1
    m.scalar: modules/m/module.toml:21 Set overridden 2
    m.scalar: hosts/site.toml:2 Import overridden 3
    m.scalar: hosts/h.toml:8 Host wins 4
    ");
    insta::assert_snapshot!(told(&compiled, "m.list"), @"
    m.list: modules/m/module.toml:10 Default overridden [0]
    m.list: modules/m/module.toml:22 Set adds [1]
    m.list: hosts/site.toml:3 Import adds [2]
    m.list: hosts/h.toml:9 Host adds [1, 3]
    m.list.0: modules/m/module.toml:22 Set wins 1
    m.list.0: hosts/h.toml:9 Host wins 1
    m.list.1: hosts/site.toml:3 Import wins 2
    m.list.2: hosts/h.toml:9 Host wins 3
    ");
    insta::assert_snapshot!(told(&compiled, "m.gone"), @"
    m.gone: modules/m/module.toml:14 Default overridden []
    m.gone: modules/m/module.toml:26 Set replaced [7] for 0
    m.gone: modules/m/module.toml:26 Set replaced [8] for 1
    m.gone: hosts/h.toml:10 Host adds [9]
    m.gone.0: hosts/h.toml:10 Host wins 9
    ");
    assert_eq!(told(&compiled, "m.unset"), "");
}

#[test]
fn entries_and_fields_have_lines_of_their_own() {
    let text = module(
        &[("accounts", "type = 'map of table'")],
        "[options.accounts.fields.home]\ntype = 'path'\ndescription = 'x'\ndefault = '/home/{{ each.key }}'\n\
         [options.accounts.fields.shell]\ntype = 'path'\ndescription = 'x'\ndefault = '/bin/sh'\n\
         [[set]]\n[set.m.accounts.ann]\n",
    );
    let host = "modules = ['m']\n[m.accounts.bob]\n\n[m.accounts.ann]\nshell = '/bin/false'\n";
    insta::assert_snapshot!(told(&good(host, &[(M, &text)]), "m.accounts"), @r#"
    m.accounts: modules/m/module.toml:15 Set adds { ann = {} }
    m.accounts: hosts/h.toml:6 Host adds { ann = { shell = "/bin/false" }, bob = {} }
    m.accounts.ann: modules/m/module.toml:15 Set adds {}
    m.accounts.ann: hosts/h.toml:8 Host adds { shell = "/bin/false" }
    m.accounts.ann.home: modules/m/module.toml:9 Default wins "/home/ann"
    m.accounts.ann.shell: modules/m/module.toml:13 Default overridden "/bin/sh"
    m.accounts.ann.shell: hosts/h.toml:9 Host wins "/bin/false"
    m.accounts.bob: hosts/h.toml:6 Host adds {}
    m.accounts.bob.home: modules/m/module.toml:9 Default wins "/home/bob"
    m.accounts.bob.shell: modules/m/module.toml:13 Default wins "/bin/sh"
    "#);
}

#[test]
fn the_texts_of_the_host_too() {
    let site = ("hosts/site.toml", "[host]\naddress = 'site'\n");
    let host = "modules = ['m']\naddress = 'own'\nimports = ['site.toml']\n";
    let compiled = good(host, &[(M, &module(&[], "")), site]);
    let mut out = String::new();
    tell(&compiled.host.histories["address"], "host.address", &mut out);
    insta::assert_snapshot!(out, @r#"
    host.address: hosts/site.toml:2 Import overridden "site"
    host.address: hosts/h.toml:6 Host wins "own"
    "#);
}

#[test]
fn long_values_and_many_entries_are_bounded() {
    let options = [("list", "type = 'list of int'\nrepeat = true\ndefault = []")];
    let numbers: Vec<String> = (0..9000).map(|number| number.to_string()).collect();
    let host = format!("modules = ['m']\n[m]\nlist = [{}]\n", numbers.join(","));
    let compiled = good(&host, &[(M, &module(&options, ""))]);
    let (_, setting) = compiled.settings.values.iter().next().unwrap();
    let given = &setting.history.definitions[1].given;
    assert_eq!((given.chars().count(), setting.history.parts.len()), (201, 1000));
    assert_eq!(setting.value.text(), None);
}
