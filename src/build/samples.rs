//! Artifacts made by hand, for the tests of the stages that seal them.

use std::sync::Arc;

use crate::base::name::{HostName, InstanceName, Label, UnitName, UserName};
use crate::base::path::TargetPath;
use crate::base::report::{Diagnostic, Place, RenderStyle, Source, render};
use crate::base::value::Value;
use crate::build::artifact::{
    Artifact, FileArtifact, Grammar, Part, Reference, ReferenceKind, Rendered, RenderedPiece, RenderedWhat,
    Target, Text, UnitArtifact, UserArtifact, VenvArtifact, What,
};

/// A place that shows this line.
pub(crate) fn place(name: &str, line: &str) -> Place {
    Place {
        source: Arc::new(Source { name: name.to_owned(), text: format!("{line}\n") }),
        span: 0..line.len(),
    }
}

/// An artifact of the module `m`, declared at a line that says so.
pub(crate) fn artifact(what: What) -> Artifact {
    of("m", what)
}

/// An artifact of a module, or of one of its instances.
pub(crate) fn of(module: &str, what: What) -> Artifact {
    let header = match &what {
        What::File(file) => format!("[[file]] # {}", file.name),
        What::Script { name, .. } => format!("[[script]] # {name}"),
        What::Unit(unit) => format!("[[unit]] # {}", unit.unit),
        What::Venv(venv) => format!("[[venv]] # {}", venv.name),
        What::User(user) => format!("[[user]] # {}", user.name),
        What::Directory { path, .. } => format!("[[directory]] # {path}"),
        _ => "[[…]]".to_owned(),
    };
    let module = InstanceName::parse(module).unwrap();
    let place = place(&format!("modules/{}/module.toml", module.module()), &header);
    Artifact { module, place, each: None, what }
}

/// A host with these artifacts.
pub(crate) fn rendered(artifacts: Vec<Artifact>) -> Rendered {
    let [system, arch, python] = ["debian-12", "x86_64", "3.11"].map(str::to_owned);
    Rendered {
        host: HostName::new("h").unwrap(),
        target: Target { arch, python, system },
        modules: vec![InstanceName::parse("m").unwrap()],
        artifacts,
    }
}

/// A template's output, in which `⟨script m/x⟩` is a reference, `⟨x⟩` the text `x`, and `⟨script m/x~/bin/y⟩` both.
pub(crate) fn template(grammar: Grammar, text: &str) -> Text {
    let source = Arc::new(Source { name: "modules/m/x.j2".to_owned(), text: text.to_owned() });
    let mut pieces = Vec::new();
    let mut at = 0;
    for (index, part) in text.split(['⟨', '⟩']).enumerate() {
        let what = if index % 2 == 0 {
            RenderedWhat::Text(part.to_owned())
        } else {
            RenderedWhat::Hole(parts(part))
        };
        let span = at..at + part.len();
        at = span.end + '⟨'.len_utf8();
        pieces.push(RenderedPiece { place: Place { source: Arc::clone(&source), span }, what });
    }
    Text::Template { grammar, pieces }
}

fn parts(hole: &str) -> Vec<Part> {
    let part = |text: &str| {
        let kind = match text.split(' ').next() {
            Some("script") => ReferenceKind::Script,
            Some("venv") => ReferenceKind::Venv,
            Some("file") => ReferenceKind::File,
            Some("unit") => ReferenceKind::Unit,
            _ => return Part::Value(Value::Str(text.to_owned())),
        };
        let (module, name) = text.split_once(' ').unwrap().1.split_once('/').unwrap();
        Part::Reference(Reference {
            kind,
            module: InstanceName::parse(module).unwrap(),
            name: name.to_owned(),
        })
    };
    hole.split('~').map(part).collect()
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub(crate) fn user_name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

pub(crate) fn path(text: &str) -> TargetPath {
    TargetPath::new(text).unwrap()
}

pub(crate) fn script(name: &str, text: &str) -> What {
    What::Script { name: label(name), text: template(Grammar::Sh, text) }
}

/// A unit that `voevent.target` wants.
pub(crate) fn unit(name: &str, text: &str) -> UnitArtifact {
    UnitArtifact {
        unit: UnitName::new(name).unwrap(),
        drop_in: None,
        text: template(Grammar::Unit, text),
        wanted_by: vec![UnitName::new("voevent.target").unwrap()],
        same: false,
        adopt: false,
    }
}

pub(crate) fn drop_in(name: &str, file: &str, text: &str) -> What {
    What::Unit(UnitArtifact { drop_in: Some(label(file)), wanted_by: Vec::new(), ..unit(name, text) })
}

/// A file of the name `x` as it is, at a path.
pub(crate) fn file(at: &str, bytes: &[u8]) -> FileArtifact {
    let text = Text::Source(bytes.to_vec());
    FileArtifact {
        name: label("x"),
        text,
        path: Some(path(at)),
        exec: false,
        mode: None,
        same: false,
        adopt: false,
    }
}

pub(crate) fn venv(name: &str) -> What {
    let requirements = vec![format!("{name}==1")];
    What::Venv(VenvArtifact {
        name: label(name),
        requirements,
        imports: vec![name.to_owned()],
        source: None,
        build_on_target: Vec::new(),
    })
}

pub(crate) fn user(name: &str, group: &str) -> What {
    let (home, shell) = (path(&format!("/home/{name}")), path("/usr/sbin/nologin"));
    What::User(UserArtifact { name: user_name(name), group: user_name(group), home, shell, adopt: false })
}

pub(crate) fn directory(at: &str, owner: &str, group: &str) -> What {
    What::Directory {
        path: path(at),
        mode: 0o750,
        owner: user_name(owner),
        group: user_name(group),
        sole: false,
    }
}

/// Errors as users see them; each has a place and advice.
pub(crate) fn shown(errors: &[Diagnostic]) -> String {
    for error in errors {
        assert!(!error.places.is_empty(), "no place: {}", error.message);
        assert!(!error.help.is_empty(), "no help: {}", error.message);
    }
    render(errors, RenderStyle::default())
}
