//! Command lines (systemd.service(5), "Command lines"): words with C escapes, then specifiers, then variables.

use super::super::reread::{self, Verdict};
use super::super::source::Filling;
use super::Symbol;
use super::escape::{self, Style};
use super::split::{Item, Word, split};
use super::words;
use crate::base::path::TargetPath;

/// What may stand before a program; `|` (a shell runs the line; systemd 258) is none of them.
const PREFIXES: &str = "@-:+!";

/// Fills the holes of command lines, which a word `;` divides.
pub(super) fn fill(filling: &mut Filling<'_>, value: &[Symbol]) {
    let style = Style { c: true, variables: true, colon: false };
    let words = split(filling, value, style);
    for command in words.split(|word| word.bare && word.items == [Item::Char(';')]) {
        fill_command(filling, command);
    }
}

fn fill_command(filling: &mut Filling<'_>, command: &[Word]) {
    let Some((program, arguments)) = command.split_first() else {
        return;
    };
    let prefix = program
        .items
        .iter()
        .take_while(|item| matches!(item, Item::Char(c) if PREFIXES.contains(*c)))
        .count();
    let prefixes = &program.items[..prefix];
    let style = Style { c: true, variables: !prefixes.contains(&Item::Char(':')), colon: false };
    let mut argv = fill_program(filling, program, prefix, style);
    for (index, word) in arguments.iter().enumerate() {
        words::guard(filling, word, style.variables);
        let holes = word.holes();
        for text in words::fill_word(filling, word, style) {
            if let Some(hole) = holes.first() {
                words::too_long(filling, *hole, &text);
            }
            // With `@` the second word is `argv[0]`, and no argument.
            if index > 0 || !prefixes.contains(&Item::Char('@')) {
                argv.push(reread::Word { text, holes: holes.clone() });
            }
        }
    }
    for finding in reread::check(&argv).findings {
        match finding.verdict {
            Verdict::Refuse => filling.refuse(finding.hole, &finding.reason, finding.help),
            Verdict::Warn => filling.warn(finding.hole, &finding.reason, finding.help),
        }
    }
}

/// The program: an absolute path that needs no quoting of any kind. A list is the program and its first arguments.
fn fill_program(filling: &mut Filling<'_>, word: &Word, prefix: usize, style: Style) -> Vec<reread::Word> {
    let holes = word.holes();
    let Some(first) = holes.first().copied() else {
        let text =
            word.items[prefix..].iter().map(|item| if let Item::Char(c) = item { *c } else { ' ' }).collect();
        return vec![reread::Word { text, holes }];
    };
    words::guard(filling, word, style.variables);
    let texts = words::fill_word(filling, word, style);
    let Some(program) = texts.first() else {
        filling.refuse(
            first,
            "the list is empty, so there is no program",
            "write the program before it, or put the line into `{% if … %}`",
        );
        return Vec::new();
    };
    let path =
        if word.alone().is_some() { program.clone() } else { words::as_path(filling, &word.items[prefix..]) };
    if !escape::plain(&path) || TargetPath::new(path.as_str()).is_err() {
        let reason = format!("`{}` is no plain absolute path of a program", path.escape_debug());
        filling.refuse(first, &reason, "letters, digits and `_@.,:/+=-` can stand in it");
    }
    let mut argv = vec![reread::Word { text: path, holes: holes.clone() }];
    argv.extend(texts.into_iter().skip(1).map(|text| reread::Word { text, holes: holes.clone() }));
    argv
}
