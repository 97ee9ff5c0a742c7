//! What the language means.

use super::{good, module, setting, try_compile};
use crate::build::options::Strength;

const M: &str = "modules/m/module.toml";

#[test]
fn host_values_are_data() {
    let module = module(&[("a", "type = 'string'"), ("b", "type = 'string'\ndefault = '<{{ m.a }}>'")], "");
    let compiled = good("modules = ['m']\n[m]\na = '{{ 1 + 1 }}{% x %}'\n", &[(M, &module)]);
    assert_eq!(setting(&compiled, "m.a"), r#""{{ 1 + 1 }}{% x %}""#);
    assert_eq!(setting(&compiled, "m.b"), r#""<{{ 1 + 1 }}{% x %}>""#);
}

const MERGED: [(&str, &str); 4] = [
    ("scalar", "type = 'int'\ndefault = 1"),
    ("list", "type = 'list of int'\ndefault = [0]"),
    ("map", "type = 'map of int'\ndefault = { z = 0 }"),
    ("repeat", "type = 'list of int'\nrepeat = true\ndefault = []"),
];

#[test]
fn the_strongest_wins_and_lists_add_up() {
    let set = "[[set]]\n[set.m]\nscalar = 2\nlist = [1]\nmap = { a = 1, b = 1 }\nrepeat = [1]\n";
    let module = module(&MERGED, set);
    let host =
        "modules = ['m']\nimports = ['site.toml']\n[m]\nscalar = 4\nlist = [1, 3]\nmap.b = 3\nrepeat = [1]\n";
    let site = ("hosts/site.toml", "[m]\nscalar = 3\nlist = [2]\nmap.b = 2\n");
    let compiled = good(host, &[(M, &module), site]);
    for (name, want) in [
        ("m.scalar", "4"),
        ("m.list", "[1, 2, 3]"),
        ("m.map", r#"{ "a" = 1, "b" = 3 }"#),
        ("m.repeat", "[1, 1]"),
    ] {
        assert_eq!(setting(&compiled, name), want, "{name}");
    }
    let strengths = |name: &str| {
        let found = compiled.settings.values.iter().find(|(leaf, _)| leaf.to_string() == name);
        found.unwrap().1.origins().map(|origin| origin.strength).collect::<Vec<_>>()
    };
    assert_eq!(strengths("m.scalar"), [Strength::Host]);
    assert_eq!(strengths("m.list"), [Strength::Set, Strength::Import, Strength::Host]);
}

#[test]
fn a_default_counts_where_nothing_else_is() {
    let compiled = good("modules = ['m']\n", &[(M, &module(&MERGED, ""))]);
    assert_eq!(setting(&compiled, "m.list"), "[0]");
    assert_eq!(setting(&compiled, "m.map"), r#"{ "z" = 0 }"#);
}

#[test]
fn replace_drops_what_is_weaker() {
    let module = module(&MERGED, "[[set]]\n[set.m]\nlist = [1]\nmap.a = 1\n");
    let host = "modules = ['m']\nimports = ['site.toml']\n\
                [m]\nlist = { replace = [9] }\nmap = { replace = { b = 2 } }\n";
    let compiled = good(host, &[(M, &module), ("hosts/site.toml", "[m]\nlist = [2]\n")]);
    assert_eq!(setting(&compiled, "m.list"), "[9]");
    assert_eq!(setting(&compiled, "m.map"), r#"{ "b" = 2 }"#);
}

#[test]
fn strength_is_who_imports_whom() {
    let module = module(&[("a", "type = 'duration'")], "");
    let host = "modules = ['m']\nimports = ['a.toml', 'b.toml']\n";
    let b = ("hosts/b.toml", "[m]\na = '1m'\n");
    // Equal values do not contradict each other, in whatever form they are written.
    let compiled = good(host, &[(M, &module), ("hosts/a.toml", "[m]\na = '60s'\n"), b]);
    assert_eq!(setting(&compiled, "m.a"), r#""1m""#);
    let a = ("hosts/a.toml", "[host]\nimports = ['b.toml']\n[m]\na = '2m'\n");
    assert_eq!(setting(&good(host, &[(M, &module), a, b]), "m.a"), r#""2m""#);
}

#[test]
fn information_runs_both_ways_along_an_edge() {
    let users = module(
        &[("serve", "type = 'user-name'\ndefault = 'ann'"), ("accounts", "type = 'map of table'")],
        "[options.accounts.fields.home]\ntype = 'path'\ndescription = 'x'\ndefault = '/home/{{ each.key }}'\n",
    );
    let comet = "[module]
description = 'x'
requires = ['users']
[options.user]
type = 'user-name'
description = 'x'
default = '{{ users.serve }}'
[options.home]
type = 'path'
description = 'x'
default = '{{ users.accounts[comet.user].home }}'
[[set]]
[set.users.accounts.\"{{ comet.user }}\"]
";
    let files = [("modules/users/module.toml", users.as_str()), ("modules/comet/module.toml", comet)];
    let compiled = good("modules = ['comet']\n[comet]\nuser = 'bob'\n", &files);
    assert_eq!(setting(&compiled, "comet.home"), r#""/home/bob""#);
    let names: Vec<String> = compiled.rendered.modules.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["users", "comet"]);
}

#[test]
fn modules_that_are_off_are_asked_before_they_are_read() {
    let text = "[module]
description = 'x'
uses = ['fire']
[options.a]
type = 'bool'
description = 'x'
default = '{{ fire.on and fire.strict }}'
[[set]]
[set.fire]
strict = true
";
    let fire = module(&[("strict", "type = 'bool'\ndefault = false")], "");
    let fire = ("modules/fire/module.toml", fire.as_str());
    assert_eq!(setting(&good("modules = ['m']\n", &[(M, text), fire]), "m.a"), "false");
    assert_eq!(setting(&good("modules = ['m', 'fire']\n", &[(M, text), fire]), "m.a"), "true");
    let unasked = text.replace("fire.on and ", "");
    let errors = try_compile("modules = ['m']\n", &[(M, &unasked), fire]).unwrap_err();
    assert!(errors[0].help[0].starts_with("ask `x.on`"), "{errors:?}");
}

#[test]
fn for_each_goes_through_lists_and_maps() {
    let rest = "[[set]]
for_each = 'm.list'
when = 'each.key > 0 or each.value == \"b\"'
[set.m.map]
\"x-{{ each.value }}\" = '{{ each.key }}'
[[package]]
for_each = 'm.map'
name = '{{ each.key }}-{{ each.value }}'
";
    let options = [
        ("list", "type = 'list of string'\ndefault = ['b', 'a']"),
        ("map", "type = 'map of int'\ndefault = {}"),
    ];
    let compiled = good("modules = ['m']\n", &[(M, &module(&options, rest))]);
    assert_eq!(setting(&compiled, "m.map"), r#"{ "x-a" = 1, "x-b" = 0 }"#);
    let names = compiled.rendered.artifacts.iter().map(|artifact| format!("{:?}", artifact.what));
    assert_eq!(names.collect::<Vec<_>>(), ["Package { name: x-a-1 }", "Package { name: x-b-0 }"]);
}

#[test]
fn the_order_of_modules_does_not_depend_on_how_they_are_named() {
    let file = |requires: &str| format!("[module]\ndescription = 'x'\nrequires = [{requires}]\n");
    let (a, b, c) = (file("'c'"), file("'c'"), file(""));
    let files =
        [("modules/a/module.toml", a.as_str()), ("modules/b/module.toml", &b), ("modules/c/module.toml", &c)];
    for host in ["modules = ['a', 'b']\n", "modules = ['b', 'a', 'c']\n"] {
        let compiled = good(host, &files);
        let names: Vec<String> = compiled.rendered.modules.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }
}

#[test]
fn lists_of_tables_have_the_defaults_of_their_fields() {
    let rest = "[options.a.fields.port]\ntype = 'port'\ndescription = 'x'\ndefault = '{{ 8000 + each.key }}'
[options.a.fields.name]\ntype = 'string'\ndescription = 'x'
[options.a.fields.tags]\ntype = 'list of table'\ndescription = 'x'
[options.a.fields.tags.fields.key]\ntype = 'string'\ndescription = 'x'\ndefault = 't{{ each.key }}'
[options.a.fields.tags.fields.map]\ntype = 'map of table'\ndescription = 'x'
[options.a.fields.tags.fields.map.fields.x]\ntype = 'string'\ndescription = 'x'\ndefault = '{{ each.key }}!'
[options.a.fields.more]\ntype = 'table'\ndescription = 'x'
[options.a.fields.more.fields.y]\ntype = 'int'\ndescription = 'x'\ndefault = '{{ each.key * 10 }}'
[options.sum]\ntype = 'int'\ndescription = 'x'\ndefault = '{{ m.a[0].port + (m.a | last).more.y }}'
[[set]]\n[[set.m.a]]\nname = 'set'\n[[set.m.a]]\nname = 'set'
[[package]]\nfor_each = 'm.a'\nname = '{{ each.value.name }}-{{ each.key }}-{{ each.value.port }}'
";
    let module = module(&[("a", "type = 'list of table'")], rest);
    let site = ("hosts/site.toml", "[[m.a]]\nname = 'site'\nport = 9000\n");
    let host = "modules = ['m']\nimports = ['site.toml']\n[[m.a]]\nname = 'host'\nmore.y = 1\n\
                [[m.a.tags]]\nmap.q = {}\n[[m.a.tags]]\nkey = 'own'\n";
    let compiled = good(host, &[(M, &module), site]);
    insta::assert_snapshot!(setting(&compiled, "m.a").replace(" }, { \"more\"", " },\n{ \"more\""), @r#"
    [{ "more" = { "y" = 0 }, "name" = "set", "port" = 8000, "tags" = [] },
    { "more" = { "y" = 10 }, "name" = "set", "port" = 8001, "tags" = [] },
    { "more" = { "y" = 20 }, "name" = "site", "port" = 9000, "tags" = [] },
    { "more" = { "y" = 1 }, "name" = "host", "port" = 8003, "tags" = [{ "key" = "t0", "map" = { "q" = { "x" = "q!" } } }, { "key" = "own", "map" = { } }] }]
    "#);
    assert_eq!(setting(&compiled, "m.sum"), "8001");
    let names = compiled.rendered.artifacts.iter().map(|artifact| format!("{:?}", artifact.what));
    insta::assert_snapshot!(names.collect::<Vec<_>>().join("\n"), @"
    Package { name: set-0-8000 }
    Package { name: set-1-8001 }
    Package { name: site-2-9000 }
    Package { name: host-3-8003 }
    ");
}

#[test]
fn a_list_of_tables_is_merged_as_other_lists() {
    let fields = "[options.a.fields.x]\ntype = 'int'\ndescription = 'x'\n";
    let site = ("hosts/site.toml", "[m]\na = [{ x = 1 }, { x = 2 }]\n");
    for (lines, host, want) in [
        ("", "[m]\na = [{ x = 2 }, { x = 3 }]\n", "[{ \"x\" = 1 }, { \"x\" = 2 }, { \"x\" = 3 }]"),
        ("repeat = true\n", "[[m.a]]\nx = 2\n", "[{ \"x\" = 1 }, { \"x\" = 2 }, { \"x\" = 2 }]"),
        ("", "[m]\na = { replace = [{ x = 9 }] }\n", "[{ \"x\" = 9 }]"),
        ("default = [{ x = 0 }]\n", "", "[{ \"x\" = 1 }, { \"x\" = 2 }]"),
    ] {
        let module = module(&[("a", &format!("type = 'list of table'\n{lines}{fields}"))], "");
        let host = format!("modules = ['m']\nimports = ['site.toml']\n{host}");
        assert_eq!(setting(&good(&host, &[(M, &module), site]), "m.a"), want, "{host}");
    }
    for (lines, want) in [("", "[]"), ("default = [{ x = '{{ 1 + 1 }}' }]\n", "[{ \"x\" = 2 }]")] {
        let module = module(&[("a", &format!("type = 'list of table'\n{lines}{fields}"))], "");
        assert_eq!(setting(&good("modules = ['m']\n", &[(M, &module)]), "m.a"), want);
    }
}

#[test]
fn none_of_an_expression_is_overridden() {
    let module = module(
        &[("a", "type = 'int'\noptional = true\ndefault = '{{ none }}'")],
        "[[set]]\n[set.m]\na = '{{ none }}'\n",
    );
    assert_eq!(setting(&good("modules = ['m']\n", &[(M, &module)]), "m.a"), "none");
    assert_eq!(setting(&good("modules = ['m']\n[m]\na = 1\n", &[(M, &module)]), "m.a"), "1");
}

#[test]
fn what_has_no_text_is_never_joined() {
    let options = [
        ("none", "type = 'string'\noptional = true"),
        ("list", "type = 'list of string'\ndefault = ['x']"),
        ("map", "type = 'map of string'\ndefault = { x = 'y' }"),
        ("on1", "type = 'bool'\ndefault = true"),
        ("n", "type = 'int'\ndefault = 7"),
        ("f", "type = 'float'\ndefault = 0.5"),
    ];
    let ways = [
        "V ~ 'a'",
        "'a' ~ V ~ 'b'",
        "['a', V] | join(',')",
        "['a', 'b'] | join(V)",
        "'%s' | format(V)",
        "V | string",
        "V | upper",
        "V | lower",
        "V | title",
        "V | capitalize",
        "V | trim",
        "'a' | trim(V)",
        "V | replace('o', 'u')",
        "'abc' | replace('b', V)",
        "'abc' | replace(V, 'b')",
        "V | split('o') | first",
        "V | lines | first",
        "[V] | map('upper') | first",
        "[V] | map('string') | first",
        "'x' if V is startingwith 'N' else 'y'",
        "'x' if 'None' is endingwith V else 'y'",
        "[V ~ 'a'][0]",
        "{'k': V ~ 'a'}.k",
        "('a' if true else V ~ 'a') ~ V",
    ];
    let rest = "[[file]]\nname = 'f'\ntemplate = 'f.txt.j2'\n";
    for way in ways {
        for value in ["m.none", "none", "m.list", "m.map", "[]", "[1, 2]", "range(2)"] {
            let code = way.replace('V', value);
            let message = |files: &[(&str, &str)]| match try_compile("modules = ['m']\n", files) {
                Ok(_) => panic!("`{code}` has a text"),
                Err(errors) => {
                    assert!(errors[0].message.starts_with("this is "), "{code}: {errors:#?}");
                    assert!(errors[0].message.ends_with("which has no text"), "{code}: {errors:#?}");
                }
            };
            let option = format!("type = 'string'\ndefault = \"{{{{ {code} }}}}\"");
            let all: Vec<(&str, &str)> = options.iter().copied().chain([("z", option.as_str())]).collect();
            message(&[(M, &module(&all, ""))]);
            let template = format!("{{% set q = {code} %}}{{{{ q }}}}");
            message(&[(M, &module(&options, rest)), ("modules/m/f.txt.j2", &template)]);
        }
    }
}

#[test]
fn a_format_has_its_values_by_their_order() {
    for code in ["'%(a)s' | format('x')", "'%%%(a' | format('x')", "['%(é'] | map('format', 'x') | first"] {
        let code = format!("type = 'string'\ndefault = \"{{{{ {code} }}}}\"");
        let said = match try_compile("modules = ['m']\n", &[(M, &module(&[("z", &code)], ""))]) {
            Err(errors) => errors[0].message.clone(),
            Ok(_) => panic!("{code} has a value"),
        };
        let want =
            "`%(` takes a value by its name, and `format` has them by their order: write `%%(` for a bracket";
        assert_eq!(said, want);
    }
}

#[test]
fn what_has_a_text_is_joined_as_toml_writes_it() {
    for (code, want) in [
        ("true ~ false ~ 1", "truefalse1"),
        ("(1 + 1) ~ '' ~ 1.5", "21.5"),
        ("[true, 1, 'x', 0.1] | join('-')", "true-1-x-0.1"),
        ("'%s %05d %.2f' | format(true, 42, 1.5)", "true 00042 1.50"),
        ("'100%% %%(%s)' | format(1)", "100% %(1)"),
        ("true | upper", "TRUE"),
        ("'a,b' | split(',', 1) | join(true)", "atrueb"),
        ("-1 ~ 'x' if true is not none and not false else 'y'", "-1x"),
        ("'ab' is startingwith 'a' ~ ''", "true"),
    ] {
        let code = format!("type = 'string'\ndefault = \"{{{{ {code} }}}}\"");
        let compiled = good("modules = ['m']\n", &[(M, &module(&[("z", &code)], ""))]);
        assert_eq!(setting(&compiled, "m.z"), format!("{want:?}"), "{code}");
    }
}
