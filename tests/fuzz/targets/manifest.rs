//! The text of a manifest.

use voevent_node::base::name::Label;
use voevent_node::base::nesting::too_much;
use voevent_node::build::changes::changes;
use voevent_node::store::bundle::{Bundle, bundle_digest};
use voevent_node::store::manifest::{FORMAT, Manifest};
use voevent_node::store::object::ObjectName;

use super::input::grown;
use super::laws::is_line;
use super::tree::{HOST, build, with};

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    let text = String::from_utf8_lossy(&input);
    let host = text.lines().find_map(|line| line.strip_prefix("host = \"")?.strip_suffix('"'));
    let labels = [host.unwrap_or_default(), "node1"];
    let Some(label) = labels.into_iter().find_map(|host| Label::new(host).ok()) else { return };
    let name = ObjectName::of_bundle(bundle_digest(&text), &label);
    match Bundle::read(&name, &input) {
        Ok(bundle) => {
            assert_eq!(bundle.manifest.to_toml(), text, "a manifest is written as it was read");
            assert_eq!(bundle.name, name, "it has the name under which it was asked for");
            assert!(bundle.root().keys().all(|path| !path.starts_with('/') && !path.contains("..")));
            assert!(changes(&bundle.manifest, &bundle.manifest).is_empty(), "nothing changed");
            assert_eq!(Bundle::seal(bundle.manifest.clone()), Ok(bundle), "it can be sealed again");
        }
        Err(error) => assert!(is_line(&error.to_string()), "{error}"),
    }
    // Whatever can be sealed can be read, also where it was not written as it should.
    if too_much(&text).is_none()
        && let Ok(manifest) = toml::from_str::<Manifest>(&text)
        && manifest.format == FORMAT
        && let Ok(bundle) = Bundle::seal(manifest)
    {
        let read = Bundle::read(&bundle.name, bundle.manifest.to_toml().as_bytes());
        assert_eq!(read, Ok(bundle), "a sealed manifest can be read");
    }
}

/// The manifests of the project's own host and of the module with everything; an empty one.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let hosts = [include_str!("../../../hosts/node1.toml"), include_str!("../seeds/host.toml")];
    let mut seeds = Vec::new();
    for host in hosts {
        let (host, others) = super::input::files(host.as_bytes());
        let Some(taken) = build(&mut with(&[(HOST, host)], others)) else { continue };
        let manifest = taken.sealed.bundle.manifest;
        seeds.push(Manifest::empty(manifest.host.clone(), manifest.target.clone()).to_toml().into_bytes());
        seeds.push(manifest.to_toml().into_bytes());
    }
    seeds
}

pub(super) const WORDS: &str = "format = 1\n¦host = \"node1\"\n¦packages = [¦\n[target]\n¦\n[[object]]\n¦\n[[path]]\n¦\
    \n[[unit]]\n¦\n[[drop_in]]\n¦\n[[group]]\n¦\n[[user]]\n¦\n[[directory]]\n¦\n[[venv]]\n¦\n[[check]]\n¦hash = ¦\
    kind = \"file\"\n¦kind = \"tree\"\n¦name = ¦size = 1\n¦path = \"/etc/x\"\n¦object = ¦place = \"copy\"\n¦\
    place = \"link\"\n¦mode = \"0640\"\n¦digest = ¦reload = ¦restart_if_changed = false\n¦reload_if_changed = true\n¦\
    stop_if_changed = true\n¦stop_on_removal = false\n¦start_timeout = 90\n¦stop_timeout = 18446744073709551615\n¦\
    wanted_by = [¦unit = \"x.service\"\n¦group = ¦home = \"/\"\n¦shell = ¦owner = ¦lock = ¦imports = [¦kind = \"vtp\"\n¦\
    kind = \"unit-active\"\n¦port = 1\n¦within_ms = 1\n¦/..¦//¦.service¦.d/x.conf¦\"¦\\\"¦\\u0041¦'¦[¦]¦{¦}¦=¦,¦.¦0x1¦1_0¦\
    9223372036854775807¦-1¦true¦\r\n¦é¦\u{1b}¦\u{85}";
