//! Types that lead out of the configuration: files, and texts that are code.

use super::{HOST, module};
use crate::sandbox::Sandbox;

const FILES: &str = "[options.logo]\ntype = \"file\"\ndescription = \"x\"\n\
    [options.hook]\ntype = \"file\"\nexec = true\noptional = true\ndescription = \"x\"\n\
    [options.more]\ntype = \"list of file\"\ndefault = [\"text\"]\ndescription = \"x\"\n\
    [options.alias]\ntype = \"file\"\ndefault = \"{{ m.logo }}\"\ndescription = \"x\"\n\
    [[script]]\nname = \"s\"\ntemplate = \"s.sh.j2\"\n\
    [[file]]\npath = \"/etc/voevent/x\"\ntemplate = \"x.txt.j2\"\n";

fn files(script: &str) -> Sandbox {
    let all = [("s.sh.j2", script), ("x.txt.j2", "{{ script('s') }}\n")];
    let project = module(FILES, &all);
    project.write("hosts/files/logo.png", "\u{1}binary");
    project.append(HOST, "[m]\nlogo = \"files/logo.png\"\n");
    project
}

#[test]
fn files_become_objects() {
    let project = files(
        "#!/bin/sh\ncat {{ m.logo }} {{ m.logo ~ '.x' }}{% for f in m.more %} {{ f }}{% endfor %} {{ m.alias }}\n{% if m.hook %}{{ m.hook }}\n{% endif %}",
    );
    project.write("hosts/hook", "#!/bin/sh\n");
    project.append(HOST, "hook = \"hook\"\n");
    let (name, _) = project.build();
    let script = project.read(&format!("generated/store/{name}/root/etc/voevent/x"));
    let script = script.trim().strip_prefix("/var/lib/voevent/store/").unwrap().to_owned();
    let text = project.read(&format!("generated/store/{script}"));
    insta::assert_snapshot!(crate::sandbox::without_hashes(&text), @"
    #!/bin/sh
    cat '/var/lib/voevent/store/[HASH]-logo.png' '/var/lib/voevent/store/[HASH]-logo.png.x' '/var/lib/voevent/store/[HASH]-text' '/var/lib/voevent/store/[HASH]-logo.png'
    '/var/lib/voevent/store/[HASH]-hook'
    ");
    let object = text.split('\'').find(|word| word.ends_with("logo.png")).unwrap();
    let object = format!("generated/store/{}", object.rsplit('/').next().unwrap());
    assert_eq!(project.read(&object), "\u{1}binary");
    // A changed file is a changed input.
    assert_eq!(project.build().0, name);
    project.write("hosts/files/logo.png", "other");
    assert_ne!(project.build().0, name);
}

#[test]
fn files_that_cannot_be_named() {
    let project = files("#!/bin/sh\n");
    project.edit(
        HOST,
        "logo = \"files/logo.png\"",
        "logo = \"files/lgo.png\"\nmore = [\"../x\", \"/etc/passwd\", \"files\", \"\", 1]",
    );
    insta::assert_snapshot!(project.refused(), @r#"
    error: there is no `hosts/files/lgo.png`
     --> hosts/node1.toml:7:8
      |
    7 | logo = "files/lgo.png"
      |        ^^^^^^^^^^^^^^^
      |
      = help: did you mean `hosts/files/logo.png`?

    error: `../x` is no file in the folder of this one
     --> hosts/node1.toml:8:9
      |
    8 | more = ["../x", "/etc/passwd", "files", "", 1]
      |         ^^^^^^
      |
      = help: write it relative to the folder of the file that names it, without `..`

    error: `/etc/passwd` is no file in the folder of this one
     --> hosts/node1.toml:8:17
      |
    8 | more = ["../x", "/etc/passwd", "files", "", 1]
      |                 ^^^^^^^^^^^^^
      |
      = help: write it relative to the folder of the file that names it, without `..`

    error: `hosts/files` is no regular file
     --> hosts/node1.toml:8:32
      |
    8 | more = ["../x", "/etc/passwd", "files", "", 1]
      |                                ^^^^^^^
      |
      = help: name a file that can be read

    error: `` is no file in the folder of this one
     --> hosts/node1.toml:8:41
      |
    8 | more = ["../x", "/etc/passwd", "files", "", 1]
      |                                         ^^
      |
      = help: write it relative to the folder of the file that names it, without `..`
    "#);
    let project = files("#!/bin/sh\n");
    project.edit("modules/m/module.toml", "default = \"{{ m.logo }}\"", "default = \"{{ 'x' ~ 'y' }}\"");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `m.alias`: expected a file, found a string
      --> modules/m/module.toml:17:11
       |
    15 | [options.alias]
       |          ----- declared here
    16 | type = "file"
    17 | default = "{{ 'x' ~ 'y' }}"
       |           ^^^^^^^^^^^^^^^^^
       |
       = help: only the file that sets it can name it; an expression passes a file on, or none
    "#);
}

#[test]
fn code_that_the_template_takes_as_it_is() {
    let entries = "[options.code]\ntype = \"string\"\ndefault = \"a | b; echo $X\"\ndescription = \"x\"\n\
        [options.n]\ntype = \"int\"\ndefault = 1\ndescription = \"x\"\n\
        [[script]]\nname = \"s\"\ntemplate = \"s.sh.j2\"\n[[file]]\npath = \"/etc/voevent/x\"\ntemplate = \"x.txt.j2\"\n";
    let script = |text: &str| module(entries, &[("s.sh.j2", text), ("x.txt.j2", "{{ script('s') }}\n")]);
    let project = script("#!/bin/sh\n{{ m.code | safe }}\necho {{ m.code }}\n");
    let (name, _) = project.build();
    let path = project.read(&format!("generated/store/{name}/root/etc/voevent/x"));
    let text = project.read(&format!("generated/store/{}", path.trim().rsplit('/').next().unwrap()));
    assert_eq!(text, "#!/bin/sh\na | b; echo $X\necho 'a | b; echo $X'\n");
    let shown = script(
        "#!/bin/sh\n{{ m.code | safe ~ 'x' }}{{ m.code | safe | upper }}{% if m.code | safe %}{% endif %}\n",
    );
    insta::assert_snapshot!(shown.refused(), @"
    error: `safe` is the last filter of a hole in a template file
     --> modules/m/s.sh.j2:2:13
      |
    2 | {{ m.code | safe ~ 'x' }}{{ m.code | safe | upper }}{% if m.code | safe %...
      |             ^^^^
      |
      = help: write `{{ … | safe }}` where the code is to stand

    error: `safe` is the last filter of a hole in a template file
     --> modules/m/s.sh.j2:2:38
      |
    2 | {{ m.code | safe ~ 'x' }}{{ m.code | safe | upper }}{% if m.code | safe %...
      |                                      ^^^^
      |
      = help: write `{{ … | safe }}` where the code is to stand

    error: `safe` is the last filter of a hole in a template file
     --> modules/m/s.sh.j2:2:68
      |
    2 | ... | safe | upper }}{% if m.code | safe %}{% endif %}
      |                                     ^^^^
      |
      = help: write `{{ … | safe }}` where the code is to stand
    ");
    for (code, reason) in [
        ("{{ m.n | safe }}", "only a text can be taken for code"),
        ("{{ script('s') | safe }}", "only a text can be taken for code"),
        ("{{ (script('s') ~ '') | safe }}", "a reference is no code"),
        ("{{ m.code | safe }} \"", "has no end"),
    ] {
        let shown = script(&format!("#!/bin/sh\n{code}\n")).refused();
        assert!(shown.contains(reason), "{code} {shown}");
    }
    // What is code is read as the template's own text: also where it is wrong.
    let project = script("#!/bin/sh\n{{ m.code | safe }}\n");
    project.edit("modules/m/module.toml", "a | b; echo $X", "echo 'a");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `'` has no end
     --> modules/m/s.sh.j2:2:4
      |
    2 | {{ m.code | safe }}
      |    ^^^^^^^^^^^^^
      |
     ::: modules/m/module.toml:5:11
      |
    5 | default = "echo 'a"
      |           --------- `m.code` is set here
      |
      = help: write this line of the template otherwise
    "#);
}
