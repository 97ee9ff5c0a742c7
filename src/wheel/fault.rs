//! What can be wrong with a wheel.

/// A fault of one wheel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wheel `{}`: {problem}", wheel.escape_debug())]
pub struct WheelFault {
    /// The wheel's file name.
    pub wheel: String,
    /// What is wrong.
    pub problem: Problem,
}

/// The kinds of fault. Texts from the archive are shown escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file name is none of the binary distribution format.
    #[error("its name is no wheel's: {0}")]
    Name(&'static str),
    /// Not for the host's interpreter.
    #[error("it is for `{tags}`, and the host has {host}")]
    Unfit {
        /// The tags of its name.
        tags: String,
        /// The interpreter.
        host: String,
    },
    /// No archive.
    #[error("it is no zip archive that can be read: {0}")]
    Archive(String),
    /// Bounds.
    #[error("the environment would have more than 1 GiB or 100,000 files")]
    TooMuch,
    /// An entry that no wheel should have.
    #[error("its entry `{}` {why}", path.escape_debug())]
    Entry {
        /// The entry's name.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not exactly one folder of metadata for the name.
    #[error("it has no folder `{0}`, which its name asks for")]
    NoDistInfo(String),
    /// Two folders of metadata.
    #[error("it has more than one `.dist-info` folder")]
    TwoDistInfos,
    /// A file of the metadata that must be there.
    #[error("it has no `{0}`")]
    NoFile(&'static str),
    /// A file of the metadata that cannot be read.
    #[error("its `{file}` cannot be read: {why}")]
    Metadata {
        /// `RECORD`, `WHEEL`, `METADATA` or `entry_points.txt`.
        file: &'static str,
        /// The reader's words.
        why: String,
    },
    /// A later format.
    #[error("its format is `{}`, and only 1.x is known", .0.escape_debug())]
    Format(String),
    /// `METADATA` is of another package.
    #[error("its `METADATA` is of `{}` `{}`", name.escape_debug(), version.escape_debug())]
    OtherPackage {
        /// The name there.
        name: String,
        /// The version there.
        version: String,
    },
    /// A file without a hash.
    #[error("its `RECORD` has no hash of `{}`", .0.escape_debug())]
    NotInRecord(String),
    /// A hash without a file.
    #[error("its `RECORD` names `{}`, which is not there", .0.escape_debug())]
    Missing(String),
    /// Other bytes than recorded.
    #[error("its `{}` is not what `RECORD` says: expected {expected}, found {found}", path.escape_debug())]
    OtherBytes {
        /// The file.
        path: String,
        /// From `RECORD`.
        expected: String,
        /// Of the file.
        found: String,
    },
    /// An entry point that cannot be made a script.
    #[error("its entry point `{}` {why}", name.escape_debug())]
    EntryPoint {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two wheels, or two files of one, want the same path for different bytes.
    #[error("its `{path}` has other bytes than that of {other}; the two cannot be in one environment")]
    Clash {
        /// The path in the environment.
        path: String,
        /// Who else has it.
        other: String,
    },
    /// No path of a tree.
    #[error(transparent)]
    Path(#[from] crate::store::object::BadEntry),
    /// Paths that only some file systems tell apart, or a file where a folder has to be.
    #[error(
        "its `{path}` and `{first}` of {other} cannot both be there: a file and a folder, or only the case differs"
    )]
    Alike {
        /// The path in the environment.
        path: String,
        /// The one that was there.
        first: String,
        /// Whose that is.
        other: String,
    },
}
