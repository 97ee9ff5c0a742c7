//! Places of an INI file, as a table. That configparser gives the values back is shown with the real one.

use super::*;

#[test]
fn each_place_has_its_form() {
    check(
        Grammar::Ini,
        &[
            (
                "; §\n\n[a §]\nb = §\n§: x § y\n",
                &[string("x;y"), string("B-1"), string("u:v=w é"), string("k.1"), string("'z'")],
                "; x;y\n\n[a B-1]\nb = u:v=w é\nk.1: x 'z' y\n",
            ),
            ("[a]\r\nb =  § \r\n", &[Value::Bool(true)], "[a]\r\nb =  true \r\n"),
            ("[a]\nb =§§\nc=§", &[Value::Int(1), Value::Int(2), string("")], "[a]\nb =12\nc="),
            ("[a]\nb = 100%% of §, %(c)s §\n", &[string("x"), string("y")], "[a]\nb = 100%% of x, %(c)s y\n"),
            ("plain text\n", &[], "plain text\n"),
        ],
        &[
            ("[a]\nb = §", &[string("x\ny")], "line break"),
            ("[a]\nb = §", &[string("x\ty")], "readers differ"),
            ("[a]\nb = §", &[string(" x")], "would be lost"),
            ("[a]\nb = § ", &[string("x\u{a0}")], "would be lost"),
            ("[a]\nb = x §", &[string("")], "would be lost"),
            ("[a]\nb = §", &[string("a;b")], "readers differ"),
            ("[a]\nb = §", &[string("a#b")], "readers differ"),
            ("[a]\nb = §", &[string("%(c)s")], "readers differ"),
            ("[a]\nb = §", &[string("${c}")], "readers differ"),
            ("[a]\nb = §", &[string("\"c")], "readers differ"),
            ("[a]\nb = §", &[string("c\\")], "readers differ"),
            ("[a]\nb = §", &[string("'c'")], "`'` at an end"),
            ("[a]\nb = x ; §", &[string("c")], "behind `;`"),
            ("[a]\nb = x \\§", &[string("n")], "behind `\\`"),
            // An empty value would join what stands round it: a `%` of its own, or a name to look for.
            ("[a]\nb = %§%c", &[string("")], "behind `%`"),
            ("[a]\nb = %%%§c", &[string("x")], "behind `%`"),
            ("[a]\nb = %§(c)s", &[string("")], "behind `%`"),
            ("[a]\nb = $§{c}", &[string("")], "behind `$`"),
            ("[a]\nb = %(§)s", &[string("c")], "behind `%`"),
            ("[a]\nb = ${d§}", &[string("c")], "behind `$`"),
            ("# \\§", &[string("")], "ends in `\\`"),
            ("[a]\n b = §", &[string("c")], "indented"),
            ("[a]\nb = §\n c", &[string("c")], "indented"),
            ("[a]\nb = c\\\nd = §", &[string("c")], "join the next line"),
            ("[a]\nb = c\rd = §", &[string("c")], "carriage return"),
            ("b = §", &[string("c")], "before the first"),
            ("[a]\n= §", &[string("c")], "no key"),
            ("[a]\n§ = 1", &[string("A")], "part of a name"),
            ("[a]\n§", &[string("b = 1")], "neither a section"),
            ("[§]", &[string("a]b")], "part of a name"),
            ("[§]", &[string("DEFAULT")], "all sections"),
            ("[a]\n[§]", &[string("a")], "already"),
            ("[a§", &[string("a")], "no `]`"),
            ("[a]§", &[string("a")], "stands behind"),
            ("[a]\nb = 1\nB = §", &[string("c")], "a key `b` already"),
            ("[a]\nb = §\nb = 1", &[string("c")], "a key `b` already"),
            ("# §", &[string("c\\")], "ends in `\\`"),
        ],
    );
}
