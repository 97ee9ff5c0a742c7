//! Places of a Python file, as a table. That Python gives the values back is shown with real ones.

use super::*;

#[test]
fn each_place_has_its_form() {
    let mixed =
        table(&[("a b", list(&["x'", "\"\\\n"])), ("n", Value::Float(2.0)), ("t", Value::Bool(true))]);
    check(
        Grammar::Python,
        &[
            ("a = §\n", &[string("x\u{7f}\"'")], "a = \"x\\u007f\\\"'\"\n"),
            ("a = § # §\n", &[Value::Int(-1), string("b")], "a = -1 # b\n"),
            (
                "f(§, b=§, *§)",
                &[mixed, Value::Bool(false), list(&[])],
                "f({\"a b\": [\"x'\", \"\\\"\\\\\\n\"], \"n\": 2.0, \"t\": True}, b=False, *[])",
            ),
            ("a = § ** 2 + §", &[Value::Int(-1), Value::Int(2)], "a = (-1) ** 2 + 2"),
            ("a = [\n  §\n  ,]", &[Value::Int(-1)], "a = [\n  -1\n  ,]"),
            ("a = [\n  §\n  ** 2]", &[Value::Int(-1)], "a = [\n  (-1)\n  ** 2]"),
            ("return §.bit_length()", &[Value::Int(5)], "return (5).bit_length()"),
            ("for a in §: pass", &[list(&["x"])], "for a in [\"x\"]: pass"),
            ("if x == §: pass", &[string("a")], "if x == \"a\": pass"),
            ("a = {§: §}", &[string("k"), Value::Int(1)], "a = {\"k\": 1}"),
            (
                "'§' \"§\" '''§''' \"\"\"§\"\"\"",
                &[string("'\""), string("'\""), string("'\""), string("'\n\"")],
                "'\\'\"' \"'\\\"\" '''\\'\"''' \"\"\"'\\n\\\"\"\"\"",
            ),
            ("a = r'§' + u\"§\"", &[string("a b"), string("é")], "a = r'a b' + u\"é\""),
            ("print(f\"{a!r:>{w}} {x['a']}\", §)", &[string("x")], "print(f\"{a!r:>{w}} {x['a']}\", \"x\")"),
            (
                "#!§ -I\n# §\nx = '\\x41\\101\\N{DIGIT ONE}§'",
                &[string("/a/b@1"), string("c"), string("1")],
                "#!/a/b@1 -I\n# c\nx = '\\x41\\101\\N{DIGIT ONE}1'",
            ),
            ("# coding: UTF-8\na = §", &[string("")], "# coding: UTF-8\na = \"\""),
            ("a = \"\"\"§\"b\"\"\"", &[string("")], "a = \"\"\"\"b\"\"\""),
        ],
        &[],
    );
}

#[test]
fn what_cannot_be_exact_is_refused() {
    check(
        Grammar::Python,
        &[],
        &[
            ("§ = 1", &[string("a")], "start with a value"),
            ("x = 1; §", &[string("a")], "start with a value"),
            ("x = 1§", &[Value::Int(2)], "behind a name or another value"),
            ("x = f§", &[string("a")], "behind a name or another value"),
            ("print §", &[string("a")], "behind a name or another value"),
            ("import §", &[string("a")], "behind a name or another value"),
            ("return§", &[string("a")], "join the word before"),
            ("x = §y", &[string("a")], "join what stands behind"),
            ("x = §1", &[Value::Int(2)], "join what stands behind"),
            ("x = §\"a\"", &[string("a")], "join"),
            ("x = §§", &[string("a"), string("b")], "behind a string or another value"),
            ("x = \"a\" §", &[string("a")], "behind a string or another value"),
            ("x = (§\n 'b')", &[string("a")], "Python joins"),
            ("x.§", &[string("a")], "a name must stand here"),
            ("f(§=1)", &[string("a")], "before `=`"),
            ("f(§ := 1)", &[string("a")], "before `=`"),
            ("x = f'{§}'", &[string("a")], "f-string"),
            ("x = f'§'", &[string("a")], "f-string"),
            ("x = b'§'", &[string("a")], "byte string"),
            ("x = r'§'", &[string("\\")], "raw string"),
            ("x = r'\\§'", &[string("")], "after `\\`"),
            ("x = '\\§'", &[string("n")], "after `\\`"),
            ("x = '\\1§'", &[string("2")], "escape before"),
            ("x = '\\x4§'", &[string("2")], "escape before"),
            ("x = '\\N{DIGIT §}'", &[string("ONE")], "escape before"),
            ("x = '§''b'", &[string("")], "three quotes"),
            ("x = '''a'§''b'''", &[string("")], "come together"),
            ("x = '§\n'", &[string("")], "no end"),
            ("x = '''§", &[string("")], "no end"),
            ("x = (§", &[string("")], "`(` has no end"),
            ("x = §)", &[string("")], "nothing is open"),
            ("x = (§]", &[string("")], "nothing is open"),
            ("x = \\ §", &[string("")], "only a line break"),
            ("x = f\"{x[\"a\"]}\" + §", &[string("")], "versions of Python"),
            ("# §\nx = 1", &[string("-*- coding: utf-7 -*-")], "encoding `utf-7`"),
            ("#!/usr/bin/python3\n# vim: fileencoding=§", &[string("latin-1")], "encoding `latin-1`"),
            ("#§", &[string("!/bin/sh")], "name an interpreter"),
            ("#!§", &[string("/bin/a b")], "`#!` line"),
            ("#!/§", &[string("a".repeat(127).as_str())], "longer than the kernel"),
            ("# §", &[string("a\nimport os")], "line break"),
            ("x = §", &[Value::List(vec![Value::None])], "none"),
            ("x = §", &[Value::Float(f64::NAN)], "finite"),
        ],
    );
}
