//! Places of a JSON text, as a table. That readers give the values back is shown with real ones.

use super::*;

#[test]
fn each_place_has_its_form() {
    let mixed =
        table(&[("a b", list(&["x", "\"\\\n"])), ("n", Value::Float(-0.5)), ("t", Value::Bool(true))]);
    check(
        Grammar::Json,
        &[
            ("§", &[string("a")], "\"a\""),
            (
                "{\"a\": §, \"b\": [§,§]}\n",
                &[Value::Int(-3), Value::Bool(false), Value::Float(1e300)],
                "{\"a\": -3, \"b\": [false,1e300]}\n",
            ),
            ("[§]", &[mixed], "[{\"a b\": [\"x\", \"\\\"\\\\\\n\"], \"n\": -0.5, \"t\": true}]"),
            ("[§, §]", &[list(&[]), table(&[])], "[[], {}]"),
            ("{§: 1, §:2}", &[string("a"), string("")], "{\"a\": 1, \"\":2}"),
            (
                "{\"x-§\": \"§ §\\n\"}",
                &[Value::Int(1), string("\u{1}é\u{2028}/"), Value::Bool(true)],
                "{\"x-1\": \"\\u0001é\\u2028/ true\\n\"}",
            ),
            (
                "[0, -1.5e+3, null, {}, [], \"\\ud83d\\ude00\", §]",
                &[string("")],
                "[0, -1.5e+3, null, {}, [], \"\\ud83d\\ude00\", \"\"]",
            ),
        ],
        &[
            ("[1§]", &[Value::Int(2)], "cannot stand here, where `,` or `]` must"),
            ("[§§]", &[Value::Int(2), Value::Int(2)], "cannot stand here"),
            ("[§1]", &[Value::Int(2)], "`1` cannot stand here"),
            ("[\"a\"§]", &[string("b")], "cannot stand here"),
            ("{\"a\" § 1}", &[string(":")], "where `:` must"),
            ("{\"a\": 1 §}", &[string(",")], "where `,` or `}` must"),
            ("{§: 1}", &[Value::Int(1)], "a key is a text"),
            ("{\"a\": 1, §: 2}", &[string("a")], "a key `a` already"),
            ("{\"\\u0061\": 1, \"a§\": 2}", &[string("")], "a key `a` already"),
            ("{\"a\": 1, \"a\": §}", &[string("a")], "a key `a` already"),
            ("\"\\§\"", &[string("n")], "after `\\`"),
            ("\"\\u00§\"", &[string("41")], "hexadecimal"),
            ("\"\\ud83d§\"", &[string("x")], "no escape"),
            ("\"§", &[string("x")], "no end"),
            ("[\"a\n§\"]", &[string("x")], "control character"),
            ("[§", &[string("x")], "ends where `,` or `]` is missing"),
            ("[§,]", &[string("x")], "where a value must"),
            ("[01, §]", &[string("x")], "`01` is no value"),
            ("[tru§]", &[string("e")], "`tru` is no value"),
            ("[§] // §", &[string("x"), string("y")], "where the end must"),
            ("[§]", &[Value::Int(1 << 53)], "2^53"),
            ("[§]", &[Value::List(vec![Value::None])], "none"),
            ("[§]", &[Value::Float(f64::NAN)], "finite"),
            ("[§]", &[list(&["\0"])], "NUL"),
            ("\u{feff}[§]", &[string("x")], "byte order mark"),
        ],
    );
}

#[test]
fn nesting_is_bounded() {
    let deep = |levels: usize| (0..levels).fold(Value::Int(1), |value, _| Value::List(vec![value]));
    assert!(outcome(Grammar::Json, "[§]", &[deep(60)]).is_ok());
    assert!(outcome(Grammar::Json, "[§]", &[deep(70)]).is_err());
    assert!(outcome(Grammar::Json, &"[".repeat(100_000), &[]).is_err());
}
