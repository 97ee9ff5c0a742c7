//! What all grammars share, and `lines`.

use super::*;

mod ini;
mod json;
mod nft;
mod python;
mod shared;
mod toml;
mod xml;

/// A template: `§` is a hole. Adjacent texts are cut in two here and there, as a renderer may do.
pub(super) fn pieces(template: &str, values: &[Value]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut values = values.iter();
    for (index, text) in template.split('§').enumerate() {
        if index > 0 {
            pieces.push(Piece::Hole(values.next().cloned().expect("a value for each hole")));
        }
        let cut = text.floor_char_boundary(text.len() / 2);
        pieces.extend([&text[..cut], &text[cut..]].map(|text| Piece::Text(text.to_owned())));
    }
    assert!(values.next().is_none(), "a hole for each value");
    pieces
}

pub(super) fn string(text: &str) -> Value {
    Value::Str(text.to_owned())
}

pub(super) fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| string(text)).collect())
}

/// The file, or the first reason against it.
pub(super) fn outcome(grammar: Grammar, template: &str, values: &[Value]) -> Result<String, String> {
    fill(grammar, &pieces(template, values))
        .map(|filled| filled.text)
        .map_err(|refusals| refusals.into_iter().map(|refusal| refusal.reason).collect::<Vec<_>>().join("; "))
}

/// `accepted` gives a template, values and the file; `refused` a template, values and a part of the reason.
fn check(grammar: Grammar, accepted: &[(&str, &[Value], &str)], refused: &[(&str, &[Value], &str)]) {
    for (template, values, expected) in accepted {
        assert_eq!(outcome(grammar, template, values).as_deref(), Ok(*expected), "{template}");
    }
    for (template, values, expected) in refused {
        let reasons = outcome(grammar, template, values).expect_err(template);
        assert!(reasons.contains(expected), "{template}: {reasons}");
    }
}

fn table(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

#[test]
fn lines_take_values_of_one_line() {
    let values = [Value::Bool(true), Value::Int(-3), Value::Float(0.5), string("a\tb ü")];
    assert_eq!(outcome(Grammar::Lines, "§ § § §\n", &values), Ok("true -3 0.5 a\tb ü\n".to_owned()));
    for bad in ["a\nb", "a\rb", "\0", "\u{1b}[m", "\u{7f}", "\u{85}", "\u{2028}"] {
        assert!(outcome(Grammar::Lines, "§", &[string(bad)]).is_err(), "{bad:?}");
    }
}

#[test]
fn text_takes_booleans_integers_and_any_text() {
    let values = [Value::Bool(true), Value::Int(-3), string("a\n\t\r'\"\u{1b}")];
    assert_eq!(outcome(Grammar::Text, "§ § §", &values), Ok("true -3 a\n\t\r'\"\u{1b}".to_owned()));
    for bad in [string("\0"), Value::Float(0.5)] {
        assert!(outcome(Grammar::Text, "§", &[bad]).is_err());
    }
}

#[test]
fn none_tables_and_lists_are_refused_wherever_they_stand() {
    for (name, grammar) in Grammar::ALL {
        for template in ["# §\n", "[Unit]\nDescription=§\n", "a='§'\n", "[a]\na = §\n", "<a>§</a>", "§"]
        {
            let table = Value::Map(std::collections::BTreeMap::new());
            let values: &[Value] = match name {
                "json" | "toml" | "python" => &[Value::None],
                _ => &[Value::None, table],
            };
            for value in values {
                assert!(
                    outcome(grammar, template, std::slice::from_ref(value)).is_err(),
                    "{name} {template}"
                );
            }
        }
    }
    for grammar in [Grammar::Lines, Grammar::Text] {
        assert!(outcome(grammar, "§", &[list(&["a"])]).is_err());
    }
}

#[test]
fn all_refusals_come_at_once_in_the_order_of_the_text() {
    let refusals =
        fill(Grammar::Lines, &pieces("§ § §", &[Value::None, string("x"), string("\n")])).unwrap_err();
    assert_eq!(refusals.iter().map(|refusal| refusal.at.piece).collect::<Vec<_>>(), [2, 8]);
}

#[test]
fn ranges_tell_where_each_piece_went() {
    let filled = fill(Grammar::Sh, &pieces("a §", &[string("b")])).unwrap();
    assert_eq!(filled.text, "a 'b'");
    assert_eq!(filled.ranges, [0..1, 1..2, 2..5, 5..5, 5..5]);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// One of the texts that `¦` divides.
    fn tokens(all: &'static str) -> impl Strategy<Value = &'static str> {
        prop::sample::select(all.split('¦').collect::<Vec<_>>())
    }

    fn text() -> impl Strategy<Value = String> {
        let token = tokens(
            "'¦\"¦\\¦$¦`¦(¦)¦((¦))¦{¦}¦<<¦EOF¦\n¦ ¦\t¦#¦=¦;¦;;¦|¦&¦>¦case¦esac¦in¦for¦x¦do¦[¦]¦Exec¦\
         ExecStart=¦Environment=¦%¦/bin/a¦:¦-¦+¦@¦é¦\u{0}¦\r¦\u{feff}¦\\x4¦${¦$((¦$(¦<<-¦1¦\
         ReadWritePaths=¦BindPaths=¦LoadCredential=¦Description=¦Documentation=¦\"\"\"¦'''¦f\"¦rb'¦,¦.¦[[¦]]¦\
         <a>¦</a>¦<a b=\"¦\"/>¦<!--¦-->¦<![CDATA[¦]]>¦<?¦?>¦&¦&amp;¦comment \"¦iifname ¦10.0.0.1¦/24¦[a]\n¦\
         a = ¦{\"a\": ¦}}¦\\N{¦\\u00¦\\\n¦return ¦true¦null¦0x¦\u{2028}",
        );
        prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => text().prop_map(Value::Str),
            1 => any::<i64>().prop_map(Value::Int),
            1 => prop::collection::vec(text().prop_map(Value::Str), 0..3).prop_map(Value::List),
            1 => Just(Value::None),
        ]
    }

    fn any_pieces() -> impl Strategy<Value = Vec<Piece>> {
        prop::collection::vec(prop_oneof![text().prop_map(Piece::Text), value().prop_map(Piece::Hole)], 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// No input panics; a text that is written has all pieces in order, and no NUL.
        #[test]
        fn any_text_is_filled_or_refused(pieces in any_pieces()) {
            for (_, grammar) in Grammar::ALL {
                match fill(grammar, &pieces) {
                    Ok(filled) => {
                        prop_assert!(!filled.text.contains('\0'));
                        prop_assert_eq!(filled.ranges.len(), pieces.len());
                        for (piece, range) in pieces.iter().zip(filled.ranges) {
                            if let Piece::Text(text) = piece {
                                prop_assert_eq!(text.as_str(), &filled.text[range]);
                            }
                        }
                    }
                    Err(refusals) => prop_assert!(!refusals.is_empty()),
                }
            }
        }
    }
}
