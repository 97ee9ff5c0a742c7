//! Files at random, most of them nonsense: what a reader makes of one with a value is what it makes of it with a plain
//! word, but for that word. So no lexer takes a place for another, however the text is twisted.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;
use voevent_node::base::value::Value;
use voevent_node::build::artifact::Grammar;

use super::readers::{Case, here, trees};
use super::{cases, filled, tokens};

const PLAIN: &str = "yzqzy";

/// Grammars, how a file starts, the tokens between, and how it ends.
const FILES: &[(Grammar, &str, &str, &str)] = &[
    (
        Grammar::Json,
        "[",
        "§, ¦§,¦§¦\"§\", ¦\"a§b\",¦\"\\\"§\",¦\"¦\\¦\\u0041¦\\u00¦[§],¦[¦],¦{\"a\": §},¦{\"§\": 1},¦{§: §},¦{¦\"b§\": ¦},¦1,¦-¦true, ¦ ¦\n",
        "0]",
    ),
    (
        Grammar::Toml,
        "a = §\n",
        "§¦§¦\"¦\"¦'¦\"\"\"¦'''¦\"§\"¦'§'¦\"\"\"§\"\"\"¦'''§'''¦\\¦\\\n¦\\\"¦\\u00¦41¦\n¦\n¦b = ¦\nc = §\n¦\nd.§ = ¦\n[§]\n¦[¦]¦{¦}¦,¦.¦#¦1¦ ¦\
         \ng = \"\"\"¦\nh = '''¦1979-05-27¦07:32:00",
        "",
    ),
    (
        Grammar::Ini,
        "[s]\n",
        "§¦§¦a = §\n¦b = ¦c: §\n¦\n¦\n[t]\n¦[§]\n¦ ¦\t¦#¦;¦\\¦\"¦'¦=¦:¦d¦§ = 1\n¦\r¦e =\n¦%¦%%¦$¦$$¦%(b)s¦%(¦${b}¦${¦)s¦}",
        "",
    ),
    (
        Grammar::Xml,
        "<r><a>§</a>",
        "§¦§¦<a>¦</a>¦<b>¦</b>¦<c/>¦<d e=\"§\"/>¦<f g='§'>¦</f>¦<!--¦-->¦<![CDATA[¦]]>¦<?x ¦?>¦&¦;¦&amp;¦&lt;¦\"¦'¦>¦/¦ ¦\n¦]]",
        "</r>",
    ),
    (
        Grammar::Python,
        "",
        "§¦§¦§¦\"¦'¦\"\"\"¦'''¦\"§\"¦'§'¦\"\"\"§\"\"\"¦r'§'¦f\"{x}\"¦f'{¦}'¦f\"¦rb\"¦u'¦\\¦\\\n¦\\1¦\\x4¦1¦\\N{¦}¦{¦(¦)¦[¦]¦, ¦: ¦ = ¦x = ¦\nx = ¦\
         \nreturn ¦x¦ in ¦ not ¦ if ¦ else ¦.a¦ + ¦-¦**¦# ¦#¦\n¦\n¦;¦ ¦\n ¦lambda: ¦if x: ",
        "",
    ),
];

/// A reading with the plain word put back.
fn replaced(read: &Json, value: &str) -> Json {
    match read {
        Json::String(text) => Json::String(text.replace(PLAIN, value)),
        Json::Array(values) => {
            // Parts of an f-string: an empty one beside it leaves nothing behind.
            let empty = |read: &Json| read[0] == "Constant" && read[1] == "";
            let parts = |read: &Json| match read {
                Json::Array(parts) if values[0] == "JoinedStr" => {
                    parts.iter().map(|inner| replaced(inner, value)).filter(|part| !empty(part)).collect()
                }
                read => replaced(read, value),
            };
            values.iter().map(parts).collect()
        }
        Json::Object(values) => {
            let pairs = values.iter().map(|(key, inner)| (key.replace(PLAIN, value), replaced(inner, value)));
            Json::Object(pairs.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn twisted_files_differ_by_the_value_only() {
    let hostile = tokens(
        "'¦''¦\"¦\"\"¦\\¦\n¦\r¦ ¦#¦;¦=¦:¦,¦.¦{¦}¦[¦]¦(¦)¦<¦>¦&¦%¦$¦x¦1¦2¦é¦\\n¦]]>¦-->¦\\N{¦coding: latin-1",
    );
    let hostile = prop::collection::vec(hostile, 0..4).prop_map(|tokens| tokens.concat());
    let mut runner = TestRunner::default();
    for (grammar, start, all, end) in FILES {
        let file =
            prop::collection::vec(tokens(all), 1..9).prop_map(|tokens| start.to_string() + &tokens.concat());
        let tail = prop_oneof![Just(""), Just(""), Just("\n"), Just("'''\n"), Just("\"\"\"\n"), Just("\"\n")];
        let mut pairs = Vec::new();
        for _ in 0..cases() * 3000 {
            let tail = tail.new_tree(&mut runner).unwrap().current();
            let file =
                file.new_tree(&mut runner).unwrap().current() + if end.is_empty() { tail } else { end };
            let value = hostile.new_tree(&mut runner).unwrap().current();
            let with = |text: &str| filled(*grammar, &file, &Value::Str(text.to_owned()));
            if let (true, Some(plain), Some(other)) = (file.contains('§'), with(PLAIN), with(&value)) {
                pairs.push((plain, other, value));
            }
        }
        let good = check(*grammar, &pairs);
        println!("{grammar:?}: {} files, {good} of them are read", pairs.len());
        assert!(good * 50 > cases());
    }
}

/// Reads all pairs; how many there are of which the reader makes something.
fn check(grammar: Grammar, pairs: &[(Case, Case, String)]) -> usize {
    let all: Vec<&Case> = pairs.iter().flat_map(|(plain, other, _)| [plain, other]).collect();
    let mut good = 0;
    for ((plain, other, value), readings) in pairs.iter().zip(trees(&all).chunks(2)) {
        for (before, after) in readings[0].iter().zip(&readings[1]) {
            assert_eq!(
                replaced(before, value),
                replaced(after, value),
                "{value:?} in\n{}\n--\n{}",
                plain.text,
                other.text
            );
        }
        let errors = readings[1].iter().filter(|read| read.get("error").is_some()).count();
        good += usize::from(errors == 0);
        if let (Some(before), Some(after)) = (here(plain), here(other)) {
            assert!(errors == 0, "Python does not read {grammar:?}\n{}", other.text);
            assert_eq!(Ok(replaced(&before.unwrap(), value)), after, "{value:?} in\n{}", plain.text);
        }
    }
    good
}
