//! What a test does with a machine that is up: run commands, bring and read files, wait.

use super::{Call, Explain, Failure, Machine, Output, Result, Running};
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the journal may take.
const LOGGED: Duration = Duration::from_secs(30);

impl Machine {
    /// A command on the machine, as root, in `/`, with nothing of the environment of the tests.
    pub fn call<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Result<Call> {
        let init = self.init()?.to_string();
        let call = Call::behind(self.name(), &["nsenter", "-t", &init, "-a", "--"], argv).clear_env();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        Ok(call.env("PATH", path).env("HOME", "/root").env("LANG", "C.UTF-8"))
    }

    /// Runs a command; any exit status will do.
    pub fn exec<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Result<Output> {
        self.call(argv)?.output()
    }

    /// Runs a command; it must exit with 0. What it printed, without the last line's end.
    pub fn run<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Result<String> {
        self.call(argv)?.ok()
    }

    /// Starts a command in the background.
    pub fn spawn<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Result<Running> {
        self.call(argv)?.spawn()
    }

    /// Runs lines of bash, of which each must succeed. What they printed, without the last line's end.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.run(["bash", "-euo", "pipefail", "-c", script])
    }

    /// A command over ssh from the control namespace, as root; ssh joins the words with spaces, as it does.
    pub fn ssh<A: AsRef<OsStr>>(&self, argv: impl IntoIterator<Item = A>) -> Call {
        let host = format!("root@{}", self.address());
        let words =
            ["ssh".to_owned()].into_iter().chain(self.lab().ssh_options()).chain([host, "--".to_owned()]);
        let words = words.map(Into::into).chain(argv.into_iter().map(|word| word.as_ref().to_owned()));
        self.lab().control(words)
    }

    /// Copies a file or a folder of the host to this path, as root's; folders above it are made.
    pub fn put(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let doing = || format!("copy `{}` to {}", from.display(), self.name());
        if from.is_dir() {
            let options = ["tar", "--owner=root:0", "--group=root:0", "-cf", "-", "-C"].map(Path::new);
            let stream = Call::here(options.into_iter().chain([from, Path::new(".")])).bytes()?;
            let script = r#"mkdir -p "$1" && exec tar -C "$1" -xpf -"#;
            let unpack = ["sh", "-c", script, "sh"].map(Path::new).into_iter().chain([to]);
            return self.call(unpack)?.stdin(stream).ok().map(drop).explain(doing);
        }
        let file = File::open(from).explain(doing)?;
        let executable = rustix::fs::fstat(&file).explain(doing)?.st_mode & 0o111 != 0;
        self.install(file, to, if executable { "0755" } else { "0644" })
    }

    /// Writes a file with this content, as root's with mode 0644; folders above it are made.
    pub fn write_file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
        let words = install_words("0644").into_iter().map(Path::new).chain([path.as_ref()]);
        self.call(words)?.stdin(content).ok().map(drop)
    }

    /// The content of a file.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        self.call([Path::new("cat"), Path::new("--"), path.as_ref()])?.bytes()
    }

    /// Waits until a condition holds. One that fails, as commands do on a machine that is not there yet, holds
    /// not yet; what it said is part of the failure when the time is over.
    pub fn wait(&self, time: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
        let start = Instant::now();
        loop {
            let last = match holds() {
                Ok(true) => return Ok(()),
                Ok(false) => String::new(),
                Err(failure) => format!(": {failure}"),
            };
            if start.elapsed() > time {
                let name = self.name();
                return Err(Failure::new(format!(
                    "what was waited for on {name} was not so after {time:?}{last}"
                )));
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the journal has a text, among what these words of journalctl's choose: what units write, and what
    /// systemd says of them, gets there after they have ended, and later still on a busy machine.
    pub fn logs(&self, which: &str, text: &str) -> Result<()> {
        self.wait(LOGGED, || {
            let found = self.sh(&format!("journalctl -q --no-pager -o cat {which}"))?;
            if found.contains(text) {
                Ok(true)
            } else {
                Err(Failure::new(format!("no `{text}` in: {found}")))
            }
        })
    }

    fn install(&self, file: File, to: &Path, mode: &str) -> Result<()> {
        let words = install_words(mode).into_iter().map(Path::new).chain([to]);
        self.call(words)?.stdin_file(file).ok().map(drop)
    }
}

/// A command that makes a file of what it reads; the path follows.
fn install_words(mode: &str) -> [&str; 6] {
    ["install", "-D", "-m", mode, "--", "/dev/stdin"]
}
