//! The tables of what a module emits: `[[file]]`, `[[unit]]` and the others, as written.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place};
use crate::build::artifact::Grammar;

use super::keys::Keys;
use super::module::Guard;
use super::tree::{Node, Placed, Table};

/// The kinds of artifact, by the names of their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `[[file]]`
    File,
    /// `[[link]]`
    Link,
    /// `[[script]]`
    Script,
    /// `[[unit]]`
    Unit,
    /// `[[venv]]`
    Venv,
    /// `[[user]]`
    User,
    /// `[[group]]`
    Group,
    /// `[[directory]]`
    Directory,
    /// `[[package]]`
    Package,
    /// `[[check]]`
    Check,
}

/// What a key of an artifact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// Texts.
    Texts,
    /// `true` or `false`.
    Bool,
    /// An absolute path.
    Path,
    /// Permission bits.
    Mode,
    /// The name of a user or group.
    User,
    /// A port.
    Port,
    /// The status of an answer of HTTP.
    Status,
    /// A length of time.
    Duration,
    /// Networks.
    Networks,
    /// A host and a port of it.
    HostPort,
    /// An IVOA identifier.
    Ivoid,
    /// A file that a setting names.
    File,
}

/// A key that a kind of artifact has, what it holds, and whether it must be there.
type Key = (&'static str, Holds, bool);

impl Kind {
    /// All kinds, each with the name of its tables.
    pub const ALL: [(&'static str, Self); 10] = [
        ("file", Self::File),
        ("link", Self::Link),
        ("script", Self::Script),
        ("unit", Self::Unit),
        ("venv", Self::Venv),
        ("user", Self::User),
        ("group", Self::Group),
        ("directory", Self::Directory),
        ("package", Self::Package),
        ("check", Self::Check),
    ];

    /// Its keys, besides `when` and `for_each` and where its text comes from.
    #[must_use]
    pub const fn keys(self) -> &'static [Key] {
        match self {
            Self::File => &[
                ("name", Holds::Text, false),
                ("path", Holds::Path, false),
                ("exec", Holds::Bool, false),
                ("mode", Holds::Mode, false),
                ("same", Holds::Bool, false),
                ("adopt", Holds::Bool, false),
            ],
            Self::Link => {
                &[("path", Holds::Path, true), ("to", Holds::Path, true), ("adopt", Holds::Bool, false)]
            }
            Self::Script | Self::Group | Self::Package => &[("name", Holds::Text, true)],
            Self::Unit => &[
                ("name", Holds::Text, true),
                ("wanted_by", Holds::Texts, false),
                ("same", Holds::Bool, false),
                ("adopt", Holds::Bool, false),
            ],
            Self::Venv => &[
                ("name", Holds::Text, true),
                ("requirements", Holds::Texts, true),
                ("imports", Holds::Texts, false),
                ("source", Holds::File, false),
                ("build_on_target", Holds::Texts, false),
            ],
            Self::User => &[
                ("name", Holds::User, true),
                ("group", Holds::User, true),
                ("home", Holds::Path, true),
                ("shell", Holds::Path, true),
                ("adopt", Holds::Bool, false),
            ],
            Self::Directory => &[
                ("path", Holds::Path, true),
                ("mode", Holds::Mode, true),
                ("owner", Holds::User, true),
                ("group", Holds::User, true),
                ("sole", Holds::Bool, false),
            ],
            Self::Check => &[
                ("name", Holds::Text, true),
                ("kind", Holds::Text, true),
                ("port", Holds::Port, false),
                ("path", Holds::Text, false),
                ("status", Holds::Status, false),
                ("contains", Holds::Text, false),
                ("command", Holds::Texts, false),
                ("script", Holds::Text, false),
                ("user", Holds::User, false),
                ("unit", Holds::Text, false),
                ("within", Holds::Duration, false),
            ],
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::File => "a `[[file]]`",
            Self::Link => "a `[[link]]`",
            Self::Script => "a `[[script]]`",
            Self::Unit => "a `[[unit]]`",
            Self::Venv => "a `[[venv]]`",
            Self::User => "a `[[user]]`",
            Self::Group => "a `[[group]]`",
            Self::Directory => "a `[[directory]]`",
            Self::Package => "a `[[package]]`",
            Self::Check => "a `[[check]]`",
        }
    }

    /// The name of its tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether it has a text, of a template or a source.
    #[must_use]
    pub const fn has_text(self) -> bool {
        matches!(self, Self::File | Self::Script | Self::Unit)
    }
}

/// An artifact, as written.
#[derive(Debug, Clone)]
pub struct ArtifactDecl {
    /// What it is.
    pub kind: Kind,
    /// Its header.
    pub place: Place,
    /// When and how often.
    pub guard: Guard,
    /// Its keys; strings may have expressions in them.
    pub keys: BTreeMap<&'static str, Node>,
    /// Where its text comes from, if it is a kind that has one.
    pub body: Option<Body>,
}

/// Where the text of an artifact comes from: a file of the module's folder.
#[derive(Debug, Clone)]
pub struct Body {
    /// The file, relative to the folder.
    pub file: Placed<String>,
    /// The language in which holes are filled; `None` for a source that is taken as it is.
    pub grammar: Option<Grammar>,
}

/// Reads all tables of artifacts, in the order of the text.
pub fn artifacts(keys: &mut Keys<'_>, faults: &mut Vec<Diagnostic>) -> Vec<ArtifactDecl> {
    let mut found = Vec::new();
    for (name, kind) in Kind::ALL {
        for (table, place) in keys.tables(name, faults) {
            found.push(artifact(kind, table, place, faults));
        }
    }
    found.sort_by_key(|artifact| artifact.place.span.start);
    found
}

fn artifact(kind: Kind, table: &Table, place: Place, faults: &mut Vec<Diagnostic>) -> ArtifactDecl {
    let mut keys = Keys::new(table, place.clone(), kind.title());
    let guard = Guard::read(&mut keys, faults);
    let values = keys.declared(kind.keys(), faults);
    if kind == Kind::File && !values.contains_key("name") && !values.contains_key("path") {
        keys.missing("path", faults);
    }
    let body = if kind.has_text() { body(kind, &mut keys, &place, faults) } else { None };
    keys.finish(faults);
    ArtifactDecl { kind, place, guard, keys: values, body }
}

fn body(kind: Kind, keys: &mut Keys<'_>, place: &Place, faults: &mut Vec<Diagnostic>) -> Option<Body> {
    let template = keys.string("template", faults);
    let source = keys.string("source", faults);
    let grammar = keys.string("grammar", faults);
    match (template, source) {
        (Some(file), None) => {
            let grammar = grammar_of(kind, &file, grammar.as_ref(), faults)?;
            inside(&file, faults).then_some(Body { file, grammar: Some(grammar) })
        }
        (None, Some(file)) => {
            if let Some(grammar) = grammar {
                let message = "a `source` is taken as it is: it has no grammar";
                faults.push(Diagnostic::error(message).at(grammar.place, "").help("leave it out"));
            }
            inside(&file, faults).then_some(Body { file, grammar: None })
        }
        (template, _) => {
            let (message, at) = match template {
                Some(file) => ("both a `template` and a `source`", file.place),
                None => ("a text needs a `template` or a `source`", place.clone()),
            };
            let help = "name one file of the module's folder";
            faults.push(Diagnostic::error(message).at(at, "").help(help));
            None
        }
    }
}

fn grammar_of(
    kind: Kind,
    file: &Placed<String>,
    written: Option<&Placed<String>>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Grammar> {
    if let Some(written) = written {
        let found = Grammar::ALL.iter().find(|(name, _)| *name == written.value);
        if found.is_none() {
            let help = advice(&written.value, Grammar::ALL.iter().map(|(name, _)| *name));
            let message = format!("there is no grammar `{}`", written.value);
            faults.push(Diagnostic::error(message).at(written.place.clone(), "").help(help));
        }
        return found.map(|(_, grammar)| *grammar);
    }
    let stem = file.value.strip_suffix(".j2").unwrap_or(&file.value);
    let extension = stem.rsplit_once('.').map_or("", |(_, extension)| extension);
    if extension == "conf" && kind == Kind::Unit {
        return Some(Grammar::Unit);
    }
    let found = Grammar::of_extension(extension);
    if found.is_none() {
        let message = format!("the grammar of `{}` is not known", file.value);
        faults.push(Diagnostic::error(message).at(file.place.clone(), "").help(
            "name it `x.sh.j2`, `x.service.j2`, `.json.j2`, `.toml.j2`, `.ini.j2`, `.xml.j2`, `.py.j2`, `.nft.j2` \
             or `.txt.j2`, or add `grammar = \"lines\"` or another",
        ));
    }
    found
}

/// Whether a file lies in the module's folder.
fn inside(file: &Placed<String>, faults: &mut Vec<Diagnostic>) -> bool {
    let plain = Path::new(&file.value).components().all(|part| matches!(part, Component::Normal(_)));
    let inside = plain && !file.value.is_empty() && !file.value.ends_with('/');
    if !inside {
        faults.push(
            Diagnostic::error(format!("`{}` is no file of the module's folder", file.value.escape_debug()))
                .at(file.place.clone(), "")
                .help("write it relative to the folder, without `..`"),
        );
    }
    inside
}
