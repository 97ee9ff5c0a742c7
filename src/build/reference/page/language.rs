//! The page of the language, from the tables that the compiler reads it by.

use std::fmt::Write as _;

use crate::build::artifact::Grammar;
use crate::build::config::artifact::{Holds, Kind};
use crate::build::config::fact::FactKind;
use crate::build::config::host::HOST_TEXTS;
use crate::build::config::option::SCALARS;
use crate::build::emit::KINDS;
use crate::build::instance;
use crate::build::reference::markdown::{anchor, code, table, words};
use crate::build::scan::{FILTERS, REFERENCES, TESTS};

/// What is written by hand; a test reads what it shows.
const INTRODUCTION: &str = include_str!("language.md");

/// The types of one value: name, what it is, an example of a value, and what else is said with the type.
const TYPES: [(&str, &str, &str, &str); 18] = [
    ("bool", "`true` or `false`", "true", ""),
    ("int", "a whole number of 64 bits", "5", "`min`, `max`"),
    ("float", "a finite number; `1` is none, `1.0` is", "0.5", "`min`, `max`"),
    ("string", "a text", "\"a text\"", "`min` and `max` characters, `pattern`: what the whole of it matches"),
    ("one of", "one of some texts", "\"info\"", "`of`: the texts"),
    ("path", "an absolute path on the target, without `..`", "\"/srv/data\"", ""),
    ("port", "a TCP or UDP port", "8099", "`min`, `max`"),
    ("host-port", "a host and a port of it", "\"upstream.example.org:8099\"", ""),
    ("cidr", "a network, or one address", "\"192.0.2.0/24\"", ""),
    ("duration", "a length of time, in `s`, `m`, `h`, `d` and `w`", "\"1h30m\"", ""),
    ("size", "a number of bytes; `K`, `M`, `G` and `T` are powers of 1024", "\"256M\"", ""),
    ("mode", "permission bits, in three or four octal digits", "\"0750\"", ""),
    ("ivoid", "an IVOA identifier", "\"ivo://org.example/node1\"", ""),
    ("user-name", "the name of a user or a group", "\"voeventserve\"", ""),
    ("xpath", "an expression of XPath 1.0", "\"//Param[@name='GRB']\"", ""),
    (
        "ssh-key",
        "a line of `authorized_keys`: the public key of somebody",
        "\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJuN+F5OeiHpuSmAC7i2gvNrGmsmOrKADNNuwDEVpHA/ ann@desk\"",
        "",
    ),
    (
        "secret",
        "an encrypted file beside the one that names it, or with `file` one on the target that only root reads; it has no text, \
         and is passed on by `credential(…)`",
        "{ age = \"secrets/x.age\" }",
        "",
    ),
    ("file", "a file beside the one that names it", "\"handler.py\"", "`exec`"),
];

/// What is made of other types.
const COMPOUNDS: [(&str, &str, &str, &str); 3] = [
    (
        "list of T",
        "values in order; what several say adds up, equal entries once",
        "[\"a\", \"b\"]",
        "`repeat = true`: equal entries stay",
    ),
    ("map of T", "values by keys of the host's choice; what several say is merged by key", "{ a = 1 }", ""),
    ("table", "fields, each an option of its own", "{ enable = true }", "`fields`"),
];

/// The text below the first heading.
pub(super) fn text() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Types\n\nA type is named by `type = \"…\"` of an option.\n\n");
    let known = TYPES.iter().filter(|(name, ..)| SCALARS.contains(name)).chain(&COMPOUNDS);
    let rows = known.map(|(name, what, example, more)| {
        let id = format!("type-{}", name.replace(' ', "-"));
        [anchor(&id) + &code(name), words(what), code(example), words(more)]
    });
    text.push_str(&table(["Type", "What it is", "A value", "Said with it"], rows));
    text.push_str("## Artifacts\n\nWhat a module puts on a host. Each table may have `when` and `for_each` besides.\n\n");
    for (name, kind) in Kind::ALL {
        let _ = writeln!(text, "### `[[{name}]]`\n");
        let own = kind.keys().iter().map(|(key, holds, required)| row(key, holding(*holds), *required));
        let body: &[[&str; 2]] = if kind.has_text() {
            &[
                ["template", "a file of the module's folder that leaves holes"],
                ["source", "instead: a file of the module's folder, taken as it is"],
                ["grammar", "the language of the template, where its name does not say it"],
            ]
        } else {
            &[]
        };
        let rows = own.chain(body.iter().map(|[key, what]| row(key, what, false)));
        text.push_str(&table(["Key", "Holds", ""], rows));
    }
    let kinds = KINDS.iter().map(|(kind, keys)| {
        let keys: Vec<String> = keys.iter().map(|key| code(key)).collect();
        [code(kind), keys.join(", ")]
    });
    text.push_str("The kinds of checks, and the keys that only they have:\n\n");
    text.push_str(&table(["Kind", "Keys"], kinds));
    text.push_str("## Facts\n\nWhat a module says about its services, for the checks within a host and across hosts.\n\n");
    for (name, kind) in FactKind::ALL {
        let _ = writeln!(text, "### `[[{name}]]`\n");
        let rows = kind.keys().iter().map(|(key, holds, required)| row(key, holding(*holds), *required));
        text.push_str(&table(["Key", "Holds", ""], rows));
    }
    text.push_str(&grammars());
    text.push_str(&expressions());
    text
}

fn row(key: &str, holds: &str, required: bool) -> [String; 3] {
    [code(key), words(holds), if required { "needed".to_owned() } else { String::new() }]
}

const fn holding(holds: Holds) -> &'static str {
    match holds {
        Holds::Text => "a text",
        Holds::Texts => "a list of texts",
        Holds::Bool => "`true` or `false`",
        Holds::Path => "an absolute path",
        Holds::Mode => "a mode",
        Holds::User => "the name of a user or a group",
        Holds::Port => "a port",
        Holds::Status => "a status of HTTP, as `200`",
        Holds::Duration => "a duration",
        Holds::Networks => "a list of networks",
        Holds::HostPort => "a host and a port",
        Holds::Ivoid => "an IVOID",
        Holds::File => "a file that an option names",
    }
}

fn grammars() -> String {
    let mut text = "## Grammars\n\nA template writes no text of a value: it leaves a hole, which is filled for the very \
                    place where it stands, so that the reader of the file gets back exactly the value, or the build is \
                    refused. Which language that is, the name before `.j2` says, or `grammar = \"…\"`.\n\n"
        .to_owned();
    let rows = Grammar::ALL.into_iter().map(|(name, grammar)| {
        let files = grammar.extensions().iter().map(|extension| code(&format!(".{extension}.j2")));
        [code(name), words(reader(grammar)), files.collect::<Vec<_>>().join(" ")]
    });
    text.push_str(&table(["Grammar", "Read by", "Files"], rows));
    text
}

const fn reader(grammar: Grammar) -> &'static str {
    match grammar {
        Grammar::Sh => "a POSIX shell",
        Grammar::Unit => "systemd: units and drop-ins",
        Grammar::Json => "who reads JSON",
        Grammar::Toml => "who reads TOML 1.0",
        Grammar::Ini => "who reads `key = value` below `[section]`",
        Grammar::Xml => "who reads XML 1.0",
        Grammar::Python => "Python 3",
        Grammar::Nft => "nftables",
        Grammar::Lines => "who reads a line at a time: every value is one line",
        Grammar::Text => "people: a value may be any text",
    }
}

fn expressions() -> String {
    let listed = |names: &mut dyn Iterator<Item = &str>| names.map(code).collect::<Vec<_>>().join(", ");
    let host = listed(&mut HOST_TEXTS.into_iter().chain(["name"]));
    let instance = listed(&mut instance::FIELDS.into_iter());
    let references = listed(&mut REFERENCES.into_iter());
    let filters = listed(&mut FILTERS.split_whitespace());
    let tests = listed(&mut TESTS.split_whitespace());
    format!(
        "## Expressions\n\n\
         The syntax is that of [Jinja](https://jinja.palletsprojects.com/en/stable/templates/). Strings of \
         `module.toml` with `{{{{ }}}}` in them, `when`, `that` and `for_each` have expressions; templates also have \
         `if`, `for`, `set`, `include` and `raw`, and nothing else.\n\n\
         - Names: the options of the module itself and of those that it names in `requires` and `uses`; of `host` \
         {host}; of `instance` {instance}; `x.on` of a module; where there is a `for_each`, `each.key` and `each.value`.\n\
         - Functions: `range`; in templates also {references}, which stand for paths on the target.\n\
         - Filters: {filters}. `seconds` gives the number of a duration, `bytes` that of a size.\n\
         - Tests, behind `is`: {tests}.\n"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::name::ModuleName;
    use crate::base::report::{Diagnostic, RenderStyle, Source, render};
    use crate::build::config::{host, module};

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source { name: "language.md".to_owned(), text: text.to_owned() })
    }

    fn without_faults(faults: &[Diagnostic]) {
        assert!(faults.is_empty(), "{}", render(faults, RenderStyle::default()));
    }

    #[test]
    fn every_type_is_there_with_a_value_of_it() {
        let names: Vec<&str> = TYPES.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, SCALARS);
        for (name, _, value, more) in TYPES {
            let of = if name == "one of" { "of = [\"info\"]\n" } else { "" };
            let bounds = ["min", "max"].map(|bound| {
                if name == "float" { format!("{bound} = 0.5\n") } else { format!("{bound} = 9\n") }
            });
            let bounds = if more.contains("`min`") { bounds.concat() } else { String::new() };
            let text = format!(
                "[module]\ndescription = \"x\"\n[options.x]\ntype = \"{name}\"\ndescription = \"x\"\n{of}{bounds}[options.y]\n\
                 type = \"{name}\"\ndescription = \"x\"\n{of}example = {value}\n"
            );
            let mut faults = Vec::new();
            module::read(&ModuleName::new("m").unwrap(), &source(&text), &mut faults);
            without_faults(&faults);
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let mut blocks =
            INTRODUCTION.split("```").skip(1).step_by(2).map(|block| block.strip_prefix("toml\n").unwrap());
        let mut faults = Vec::new();
        host::read(&source(blocks.next().unwrap()), &mut faults);
        module::read(&ModuleName::new("greeting").unwrap(), &source(blocks.next().unwrap()), &mut faults);
        without_faults(&faults);
        assert_eq!(blocks.next(), None);
    }
}
