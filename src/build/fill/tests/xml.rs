//! Places of an XML document, as a table. That readers give the values back is shown with real ones.

use super::*;

#[test]
fn each_place_has_its_form() {
    check(
        Grammar::Xml,
        &[
            (
                "<a b=\"§\" c='x§'>§</a>",
                &[string("\"'<&>\t\n\r"), Value::Int(1), string("\"'<&>\t\n\r]]>")],
                "<a b=\"&quot;&#39;&lt;&amp;&gt;&#9;&#10;&#13;\" c='x1'>\"'&lt;&amp;&gt;\t\n&#13;]]&gt;</a>",
            ),
            (
                "<?xml version='1.0' encoding='UTF-8'?>\n<!-- x -->\n<x:a xmlns:x=\"u\">\n <b/>§ &amp; &#9;<![CDATA[<&]]></x:a>\n",
                &[string("é\u{85}")],
                "<?xml version='1.0' encoding='UTF-8'?>\n<!-- x -->\n<x:a xmlns:x=\"u\">\n <b/>é&#133; &amp; &#9;<![CDATA[<&]]></x:a>\n",
            ),
            ("<a>§</a>", &[string("")], "<a></a>"),
        ],
        &[
            ("<a>§</a>", &[string("\u{1}")], "XML cannot have"),
            ("<a>§</a>", &[string("\u{fffe}")], "XML cannot have"),
            ("<a>§</a>", &[list(&["x"])], "a list"),
            ("<§/>", &[string("a")], "part of a name"),
            ("<a §=\"1\"/>", &[string("b")], "part of a name"),
            ("<a b§=\"1\"/>", &[string("b")], "part of a name"),
            ("<a b=§/>", &[string("c")], "where a quote must"),
            ("<a b=\"1\"§/>", &[string(" c=\"2\"")], "part of a name"),
            ("<a><!-- § --></a>", &[string("x")], "a comment"),
            ("<a><![CDATA[§]]></a>", &[string("x")], "CDATA"),
            ("<?x §?><a/>", &[string("x")], "processing instruction"),
            ("§<a/>", &[string("x")], "outside the root"),
            ("<a/>§", &[string("x")], "outside the root"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>§</a>", &[string("x")], "document type"),
            ("<?xml version=\"1.1\"?><a>§</a>", &[string("x")], "XML 1.0"),
            ("<?xml version=\"1.0\" encoding=\"latin1\"?><a>§</a>", &[string("x")], "another encoding"),
            ("<a>&§;</a>", &[string("amp")], "of a reference"),
            ("<a>§</b>", &[string("x")], "no XML"),
            ("<a b=\"1\" b=\"§\"/>", &[string("x")], "no XML"),
            ("<a b=\"§/>", &[string("x")], "no end"),
            ("<a>§<!--</a>", &[string("x")], "no end"),
            ("<a>§&x;</a>", &[string("x")], "no XML"),
            ("<a>§", &[string("x")], "no XML"),
        ],
    );
    assert!(outcome(Grammar::Xml, &"<a>".repeat(100_000), &[]).is_err());
}
