//! Which programs read an argument again as code.
//!
//! A value that reaches a program as an argument is intact; a shell that is told to run it as a command line is not
//! told the value, it is told to obey it. That is refused. Programs with a language of their own (`sed`, `awk`,
//! `python -c`) are a warning, since what they do with the value may be meant.

/// A word of a command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    /// What the program gets, with the values of holes; U+FFFD stands for what is known at run time only.
    pub(super) text: String,
    /// The holes in it.
    pub(super) holes: Vec<usize>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A shell obeys the value.
    Refuse,
    /// Another language reads it.
    Warn,
}

/// A hole that is read again.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) hole: usize,
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) help: &'static str,
}

/// What a command line does with its words.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The holes that are read again.
    pub(super) findings: Vec<Finding>,
    /// Whether its standard input is code, and for whom.
    pub(super) input: Option<(String, Verdict)>,
}

const SHELLS: [&str; 10] = ["sh", "dash", "bash", "ash", "ksh", "mksh", "zsh", "rbash", "fish", "csh"];
/// Programs that start the rest of their words, so that the next one is a program too.
const WRAPPERS: [&str; 15] = [
    "command", "builtin", "exec", "env", "nohup", "nice", "ionice", "sudo", "time", "timeout", "setsid",
    "stdbuf", "chroot", "doas", "xargs",
];
/// The most options of a shell that are looked at: behind more, any word may be code.
const MAX_OPTIONS: usize = 100;
/// Options of ssh(1) that take a word.
const SSH_OPTIONS: &str = "BbcDEeFIiJLlmOoPpQRSWw";
const SCRIPT: &str = "write a script, and pass the value to it as an argument";

/// Looks at the words of a simple command.
pub(super) fn check(words: &[Word]) -> Reading {
    let mut reading = Reading::default();
    if words.is_empty() {
        return reading;
    }
    let first = first_program(words);
    for (index, word) in words.iter().enumerate() {
        let name = base(&word.text);
        if SHELLS.contains(&name)
            || (name == "busybox" && words.get(index + 1).is_some_and(|w| w.text == "sh"))
        {
            let rest = &words[(index + 1 + usize::from(name == "busybox")).min(words.len())..];
            if !shell(&mut reading, name, rest, index == first) {
                refuse_all(&mut reading, name, rest);
                break;
            }
        }
    }
    let Some(program) = words.get(first) else {
        return reading;
    };
    let (name, rest) = (base(&program.text), &words[first + 1..]);
    match name {
        // `"$shell" -c`: which program it is shows at run time only.
        _ if name.contains('\u{fffd}') => {
            for word in after(rest, &["-c"]) {
                refuse_all(&mut reading, "$… -c", std::slice::from_ref(word));
            }
        }
        "eval" | "alias" | "watch" => refuse_all(&mut reading, name, rest),
        "trap" => {
            if let Some(action) = rest.iter().find(|word| word.text != "--") {
                refuse_all(&mut reading, name, std::slice::from_ref(action));
            }
        }
        "su" | "runuser" | "script" | "flock" => {
            let code = after(rest, &["-c", "--command", "--session-command"]);
            let bare = name == "su" || (name == "runuser" && after(rest, &["-u", "--user"]).is_empty());
            if code.is_empty() && bare {
                reading.input = Some((name.to_owned(), Verdict::Refuse));
            }
            for word in code {
                refuse_all(&mut reading, name, std::slice::from_ref(word));
            }
        }
        "at" | "batch" => reading.input = Some((name.to_owned(), Verdict::Refuse)),
        _ => languages(&mut reading, name, rest),
    }
    reading
}

/// Programs with a language of their own.
fn languages(reading: &mut Reading, name: &str, rest: &[Word]) {
    let words: Vec<&Word> = match name {
        "ssh" | "parallel" => {
            reading.input = Some((name.to_owned(), Verdict::Warn));
            operands(rest, SSH_OPTIONS).into_iter().skip(usize::from(name == "ssh")).collect()
        }
        "sed" => program_or(rest, &["-e", "--expression"], &["-f", "--file"]),
        "awk" | "gawk" | "mawk" | "nawk" => {
            let mut words = program_or(rest, &["-e", "--source"], &["-f", "--file"]);
            words.extend(after(rest, &["-v", "--assign"]));
            words
        }
        "jq" => operands(rest, "").into_iter().take(1).collect(),
        "printf" => rest.iter().filter(|word| word.text != "--").take(1).collect(),
        "echo" => rest.iter().filter(|word| word.text.contains('\\') || word.text.starts_with('-')).collect(),
        _ => {
            let language = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            if !matches!(language, "python" | "perl" | "ruby" | "node" | "lua" | "php") {
                return;
            }
            if operands(rest, "").iter().all(|word| word.text == "-") {
                reading.input = Some((name.to_owned(), Verdict::Warn));
            }
            after(rest, &["-c", "-e", "-E", "-r"])
        }
    };
    let help = match name {
        "printf" => "write `printf '%s\\n'` before it",
        "echo" => "write `printf '%s\\n'` in place of `echo`",
        "ssh" => "the far shell splits and expands it: pass it on standard input",
        _ => "pass the value as an argument of its own",
    };
    for word in words {
        for hole in &word.holes {
            let reason = format!("`{name}` reads the value in a language of its own");
            reading.findings.push(Finding { hole: *hole, verdict: Verdict::Warn, reason, help });
        }
    }
}

/// Looks at the words behind a shell's name; whether it could tell what they are.
fn shell(reading: &mut Reading, name: &str, rest: &[Word], is_program: bool) -> bool {
    let (mut code, mut input) = (false, false);
    let mut words = rest.iter().take(MAX_OPTIONS);
    while let Some(word) = words.next() {
        match word.text.as_bytes() {
            [b'-', b'-'] | [b'-'] => {
                if let Some(word) = words.next() {
                    operand(reading, name, word, code);
                    return true;
                }
            }
            b"--rcfile" | b"--init-file" => _ = words.next(),
            [b'-', b'-', ..] => {}
            [sign @ (b'-' | b'+'), letters @ ..] => {
                code |= *sign == b'-' && letters.contains(&b'c');
                input |= letters.contains(&b's');
                if letters.ends_with(b"o") || letters.ends_with(b"O") {
                    words.next();
                }
            }
            _ if code || !input => {
                operand(reading, name, word, code);
                return true;
            }
            _ => break,
        }
    }
    if is_program {
        reading.input = Some((name.to_owned(), Verdict::Refuse));
    }
    rest.len() <= MAX_OPTIONS || words.next().is_some()
}

fn operand(reading: &mut Reading, name: &str, word: &Word, code: bool) {
    if code {
        refuse_all(reading, &format!("{name} -c"), std::slice::from_ref(word));
    }
}

fn refuse_all(reading: &mut Reading, name: &str, words: &[Word]) {
    for hole in words.iter().flat_map(|word| &word.holes) {
        let reason = format!("`{name}` reads the value again as code");
        reading.findings.push(Finding { hole: *hole, verdict: Verdict::Refuse, reason, help: SCRIPT });
    }
}

/// The index of the word that is the program proper, behind `env`, `sudo` and the like.
fn first_program(words: &[Word]) -> usize {
    let mut at = 0;
    while words.get(at).is_some_and(|word| WRAPPERS.contains(&base(&word.text))) {
        at += 1;
        while words.get(at).is_some_and(|word| is_setting(&word.text)) {
            at += 1;
        }
    }
    at
}

/// What may stand between `env`, `timeout`, `nice` … and the program.
fn is_setting(text: &str) -> bool {
    text.starts_with('-') || text.contains('=') || text.starts_with(|c: char| c.is_ascii_digit())
}

/// The words that stand behind these options, or are joined to them.
fn after<'a>(words: &'a [Word], options: &[&str]) -> Vec<&'a Word> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let joined = |option: &&str| {
            let rest = word.text.strip_prefix(*option).unwrap_or_default();
            if option.starts_with("--") { rest.starts_with('=') } else { !rest.is_empty() }
        };
        if options.contains(&word.text.as_str()) {
            found.extend(words.get(index + 1));
        } else if options.iter().any(joined) {
            found.push(word);
        }
    }
    found
}

/// The code of `sed` or `awk`: what these options name, or the first operand.
fn program_or<'a>(words: &'a [Word], code: &[&str], files: &[&str]) -> Vec<&'a Word> {
    let found = after(words, code);
    if found.is_empty() && after(words, files).is_empty() {
        return operands(words, "vF").into_iter().take(1).collect();
    }
    found
}

/// The words that are no options, given the letters of those that take a word.
fn operands<'a>(words: &'a [Word], taking: &str) -> Vec<&'a Word> {
    let (mut found, mut skip) = (Vec::new(), false);
    for word in words {
        let option = word.text.strip_prefix('-').filter(|rest| !rest.is_empty());
        if std::mem::take(&mut skip) {
            continue;
        }
        match option {
            Some(letters) if found.is_empty() => skip = letters.len() == 1 && taking.contains(letters),
            _ => found.push(word),
        }
    }
    found
}

fn base(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}
