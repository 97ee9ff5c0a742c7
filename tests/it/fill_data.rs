//! Values that went through a data file or a Python program come back as they were: the files are filled, and read by
//! the readers that people use.
#![expect(clippy::disallowed_methods, reason = "runs real readers")]
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot run a reader")]

mod readers;
mod twisted;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use voevent_node::base::value::Value;
use voevent_node::build::artifact::Grammar;
use voevent_node::build::fill::{Piece, fill};

use readers::{Case, here, with_git, with_python};

/// A file with a hole at each `§`, and what its reader must get for a value and its text.
struct Context {
    grammar: Grammar,
    file: &'static str,
    expected: fn(&Json, &str) -> Json,
}

const fn context(grammar: Grammar, file: &'static str, expected: fn(&Json, &str) -> Json) -> Context {
    Context { grammar, file, expected }
}

const CONTEXTS: &[Context] = &[
    context(Grammar::Json, "§", |v, _| v.clone()),
    context(Grammar::Json, "{\"a\": [§,§ ], \"b\": {\"c\":§\n}}", |v, _| json!({"a": [v, v], "b": {"c": v}})),
    context(Grammar::Json, "[\"§\", \"<§§>\\n\"]", |_, t| json!([t, format!("<{t}{t}>\n")])),
    context(Grammar::Json, "{§: 1}", |_, t| json!({t: 1})),
    context(Grammar::Json, "{\"-§\": §}", |v, t| json!({format!("-{t}"): v})),
    context(
        Grammar::Toml,
        "a = §\nb = [§, # §\n§]\nc = { d = § }",
        |v, _| json!({"a": v, "b": [v, v], "c": {"d": v}}),
    ),
    context(Grammar::Toml, "[x.§.y]\na = 1\n", |_, t| json!({"x": {t: {"y": {"a": 1}}}})),
    context(Grammar::Toml, "\"a§\" = 1\nb-§ = 2", |_, t| json!({format!("a{t}"): 1, format!("b-{t}"): 2})),
    context(Grammar::Toml, "'§' = '<§>'", |_, t| json!({t: format!("<{t}>")})),
    context(Grammar::Toml, "a = \"§ §\" # §", |_, t| json!({"a": format!("{t} {t}")})),
    context(
        Grammar::Toml,
        "a = \"\"\"§\"\"\"\nb = \"\"\"\n§ \\\n x\"§\" \"\"\"",
        |_, t| json!({"a": t, "b": format!("{t} x\"{t}\" ")}),
    ),
    context(
        Grammar::Toml,
        "a = '''§'''\nb = '''\n§ '§\n'''",
        |_, t| json!({"a": t, "b": format!("{t} '{t}\n")}),
    ),
    context(
        Grammar::Ini,
        "# §\n[s]\na = §\nb=x §y\nc: § §\n",
        |_, t| json!({"s": {"a": t, "b": format!("x {t}y"), "c": format!("{t} {t}")}}),
    ),
    context(Grammar::Ini, "[s-§]\nk§ = v\n", |_, t| json!({format!("s-{t}"): {format!("k{t}"): "v"}})),
    context(
        Grammar::Xml,
        "<a b=\"§\" c='.§'>§</a>",
        |_, t| json!(["a", {"b": t, "c": format!(".{t}")}, t, []]),
    ),
    context(Grammar::Xml, "<?xml version=\"1.0\"?>\n<!-- x -->\n<a>§<b/> §<c>§§</c></a>\n", |_, t| {
        json!(["a", {}, t, [[["b", {}, "", []], format!(" {t}")], [["c", {}, format!("{t}{t}"), []], ""]]])
    }),
    context(Grammar::Python, "#!/usr/bin/python3\n# §\n# §\nr = § # §\n", |v, _| v.clone()),
    context(
        Grammar::Python,
        "def f(a=§):\n  return [§, a, { 'k' : § }]\nr = f()",
        |v, _| json!([v, v, {"k": v}]),
    ),
    context(
        Grammar::Python,
        "r = ['§', \"§\", '''§''', \"\"\"\n§\"\"\", r'§', '\\x41\\101§']",
        |_, t| json!([t, t, t, format!("\n{t}"), t, format!("AA{t}")]),
    ),
    context(Grammar::Python, "r = '§' '§'\"§\" \\\n '<\\\n§>' + (\n '§')", |_, t| {
        json!(format!("{t}{t}{t}<{t}>{t}"))
    }),
    context(
        Grammar::Python,
        "x = 2\nr = [§ if x else 0, § in [§], not not x and §, {0: §}[0]]",
        |v, _| json!([v, true, v, v]),
    ),
    context(Grammar::Python, "r = f\"{1!r:>2} {{{'a'}\" + \"§\"", |_, t| json!(format!(" 1 {{a{t}"))),
    context(Grammar::Text, "<§§>", |_, t| json!(format!("<{t}{t}>"))),
    context(Grammar::Lines, "§\n §", |_, t| json!([t, format!(" {t}")])),
];

fn pieces(file: &str, value: &Value) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, text) in file.split('§').enumerate() {
        if index > 0 {
            pieces.push(Piece::Hole(value.clone()));
        }
        pieces.push(Piece::Text(text.to_owned()));
    }
    pieces
}

/// The file with a value in all its holes, unless that is refused.
fn filled(grammar: Grammar, file: &str, value: &Value) -> Option<Case> {
    let filled = fill(grammar, &pieces(file, value)).ok()?;
    Some(Case { grammar, text: filled.text })
}

/// One of the texts that `¦` divides.
fn tokens(all: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(all.split('¦').collect::<Vec<_>>())
}

fn text() -> impl Strategy<Value = String> {
    let token = tokens(
        "'¦''¦'''¦\"¦\"\"¦\"\"\"¦\\¦\\\\¦\\n¦\\x41¦\\u0041¦\\N{DIGIT ONE}¦\n¦\r¦\r\n¦\t¦ ¦  ¦%¦%%¦%(a)s¦${a}¦$¦#¦ # ¦;¦ ; ¦\
         {{¦}}¦{a}¦{¦}¦[¦]¦[s]¦=¦a = 1¦:¦,¦<¦>¦&¦&amp;¦&#10;¦]]>¦<!--¦-->¦</a>¦<b/>¦é¦日本¦🔭¦\u{0}¦\u{1}¦\
         \u{7f}¦\u{85}¦\u{a0}¦\u{2028}¦\u{3000}¦\u{feff}¦\u{fffe}¦\u{ffff}¦\u{fdd0}¦-*- coding: utf-7 -*-¦x¦0¦1.0¦true¦null¦-",
    );
    prop_oneof![
        8 => prop::collection::vec(token, 0..7).prop_map(|tokens| tokens.concat()),
        3 => any::<String>(),
        3 => "[a-zA-Z0-9 ._/@-]{0,20}",
        1 => (prop::sample::select(vec!["x", "\"", "'", "\\", "\n", "é", "\"'"]), 1..10_000_usize)
            .prop_map(|(text, n)| text.repeat(n)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => text().prop_map(Value::Str),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => any::<i64>().prop_map(Value::Int),
        1 => (-999..999_i64).prop_map(Value::Int),
        2 => any::<f64>().prop_map(Value::Float),
    ];
    scalar.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Secret(_) | Value::File(_) => unreachable!("none is made"),
        Value::None => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Str(value) => json!(value),
        Value::List(values) => values.iter().map(as_json).collect(),
        Value::Map(values) => {
            Json::Object(values.iter().map(|(key, value)| (key.clone(), as_json(value))).collect())
        }
    }
}

/// Values at random, and some that must be there.
fn values(count: usize) -> Vec<Value> {
    let strategy = prop_oneof![3 => text().prop_map(Value::Str), 2 => value()];
    let mut runner = TestRunner::default();
    let known = ["", "\"", "'", "\\", "\n", "\r\n", " ", "a b", "plain", "10.0.0.1", "{{ x }}", "%", "\0"];
    let mut values: Vec<Value> = known.map(|text| Value::Str(text.to_owned())).to_vec();
    values.extend([0, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) - 1].map(Value::Int));
    values.extend([0.1, -0.0, 1e16, 1e300, 5e-324, f64::MAX].map(Value::Float));
    values.extend((0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()));
    values
}

fn cases() -> usize {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4)
}

#[test]
fn real_readers_read_every_value_back() {
    let (mut filled_in, mut refused) = (Vec::new(), vec![0; CONTEXTS.len()]);
    for value in values(cases() * 150) {
        for (number, context) in CONTEXTS.iter().enumerate() {
            let Some(case) = filled(context.grammar, context.file, &value) else {
                refused[number] += 1;
                continue;
            };
            let expected = (context.expected)(&as_json(&value), &value.text().unwrap_or_default());
            if let Some(read) = here(&case) {
                assert_eq!(read.as_ref(), Ok(&expected), "{value:?} in {}", context.file);
            }
            filled_in.push((case, expected));
        }
    }
    let (cases, expected): (Vec<Case>, Vec<Json>) = filled_in.into_iter().unzip();
    let readings = with_python(&cases);
    assert_eq!(readings.len(), cases.len());
    for ((case, expected), readings) in cases.iter().zip(&expected).zip(&readings) {
        for read in readings {
            assert_eq!(read, expected, "{}", case.text);
        }
    }
    with_git(cases.iter().zip(&expected).filter(|(case, _)| case.grammar == Grammar::Ini));
    println!("{} files", cases.len());
    for (context, refused) in CONTEXTS.iter().zip(refused) {
        println!("{refused:5} refused in {:?} {:?}", context.grammar, context.file);
    }
}
