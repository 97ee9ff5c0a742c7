//! What modules put on a host, when every option is final and every template is rendered: the input of the seal.

use std::sync::Arc;
use std::time::Duration;

use crate::base::http::HttpAsk;
use crate::base::name::{BadName, HostName, InstanceName, Label, PackageName, UnitName, UserName};
use crate::base::path::TargetPath;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::{NamedFile, Secret, Value};
pub use crate::store::manifest::Target;
use crate::store::manifest::drop_in_file;

/// A host, evaluated and rendered.
#[derive(Debug)]
pub struct Rendered {
    /// The host's name.
    pub host: HostName,
    /// What it is compiled for.
    pub target: Target,
    /// The modules that are on, in module order.
    pub modules: Vec<InstanceName>,
    /// All artifacts, by module order, then as written, then by entry.
    pub artifacts: Vec<Artifact>,
}

/// One thing that a module emits.
#[derive(Debug)]
pub struct Artifact {
    /// Who emits it.
    pub module: InstanceName,
    /// Its header in `module.toml`.
    pub place: Place,
    /// The key of the entry of `for_each` that it is for.
    pub each: Option<String>,
    /// What it is.
    pub what: What,
}

impl Artifact {
    /// Whether both are of one line of a module, for two instances.
    #[must_use]
    pub fn is_twin(&self, other: &Self) -> bool {
        self.place == other.place && self.module != other.module
    }

    /// Adds to the error that there are two where one can be, this one and an earlier one, their places, each with its
    /// label, and what to do; that is not `help` for twins.
    #[must_use]
    pub fn against(&self, first: &Self, error: Diagnostic, labels: [&str; 2], help: &str) -> Diagnostic {
        if self.is_twin(first) {
            let label = format!("of `{}` and of `{}`", first.module, self.module);
            let help =
                "write `{{ instance.suffix }}` in what is to tell them apart, or give both the same values";
            return error.at(self.place.clone(), label).help(help);
        }
        error.at(self.place.clone(), labels[0]).at(first.place.clone(), labels[1]).help(help)
    }
}

/// The kinds of artifact.
#[derive(Debug)]
pub enum What {
    /// A file: an object, at a path where it has one.
    File(FileArtifact),
    /// A link straight to a path of the target.
    Link(LinkArtifact),
    /// An executable that is only referred to, by `script("name")`.
    Script {
        /// For references.
        name: Label,
        /// Its bytes.
        text: Text,
    },
    /// A unit, or a drop-in of one.
    Unit(UnitArtifact),
    /// A Python environment, referred to by `venv("name")`.
    Venv(VenvArtifact),
    /// A user.
    User(UserArtifact),
    /// A group.
    Group {
        /// Its name.
        name: UserName,
    },
    /// A folder outside the store, made by systemd-tmpfiles.
    Directory {
        /// Where it is.
        path: TargetPath,
        /// Its permission bits, set-id and sticky bits among them.
        mode: u32,
        /// Its owner.
        owner: UserName,
        /// Its group.
        group: UserName,
        /// Whether nobody else may make it, not even in the same words.
        sole: bool,
    },
    /// A package of the distribution that must be there.
    Package {
        /// Its name.
        name: PackageName,
    },
    /// A proof that the node works.
    Check(CheckArtifact),
}

/// A file.
#[derive(Debug)]
pub struct FileArtifact {
    /// For references; the last component of the path where none is given.
    pub name: Label,
    /// Its bytes.
    pub text: Text,
    /// Where it is placed; without one it is only referred to, by `file("name")`.
    pub path: Option<TargetPath>,
    /// Whether it is executable.
    pub exec: bool,
    /// A mode other than 0444 or 0555: the file is then a copy.
    pub mode: Option<u32>,
    /// Whether another artifact may give the same path the same bytes.
    pub same: bool,
    /// Whether somebody else's file at the path is set aside, and given back when this one goes.
    pub adopt: bool,
}

/// A link straight to a path of the target, for what programs read as a link, as `/etc/localtime`.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkArtifact {
    /// Where it is placed.
    pub path: TargetPath,
    /// Where it leads.
    pub to: TargetPath,
    /// Whether somebody else's file at the path is set aside, and given back when this link goes.
    pub adopt: bool,
}

/// A unit (systemd.unit(5)) or a drop-in.
#[derive(Debug)]
pub struct UnitArtifact {
    /// The unit.
    pub unit: UnitName,
    /// The file's name in `<unit>.d/` where it is a drop-in: `<name>.conf`.
    pub drop_in: Option<Label>,
    /// Its text.
    pub text: Text,
    /// The units that want it.
    pub wanted_by: Vec<UnitName>,
    /// Whether another artifact may give the same bytes.
    pub same: bool,
    /// Whether somebody else's unit of this name is set aside, and given back when this one goes.
    pub adopt: bool,
}

impl UnitArtifact {
    /// Its file below the folder of units: `comet.service`, or `comet.service.d/x.conf`.
    #[must_use]
    pub fn file_name(&self) -> String {
        match &self.drop_in {
            None => self.unit.to_string(),
            Some(name) => drop_in_file(&self.unit, name),
        }
    }
}

/// A Python environment.
#[derive(Debug, PartialEq, Eq)]
pub struct VenvArtifact {
    /// For references.
    pub name: Label,
    /// Requirements, as PEP 508 writes them.
    pub requirements: Vec<String>,
    /// Modules whose import proves that it works.
    pub imports: Vec<String>,
    /// The source distribution that one of the packages is built from, in place of what an index has.
    pub source: Option<Arc<NamedFile>>,
    /// Packages that come as source distributions and become wheels on the target, in normal form, sorted.
    pub build_on_target: Vec<String>,
}

/// What the lock of a venv is called in a store.
///
/// # Errors
/// Where the venv's name is too long for that.
pub fn lock_label(venv: &Label) -> Result<Label, BadName> {
    Label::new(format!("pylock.{venv}.toml"))
}

/// A user (sysusers.d(5), type `u`).
#[derive(Debug, PartialEq, Eq)]
pub struct UserArtifact {
    /// The login.
    pub name: UserName,
    /// The primary group.
    pub group: UserName,
    /// The home folder.
    pub home: TargetPath,
    /// The login shell.
    pub shell: TargetPath,
    /// Whether one of this name that is there already is taken as it is.
    pub adopt: bool,
}

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub struct CheckArtifact {
    /// For people.
    pub name: Label,
    /// What is looked at.
    pub kind: CheckKind,
    /// The unit that it is about: not checked where the administrator stopped that.
    pub unit: Option<UnitName>,
    /// How long it may take until it holds.
    pub within: Duration,
}

impl CheckArtifact {
    /// Whether what it runs depends on whose it is.
    #[must_use]
    pub const fn runs_script(&self) -> bool {
        matches!(self.kind, CheckKind::Command { program: Program::Script(_), .. })
    }
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// `unit-active`: the unit is active.
    UnitActive(UnitName),
    /// `vtp`: a broker greets a subscriber at this port of the host.
    Vtp(u16),
    /// `vtp-nak`: a broker refuses an event with an invalid IVOID at this port of the host.
    VtpNak(u16),
    /// `tcp`: something accepts connections at this port of the host.
    Tcp(u16),
    /// `http`: an HTTP service of the host answers.
    Http(HttpAsk),
    /// `file-newer`: the file becomes newer than the beginning of the check.
    FileNewer(TargetPath),
    /// `command`: the program ends well.
    Command {
        /// What is run.
        program: Program,
        /// As whom; without it as somebody without any privilege, who is made for that.
        user: Option<UserName>,
    },
}

/// What a check runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A program of the target by its absolute path, and its arguments.
    Command(Vec<String>),
    /// A script of the check's own module.
    Script(Label),
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Text {
    /// What a template gave.
    Template {
        /// The language of the file, which decides how holes are filled.
        grammar: Grammar,
        /// Text and holes in turn.
        pieces: Vec<RenderedPiece>,
    },
    /// A source file as it is.
    Source(Vec<u8>),
}

/// The languages whose holes can be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// POSIX shell.
    Sh,
    /// systemd's units.
    Unit,
    /// JSON.
    Json,
    /// TOML 1.0.
    Toml,
    /// `key = value` below `[section]`.
    Ini,
    /// XML 1.0.
    Xml,
    /// Python 3.
    Python,
    /// Rules of nftables.
    Nft,
    /// A text in which every value is one line.
    Lines,
    /// A text in which a value may be anything.
    Text,
}

impl Grammar {
    /// All of them, by the names that `grammar = "…"` takes.
    pub const ALL: [(&'static str, Self); 10] = [
        ("sh", Self::Sh),
        ("unit", Self::Unit),
        ("json", Self::Json),
        ("toml", Self::Toml),
        ("ini", Self::Ini),
        ("xml", Self::Xml),
        ("python", Self::Python),
        ("nft", Self::Nft),
        ("lines", Self::Lines),
        ("text", Self::Text),
    ];

    /// How the names of files end whose grammar this is.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Sh => &["sh"],
            Self::Unit => &["service", "socket", "timer", "path", "target", "mount", "swap", "slice"],
            Self::Json => &["json"],
            Self::Toml => &["toml"],
            Self::Ini => &["ini"],
            Self::Xml => &["xml"],
            Self::Python => &["py"],
            Self::Nft => &["nft"],
            Self::Lines => &[],
            Self::Text => &["txt"],
        }
    }

    /// The grammar of files whose name ends so.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|(_, grammar)| grammar.extensions().contains(&extension));
        known.map(|(_, grammar)| grammar)
    }
}

/// A stretch of a rendered template.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedPiece {
    /// Where in the template it comes from.
    pub place: Place,
    /// What it is.
    pub what: RenderedWhat,
}

/// What a stretch of a rendered template is.
#[derive(Debug, Clone, PartialEq)]
pub enum RenderedWhat {
    /// Text of the template itself.
    Text(String),
    /// The value of an expression: one part, or several that were joined to one text.
    Hole(Vec<Part>),
    /// The text of a value that the template takes for code.
    Safe(String),
}

/// A part of a hole.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A value.
    Value(Value),
    /// The path of another artifact, known when that is sealed.
    Reference(Reference),
    /// The path of a file that a setting names, known when its object is made.
    File(Arc<NamedFile>),
    /// `NAME:PATH` of a secret: never joined with anything.
    Credential(Secret),
}

/// A reference to an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Which function made it.
    pub kind: ReferenceKind,
    /// The module that emits it.
    pub module: InstanceName,
    /// Its name there.
    pub name: String,
}

/// The functions that make references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// `script("x")`
    Script,
    /// `venv("x")`
    Venv,
    /// `file("x")`
    File,
    /// `unit("x.service")`: the unit's name.
    Unit,
}
