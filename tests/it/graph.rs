//! `voevent-build graph`: the three pictures of the example, and what of a picture goes where.

mod labels;

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
      "users" [label="users\nSystem users and groups, their homes and SSH keys", class=required, fillcolor="#fbdb9d", color="#8f6100"];
      "comet" [label="comet\nThe Comet VOEvent broker", class=named, fillcolor="#b5d9f0", color="#005a8f"];
      "firewall" [label="firewall\noff on this host", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
      "monitor" [label="monitor\noff on this host", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
      "backup" [label="backup\noff on this host", class=off, fillcolor="#ffffff", color="#555555", style="filled,rounded,dashed"];
      "comet" -> "users" [style=solid, color="#666666", tooltip="comet requires users"];
      "comet" -> "firewall" [style=dashed, color="#666666", tooltip="comet uses firewall"];
      "comet" -> "monitor" [style=dashed, color="#666666", tooltip="comet uses monitor"];
      "comet" -> "backup" [style=dashed, color="#666666", tooltip="comet uses backup"];
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
      n0["<b>users</b><br/>System users and groups, their homes and SSH keys"]:::required
      n1["<b>comet</b><br/>The Comet VOEvent broker"]:::named
      n2["<b>firewall</b><br/>off on this host"]:::off
      n3["<b>monitor</b><br/>off on this host"]:::off
      n4["<b>backup</b><br/>off on this host"]:::off
      n1 --> n0
      n1 -.-> n2
      n1 -.-> n3
      n1 -.-> n4
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
      linkStyle 1,2,3 stroke:#666666
      style l2 fill:#ffffff,stroke:#0072b2,color:#111111,stroke-width:3px
      linkStyle 4 stroke:#0072b2
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
      n5["<b>users-check</b><br/>script from users"]:::script
      n6["<b>users</b><br/>check from users: script"]:::check
      n7["<b>python3</b><br/>package for comet"]:::package
      n8["<b>comet</b><br/>venv from comet: comet==3.1.0"]:::venv
      n9["<b>/home/voeventserve/working#95;dir</b><br/>directory from comet, 0750"]:::directory
      n10["<b>/home/voeventserve/working#95;dir/db</b><br/>directory from comet, 0750"]:::directory
      n11["<b>/home/voeventserve/working#95;dir/db.bad</b><br/>directory from comet, 0750"]:::directory
      n12["<b>launch.py</b><br/>file from comet"]:::file
      n13["<b>spools.py</b><br/>file from comet"]:::file
      n14["<b>eventdb.py</b><br/>file from comet"]:::file
      n15["<b>broker.json</b><br/>file from comet"]:::file
      n16["<b>comet-run</b><br/>script from comet"]:::script
      n17["<b>comet.service</b><br/>unit from comet"]:::unit
      n18["<b>comet-eventdb.service</b><br/>unit from comet"]:::unit
      n19["<b>comet-eventdb.timer</b><br/>unit from comet"]:::unit
      n20["<b>running</b><br/>check from comet: unit is active"]:::check
      n21["<b>broadcast</b><br/>check from comet: vtp at port 8099"]:::check
      n22["<b>receive</b><br/>check from comet: vtp-nak at port 8098"]:::check
      n23["<b>voevent.target</b><br/>target of all our units"]:::unit
      n1 -.-> n0
      n2 -.-> n0
      n3 -.-> n1
      n4 -.-> n2
      n6 --> n5
      n9 -.-> n2
      n10 -.-> n2
      n11 -.-> n2
      n15 --> n13
      n16 --> n8
      n16 --> n12
      n16 --> n15
      n17 --> n8
      n17 --> n14
      n17 --> n16
      n23 -.-> n17
      n18 --> n8
      n18 --> n14
      n23 -.-> n19
      n20 -.-> n17
      n21 -.-> n17
      n22 -.-> n17
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
      linkStyle 4,8,9,10,11,12,13,14,16,17 stroke:#666666
      style l1 fill:#ffffff,stroke:#0072b2,color:#111111,stroke-dasharray:7 4
      linkStyle 15,18 stroke:#0072b2
      style l2 fill:#ffffff,stroke:#d55e00,color:#111111,stroke-dasharray:2 3
      linkStyle 19,20,21 stroke:#d55e00
      style l3 fill:#ffffff,stroke:#b06590,color:#111111,stroke-dasharray:2 3
      linkStyle 2,3,5,6,7 stroke:#b06590
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
