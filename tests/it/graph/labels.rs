//! What a label may say, and what is too large to be drawn.

use roxmltree::Document;
use voevent_node::build::picture::kinds::{Kind, Link};
use voevent_node::build::picture::{Format, Picture};

/// What each part of a text must be in a language, so that its reader shows the text and nothing else.
const HOSTILE: [&str; 12] = [
    "\"]; evil [label=\"x",
    "a\\",
    "\\\" -> b",
    "x\"] -->|y| n9[\"z",
    "</title><script>",
    "&lt; #quot; #35;",
    "`**b** __i__`",
    "%%{init: {}}%%",
    "a\nb\r\u{2028}c\u{202e}d\u{0}",
    "\\N\\l",
    "$$x$$",
    "",
];

fn hostile() -> Picture {
    let mut picture = Picture::new(HOSTILE[0]);
    for text in HOSTILE {
        picture.node(text, Kind::File, text, text);
    }
    for (index, text) in HOSTILE.iter().enumerate() {
        picture.edge(index, (index + 1) % HOSTILE.len(), Link::Sets, text);
    }
    picture
}

#[test]
fn no_label_breaks_out_of_a_drawing() {
    let picture = hostile();
    let svg = picture.write(Format::Svg).unwrap();
    let document = Document::parse(&svg).unwrap();
    let names: std::collections::BTreeSet<&str> = document
        .descendants()
        .filter(roxmltree::Node::is_element)
        .map(|node| node.tag_name().name())
        .collect();
    assert_eq!(
        Vec::from_iter(names),
        ["defs", "g", "marker", "path", "rect", "svg", "text", "title", "tspan"]
    );
    assert!(!svg.contains("href") && !svg.contains("style="), "nothing of others is asked for");
}

/// The strings of a line of DOT, without their quotes, and what stands between them.
fn strings(line: &str) -> (Vec<String>, String) {
    let (mut strings, mut rest, mut open, mut escaped) = (Vec::new(), String::new(), None::<String>, false);
    for c in line.chars() {
        match (&mut open, c) {
            (Some(_), '"') if !escaped => strings.extend(open.take()),
            (Some(string), _) => string.push(c),
            (None, '"') => open = Some(String::new()),
            (None, _) => rest.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    assert_eq!(open, None, "{line}");
    (strings, rest)
}

#[test]
fn no_label_breaks_out_of_dot() {
    let dot = hostile().write(Format::Dot).unwrap();
    let nodes: Vec<(Vec<String>, String)> = dot.lines().skip(4).take(HOSTILE.len()).map(strings).collect();
    for ((strings, rest), text) in nodes.iter().zip(HOSTILE) {
        assert_eq!(rest, "   [label=, class=file, fillcolor=, color=];", "{text}");
        assert_eq!(strings.len(), 4, "{text}");
    }
    let edges: Vec<(Vec<String>, String)> =
        dot.lines().skip(4 + HOSTILE.len()).take(HOSTILE.len()).map(strings).collect();
    for ((_, rest), text) in edges.iter().zip(HOSTILE) {
        let label = if text.is_empty() { "" } else { ", label=" };
        assert_eq!(*rest, format!("   ->  [style=bold, penwidth=2.5, color={label}, tooltip=];"), "{text}");
    }
    insta::assert_snapshot!(nodes.iter().map(|(strings, _)| strings[1].as_str()).collect::<Vec<_>>().join("\n"), @r#"
    \"]; evil [label=\"x\n\"]; evil [label=\"x
    a\\\na\\
    \\\" -> b\n\\\" -> b
    x\"] -->|y| n9[\"z\nx\"] -->|y| n9[\"z
    </title><script>\n</title><script>
    &amp;lt; #quot; #35;\n&amp;lt; #quot; #35;
    `**b** __i__`\n`**b** __i__`
    %%{init: {}}%%\n%%{init: {}}%%
    a\\u{a}b\\u{d}\\u{2028}c\\u{202e}d\\u{0}\na\\u{a}b\\u{d}\\u{2028}c\\u{202e}d\\u{0}
    \\N\\l\n\\N\\l
    $$x$$\n$$x$$
    "#);
}

#[test]
fn no_label_breaks_out_of_mermaid() {
    let mermaid = hostile().write(Format::Mermaid).unwrap();
    let node = regex::Regex::new(
        r#"^  n\d+\["<b>((?:[\w /,:.=-]|#\d+;)*)</b>(?:<br/>((?:[\w /,:.=-]|#\d+;)*))?"\]:::file$"#,
    )
    .unwrap();
    let edge = regex::Regex::new(r#"^  n\d+ ==>(?:\|"(?:[\w /,:.=-]|#\d+;|<br/>)*"\|)? n\d+$"#).unwrap();
    let mut lines = mermaid.lines().skip(4);
    let mut labels = Vec::new();
    for text in HOSTILE {
        let line = lines.next().unwrap();
        let found = node.captures(line).ok_or(line).unwrap();
        assert_eq!(found[1], *found.get(2).map_or("", |note| note.as_str()), "{text}");
        labels.push(found[1].to_owned());
    }
    for text in HOSTILE {
        let line = lines.next().unwrap();
        assert!(edge.is_match(line), "{text}: {line}");
    }
    insta::assert_snapshot!(labels.join("\n"), @"
    #34;#93;#59; evil #91;label=#34;x
    a#92;
    #92;#34; -#62; b
    x#34;#93; --#62;#124;y#124; n9#91;#34;z
    #60;/title#62;#60;script#62;
    #38;lt#59; #35;quot#59; #35;35#59;
    #96;#42;#42;b#42;#42; #95;#95;i#95;#95;#96;
    #37;#37;#123;init: #123;#125;#125;#37;#37;
    a#92;u#123;a#125;b#92;u#123;d#125;#92;u#123;2028#125;c#92;u#123;202e#125;d#92;u#123;0#125;
    #92;N#92;l
    #36;#8288;#36;x#36;#8288;#36;
    ");
}

#[test]
fn what_is_too_large_is_not_drawn() {
    let mut picture = Picture::new("large");
    for index in 0..700 {
        picture.node(&index.to_string(), Kind::Unit, "unit", "");
    }
    let error = picture.write(Format::Svg).unwrap_err();
    insta::assert_snapshot!(error.message, @"a picture of 700 nodes and 0 arrows is too large to be drawn");
    assert!(picture.write(Format::Dot).is_ok() && picture.write(Format::Mermaid).is_ok());
}
