//! A template in each grammar: the first byte of the input says which. Settings of all types are its holes.

use voevent_node::build::artifact::Grammar;

use super::input::{files, grown};
use super::reread;
use super::tree::{ALL, HOST, build_alike, with};

const HOST_TEXT: &str = "[host]\nsystem = 'debian-12'\narch = 'x86_64'\npython = '3.11'\nmodules = ['all']\n";
const OTHERS: &str = "[[script]]\nname = 'other'\nsource = 'raw'\n[[file]]\nname = 'other'\nsource = 'raw'\n\
    [[unit]]\nname = 'other.service'\ntemplate = 'x.conf.j2'\n[[venv]]\nname = 'env'\nrequirements = ['lxml']\n";

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    let Some((first, text)) = input.split_first() else { return };
    let (name, grammar) = Grammar::ALL[usize::from(first.wrapping_sub(b'0')) % Grammar::ALL.len()];
    let keys = match grammar {
        Grammar::Sh => "[[script]]\nname = 'main'\n",
        Grammar::Unit => "[[unit]]\nname = 'main.service'\n",
        _ => "[[file]]\npath = '/etc/main'\n",
    };
    let options = ALL.split_once("[[set]]").map_or(ALL, |(options, _)| options);
    let module = format!("{options}\n{OTHERS}{keys}template = 'main.j2'\ngrammar = '{name}'\n");
    let (main, others) = files(text);
    let fixed: [(&str, &[u8]); 3] = [
        (HOST, HOST_TEXT.as_bytes()),
        ("modules/all/module.toml", module.as_bytes()),
        ("modules/all/main.j2", main),
    ];
    if let Some(taken) = build_alike(with(&fixed, others), &input) {
        reread::check(&taken.compiled);
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        include_str!("../seeds/x.sh"),
        include_str!("../seeds/x.service"),
        include_str!("../seeds/x.json"),
        include_str!("../seeds/x.toml"),
        include_str!("../seeds/x.ini"),
        include_str!("../seeds/x.xml"),
        include_str!("../seeds/x.py"),
        include_str!("../seeds/x.nft"),
        include_str!("../seeds/x.lines"),
        include_str!("../seeds/x.txt"),
    ]
    .map(Into::into)
    .to_vec();
    let run = include_str!("../../../modules/comet/comet-run.sh.j2").replace("comet.", "all.");
    let unit = include_str!("../../../modules/comet/comet.service.j2").replace("comet.", "all.");
    seeds.push(format!("0{run}").into_bytes());
    seeds.push(format!("1{unit}").into_bytes());
    // A line alone is sooner another line.
    let lines: Vec<Vec<u8>> = seeds
        .iter()
        .flat_map(|seed| {
            let (grammar, text) = seed.split_at(1);
            text.split(|byte| *byte == b'\n')
                .filter(|line| line.contains(&b'{'))
                .map(move |line| [grammar, line, b"\n"].concat())
        })
        .collect();
    seeds.extend(lines);
    seeds
}

pub(super) const WORDS: &str = "{{ all.s }}¦{{ all.i }}¦{{ all.f }}¦{{ all.b }}¦{{ all.w }}¦{{ all.l }}¦{{ all.li }}¦\
    {{ all.lc }}¦{{ all.c }}¦{{ all.p }}¦{{ all.ms }}¦{{ all.mt }}¦{{ all.t }}¦{{ all.n }}¦{{ all.u }}¦{{ all.d }}¦\
    {{ script('other') }}¦{{ file('other') }}¦{{ unit('other.service') }}¦{{ venv('env') }}¦{{ loop.index }}¦\
    {% if all.b %}¦{% elif all.i > 1 %}¦{% else %}¦{% endif %}¦{% for x in all.l %}¦{% for k, v in all.ms | dictsort %}¦\
    {% endfor %}¦{% set x = all.l %}¦{% include 'part.j2' %}¦{% raw %}¦{% endraw %}¦{{ x }}¦{#¦#}¦{%-¦-%}¦{{-¦-}}¦ ~ ¦ | ¦\
    \n#=== modules/all/part.j2\n¦\"¦'¦'''¦\"\"\"¦`¦$¦$(¦$((¦))¦)¦${a:-¦}¦<<EOF\n¦<<-'E'\n¦\nEOF\n¦case a in ¦esac¦;;¦\
    if ¦then ¦fi\n¦for x in ¦do ¦done\n¦while ¦{ ¦; }¦eval ¦sh -c ¦exec ¦|¦&&¦>&2¦\\\n¦\\¦#¦ # ¦;¦!¦[[ ¦ ]]¦\
    [Unit]\n¦[Service]\n¦ExecStart=¦Environment=¦Description=¦User=¦ReadWritePaths=¦%h¦%%¦-/bin/x ¦X-Reload-Triggers=¦\
    [¦]¦[[x]]\n¦{¦}¦:¦,¦=¦ = ¦null¦true¦\\u0041¦\\x41¦f\"{¦!r:>2}\"¦r'¦b'¦import os\n¦def f():\n  ¦return ¦lambda ¦\
    <a>¦</a>¦<a b=\"¦<!-- ¦ -->¦<![CDATA[¦]]>¦&amp;¦&#10;¦<?xml version=\"1.0\"?>¦<!DOCTYPE a [¦table inet f {\n¦\
    chain c {\n¦tcp dport ¦ip saddr ¦ accept¦comment ¦@set¦define x = ¦\r\n¦\t¦é¦日¦\u{2028}¦\u{1b}¦\u{f0000}";
