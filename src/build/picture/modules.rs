//! The modules of a host: who requires and uses whom, and who sets what of whom. That is how information flows.

use std::collections::BTreeMap;

use crate::base::name::InstanceName;
use crate::build::front::Compiled;

use super::Picture;
use super::kinds::{Kind, Link};

/// The graph of the modules.
#[must_use]
pub fn picture(compiled: &Compiled) -> Picture {
    let mut picture = Picture::new(&format!("{}: modules", compiled.host.name));
    let mut nodes = BTreeMap::new();
    let modules = compiled.rendered.modules.iter().filter_map(|name| compiled.modules.get_key_value(name));
    for (name, module) in modules {
        let named = compiled.host.modules.iter().any(|on| on.value == *name);
        let (kind, label) = (if named { Kind::Named } else { Kind::Required }, name.to_string());
        nodes.insert(name, picture.node(&label, kind, &label, &module.file.description));
    }
    for (name, module) in &compiled.modules {
        let Some(from) = nodes.get(name).copied() else { continue };
        for (links, kind) in [(&module.file.requires, Link::Requires), (&module.file.uses, Link::Uses)] {
            for meant in links.iter().filter_map(|named| module.means(named.value.as_str())) {
                let label = meant.to_string();
                let to = picture.node(&label, Kind::Off, &label, "off on this host");
                picture.edge(from, to, kind, "");
            }
        }
    }
    for (setter, target, option) in sets(compiled) {
        if let (Some(from), Some(to)) = (nodes.get(setter), nodes.get(target)) {
            picture.edge(*from, *to, Link::Sets, &option);
        }
    }
    picture
}

/// The options that have a value, or a part of it, from another module: whose `[[set]]`, whose option, its path.
fn sets(compiled: &Compiled) -> Vec<(&InstanceName, &InstanceName, String)> {
    let mut found = Vec::new();
    for (leaf, setting) in &compiled.settings.values {
        let heard = setting.history.definitions.iter().filter(|definition| definition.counts.is_heard());
        let setters = heard.filter_map(|definition| definition.by.as_ref());
        for setter in setters.filter(|setter| setter.module != leaf.module) {
            found.push((&setter.module, &leaf.module, leaf.path.join(".")));
        }
    }
    found
}
