//! Places of a TOML document, as a table. That readers give the values back is shown with real ones.

use super::*;

#[test]
fn each_place_has_its_form() {
    let mixed = table(&[("a b", list(&["x", "\"\\\n"])), ("n", Value::Float(2.0)), ("t", Value::Bool(true))]);
    check(
        Grammar::Toml,
        &[
            ("a = §\n", &[string("x\u{7f}\"")], "a = \"x\\u007f\\\"\"\n"),
            ("a=§ # §", &[Value::Int(i64::MIN), string("b \"")], "a=-9223372036854775808 # b \""),
            ("a = [ §, # x\n §, ]", &[Value::Float(1e16), Value::Bool(true)], "a = [ 1e16, # x\n true, ]"),
            (
                "a = {b = §, §.d = 1979-05-27}",
                &[mixed, string("c c")],
                "a = {b = {\"a b\" = [\"x\", \"\\\"\\\\\\n\"], \"n\" = 2.0, \"t\" = true}, \"c c\".d = 1979-05-27}",
            ),
            (
                "[x.§]\n§ = 1\n\"a§\" = 2\n'b§' = 3\nc-§ = 4",
                &[string("a.b"), string("ok-1"), string("\""), string("\""), Value::Int(5)],
                "[x.\"a.b\"]\nok-1 = 1\n\"a\\\"\" = 2\n'b\"' = 3\nc-5 = 4",
            ),
            ("[[§]]\na = 'x§y'", &[string("b"), string("\\\"")], "[[b]]\na = 'x\\\"y'"),
            (
                "a = \"\"\"§\n§ \"\"§\"\"\"",
                &[string("x"), string("\"\"\""), string("y")],
                "a = \"\"\"x\n\\\"\\\"\\\" \"\"y\"\"\"",
            ),
            ("a = '''§\n§\n'''", &[string("x"), string("y\nz\\")], "a = '''x\ny\nz\\\n'''"),
            ("a = \"\"\"\\\n  b §\"\"\"", &[string(" x")], "a = \"\"\"\\\n  b  x\"\"\""),
            (
                "a = 1979-05-27 07:32:00.5Z\nb = 07:32:00\nc = 0x1F\nd = +inf\ne = §",
                &[string("")],
                "a = 1979-05-27 07:32:00.5Z\nb = 07:32:00\nc = 0x1F\nd = +inf\ne = \"\"",
            ),
            ("a = \"\"\"§\"\"\"", &[string("")], "a = \"\"\"\"\"\""),
        ],
        &[],
    );
}

#[test]
fn what_cannot_be_exact_is_refused() {
    check(
        Grammar::Toml,
        &[],
        &[
            ("a = 1§", &[Value::Int(2)], "the end of the line must"),
            ("a = §§", &[Value::Int(2), Value::Int(2)], "the end of the line must"),
            ("a = §x", &[Value::Int(2)], "`x` cannot stand here"),
            ("a = 1979-05-27 §", &[Value::Int(2)], "the end of the line must"),
            ("a = \"x\"§", &[string("y")], "the end of the line must"),
            ("§", &[string("a = 1")], "the text ends where `=` is missing"),
            ("§ = 1", &[Value::Int(1)], "a key is a text"),
            ("a§ = 1", &[string(" b")], "without quotes"),
            ("a = 1\n§ = 2", &[string("a")], "no TOML"),
            ("[a]\nb = 1\n[§]", &[string("a")], "no TOML"),
            ("a = \"\\§\"", &[string("n")], "after `\\`"),
            ("a = \"\\u00§\"", &[string("41")], "hexadecimal"),
            ("a = \"\\x41§\"", &[string("x")], "TOML 1.0"),
            ("a = {\nb = §}", &[string("x")], "where a key must"),
            ("a = {b = §,}", &[string("x")], "where a key must"),
            ("a = 07:32\nb = §", &[string("x")], "seconds"),
            ("a = \"§\nb\"", &[string("x")], "no end"),
            ("a = \"\"\"§", &[string("x")], "no end"),
            ("a = 'x§y'", &[string("'")], "within `'`"),
            ("a = 'x§y'", &[string("\n")], "within `'`"),
            ("a = '''x§y'''", &[string("'")], "within `'`"),
            ("a = '''§y'''", &[string("\nx")], "lost"),
            ("a = '''§\ny'''", &[string("")], "read as one"),
            ("a = \"\"\"§\ny\"\"\"", &[string("")], "read as one"),
            ("a = \"\"\"x\"§\"\"y\"\"\"", &[string("")], "read as one"),
            ("a = \"\"\"x \\\n §\"\"\"", &[string(" y")], "lost"),
            ("a = [§", &[string("x")], "missing"),
            ("# §", &[string("a\nb = 1")], "line break"),
            ("a = §", &[Value::Float(f64::INFINITY)], "finite"),
            ("a = §", &[table(&[("\0", Value::Int(1))])], "NUL"),
            ("a = §\nb = 1 2", &[string("x")], "where the end of the line must"),
            ("a = §\nb = maybe", &[string("x")], "no TOML"),
        ],
    );
    let dots = format!("{} = 1", vec!["a"; 100_000].join("."));
    assert!(outcome(Grammar::Toml, &dots, &[]).is_err());
}
