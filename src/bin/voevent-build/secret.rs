//! `voevent-build secret`: encrypts a secret for a host.

use std::io::{IsTerminal as _, Read as _, Write as _, stdin};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Map, Value};
use voevent_node::base::io::{IoError, OnPath as _};
use voevent_node::build::compile::BuildError;
use voevent_node::build::secret::{self, LONGEST};
use voevent_node::build::sources::Disk;
use zeroize::Zeroizing;

use crate::outcome::Outcome;
use crate::project::{host_path, shown};

/// The arguments of `secret`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The host that is to decrypt it, by its name or file: it says `ssh_host_key` in its `[host]`.
    host: PathBuf,
    /// The age file that is written; settings name it by `{ age = "…" }`, relative to the file that says so.
    file: PathBuf,
    /// A public key of age (`age1…`) that can decrypt it too; may be repeated.
    #[arg(long, value_name = "KEY")]
    also: Vec<String>,
    /// Replace the file where it is there.
    #[arg(long)]
    force: bool,
}

impl Arguments {
    /// Reads the secret from stdin, and writes it encrypted.
    pub(crate) fn run(self) -> Result<Outcome, BuildError> {
        let host = host_path(&self.host);
        let key = secret::host_key(&mut Disk::default(), &host)?;
        let others = secret::others(&self.also)?;
        let sealed = secret::encrypt(&read()?, &key, &others)?;
        secret::write(&self.file, &sealed, self.force)?;
        let path = shown(&self.file).display().to_string();
        let data = Map::from_iter([("written".to_owned(), Value::from(path.as_str()))]);
        let summary = match self.file.strip_prefix(host.parent().unwrap_or(Path::new(""))) {
            Ok(inside) => {
                vec![format!("in `{}` name it by `{{ age = \"{}\" }}`", host.display(), inside.display())]
            }
            Err(_) => Vec::new(),
        };
        Ok(Outcome { text: path + "\n", data, summary, ..Outcome::default() })
    }
}

/// The secret: all of stdin; at a terminal one line, which is not shown.
fn read() -> Result<Zeroizing<Vec<u8>>, IoError> {
    // As long as it can get: it never grows, which would leave a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    let input = stdin();
    if !input.is_terminal() {
        input.lock().take(LONGEST as u64 + 1).read_to_end(&mut text).on("read", "stdin")?;
        return Ok(text);
    }
    let shown = tcgetattr(&input).on("look at", "stdin")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    let _ = write!(std::io::stderr(), "secret: ");
    tcsetattr(&input, OptionalActions::Flush, &hidden).on("hide what is typed at", "stdin")?;
    let read = line(&mut text);
    tcsetattr(&input, OptionalActions::Flush, &shown).on("show what is typed at", "stdin")?;
    let _ = writeln!(std::io::stderr());
    read.on("read", "stdin")?;
    Ok(text)
}

/// Reads up to the end of a line, which is no part of it. The terminal gives lines, so that one byte at a time is enough.
fn line(text: &mut Vec<u8>) -> std::io::Result<()> {
    for byte in stdin().lock().bytes().take(LONGEST + 1) {
        match byte? {
            b'\n' => break,
            byte => text.push(byte),
        }
    }
    Ok(())
}
