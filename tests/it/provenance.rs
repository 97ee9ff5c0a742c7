//! What is kept beside a bundle of where its lines come from.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

/// The link to the provenance of the host, and what is there.
fn provenance(project: &Sandbox) -> (String, String) {
    let link = fs::read_link(project.path("generated/.provenance/node1")).unwrap();
    let link = link.to_str().unwrap().to_owned();
    (link, project.read("generated/.provenance/node1"))
}

#[test]
fn the_same_in_any_folder_and_other_where_a_line_moved() {
    let (one, two) = (Sandbox::example(), Sandbox::example());
    let (name, _) = one.build();
    let host = two.path(HOST);
    assert!(two.run(&[host.to_str().unwrap()]).status.success());
    assert_eq!(provenance(&one), provenance(&two), "an absolute path is no other input");
    let (before, text) = provenance(&one);
    assert!(!text.contains(one.path("").to_str().unwrap()), "{text}");
    one.edit(HOST, "# A broker node.", "# A comment more.\n# A broker node.");
    assert_eq!(one.build().0, name, "no other bundle");
    let (after, text) = provenance(&one);
    assert_ne!(before, after);
    assert!(text.contains("at = [0, 24]"), "{text}");
}

#[test]
fn a_provenance_that_was_lost_is_made_again() {
    let project = Sandbox::example();
    project.build();
    let before = provenance(&project);
    project.remove("generated/.provenance");
    project.build();
    assert_eq!(provenance(&project), before);
    let object = format!("generated/.provenance/{}", before.0);
    project.remove(&object);
    project.build();
    assert_eq!(provenance(&project), before);
}

#[test]
fn what_is_left_out_is_said() {
    let module = "[options.l]\ntype = \"list of int\"\ndefault = \"{{ range(9000) | list }}\"\ndescription = \"x\"\n\
                  [[file]]\nfor_each = \"range(12) | list\"\nname = \"f{{ each.key }}\"\ntemplate = \"f.txt.j2\"\n";
    let template = "{% for i in m.l %}\n{{ i }}\nx\n{% endfor %}\n";
    let project = Sandbox::module(&[("module.toml", module), ("f.txt.j2", template)]);
    let (_, said) = project.build();
    assert!(said.contains("leaves out where the lines of 7 artifacts come from"), "{said}");
    let asked = |question: &str| project.shown(&["why", "node1", question]);
    assert!(asked("f0:3").contains("modules/m/f.txt.j2:2"), "{}", asked("f0:3"));
    assert!(asked("f11:3").contains("the lines of `f11` have no origins here"), "{}", asked("f11:3"));
}
