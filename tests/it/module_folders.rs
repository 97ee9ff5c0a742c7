//! Modules in folders beside that of the project.

#![expect(clippy::unwrap_used, reason = "a test")]

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";
const MODULE: &str = "[[file]]\npath = \"/etc/voevent/m\"\ntemplate = \"m.txt.j2\"\n";
const FILES: [(&str, &str); 2] = [("module.toml", MODULE), ("m.txt.j2", "{{ host.name }}\n")];

/// A project whose module `m` lies in `site/`, and nowhere else.
fn moved() -> Sandbox {
    let project = Sandbox::module(&FILES);
    for (file, _) in FILES {
        project.write(&format!("site/m/{file}"), &project.read(&format!("modules/m/{file}")));
    }
    project.remove("modules");
    project
}

fn name(words: &[&str], project: &Sandbox) -> String {
    let output = project.run(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn where_a_module_lies_is_no_input() {
    let inside = Sandbox::module(&FILES).build().0;
    let project = moved();
    let named = name(&[HOST, "--modules", "site"], &project);
    assert_eq!(named, format!("generated/store/{inside}\n"));
    // The other way to name it.
    project.append(HOST, "module_paths = [\"../site\"]\n");
    assert_eq!(project.build().0, inside);
    // Both ways at once, and again.
    assert_eq!(name(&[HOST, "--modules", "site", "--modules", "./site/../site"], &project), named);
}

#[test]
fn a_module_that_appears_in_another_folder_is_noticed() {
    let project = moved();
    project.write("more/other/module.toml", "[module]\ndescription = \"x\"\n");
    let words = [HOST, "--modules", "site", "--modules", "more"];
    name(&words, &project);
    let again = project.run(&words);
    assert!(String::from_utf8_lossy(&again.stderr).starts_with("nothing changed"), "{again:?}");
    for folder in ["more", "modules"] {
        let path = format!("{folder}/m/module.toml");
        project.write(&path, "[module]\ndescription = \"x\"\n");
        let refused = project.run(&words);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("there are two modules `m`") && said.contains(&path), "{said}");
        project.remove(&path);
        project.remove(&format!("{folder}/m"));
        name(&words, &project);
    }
}

#[test]
fn other_folders_are_other_arguments() {
    let project = moved();
    project.write("copy/m/module.toml", &project.read("site/m/module.toml"));
    project.write("copy/m/m.txt.j2", "another\n");
    let one = name(&[HOST, "--modules", "site"], &project);
    let other = name(&[HOST, "--modules", "copy"], &project);
    assert_ne!(one, other);
    assert_eq!(name(&[HOST, "--modules", "site"], &project), one);
}

#[test]
fn folders_of_the_command_line_that_cannot_be() {
    let project = moved();
    insta::assert_snapshot!(project.shown(&[HOST, "--modules", "sites"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: `sites` is empty or not there
     |
     = help: name a folder with modules by `--modules`, or leave it out

    error: there is no module `m`
     --> hosts/node1.toml:5:12
      |
    5 | modules = ["m"]
      |            ^^^ there is no `modules/m/module.toml`, nor `sites/m/module.toml`
      |
      = help: `modules` and `sites` are empty or not there: name one with modules by `--modules` or `module_paths`
    "#);
    insta::assert_snapshot!(project.shown(&[HOST]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: there is no module `m`
     --> hosts/node1.toml:5:12
      |
    5 | modules = ["m"]
      |            ^^^ there is no `modules/m/module.toml`
      |
      = help: `modules` is empty or not there: name one with modules by `--modules` or `module_paths`
    "#);
    project.write("modules/m/module.toml", &project.read("site/m/module.toml"));
    insta::assert_snapshot!(project.shown(&[HOST, "--modules", "site"]), @r#"
    exit 1
    ---- stdout
    ---- stderr
    error: there are two modules `m`
     --> hosts/node1.toml:5:12
      |
    5 | modules = ["m"]
      |            ^^^
      |
     ::: modules/m/module.toml:1:1
      |
    1 | [module]
      | -------- one in `modules`, the default folder
      |
     ::: site/m/module.toml:1:1
      |
    1 | [module]
      | -------- and one in `site`, which `--modules` names
      |
      = help: give the folder `m` of one of them another name, or name only one of the folders
    "#);
}
