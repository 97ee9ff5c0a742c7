//! Nothing that is read can make the compiler panic.

use proptest::prelude::*;

use crate::base::report::{Diagnostic, RenderStyle, render};

use super::try_compile;

/// Text that is likely to get past the first check: pieces of the languages, in any order.
fn text(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const HOST: &[&str] = &[
    "modules = ['m']\n",
    "modules = { replace = ['m'] }\n",
    "imports = ['h.toml']\n",
    "imports = ['../x']\n",
    "[m]\n",
    "[host]\n",
    "a = ",
    "b = ",
    "t = ",
    "'{{ x }}'",
    "1",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\"\\u00e9\"",
    "replace = ",
    "\u{F0000}",
    "\0",
    "9999999999999999999",
    "nan",
    "1979-05-27",
    "'",
    "\"\"\"",
    "=",
    ",",
    "m.t.p = 1\n",
];
const MODULE: &[&str] = &[
    "[module]\ndescription = 'x'\n",
    "requires = ['m']\n",
    "uses = ['n']\n",
    "[options.a]\ndescription = 'x'\ntype = 'int'\n",
    "[options.b]\ndescription = 'x'\ntype = 'list of string'\n",
    "[options.t]\ndescription = 'x'\ntype = 'table'\n",
    "[options.t.fields.p]\ndescription = 'x'\ntype = 'map of table'\nfields = {}\n",
    "default = ",
    "'{{ m.a }}'",
    "'{{ m.t.p }}'",
    "[1]",
    "1",
    "\n",
    "[[set]]\n",
    "[set.m]\n",
    "[set.m.t]\n",
    "when = 'm.a'\n",
    "for_each = 'm.b'\n",
    "'{{ each.value }}'",
    "[[assert]]\nthat = 'm.a'\nmessage = 'x'\n",
    "[[file]]\npath = '/etc/x'\ntemplate = 'x.sh.j2'\n",
    "a = ",
    "b = ",
    "p = ",
    "[[directory]]\n",
    "name = ",
    "{{",
    "}}",
    "\"\\u00e9{{ m.x }}\"",
    "'{{ m.b[0][1:2] }}'",
    "exec = true\n",
    "(",
    "|",
    "'",
];
const TEMPLATE: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    " if ",
    " for x in ",
    " endfor ",
    " endif ",
    " else ",
    " elif ",
    " set x = ",
    " raw ",
    " endraw ",
    " include 'x.sh.j2' ",
    "m.a",
    "m.b",
    "m.t.p",
    "each.value",
    "host.name",
    "script('x')",
    "venv('v')",
    " ~ ",
    " | join ",
    " | length ",
    "[0]",
    "[1:]",
    "(",
    ")",
    "-",
    " not ",
    "**",
    " if x else y ",
    "\n",
    "\"",
    " loop ",
    " x ",
    "range(9999999)",
    " * ",
    "99999999",
    " | map('upper') ",
    " | sort ",
    ".",
    ",",
    " is ",
    " in ",
    "{'a': 1}",
    "é",
    "\u{F0001}",
    " | batch(3) ",
    " | format(1) ",
    "'%s%c'",
];

fn compile(host: &str, module: &str, template: &str) {
    let files = [("modules/m/module.toml", module), ("modules/m/x.sh.j2", template), ("x", "[m]\na = 3\n")];
    let Err(diagnostics) = try_compile(host, &files) else { return };
    assert!(!diagnostics.is_empty());
    let _ = render(&diagnostics, RenderStyle::default());
    for (place, _) in diagnostics.iter().flat_map(|diagnostic| &diagnostic.places) {
        assert!(place.span.end <= place.source.text.len(), "{diagnostics:?}");
    }
}

const GOOD: &str = "[module]
description = 'x'
[options.a]
description = 'x'
type = 'int'
default = 1
[options.b]
description = 'x'
type = 'list of string'
default = ['x']
[[script]]
name = 'x'
template = 'x.sh.j2'
for_each = 'm.b'
[[venv]]
name = 'v'
requirements = []
";

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_host_panics(host in text(HOST)) {
        compile(&host, GOOD, "{{ m.a }}");
    }

    #[test]
    fn no_module_panics(module in text(MODULE)) {
        compile("modules = ['m']\n", &module, "{{ m.a }}");
    }

    #[test]
    fn no_template_panics(template in text(TEMPLATE)) {
        compile("modules = ['m']\n", GOOD, &template);
    }

    #[test]
    fn no_expression_panics(code in text(TEMPLATE)) {
        let code = code.replace(['\'', '\n'], "");
        let module = GOOD.replace("default = 1", &format!("default = '{{{{ {code} }}}}'"));
        compile("modules = ['m']\n", &module, "");
    }
}

#[test]
fn deep_and_long_texts_are_bounded() {
    let chains = [
        format!("{}1", "1**".repeat(330)),
        format!("{}1", "1 if 1 else ".repeat(80)),
        format!("{}1", "1 and ".repeat(160)),
        format!("{}1", "1<".repeat(490)),
        format!("{}1", "1~".repeat(490)),
        format!("m.a{}", "|abs".repeat(240)),
        format!("m{}", ".a".repeat(490)),
        format!("m{}", "[0]".repeat(330)),
        format!("{}1", "not ".repeat(64)),
        format!("{}1", "-".repeat(64)),
        format!("{}1{}", "(".repeat(64), ")".repeat(64)),
        format!("{}1{}", "[".repeat(64), "]".repeat(64)),
        format!("{}1{}", "{1:".repeat(64), "}".repeat(64)),
        format!("{}1", "1 is divisibleby ".repeat(50)),
    ];
    for chain in chains {
        compile("modules = ['m']\n", GOOD, &format!("{{{{ {chain} }}}}"));
        compile(
            "modules = ['m']\n",
            &GOOD.replace("default = 1", &format!("default = '{{{{ {chain} }}}}'")),
            "",
        );
    }
    for template in [
        format!("{}{}", "{% if m.a %}".repeat(64), "{% endif %}".repeat(64)),
        format!("{}{}", "{% for x in m.b %}".repeat(64), "{% endfor %}".repeat(64)),
        format!("{{% if m.a %}}{}{{% endif %}}", "{% elif m.a %}".repeat(63)),
        "{% if m.a %}x{% endif %}".repeat(4_000),
        "{{ m.a }}".repeat(6_000),
        "\n".repeat(70_000) + "{{ m.x }}",
        "x".repeat(70_000) + "{{ m.x }}",
        "{% for x in range(9999) %}{% for y in range(9999) %}{{ x }}{% endfor %}{% endfor %}".to_owned(),
    ] {
        compile("modules = ['m']\n", GOOD, &template);
    }
}

/// The error of templates of the module `m`, the first of them `x.sh.j2`.
fn refused(host: &str, files: &[(&str, String)]) -> String {
    let mut all = vec![("modules/m/module.toml", GOOD)];
    all.extend(files.iter().map(|(path, text)| (*path, text.as_str())));
    if all.iter().all(|(path, _)| *path != "modules/m/x.sh.j2") {
        all.push(("modules/m/x.sh.j2", ""));
    }
    try_compile(host, &all).unwrap_err().remove(0).message
}

#[test]
fn nothing_small_becomes_too_much() {
    let modules = "modules = ['m']\n";
    let string = |default: String| {
        let module = GOOD.replace("default = 1", &format!("default = '{default}'"));
        refused(modules, &[("modules/m/module.toml", module)])
    };
    let message = "a string of 540000 bytes with expressions in it";
    assert_eq!(string("{{ m.x }}".repeat(60_000)), message);
    let template = |text: String| refused(modules, &[("modules/m/x.sh.j2", text)]);
    for doubled in ["[a, a]", "a + a", "{'x': a, 'y': a}"] {
        let sets = format!("{{% set a = {doubled} %}}").repeat(40);
        let text = format!("{{% set a = m.b %}}{sets}{{{{ a | length }}}}");
        assert_eq!(template(text), "this holds the same values over and over", "{doubled}");
    }
    assert_eq!(template("{% set a = m.a %}".repeat(500) + "{{ a.x }}"), "this is not defined");
    let includes = |next: &str| format!("{{% include '{next}' %}}").repeat(30);
    let files = [
        ("modules/m/x.sh.j2", includes("1")),
        ("modules/m/1", includes("2")),
        ("modules/m/2", includes("3")),
        ("modules/m/3", includes("4")),
        ("modules/m/4", String::new()),
    ];
    assert_eq!(refused(modules, &files), "more than 100 files are included");
    let files: Vec<(String, String)> = (0..99)
        .map(|file| (format!("hosts/{file}"), format!("[host]\nimports = ['{}']\n", file + 1)))
        .collect();
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    assert_eq!(refused("imports = ['0']\nmodules = ['m']\n", &files), "imports are more than 32 levels deep");
}

#[test]
fn the_texts_of_a_host_are_bounded() {
    let files = "[[file]]\nfor_each = 'range(300) | list'\nname = 'f{{ each.key }}'\n";
    let big = "x".repeat(1 << 20);
    for kind in ["source = 'x'", "template = 'x.txt.j2'"] {
        let module = format!("[module]\ndescription = 'x'\n{files}{kind}\n");
        let template = format!("{}{{{{ 1 }}}}", "x\n".repeat(1 << 19).trim_end());
        let files = [
            ("modules/m/module.toml", module.as_str()),
            ("modules/m/x", &big),
            ("modules/m/x.txt.j2", &template),
        ];
        let errors = try_compile("modules = ['m']\n", &files).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].message, "the texts of the host take more than 256 MiB together");
    }
}

#[test]
fn many_errors_are_cut_before_they_are_explained() {
    let compiled =
        match try_compile("modules = ['m']\n", &[("modules/m/module.toml", GOOD), ("modules/m/x.sh.j2", "")])
        {
            Ok(compiled) => compiled,
            Err(errors) => panic!("{}", render(&errors, RenderStyle::default())),
        };
    let errors = (0..5000).map(|number| Diagnostic::error(format!("{number}"))).collect();
    let explained = compiled.explained(errors);
    assert_eq!(explained.len(), 101);
    assert_eq!(explained[100].message, "4900 more are not shown");
    let many = (0..200).map(|number| Diagnostic::warning(format!("{number}")));
    let explained = compiled.explained(many.chain([Diagnostic::error("wrong")]).collect());
    assert_eq!(explained[0].message, "wrong", "no warning takes the place of an error");
    assert_eq!(explained[100].message, "101 more are not shown");
}
