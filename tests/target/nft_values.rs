//! Values that went through rules of nftables come back as they were: nft loads the rules into a kernel, in a network
//! of their own, and lists what it has.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use crate::driver::{Call, Result};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use voevent_node::base::value::Value;
use voevent_node::build::artifact::Grammar;
use voevent_node::build::fill::{Piece, fill};

crate::tests![nft_reads_every_value_back];

/// Values of each kind.
const COUNT: usize = 300;

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Port,
    Mark,
    V4,
    V6,
}

/// A rule with a hole at each `§`, and where nft's JSON has the value, between what else is there.
struct Context {
    kind: Kind,
    rule: &'static str,
    at: &'static str,
    around: (&'static str, &'static str),
}

const fn context(kind: Kind, rule: &'static str, at: &'static str) -> Context {
    Context { kind, rule, at, around: ("", "") }
}

const CONTEXTS: &[Context] = &[
    context(Kind::Text, "accept comment \"§\"", "/comment"),
    Context { around: ("<", ">"), ..context(Kind::Text, "accept comment \"<§>\" # §", "/comment") },
    context(Kind::Text, "log prefix \"§\"", "/expr/0/log/prefix"),
    context(Kind::Text, "iifname \"§\" accept", "/expr/0/match/right"),
    context(Kind::Text, "oifname { \"§\" } accept", "/expr/0/match/right"),
    context(Kind::Port, "tcp dport § accept", "/expr/0/match/right"),
    context(Kind::Port, "tcp dport {§} accept", "/expr/0/match/right"),
    context(Kind::Port, "udp dport != § drop", "/expr/0/match/right"),
    context(Kind::Mark, "meta mark § accept", "/expr/0/match/right"),
    context(Kind::V4, "ip saddr § accept", "/expr/0/match/right"),
    context(Kind::V4, "ip saddr { § } accept", "/expr/0/match/right"),
    context(Kind::V4, "tcp dport 80 dnat ip to §:8099", "/expr/1/dnat/addr"),
    context(Kind::V6, "ip6 daddr § accept", "/expr/0/match/right"),
    context(Kind::V6, "ip6 daddr {§} accept", "/expr/0/match/right"),
    context(Kind::V6, "tcp dport 80 dnat ip6 to [§]:8099", "/expr/1/dnat/addr"),
];

fn nft_reads_every_value_back() -> Result<()> {
    let (mut rules, mut expected, mut refused) = (String::new(), Vec::new(), 0);
    for context in CONTEXTS {
        for value in values(context.kind) {
            let Some(rule) = filled(context.rule, &value) else {
                refused += 1;
                continue;
            };
            rules.push_str(&rule);
            rules.push('\n');
            let (before, after) = context.around;
            let sought: BTreeSet<String> =
                texts(&value).iter().map(|text| format!("{before}{text}{after}")).collect();
            expected.push((rule, context.at, sought));
        }
    }
    let listed = list(&format!("table inet t {{\nchain c {{\n{rules}}}\n}}\n"))?;
    assert_eq!(listed.len(), expected.len());
    for (read, (rule, at, expected)) in listed.iter().zip(&expected) {
        let read = read.pointer(at).map(from_nft);
        assert_eq!(read.as_ref(), Some(expected), "{rule}");
    }
    println!("{} rules, {refused} refused", expected.len());
    assert!(expected.len() > COUNT * 3);
    elements_come_back()
}

/// Named sets, ranges, networks from two holes, and numbers below zero.
fn elements_come_back() -> Result<()> {
    let ports = Value::List([22, 80, 8099].map(Value::Int).to_vec());
    for (rule, value, at, expected) in [
        ("tcp dport §-9000 accept", Value::Int(8000), "/expr/0/match/right/range", json!([8000, 9000])),
        ("ip saddr §/§ accept", Value::Str("x".to_owned()), "", Json::Null),
        (
            "ip saddr §-10.0.0.9 accept",
            Value::Str("10.0.0.2".to_owned()),
            "/expr/0/match/right/range",
            json!(["10.0.0.2", "10.0.0.9"]),
        ),
        (
            "ip saddr §/24 accept",
            Value::Str("10.0.3.0".to_owned()),
            "/expr/0/match/right/prefix",
            json!({"addr": "10.0.3.0", "len": 24}),
        ),
        (
            "ip saddr 10.0.0.0/§ accept",
            Value::Int(9),
            "/expr/0/match/right/prefix",
            json!({"addr": "10.0.0.0", "len": 9}),
        ),
        ("ip saddr § accept", Value::Str("10.0.0.1/32".to_owned()), "/expr/0/match/right", json!("10.0.0.1")),
        ("limit rate §/second", Value::Int(7), "/expr/0/limit/rate", json!(7)),
        ("tcp dport {§, 443} accept", ports.clone(), "/expr/0/match/right/set", json!([22, 80, 443, 8099])),
    ] {
        let Some(filled) = filled(rule, &value) else {
            assert!(expected.is_null(), "{rule}");
            continue;
        };
        let listed = list(&format!("table inet t {{\nchain c {{\n{filled}\n}}\n}}\n"))?;
        assert_eq!(listed[0].pointer(at), Some(&expected), "{rule}");
    }
    let set = filled(
        "table inet t {\nset s {\ntype inet_service\nelements = §\n}\nchain c {\ntcp dport @s accept\n}\n}",
        &ports,
    );
    assert_eq!(list(&set.unwrap())?.len(), 1);
    Ok(())
}

/// The rules that nft has after it loaded a file.
fn list(file: &str) -> Result<Vec<Json>> {
    let script = "nft -f - && nft -j list ruleset";
    let listed = Call::here(["unshare", "-n", "sh", "-c", script]).stdin(file).bytes()?;
    let mut listed: Json = serde_json::from_slice(&listed).unwrap();
    let objects = listed["nftables"].as_array_mut().unwrap();
    Ok(objects.iter_mut().filter_map(|object| object.get_mut("rule").map(Json::take)).collect())
}

fn filled(rule: &str, value: &Value) -> Option<String> {
    let mut pieces = Vec::new();
    for (index, text) in rule.split('§').enumerate() {
        if index > 0 {
            pieces.push(Piece::Hole(value.clone()));
        }
        pieces.push(Piece::Text(text.to_owned()));
    }
    Some(fill(Grammar::Nft, &pieces).ok()?.text)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(values) => values.iter().flat_map(texts).collect(),
        value => vec![value.text().unwrap()],
    }
}

/// What nft lists, as the texts of values.
fn from_nft(read: &Json) -> BTreeSet<String> {
    match read {
        Json::String(text) => BTreeSet::from([text.clone()]),
        Json::Object(object) if object.contains_key("set") => {
            object["set"].as_array().unwrap().iter().flat_map(from_nft).collect()
        }
        Json::Object(object) if object.contains_key("prefix") => {
            let prefix = &object["prefix"];
            BTreeSet::from([format!("{}/{}", prefix["addr"].as_str().unwrap(), prefix["len"])])
        }
        other => BTreeSet::from([other.to_string()]),
    }
}

/// One of the texts that `¦` divides.
fn tokens(all: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(all.split('¦').collect::<Vec<_>>())
}

fn values(kind: Kind) -> Vec<Value> {
    let token = tokens(
        "\"¦'¦\\¦\\\\¦\\\"¦\\n¦\n¦\r¦\t¦ ¦$¦$x¦${x}¦*¦@¦#¦;¦{¦}¦{{¦%¦,¦-¦/¦é¦日本¦🔭¦\u{0}¦\u{1}¦\u{7f}¦\u{85}¦\
         \u{2028}¦x¦eth0¦lo¦10.0.0.1¦22¦accept¦\" accept comment \"",
    );
    let text = prop_oneof![
        4 => prop::collection::vec(token, 0..5).prop_map(|tokens| tokens.concat()),
        2 => any::<String>(),
        1 => "[a-z0-9 .:-]{0,20}",
        1 => (prop::sample::select(vec!["x", "é", "\\"]), 1..5000_usize).prop_map(|(text, n)| text.repeat(n)),
    ];
    // Every other one, since nft joins neighbours to one network.
    let v4 = (any::<u32>(), 1..=32_u32).prop_map(|(bits, length)| {
        let address = Ipv4Addr::from((bits >> (32 - length) | 1) << (32 - length));
        if length == 32 { address.to_string() } else { format!("{address}/{length}") }
    });
    let v6 = (any::<u128>(), 1..=128_u32).prop_map(|(bits, length)| {
        let address = Ipv6Addr::from((bits >> (128 - length) | 1) << (128 - length));
        if length == 128 { address.to_string() } else { format!("{address}/{length}") }
    });
    let strings =
        |values: &[&str]| Value::List(values.iter().map(|text| Value::Str((*text).to_owned())).collect());
    let one = match kind {
        Kind::Text => text.prop_map(Value::Str).boxed(),
        Kind::Port => any::<u16>().prop_map(|port| Value::Int(port.into())).boxed(),
        Kind::Mark => any::<u32>().prop_map(|mark| Value::Int(mark.into())).boxed(),
        Kind::V4 => v4.prop_map(Value::Str).boxed(),
        Kind::V6 => v6.prop_map(Value::Str).boxed(),
    };
    let mut runner = TestRunner::deterministic();
    let mut values: Vec<Value> = (0..COUNT).map(|_| one.new_tree(&mut runner).unwrap().current()).collect();
    match kind {
        Kind::Port => values.push(Value::List([1, 5, 65535].map(Value::Int).to_vec())),
        Kind::V4 => values.push(strings(&["10.1.0.0/16", "10.3.0.0/16", "192.0.2.1"])),
        Kind::V6 => values.push(strings(&["2001:db8::/48", "::1", "::ffff:192.0.2.1"])),
        Kind::Text | Kind::Mark => {}
    }
    values
}
