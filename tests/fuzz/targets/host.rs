//! A host file, with an import and the modules that there are.

use super::input::{files, grown};
use super::tree::{HOST, build_alike, with};

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    let (host, others) = files(&input);
    build_alike(with(&[(HOST, host)], others), &input);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let node = include_str!("../../../hosts/node1.toml");
    let imports = node.replace("# imports", "imports");
    [node, &imports, include_str!("../seeds/host.toml")].map(Into::into).to_vec()
}

pub(super) const WORDS: &str = "[host]\n¦modules = ['all', \"users\"]\n¦modules = { replace = ['comet'] }\n¦\
    imports = ['site.toml']\n¦imports = [\"../hosts/site.toml\"]\n¦\n#=== hosts/site.toml\n¦[all]\n¦[comet]\n¦[users]\n¦modules = ['all', 'all:b']\n¦[\"all:b\"]\n¦\
    [all.t]\n¦[all.mt.a]\n¦{ replace = [] }¦{ replace = {} }¦replace = ¦true¦false¦nan¦-inf¦1e9¦0x1F¦0b1¦1_000¦-1¦\
    9223372036854775807¦9999999999999999999¦1979-05-27T07:32:00Z¦07:32:00¦'''\n¦\"\"\"\n¦\\u00e9¦\\\n  ¦\\\"¦{{ all.s }}¦\
    [[all.l]]\n¦all.l = ¦b = ¦i = ¦f = ¦s = ¦w = ¦n = ¦o = ¦p = ¦port = ¦hp = ¦c = ¦d = ¦z = ¦m = ¦v = ¦u = ¦l = ¦li = ¦\
    lc = ¦ms = ¦ml = ¦mt = ¦t.x = ¦'/srv/x'¦'one'¦'1h30m'¦'256M'¦'0750'¦'ivo://a.b/c'¦'10.0.0.0/8'¦'::1/128'¦\
    'host:80'¦'[::1]:80'¦[1, 2]¦['a', 'b']¦{ a = 1 }¦=¦,¦[¦]¦{¦}¦#¦.¦\r\n¦\u{feff}¦é¦日¦\u{f0000}¦\u{1b}[31m¦\u{202e}";
