//! `voevent-build graph`: the three pictures of the example, and what of a picture goes where.

use roxmltree::Document;
use voevent_node::build::picture::kinds::{Kind, Link};
use voevent_node::build::picture::{Format, Picture};

use crate::sandbox::Sandbox;

#[test]
fn the_modules_of_the_example() {
    let sandbox = Sandbox::example();
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml", "--format", "dot"]), @r##"
    exit 0
    ---- stdout
    digraph "node1: modules" {
      graph [rankdir=LR, bgcolor="#ffffff", label="node1: modules", labelloc=t, fontname="monospace"];
      node [shape=box, style="filled,rounded", fontname="monospace", fontcolor="#111111"];
      edge [fontname="monospace", fontsize=10, fontcolor="#111111"];
      "users" [label="users\nSystem users and groups, and their homes", class=required, fillcolor="#fbdb9d", color="#8f6100"];
      "comet" [label="comet\nThe Comet VOEvent broker", class=named, fillcolor="#b5d9f0", color="#005a8f"];
      "firewall" [label="firewall\noff on this host", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
      "monitor" [label="monitor\noff on this host", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
      "comet" -> "users" [style=solid, color="#666666", tooltip="comet requires users"];
      "comet" -> "firewall" [style=dashed, color="#666666", tooltip="comet uses firewall"];
      "comet" -> "monitor" [style=dashed, color="#666666", tooltip="comet uses monitor"];
      "comet" -> "users" [style=bold, penwidth=2.5, color="#0072b2", label="accounts", tooltip="comet sets options of users: accounts"];
      subgraph "cluster legend" {
        graph [label="legend", color="#999999"];
        "legend: named" [label="module that the host names", class=named, fillcolor="#b5d9f0", color="#005a8f"];
        "legend: required" [label="module that comes along", class=required, fillcolor="#fbdb9d", color="#8f6100"];
        "legend: off" [label="module that is off", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
        "legend: requires" [label="→ requires", style=solid, color="#666666"];
        "legend: uses" [label="→ uses", style=dashed, color="#666666"];
        "legend: sets options of" [label="→ sets options of", style=bold, penwidth=2.5, color="#0072b2"];
      }
    }
    ---- stderr
    "##);
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml"]), @r##"
    exit 0
    ---- stdout
    ---
    title: "node1: modules"
    ---
    flowchart LR
      n0["<b>users</b><br/>System users and groups, and their homes"]:::required
      n1["<b>comet</b><br/>The Comet VOEvent broker"]:::named
      n2["<b>firewall</b><br/>off on this host"]:::off
      n3["<b>monitor</b><br/>off on this host"]:::off
      n1 --> n0
      n1 -.-> n2
      n1 -.-> n3
      n1 ==>|"accounts"| n0
      subgraph legend
        direction LR
        k_named["module that the host names"]:::named
        k_required["module that comes along"]:::required
        k_off["module that is off"]:::off
        l0["#8594; requires"]
        l1["#8594; uses"]
        l2["#8594; sets options of"]
      end
      classDef named fill:#b5d9f0,stroke:#005a8f,color:#111111
      classDef required fill:#fbdb9d,stroke:#8f6100,color:#111111
      classDef off fill:#ffffff,stroke:#555555,color:#111111,stroke-dasharray:5 4
      style l0 fill:#ffffff,stroke:#666666,color:#111111
      linkStyle 0 stroke:#666666
      style l1 fill:#ffffff,stroke:#666666,color:#111111,stroke-dasharray:7 4
      linkStyle 1,2 stroke:#666666
      style l2 fill:#ffffff,stroke:#0072b2,color:#111111,stroke-width:3px
      linkStyle 3 stroke:#0072b2
    ---- stderr
    "##);
    assert_eq!(sandbox.written(), Vec::<String>::new());
}

#[test]
fn the_artifacts_of_the_example() {
    let sandbox = Sandbox::example();
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml", "--artifacts"]), @r##"
    exit 0
    ---- stdout
    ---
    title: "node1: artifacts"
    ---
    flowchart LR
      n0["<b>voevent</b><br/>group from users"]:::group
      n1["<b>voeventdeploy</b><br/>user from users"]:::user
      n2["<b>voeventserve</b><br/>user from users"]:::user
      n3["<b>/home/voeventdeploy</b><br/>directory from users, 0750"]:::directory
      n4["<b>/home/voeventserve</b><br/>directory from users, 0750"]:::directory
      n5["<b>python3</b><br/>package for comet"]:::package
      n6["<b>comet</b><br/>venv from comet: comet==3.1.0"]:::venv
      n7["<b>/home/voeventserve/working#95;dir</b><br/>directory from comet, 0750"]:::directory
      n8["<b>/home/voeventserve/working#95;dir/db</b><br/>directory from comet, 0750"]:::directory
      n9["<b>launch.py</b><br/>file from comet"]:::file
      n10["<b>spools.py</b><br/>file from comet"]:::file
      n11["<b>broker.json</b><br/>file from comet"]:::file
      n12["<b>comet-run</b><br/>script from comet"]:::script
      n13["<b>comet.service</b><br/>unit from comet"]:::unit
      n14["<b>running</b><br/>check from comet: unit is active"]:::check
      n15["<b>broadcast</b><br/>check from comet: vtp at port 8099"]:::check
      n16["<b>receive</b><br/>check from comet: vtp-nak at port 8098"]:::check
      n17["<b>voevent.target</b><br/>target of all our units"]:::unit
      n1 -.-> n0
      n2 -.-> n0
      n3 -.-> n1
      n4 -.-> n2
      n7 -.-> n2
      n8 -.-> n2
      n11 --> n10
      n12 --> n6
      n12 --> n9
      n12 --> n11
      n13 --> n12
      n17 -.-> n13
      n14 -.-> n13
      n15 -.-> n13
      n16 -.-> n13
      subgraph legend
        direction LR
        k_unit["unit"]:::unit
        k_script["script"]:::script
        k_venv["venv"]:::venv
        k_file["file"]:::file
        k_directory["directory"]:::directory
        k_user["user"]:::user
        k_group["group"]:::group
        k_package["package"]:::package
        k_check["check"]:::check
        l0["#8594; refers to"]
        l1["#8594; wants"]
        l2["#8594; checks"]
        l3["#8594; belongs to"]
        l4["#8594; is in"]
      end
      classDef unit fill:#b5d9f0,stroke:#005a8f,color:#111111
      classDef script fill:#fbdb9d,stroke:#8f6100,color:#111111
      classDef venv fill:#bfe6d8,stroke:#00694c,color:#111111
      classDef file fill:#faf5b8,stroke:#7a7000,color:#111111
      classDef directory fill:#dddddd,stroke:#555555,color:#111111
      classDef user fill:#efd0e1,stroke:#8d4a70,color:#111111
      classDef group fill:#f9ebf3,stroke:#a56a8a,color:#111111
      classDef package fill:#ffffff,stroke:#555555,color:#111111
      classDef check fill:#f6c6a8,stroke:#a34700,color:#111111
      style l0 fill:#ffffff,stroke:#666666,color:#111111
      linkStyle 6,7,8,9,10 stroke:#666666
      style l1 fill:#ffffff,stroke:#0072b2,color:#111111,stroke-dasharray:7 4
      linkStyle 11 stroke:#0072b2
      style l2 fill:#ffffff,stroke:#d55e00,color:#111111,stroke-dasharray:2 3
      linkStyle 12,13,14 stroke:#d55e00
      style l3 fill:#ffffff,stroke:#b06590,color:#111111,stroke-dasharray:2 3
      linkStyle 2,3,4,5 stroke:#b06590
      style l4 fill:#ffffff,stroke:#b06590,color:#111111,stroke-dasharray:2 3
      linkStyle 0,1 stroke:#b06590
    ---- stderr
    "##);
}

#[test]
fn the_events_of_a_fleet() {
    let sandbox = Sandbox::example();
    sandbox.write("hosts/node2.toml", &sandbox.read("hosts/node1.toml"));
    sandbox.edit("hosts/node2.toml", "node1", "node2");
    let remotes =
        "remotes = [\"node1.example.org:8099\", \"node1.example.org:8098\", \"up.example.org:8099\"]\n";
    sandbox.edit("hosts/node2.toml", "[comet]\n", &format!("[comet]\n{remotes}"));
    insta::assert_snapshot!(sandbox.shown(&["graph", "--flow", "hosts/node1.toml", "hosts/node2.toml"]), @r##"
    exit 0
    ---- stdout
    ---
    title: "2 hosts: flow of events"
    ---
    flowchart LR
      n0["<b>node1</b><br/>ivo://org.example/node1"]:::broker
      n1["<b>node2</b><br/>ivo://org.example/node2"]:::broker
      n2["<b>authors</b><br/>192.0.2.0/24"]:::author
      n3["<b>subscribers</b><br/>anywhere by IPv4"]:::subscriber
      n4["<b>up.example.org:8099</b><br/>broker elsewhere"]:::outside
      n2 --> n0
      n0 --> n3
      n2 --> n1
      n1 --> n3
      n0 --> n1
      n0 -.->|"no broadcast at port 8098"| n1
      n4 --> n1
      subgraph legend
        direction LR
        k_author["authors"]:::author
        k_broker["host that broadcasts"]:::broker
        k_subscriber["subscribers"]:::subscriber
        k_outside["not ours"]:::outside
        l0["#8594; gives events to"]
        l1["#8594; gives no events to"]
      end
      classDef author fill:#fbdb9d,stroke:#8f6100,color:#111111
      classDef broker fill:#b5d9f0,stroke:#005a8f,color:#111111
      classDef subscriber fill:#bfe6d8,stroke:#00694c,color:#111111
      classDef outside fill:#ffffff,stroke:#555555,color:#111111,stroke-dasharray:5 4
      style l0 fill:#ffffff,stroke:#0072b2,color:#111111
      linkStyle 0,1,2,3,4,6 stroke:#0072b2
      style l1 fill:#ffffff,stroke:#d55e00,color:#111111,stroke-dasharray:7 4
      linkStyle 5 stroke:#d55e00
    ---- stderr
    "##);
}

/// What is set is what counts in the end: not what the host overrules, nor what has a `when` that does not hold.
#[test]
fn what_is_set_is_what_counts() {
    let head = "[module]\ndescription = \"x\"\n";
    let options = ["a", "b", "c"]
        .map(|name| format!("[options.{name}]\ntype = \"int\"\ndefault = 0\ndescription = \"x\"\n"));
    let sandbox = Sandbox::module(&[(
        "module.toml",
        "instances = true\nuses = [\"off\"]\nrequires = [\"n\"]\n[[set]]\n[set.n]\na = 1\nb = 1\n[[set]]\nwhen = \"not n.on\"\n[set.n]\nc = 1\n",
    )]);
    sandbox.write("modules/n/module.toml", &format!("{head}{}", options.concat()));
    sandbox.edit("hosts/node1.toml", "[\"m\"]", "[\"m\", \"m:two\"]");
    sandbox.append("hosts/node1.toml", "[n]\nb = 2\n");
    let shown = sandbox.shown(&["graph", "hosts/node1.toml", "--json"]);
    let json: serde_json::Value =
        serde_json::from_str(shown.split_once("---- stdout\n").unwrap().1.split("----").next().unwrap())
            .unwrap();
    let edges: Vec<String> = json["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| format!("{} {} {} {}", edge["from"], edge["kind"], edge["to"], edge["labels"]))
        .collect();
    insta::assert_snapshot!(edges.join("\n"), @r#"
    "m" "requires" "n" []
    "m" "uses" "off" []
    "m:two" "requires" "n" []
    "m:two" "uses" "off" []
    "m" "sets options of" "n" ["a"]
    "m:two" "sets options of" "n" ["a"]
    "#);
}

#[test]
fn the_name_of_the_file_tells_the_language() {
    let sandbox = Sandbox::example();
    for (name, start) in [("a.svg", "<svg "), ("a.dot", "digraph "), ("a.gv", "digraph "), ("a.mmd", "---\n")]
    {
        let output = sandbox.run(&["graph", "hosts/node1.toml", "-o", name]);
        assert!(output.status.success() && output.stdout.is_empty(), "{name}");
        assert!(sandbox.read(name).starts_with(start), "{name}");
    }
    sandbox.run(&["graph", "hosts/node1.toml", "-o", "b.txt", "--format", "svg"]);
    assert_eq!(sandbox.read("b.txt"), sandbox.read("a.svg"));
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml", "-o", "a.png"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: the name `a.png` tells no language of pictures
     |
     = help: end it in `.svg`, `.dot` or `.mmd`, or give `--format`
    ");
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml", "hosts/node2.toml"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: there is a second host, `hosts/node2.toml`
     |
     = help: name one host, or show the events of all by `--flow`
    ");
    insta::assert_snapshot!(sandbox.shown(&["graph", "hosts/node1.toml", "-o", "none/a.svg"]), @"
    exit 1
    ---- stdout
    ---- stderr
    error: cannot write `none/a.svg`: No such file or directory (os error 2)
    ");
}

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
