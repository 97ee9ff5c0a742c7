//! What templates give.

use crate::build::artifact::Text;

use super::{good, module, shown, try_compile};

const RUN: &str =
    "[[script]]\nname = 'run'\ntemplate = 'run.sh.j2'\n[[venv]]\nname = 'v'\nrequirements = []\n";

/// Whatever is wrong with the text of a file can be shown in its template.
#[test]
fn a_text_without_anything_has_a_place() {
    let files = [("modules/m/module.toml", &*module(&[], RUN)), ("modules/m/run.sh.j2", "{# nothing #}")];
    let compiled = good("modules = ['m']\n", &files);
    let Some(Text::Template { pieces, .. }) = compiled.rendered.artifacts[0].text() else {
        panic!("no text")
    };
    assert_eq!(pieces[0].place.source.name, "modules/m/run.sh.j2");
}

#[test]
fn templates_leave_holes() {
    let options = [
        ("text", "type = 'string'\ndefault = '$(rm)'"),
        ("list", "type = 'list of int'\ndefault = [1, 2]"),
        ("flag", "type = 'bool'\ndefault = true"),
        ("wait", "type = 'duration'\ndefault = '90s'"),
        ("size", "type = 'size'\ndefault = '1K'"),
    ];
    let template = "{% set v = venv('v') %}
{% for x in m.list %}
{{ x }} {{ loop.index }}
{% endfor %}
{{ v ~ '/bin/' ~ m.text }} {{ m.list }} {{ m.flag }} {{ host.name }}
{% include 'part.txt' %}
{{ '' }}{{ m.wait | seconds }} {{ m.size | bytes }} {{ [v, v] | first }}
";
    let files = [
        ("modules/m/module.toml", &*module(&options, RUN)),
        ("modules/m/run.sh.j2", template),
        ("modules/m/part.txt", "part {{ m.text }}\n"),
    ];
    let compiled = good("modules = ['m']\n", &files);
    insta::assert_snapshot!(shown(&compiled.rendered.artifacts[0]), @r#"
        ⟨1⟩ ⟨1⟩
        ⟨2⟩ ⟨2⟩
        ⟨Venv m/v ~ "/bin/$(rm)"⟩ ⟨[1, 2]⟩ ⟨true⟩ ⟨"h"⟩
        part ⟨"$(rm)"⟩
        ⟨""⟩⟨90⟩ ⟨1024⟩ ⟨Venv m/v⟩
        "#);
}

#[test]
fn nothing_gets_past_a_hole() {
    let module = module(&[("a", "type = 'int'\ndefault = 1")], RUN);
    for bad in [
        "{{ (venv('v') ~ 'x') | replace('x', '') | reverse }}",
        "{{ (venv('v') ~ 'x')[1:] }}",
        "{{ [venv('v') ~ 'x'] }}",
        "{{ [venv('v')] }}",
        "{{ none }}",
        "{{ venv('v').x }}",
        "{{ venv('v', 1) }}",
        "{{ m.a.b }}",
        "{{ x.y }}",
        "{{ {} }}{{ {}.x }}",
        "{{ range(20000) }}",
        "{% for x in [1] %}{% endfor %}{{ x }}",
        "{% set m = 1 %}",
        "{% include 'run.sh.j2' %}",
        "{% include '../x' %}",
    ] {
        let files = [("modules/m/module.toml", module.as_str()), ("modules/m/run.sh.j2", bad)];
        let compiled = try_compile("modules = ['m']\n", &files);
        let errors = compiled.map(|compiled| shown(&compiled.rendered.artifacts[0])).expect_err(bad);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].places[0].0.source.name, "modules/m/run.sh.j2", "{errors:?}");
        assert!(!errors[0].help.is_empty());
    }
}

#[test]
fn every_piece_has_its_place() {
    use crate::build::artifact::{RenderedWhat, Text, What};
    let module = module(&[("a", "type = 'int'\ndefault = 1")], RUN);
    let template = "é {{ m.a }}\n  {% if m.a %}\nx {{ m.a }}\n{% endif %}\n";
    let files = [("modules/m/module.toml", module.as_str()), ("modules/m/run.sh.j2", template)];
    let compiled = good("modules = ['m']\n", &files);
    let What::Script { text: Text::Template { pieces, .. }, .. } = &compiled.rendered.artifacts[0].what
    else {
        panic!()
    };
    for piece in pieces {
        let written = &piece.place.source.text[piece.place.span.clone()];
        match &piece.what {
            RenderedWhat::Text(text) => assert_eq!(written, text),
            RenderedWhat::Hole(_) => assert_eq!(written, "m.a"),
            RenderedWhat::Safe(_) => panic!("nothing is safe here"),
        }
    }
}
