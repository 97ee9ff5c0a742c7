//! An expression, or a string with some in it: the first byte of the input says where it stands.

use std::fmt::Write as _;

use super::input::grown;
use super::tree::{ALL, HOST, build_alike, with};

const HOST_TEXT: &str = "[host]\nsystem = 'debian-12'\narch = 'x86_64'\npython = '3.11'\n\
    modules = ['all', 'users']\n[users.accounts.worker]\n";

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    let Some((place, code)) = input.split_first() else { return };
    let code = String::from_utf8_lossy(code);
    let (bare, hole) = (quoted(&code), quoted(&format!("{{{{{code}}}}}")));
    let lines = match place {
        b't' => format!("[[assert]]\nthat = {bare}\nmessage = 'x'\n"),
        b'e' => format!("[[group]]\nfor_each = {bare}\nname = 'g-{{{{ each.key }}}}'\n"),
        b'r' => format!("[[warn]]\nfor_each = {bare}\nwhen = 'each.value'\nmessage = '{{{{ each.key }}}}'\n"),
        b'v' => format!("[[package]]\nname = {hole}\n"),
        b'i' => format!("[options.x]\ndescription = 'x'\ntype = 'int'\ndefault = {hole}\n"),
        b'l' => format!("[options.x]\ndescription = 'x'\ntype = 'list of string'\ndefault = {hole}\n"),
        b's' => format!("[options.x]\ndescription = 'x'\ntype = 'string'\ndefault = {bare}\n"),
        b'a' => format!("[[warn]]\nwhen = 'true'\nmessage = {bare}\n"),
        b'k' => format!("[[set]]\n[set.all.ms]\n{bare} = 'x'\n"),
        _ => format!("[[package]]\nname = 'x'\nwhen = {bare}\n"),
    };
    let options = ALL.split_once("[[set]]").map_or(ALL, |(options, _)| options);
    let module = format!("{options}\n{lines}");
    let fixed = [(HOST, HOST_TEXT.as_bytes()), ("modules/all/module.toml", module.as_bytes())];
    build_alike(with(&fixed, Vec::new()), &input);
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Writing to a string cannot fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    include_str!("../seeds/expressions.txt").lines().map(Into::into).collect()
}

pub(super) const WORDS: &str = "all.b¦all.i¦all.f¦all.s¦all.w¦all.n¦all.o¦all.l¦all.li¦all.lc¦all.ms¦all.ml¦all.mt¦all.t¦\
    all.t.x¦all.d¦all.z¦all.hp¦users.on¦users.accounts¦each.key¦each.value¦host.name¦ and ¦ or ¦not ¦ in ¦ not in ¦ is ¦\
    is not ¦ if ¦ else ¦none¦true¦false¦defined¦divisibleby(3)¦startingwith('x')¦sequence¦mapping¦ ~ ¦ + ¦ - ¦ * ¦ / ¦\
    // ¦ % ¦ ** ¦ == ¦ != ¦ < ¦ >= ¦[0]¦[-1]¦[1:]¦[::-1]¦[::0]¦.x¦['x']¦(¦)¦[¦]¦{¦}¦{'a': 1}¦:¦,¦'¦\"¦\\n¦{{¦}}¦ | ¦\
    | abs¦| batch(3)¦| batch(0)¦| bool¦| bytes¦| capitalize¦| chain([1])¦| default(1)¦| dictsort¦| first¦| float¦\
    | format(1)¦| groupby('x')¦| int¦| items¦| join(',')¦| last¦| length¦| lines¦| list¦| lower¦| map('upper')¦\
    | map(attribute='x')¦| max¦| min¦| reject('none')¦| rejectattr('x')¦| replace('a', 'b')¦| reverse¦| round(9)¦\
    | round(-400)¦| seconds¦| select('defined')¦| selectattr('x', 'eq', 1)¦| slice(3)¦| slice(0)¦| sort¦\
    | sort(attribute='x')¦| split¦| split('', 1)¦| string¦| sum¦| title¦| trim('x')¦| unique¦| upper¦| zip([1])¦\
    range(9)¦range(99999)¦range(0, 9, 0)¦range(9, 0, -1)¦.upper()¦.keys()¦.items()¦.split(',')¦.get('x')¦1¦-1¦0¦0.5¦1e308¦\
    9223372036854775807¦-9223372036854775808¦99999999999999999999¦170141183460469231731687303715884105727¦'%s%c%d%99999d'¦\
    é¦日¦\u{1b}¦\u{f0000}";
