//! A `module.toml`, with templates and a host.

use super::input::{files, grown};
use super::tree::{ALL, HOST, build_alike, with};

/// What turns the module on.
const WITH_ALL: &str =
    "[host]\nsystem = 'debian-12'\narch = 'x86_64'\npython = '3.11'\nmodules = ['all', 'users']\n";

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    let (module, others) = files(&input);
    let tree = with(&[(HOST, WITH_ALL.as_bytes()), ("modules/all/module.toml", module)], others);
    build_alike(tree, &input);
}

/// The module with everything, the real ones in its place, and each part alone.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let comet = include_str!("../../../modules/comet/module.toml").replace("comet.", "all.");
    let comet = comet.replace("optional = true", "default = \"ivo://org.example/x\"");
    let users = include_str!("../../../modules/users/module.toml").replace("users.", "all.");
    let (options, rest) = ALL.split_once("[[set]]").unwrap_or((ALL, ""));
    let parts = rest.split("\n[[").map(|part| format!("{options}\n[[{part}\n"));
    [ALL.to_owned(), comet, users].into_iter().chain(parts).map(String::into_bytes).collect()
}

pub(super) const WORDS: &str = "[module]\ndescription = \"x\"\n¦requires = [\"users\"]\n¦uses = ['comet']\n¦\
    [options.a]\ndescription = 'x'\ntype = 'int'\n¦type = ¦\"bool\"¦\"int\"¦\"float\"¦\"string\"¦\"one of\"¦\"path\"¦\
    \"port\"¦\"host-port\"¦\"cidr\"¦\"duration\"¦\"size\"¦\"mode\"¦\"ivoid\"¦\"user-name\"¦\"table\"¦list of ¦map of ¦\
    of = ['a']\n¦default = ¦optional = true\n¦internal = true\n¦repeat = true\n¦example = ¦min = ¦max = ¦\
    pattern = '(a|b)*c{1,9}'\n¦[options.t.fields.q]\n¦fields = {}\n¦when = ¦for_each = ¦that = ¦message = ¦level = ¦\
    [[set]]\n¦[set.all.mt.x]\n¦[set.users.accounts.\"{{ all.u }}\"]\n¦[[assert]]\n¦[[warn]]\n¦[[file]]\n¦[[script]]\n¦\
    [[unit]]\n¦[[venv]]\n¦[[group]]\n¦[[user]]\n¦[[directory]]\n¦[[package]]\n¦[[check]]\n¦name = ¦path = ¦template = ¦\
    source = ¦grammar = 'sh'\n¦exec = true\n¦same = true\n¦mode = ¦owner = ¦group = ¦home = ¦shell = ¦wanted_by = ¦\
    requirements = ¦imports = ¦kind = 'vtp-nak'\n¦unit = ¦within = ¦'{{ all.i }}'¦'{{ all.l }}'¦'{{ all.mt }}'¦\
    '{{ each.key }}'¦'{{ each.value }}'¦'{{ host.name }}'¦x{{ all.w }}¦'x.json.j2'¦'x.sh.j2'¦'raw'¦'/etc/x'¦'all.l'¦\
    'all.mt'¦{ replace = [] }¦\n#=== hosts/node1.toml\n¦\n#=== modules/all/x.json.j2\n¦\\u007b{¦'''¦\"\"\"¦{{¦}}¦[¦]¦{¦}¦\
    =¦,¦.¦true¦1¦-1¦9223372036854775807¦nan¦é¦\u{1b}¦\u{f0001}";
