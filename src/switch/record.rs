//! The record of a generation: what was activated, by whom, by which steps, and how it ended.

use serde::Deserialize;

use crate::base::name::UnitName;
use crate::base::nesting::read;
use crate::base::path::TargetPath;
use crate::store::manifest::Mode;
use crate::store::object::ObjectName;
use crate::store::toml_writer::TomlWriter;

/// The version of the format that this program writes, and the only one that it reads.
pub const FORMAT: u64 = 1;

/// How an activation ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is under way, or its program was killed and nobody has looked yet.
    Pending,
    /// It was proven and committed.
    Committed,
    /// It was committed on an offline root, where nothing can be proven.
    Unproven,
    /// It failed or was killed, and the committed generation was put back.
    Reverted,
    /// It ended before its first change.
    Abandoned,
}

impl Outcome {
    /// As records and tables write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Committed => "committed",
            Self::Unproven => "unproven",
            Self::Reverted => "reverted",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The record of one generation: `generations/<n>/record.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u64,
    /// Its number, from 1; never used twice.
    pub number: u64,
    /// The generation that was committed when this one was made; 0 where none was.
    pub parent: u64,
    /// The generation that `rollback` goes to from here; 0 where there is none.
    pub predecessor: u64,
    /// What was activated.
    pub bundle: ObjectName,
    /// Where its lines come from, if that arrived with it.
    pub provenance: Option<ObjectName>,
    /// When, as RFC 3339 in UTC.
    pub when: String,
    /// Who: the login behind the root shell, where it is known.
    pub by: String,
    /// From where: a path, or `generation 3`.
    pub from: String,
    /// The module that the interpreter's `dbm` writes new databases with; empty where nothing is known.
    pub dbm: String,
    /// The activator that did it: an object of the store.
    pub activator: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended so, where it was not committed.
    pub cause: String,
    /// The plan, a step each.
    pub steps: Vec<String>,
    /// Folders that were made for managed paths, by this activation and those before it.
    pub folders: Vec<TargetPath>,
    /// Units of ours that ran when it began; where others had not ended, when the first of them began.
    pub ran: Vec<UnitName>,
    /// Generations that were pending before it and could not be put back: what they left may still be there.
    #[serde(default)]
    pub unended: Vec<u64>,
    /// Somebody else's files that are set aside for paths of this generation, sorted.
    #[serde(default)]
    pub aside: Vec<SetAside>,
    /// What folders of this generation were like that had been there before us, sorted.
    #[serde(default, rename = "folder_before")]
    pub folders_before: Vec<FolderBefore>,
}

/// A folder that was there before us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderBefore {
    /// Where.
    pub path: TargetPath,
    /// Its permission bits.
    pub mode: Mode,
    /// The number of its owner.
    pub owner: u32,
    /// The number of its group.
    pub group: u32,
}

/// A file of somebody else's that was set aside: a copy of it is in `aside/<generation>/`, below its own path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// Where it was.
    pub path: TargetPath,
    /// The generation that did it.
    pub generation: u64,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// No TOML, or other fields.
    #[error("{0}")]
    Syntax(String),
    /// Another version of the format.
    #[error("it has format {0}; this program reads format {FORMAT}")]
    Format(u64),
}

impl Record {
    /// One of a generation of this bundle that knows nothing yet.
    #[must_use]
    pub const fn blank(number: u64, bundle: ObjectName) -> Self {
        Self {
            format: FORMAT,
            number,
            parent: 0,
            predecessor: 0,
            bundle,
            provenance: None,
            when: String::new(),
            by: String::new(),
            from: String::new(),
            dbm: String::new(),
            activator: String::new(),
            outcome: Outcome::Pending,
            cause: String::new(),
            steps: Vec::new(),
            folders: Vec::new(),
            ran: Vec::new(),
            unended: Vec::new(),
            aside: Vec::new(),
            folders_before: Vec::new(),
        }
    }

    /// As it is kept.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = TomlWriter::default();
        out.number("format", self.format);
        out.number("number", self.number);
        out.number("parent", self.parent);
        out.number("predecessor", self.predecessor);
        out.text("bundle", self.bundle.as_str());
        out.text_if("provenance", self.provenance.as_ref().map(ObjectName::as_str));
        out.text("when", &self.when);
        out.text("by", &self.by);
        out.text("from", &self.from);
        out.text("dbm", &self.dbm);
        out.text("activator", &self.activator);
        out.text("outcome", self.outcome.as_str());
        out.text("cause", &self.cause);
        out.texts("steps", self.steps.iter().map(String::as_str));
        out.texts("folders", self.folders.iter().map(TargetPath::as_str));
        out.texts("ran", self.ran.iter().map(UnitName::as_str));
        // Activators that do not know the field read what has none.
        if !self.unended.is_empty() {
            out.numbers("unended", self.unended.iter().map(|number| number.cast_signed()));
        }
        for aside in &self.aside {
            out.element("aside");
            out.text("path", aside.path.as_str());
            out.number("generation", aside.generation);
        }
        for folder in &self.folders_before {
            out.element("folder_before");
            out.text("path", folder.path.as_str());
            out.text("mode", &folder.mode.to_string());
            out.number("owner", u64::from(folder.owner));
            out.number("group", u64::from(folder.group));
        }
        out.finish()
    }

    /// Reads what [`Self::to_toml`] gave.
    ///
    /// # Errors
    /// Where the text is not a record of this format.
    pub fn parse(text: &str) -> Result<Self, BadRecord> {
        let record: Self = read(text).map_err(BadRecord::Syntax)?;
        if record.format == FORMAT { Ok(record) } else { Err(BadRecord::Format(record.format)) }
    }
}

/// Where `rollback` goes from a new generation.
///
/// From an ordinary switch it is the parent; from a rollback to `N` it is where `rollback` goes from `N`: twice goes two
/// back, never forth. A switch that only mends what its parent has already goes where the parent goes.
#[must_use]
pub fn predecessor(parent: Option<&Record>, bundle: &ObjectName, to: Option<&Record>) -> u64 {
    match (to, parent) {
        (Some(to), _) => to.predecessor,
        (None, Some(parent)) if parent.bundle == *bundle => parent.predecessor,
        (None, Some(parent)) => parent.number,
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, predecessor: u64, bundle: char) -> Record {
        Record {
            format: FORMAT,
            number,
            parent: number - 1,
            predecessor,
            bundle: name(bundle),
            provenance: None,
            when: "2026-11-23T00:00:00Z".into(),
            by: "root".into(),
            from: "generated/node1".into(),
            dbm: "ndbm".into(),
            activator: String::new(),
            outcome: Outcome::Committed,
            cause: String::new(),
            steps: vec!["flip `current`: \"quoted\"".into()],
            folders: vec![TargetPath::new("/etc/voevent").unwrap()],
            ran: vec![UnitName::new("comet.service").unwrap()],
            unended: Vec::new(),
            aside: vec![SetAside { path: TargetPath::new("/etc/motd").unwrap(), generation: number }],
            folders_before: vec![FolderBefore {
                path: TargetPath::new("/home/u").unwrap(),
                mode: Mode::new(0o755).unwrap(),
                owner: 1000,
                group: 0,
            }],
        }
    }

    fn name(char: char) -> ObjectName {
        ObjectName::parse(&format!("{}-node1", char.to_string().repeat(32))).unwrap()
    }

    #[test]
    fn a_record_comes_back() {
        let record = record(2, 1, 'a');
        assert_eq!(Record::parse(&record.to_toml()), Ok(record.clone()));
        assert!(!record.to_toml().contains("unended"));
        let over = Record { unended: vec![3, 5], ..record.clone() };
        assert_eq!(Record::parse(&over.to_toml()), Ok(over));
        let other = record.to_toml().replace("format = 1", "format = 2");
        assert_eq!(Record::parse(&other), Err(BadRecord::Format(2)));
        assert!(Record::parse("format = 1").is_err());
    }

    #[test]
    fn rollbacks_go_back_and_never_forth() {
        let one = record(1, predecessor(None, &name('a'), None), 'a');
        let two = record(2, predecessor(Some(&one), &name('b'), None), 'b');
        let three = record(3, predecessor(Some(&two), &name('c'), None), 'c');
        assert_eq!((one.predecessor, two.predecessor, three.predecessor), (0, 1, 2));
        // `rollback`: back to what two was
        let four = record(4, predecessor(Some(&three), &two.bundle, Some(&two)), 'b');
        assert_eq!(four.predecessor, 1);
        // `rollback` again: back to what one was, and no further
        let five = record(5, predecessor(Some(&four), &one.bundle, Some(&one)), 'a');
        assert_eq!(five.predecessor, 0);
        // mending makes no step of its own
        assert_eq!(predecessor(Some(&three), &name('c'), None), 2);
    }
}
