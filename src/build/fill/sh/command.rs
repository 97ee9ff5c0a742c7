//! Lists of commands (XCU 2.9): operators, redirections, parentheses, and where each command ends.

use super::Lexer;
use super::word::Role;
use crate::build::fill::reread::{self, Verdict};

/// What ends a list of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the file.
    File,
    /// The `)` of the `$(` at this offset.
    Paren(usize),
}

/// What the next word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Command,
    Argument,
    /// The words after `for x in`.
    ForWords,
    ForName,
    ForIn,
    CaseWord,
    CaseIn,
    /// A pattern, or `esac`.
    Pattern,
    /// `|` or `)`.
    PatternEnd,
}

/// What a `)` or `esac` closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Paren(usize),
    Case(usize),
}

/// A list of commands, as far as it is read.
#[derive(Debug)]
pub(super) struct Commands {
    pub(super) expect: Expect,
    pub(super) blocks: Vec<Block>,
    /// The words of the simple command.
    pub(super) words: Vec<reread::Word>,
    /// The simple command has an assignment or a redirection: no keyword can follow.
    pub(super) begun: bool,
    /// The command before was a compound one.
    pub(super) compound: bool,
    /// After `|`, over line breaks.
    piped: bool,
    /// The first hole and here-document of this list, of the pipeline, and of the simple command.
    first_hole: usize,
    pipeline_hole: usize,
    pipeline_doc: usize,
    command_hole: usize,
}

impl Lexer<'_> {
    /// Reads commands up to the end.
    pub(super) fn script(&mut self, end: End) {
        if let End::Paren(_) = end {
            self.skip(1);
        }
        let base = self.here_docs.len();
        let mut list = Commands {
            expect: Expect::Command,
            blocks: Vec::new(),
            words: Vec::new(),
            begun: false,
            compound: false,
            piped: false,
            first_hole: self.hole,
            pipeline_hole: self.hole,
            pipeline_doc: base,
            command_hole: self.hole,
        };
        loop {
            self.skip_blanks();
            let Some(byte) = self.peek() else {
                if self.hole_here().is_some() {
                    self.list_word(&mut list);
                    continue;
                }
                return self.list_end(&mut list, end);
            };
            match byte {
                b'\n' => self.line_break(&mut list, base),
                b'#' => self.comment(),
                b';' | b'&' | b'|' => self.separator(&mut list),
                b'<' | b'>' => self.redirection(&mut list),
                b'(' => self.open_paren(&mut list),
                b')' => {
                    if self.close_paren(&mut list, end, base) {
                        return;
                    }
                }
                _ => self.list_word(&mut list),
            }
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_joins();
            match self.peek() {
                Some(b' ' | b'\t') => self.skip(1),
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        loop {
            if let Some(hole) = self.hole_here() {
                if self.take(hole).is_some()
                    && let Some(text) = self.filling.one_line(hole)
                {
                    self.filling.set(hole, text);
                }
                continue;
            }
            match self.peek() {
                None | Some(b'\n') => return,
                Some(_) => _ = self.bump(),
            }
        }
    }

    fn line_break(&mut self, list: &mut Commands, base: usize) {
        self.skip(1);
        if base > 0 {
            let reason = "a line ends within `$(…)` while a here-document waits for its body";
            return self.stop(self.position - 1, reason, "write the `$(…)` on one line, or before");
        }
        if list.words.is_empty() && !list.begun {
            let piped = list.piped && !list.compound;
            self.command_end(list, piped);
        } else {
            self.command_end(list, false);
        }
        self.here_doc_bodies();
    }

    /// The end of a simple command: what its program does with its words.
    fn command_end(&mut self, list: &mut Commands, piped: bool) {
        if !matches!(list.expect, Expect::ForWords) {
            let reading = reread::check(&list.words);
            for finding in reading.findings {
                match finding.verdict {
                    Verdict::Refuse => self.filling.refuse(finding.hole, &finding.reason, finding.help),
                    Verdict::Warn => self.filling.warn(finding.hole, &finding.reason, finding.help),
                }
            }
            if let Some((name, verdict)) = reading.input {
                self.piped_into(list, &name, verdict);
            }
        }
        if matches!(list.expect, Expect::Argument | Expect::ForWords) {
            list.expect = Expect::Command;
        }
        list.words.clear();
        list.begun = false;
        list.command_hole = self.hole;
        list.piped = piped;
        if !piped {
            list.compound = false;
            list.pipeline_hole = self.hole;
            list.pipeline_doc = self.here_docs.len();
        }
    }

    /// A program that reads its input as code stands in the pipeline: what was written before it is code.
    fn piped_into(&mut self, list: &Commands, name: &str, verdict: Verdict) {
        let first = list.pipeline_doc.min(self.here_docs.len());
        for doc in &mut self.here_docs[first..] {
            doc.reread = Some((name.to_owned(), verdict));
        }
        let reason = format!("`{name}` reads what is piped into it, and with it the value, as code");
        for hole in list.pipeline_hole..list.command_hole {
            match verdict {
                Verdict::Refuse => {
                    self.filling.refuse(hole, &reason, "write a script, and pass arguments to it");
                }
                Verdict::Warn => self.filling.warn(hole, &reason, ""),
            }
        }
    }

    fn separator(&mut self, list: &mut Commands) {
        let open = self.position;
        if list.expect == Expect::PatternEnd && self.looking_at("|") {
            self.skip(1);
            list.expect = Expect::Pattern;
            return;
        }
        for other in ["&>", "|&", ";&", ";;&"] {
            if self.looking_at(other) {
                return self.stop(
                    open,
                    &format!("`{other}` is of other shells"),
                    "`/bin/sh` does not know it",
                );
            }
        }
        let double = self.peek_at(1).is_some() && self.peek_at(1) == self.peek();
        let byte = self.peek();
        self.skip(if double { 2 } else { 1 });
        if self.looking_at("\\\n") {
            self.skip_joins();
            if matches!(self.peek(), Some(b'&' | b'|' | b';' | b'>')) {
                return self.stop(open, "an operator is broken over two lines", "");
            }
        }
        match (byte, double) {
            (Some(b'|'), false) => {
                if list.compound && list.words.is_empty() {
                    list.pipeline_hole = list.first_hole;
                }
                self.command_end(list, true);
                list.compound = false;
            }
            (Some(b';'), true) => {
                if !matches!(list.blocks.last(), Some(Block::Case(_))) {
                    return self.stop(open, "`;;` outside of `case`", "");
                }
                self.command_end(list, false);
                list.expect = Expect::Pattern;
            }
            _ => self.command_end(list, false),
        }
    }

    /// A redirection (2.7) and its target.
    fn redirection(&mut self, list: &mut Commands) {
        let open = self.position;
        list.begun = true;
        for other in ["<<<", "<(", ">("] {
            if self.looking_at(other) {
                return self.stop(
                    open,
                    &format!("`{other}` is of other shells"),
                    "`/bin/sh` does not know it",
                );
            }
        }
        if self.looking_at("<<") {
            return self.here_doc_start();
        }
        let double = [">>", "<>", ">|", "<&", ">&"].iter().any(|operator| self.looking_at(operator));
        let copies = self.peek_at(1) == Some(b'&');
        self.skip(if double { 2 } else { 1 });
        if self.looking_at("\\\n") {
            return self.stop(open, "a line ends within a redirection", "");
        }
        self.skip_blanks();
        if matches!(self.peek(), Some(b'<' | b'>' | b'&' | b'|' | b'(')) {
            return self.stop(open, "this redirection is not clear", "");
        }
        let word = self.word(Role::Single);
        if copies {
            for hole in word.holes {
                let help = "write the number of the descriptor, or a redirection to a file";
                self.filling.refuse(hole, "a value cannot stand after `>&` or `<&`", help);
            }
        }
    }

    fn open_paren(&mut self, list: &mut Commands) {
        let open = self.position;
        self.skip(1);
        match list.expect {
            // `case x in (a)`
            Expect::Pattern => return,
            Expect::Command if !list.begun && list.words.is_empty() => {
                if self.peek() == Some(b'(') {
                    return self.stop(
                        open,
                        "`((` is of other shells",
                        "write `$(( ))`, or `( (` for subshells",
                    );
                }
                list.blocks.push(Block::Paren(open));
                return;
            }
            Expect::Argument if list.words.len() == 1 && !list.begun => {
                self.skip_blanks();
                if self.peek() == Some(b')') {
                    self.skip(1);
                    for hole in std::mem::take(&mut list.words).into_iter().flat_map(|word| word.holes) {
                        self.filling.refuse(hole, "a value cannot name a function", "write the name");
                    }
                    list.expect = Expect::Command;
                    return;
                }
            }
            _ => {}
        }
        self.stop(
            open,
            "a `(` cannot stand here",
            "arrays and patterns like `@(…)` are of other shells; else quote it",
        );
    }

    /// Whether it ends the list.
    fn close_paren(&mut self, list: &mut Commands, end: End, base: usize) -> bool {
        let at = self.position;
        self.skip(1);
        if list.expect == Expect::PatternEnd {
            list.expect = Expect::Command;
            return false;
        }
        self.command_end(list, false);
        match (list.blocks.pop(), end) {
            (Some(Block::Paren(_)), _) => {
                list.compound = true;
                false
            }
            (None, End::Paren(_)) => {
                if self.here_docs.len() > base {
                    self.stop(
                        at,
                        "`$(…)` ends before the body of its here-document",
                        "end it on a line of its own",
                    );
                }
                true
            }
            _ => {
                self.stop(at, "this `)` closes nothing", "");
                true
            }
        }
    }

    fn list_end(&mut self, list: &mut Commands, end: End) {
        self.command_end(list, false);
        match (end, list.blocks.last()) {
            (_, Some(Block::Paren(open))) => self.unclosed(*open, "`(`"),
            (_, Some(Block::Case(open))) => self.unclosed(*open, "`case`"),
            (End::Paren(open), None) => self.unclosed(open, "`$(`"),
            (End::File, None) => self.here_doc_bodies(),
        }
    }
}
