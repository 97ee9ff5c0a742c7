//! What systemd does with the value of a key: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.path(5),
//! systemd.socket(5), systemd.timer(5), and the parsers in its `load-fragment.c`.

/// How a key's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Command lines.
    Exec,
    /// Words with C escapes, each `NAME=value`.
    Assignments(Names),
    /// Words that are absolute paths, with these characters before them.
    Paths(&'static str),
    /// Words `source[:destination[:options]]`.
    Binds,
    /// Words without quotes and escapes.
    PlainWords(Rule),
    /// One text to the end of the line.
    Text,
    /// One absolute path to the end of the line.
    Path(PathRule),
    /// `NAME[:path]`
    Credential,
    /// Everything else, known or not.
    Plain,
}

/// What may stand before the `=` of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// A variable.
    Variable,
    /// A field of the journal.
    Field,
}

/// What a plain word may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Any plain character.
    Any,
    /// No `:`, which divides the word.
    NoColon,
    /// What URIs have.
    Uri,
}

/// How a path is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathRule {
    /// What may stand before it in the template.
    pub(super) prefixes: &'static str,
    /// It is a pattern for file names.
    pub(super) glob: bool,
}

/// The kind of a key.
pub(super) fn kind(key: &str) -> Kind {
    match key {
        "ExecCondition" | "ExecStartPre" | "ExecStart" | "ExecStartPost" | "ExecReload"
        | "ExecReloadPost" | "ExecStop" | "ExecStopPre" | "ExecStopPost" => Kind::Exec,
        "Environment" => Kind::Assignments(Names::Variable),
        "LogExtraFields" => Kind::Assignments(Names::Field),
        "ReadWritePaths"
        | "ReadOnlyPaths"
        | "InaccessiblePaths"
        | "ExecPaths"
        | "NoExecPaths"
        | "ReadWriteDirectories"
        | "ReadOnlyDirectories"
        | "InaccessibleDirectories" => Kind::Paths("-+"),
        "RequiresMountsFor" | "WantsMountsFor" => Kind::Paths(""),
        "BindPaths" | "BindReadOnlyPaths" => Kind::Binds,
        "Documentation" => Kind::PlainWords(Rule::Uri),
        "RuntimeDirectory"
        | "StateDirectory"
        | "CacheDirectory"
        | "LogsDirectory"
        | "ConfigurationDirectory"
        | "TemporaryFileSystem" => Kind::PlainWords(Rule::NoColon),
        "Description" | "SyslogIdentifier" | "OnCalendar" => Kind::Text,
        "WorkingDirectory" => Kind::Path(PathRule { prefixes: "-", glob: false }),
        "EnvironmentFile" => Kind::Path(PathRule { prefixes: "-", glob: true }),
        "RootDirectory" | "RootImage" | "PathExists" | "PathChanged" | "PathModified"
        | "DirectoryNotEmpty" | "PIDFile" | "SourcePath" | "Where" => {
            Kind::Path(PathRule { prefixes: "", glob: false })
        }
        "LoadCredential" | "LoadCredentialEncrypted" => Kind::Credential,
        _ if is_path_condition(key) => Kind::Path(PathRule { prefixes: "|!", glob: false }),
        _ if is_word_list(key) || key.starts_with("X-") => Kind::PlainWords(Rule::Any),
        _ => Kind::Plain,
    }
}

/// `ConditionPathExists=` and the like; `ConditionPathExistsGlob=` reads a pattern and is none.
fn is_path_condition(key: &str) -> bool {
    let test = key.strip_prefix("Condition").or_else(|| key.strip_prefix("Assert"));
    matches!(
        test,
        Some(
            "PathExists"
                | "PathIsDirectory"
                | "PathIsSymbolicLink"
                | "PathIsMountPoint"
                | "PathIsReadWrite"
                | "PathIsEncrypted"
                | "DirectoryNotEmpty"
                | "FileNotEmpty"
                | "FileIsExecutable"
        )
    )
}

/// Keys whose words need no quotes: units, users, addresses, system calls, capabilities.
fn is_word_list(key: &str) -> bool {
    matches!(
        key,
        "Requires"
            | "Requisite"
            | "Wants"
            | "BindsTo"
            | "Upholds"
            | "Conflicts"
            | "Before"
            | "After"
            | "PartOf"
            | "OnFailure"
            | "OnSuccess"
            | "PropagatesReloadTo"
            | "ReloadPropagatedFrom"
            | "PropagatesStopTo"
            | "StopPropagatedFrom"
            | "JoinsNamespaceOf"
            | "WantedBy"
            | "RequiredBy"
            | "UpheldBy"
            | "Also"
            | "Alias"
            | "Sockets"
            | "SupplementaryGroups"
            | "PassEnvironment"
            | "UnsetEnvironment"
            | "SystemCallFilter"
            | "SystemCallLog"
            | "SystemCallArchitectures"
            | "RestrictAddressFamilies"
            | "RestrictNamespaces"
            | "RestrictFileSystems"
            | "RestrictNetworkInterfaces"
            | "CapabilityBoundingSet"
            | "AmbientCapabilities"
            | "IPAddressAllow"
            | "IPAddressDeny"
            | "SuccessExitStatus"
            | "RestartPreventExitStatus"
            | "RestartForceExitStatus"
            | "ImportCredential"
    )
}
