//! What modules state about their services: who listens where for whom, who subscribes to whom.
//!
//! Nothing of it is on a host. It is what the checks within a host and across hosts compare, so that the compiler need
//! not know any broker.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::base::name::InstanceName;
use crate::base::nearest::advice;
use crate::base::report::{Diagnostic, Place};
use crate::base::value::Value;

use super::config::fact::{FactDecl, FactKind};
use super::config::tree::{Data, Node};
use super::emit::value;
use super::host::HostFiles;
use super::names::{Meanings, Names};
use super::options::Settings;
use super::options::evaluate::{EachEntry, Machine, Nothing, Site};
use super::world::{Leaf, Meaning};

/// Where something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whose statement it is.
    pub module: InstanceName,
    /// Its line.
    pub line: Place,
    /// Where host files, or what they import, set what that line reads: as near to the value as can be told.
    pub set: Vec<(Place, Leaf)>,
}

impl Said {
    /// Adds its places to a diagnostic, those of the host's settings first; `label` is said at the first.
    #[must_use]
    pub fn shown(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        let line = if self.set.is_empty() { label.to_owned() } else { "which is stated here".to_owned() };
        let set = self.set.iter().enumerate().fold(diagnostic, |diagnostic, (index, (place, leaf))| {
            let label = if index == 0 { label.to_owned() } else { format!("`{leaf}` is set here") };
            diagnostic.at(place.clone(), label)
        });
        set.at(self.line.clone(), line)
    }

    /// The place that says most: that of a host's setting, where there is one.
    #[must_use]
    pub fn place(&self) -> &Place {
        self.set.first().map_or(&self.line, |(place, _)| place)
    }
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a broker does at a port (VOEvent Transport Protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It passes events on to subscribers.
    Broadcast,
    /// It takes events from authors.
    Receive,
}

/// A service takes connections, or datagrams.
#[derive(Debug)]
pub struct Listener {
    /// What people call it; the name of the instance where the module says nothing else.
    pub service: String,
    /// Where.
    pub port: u16,
    /// By which protocol.
    pub protocol: Protocol,
    /// What a broker does there; `None` for another service.
    pub role: Option<Role>,
    /// From which networks, the host itself aside; `None`: from everywhere.
    pub from: Option<Vec<IpNet>>,
    /// Where the port is said.
    pub said: Said,
    /// Where `from` is said; as `said` where it is left out.
    pub from_said: Said,
}

/// A service takes events from a broker.
#[derive(Debug)]
pub struct Subscription {
    /// The broker's host, in lower case, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where that is said.
    pub said: Said,
}

impl Subscription {
    /// As people write it: `host:port`.
    #[must_use]
    pub fn to(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Who a broker is.
#[derive(Debug)]
pub struct Broker {
    /// Its IVOID.
    pub ivo: String,
    /// Where that is said.
    pub said: Said,
}

/// Events come in from elsewhere than a broker or an author.
#[derive(Debug)]
pub struct EventSource {
    /// What people call it.
    pub name: String,
    /// Where that is said.
    pub said: Said,
}

/// All that the modules of a host state.
#[derive(Debug, Default)]
pub struct Facts {
    /// Who its brokers are.
    pub brokers: Vec<Broker>,
    /// Where its services listen.
    pub listeners: Vec<Listener>,
    /// To whom they subscribe.
    pub subscriptions: Vec<Subscription>,
    /// What else gives them events.
    pub sources: Vec<EventSource>,
}

/// The facts of all modules, by module order, then as written, then by entry; two services at one port are a fault.
pub fn facts(
    machine: &Machine<'_>,
    (files, settings): (&HostFiles, &Settings),
    faults: &mut Vec<Diagnostic>,
) -> Facts {
    let mut facts = Facts::default();
    for module in machine.world.order.iter().filter_map(|name| machine.world.modules.get(name)) {
        for decl in &module.file.facts {
            let entries = match machine.entries(module, &decl.guard, settings) {
                Ok(entries) => entries,
                Err(nothing) => {
                    faults.push(nothing.reported(&decl.place).of(&module.name));
                    continue;
                }
            };
            for each in &entries {
                let site = Site { module, each: each.as_ref() };
                let stater = Stater { machine, files, settings, decl, site };
                if let Err(nothing) = stater.state(&mut facts) {
                    faults.push(nothing.reported(&decl.place).of(&module.name));
                }
            }
        }
    }
    faults.extend(taken(&facts.listeners));
    facts
}

/// Services that want one port.
fn taken(listeners: &[Listener]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<(Protocol, u16), &Listener> = BTreeMap::new();
    let mut faults = Vec::new();
    for listener in listeners {
        let Some(other) = first.get(&(listener.protocol, listener.port)) else {
            first.insert((listener.protocol, listener.port), listener);
            continue;
        };
        let message = format!("two services listen on port {}", listener.port);
        let shown =
            |fault, listener: &Listener| listener.said.shown(fault, &format!("by {}", named(listener)));
        let fault = shown(shown(Diagnostic::error(message), listener), other);
        faults.push(fault.help("give one of them another port"));
    }
    faults
}

/// What a service is called, with what it does: `comet`, which broadcasts.
fn named(listener: &Listener) -> String {
    let service = &listener.service;
    match listener.role {
        Some(Role::Broadcast) => format!("`{service}`, to broadcast"),
        Some(Role::Receive) => format!("`{service}`, to receive"),
        None => format!("`{service}`"),
    }
}

/// Evaluates a fact.
struct Stater<'a> {
    machine: &'a Machine<'a>,
    files: &'a HostFiles,
    settings: &'a Settings,
    decl: &'a FactDecl,
    site: Site<'a>,
}

impl Stater<'_> {
    fn state(&self, facts: &mut Facts) -> Result<(), Nothing> {
        match self.decl.kind {
            FactKind::Listen => facts.listeners.push(self.listener()?),
            FactKind::Subscribe => {
                let (to, said) = self.needed("to")?;
                let (host, port) = to.rsplit_once(':').unwrap_or((&to, ""));
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                // The form of a `host-port` was checked.
                facts.subscriptions.push(Subscription { host, port: port.parse().unwrap_or(0), said });
            }
            FactKind::Broker => {
                let (ivo, said) = self.needed("ivo")?;
                facts.brokers.push(Broker { ivo, said });
            }
            FactKind::Source => {
                let (name, said) = self.needed("name")?;
                facts.sources.push(EventSource { name, said });
            }
        }
        Ok(())
    }

    fn listener(&self) -> Result<Listener, Nothing> {
        let (port, said) = self.key("port")?.ok_or_else(|| self.lacks("port"))?;
        let port = if let Value::Int(port) = port { u16::try_from(port).unwrap_or(0) } else { 0 };
        let protocol = self.one_of("protocol", [("tcp", Protocol::Tcp), ("udp", Protocol::Udp)])?;
        let role = self.one_of("role", [("broadcast", Role::Broadcast), ("receive", Role::Receive)])?;
        let service = self.key("service")?.and_then(|(value, _)| value.text());
        let (from, from_said) = match self.key("from")? {
            Some((Value::List(networks), said)) => {
                let networks = networks.iter().filter_map(|network| network.text()?.parse().ok());
                (Some(networks.collect()), said)
            }
            _ => (None, said.clone()),
        };
        Ok(Listener {
            service: service.unwrap_or_else(|| self.site.module.name.to_string()),
            port,
            protocol: protocol.unwrap_or(Protocol::Tcp),
            role,
            from,
            said,
            from_said,
        })
    }

    /// The value of a key, and where it comes from.
    fn key(&self, key: &'static str) -> Result<Option<(Value, Said)>, Nothing> {
        let holds = self.decl.kind.keys().iter().find(|(name, ..)| *name == key).map(|(_, holds, _)| *holds);
        let (Some(holds), Some(written)) = (holds, self.decl.keys.get(key)) else { return Ok(None) };
        let node = self.machine.node(written, self.site, self.settings)?;
        if node.data == Data::None {
            return Ok(None);
        }
        let said = |value: &Value| self.said(written, value);
        let shown = |fault: Diagnostic| {
            let text = if let Data::Str(text) = &node.data { text.clone() } else { String::new() };
            let set = said(&Value::Str(text)).set.into_iter();
            set.fold(fault, |fault, (place, leaf)| fault.at(place, format!("`{leaf}` is set here")))
        };
        let value = value(holds, &node).map_err(shown)?;
        let said = said(&value);
        Ok(Some((value, said)))
    }

    fn needed(&self, key: &'static str) -> Result<(String, Said), Nothing> {
        let found = self.key(key)?.and_then(|(value, said)| Some((value.text()?, said)));
        Ok(found.ok_or_else(|| self.lacks(key))?)
    }

    fn lacks(&self, key: &str) -> Diagnostic {
        Diagnostic::error(format!("`{key}` is needed"))
            .at(self.decl.place.clone(), "")
            .help("give it a value")
    }

    fn one_of<T: Copy>(
        &self,
        key: &'static str,
        known: [(&'static str, T); 2],
    ) -> Result<Option<T>, Nothing> {
        let Some((value, said)) = self.key(key)? else { return Ok(None) };
        let text = value.text().unwrap_or_default();
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, found)| *found);
        Ok(Some(found.ok_or_else(|| {
            let error = Diagnostic::error(format!("there is no {key} `{}`", text.escape_debug()));
            error.at(said.line, "").help(advice(&text, known.iter().map(|(name, _)| *name)))
        })?))
    }

    /// Where the value of a key is said.
    fn said(&self, written: &Node, value: &Value) -> Said {
        let module = self.site.module;
        let mut names = Names { world: self.machine.world, module, faults: &mut Vec::new() };
        let mut meanings = names.node(written, self.machine.world.entries(&self.decl.guard));
        let mut each = self.site.each;
        if meanings.iter().any(|(meaning, _)| *meaning == Meaning::Each) {
            let through = self.decl.guard.for_each.as_ref();
            meanings
                .extend(through.map_or_else(Meanings::new, |code| names.bare(code, super::world::Each::No)));
        } else {
            each = None;
        }
        let set = self.settings.written(&meanings).into_iter();
        let set = set.map(|(place, leaf)| (self.narrowed(place, each, value), leaf)).collect();
        Said { module: module.name.clone(), line: written.place.clone(), set }
    }

    /// Within a list or a map that a host sets, the entry that a value comes from, where it can be told.
    fn narrowed(&self, place: Place, each: Option<&EachEntry>, value: &Value) -> Place {
        let Some(each) = each else { return place };
        let sections = self.files.files.iter().flat_map(|file| file.sections.values());
        let mut nodes: Vec<&Node> = sections.map(|entry| &entry.value).collect();
        while let Some(node) = nodes.pop() {
            if node.place == place {
                return entry_of(node, each, value).unwrap_or(place);
            }
            nodes.extend(inner(node).into_iter().map(|(_, node)| node));
        }
        place
    }
}

/// What is in a list or a table, with its keys.
fn inner(node: &Node) -> Vec<(Option<(&str, &Place)>, &Node)> {
    match &node.data {
        Data::List(items) => items.iter().map(|item| (None, item)).collect(),
        Data::Table(table) => {
            let entries = table.entries.iter();
            entries.map(|(key, entry)| (Some((key.as_str(), &entry.key)), &entry.value)).collect()
        }
        _ => Vec::new(),
    }
}

/// The entry of a list that has this value, or of a map that has this key, below a node.
fn entry_of(node: &Node, each: &EachEntry, value: &Value) -> Option<Place> {
    let is = |text: &str, value: &Value| value.text().is_some_and(|value| value.eq_ignore_ascii_case(text));
    for (key, node) in inner(node) {
        let found = match (key, &node.data) {
            (Some((key, place)), _) if is(key, &each.key) => Some(place.clone()),
            (_, Data::Str(text)) if is(text, value) => Some(node.place.clone()),
            _ => entry_of(node, each, value),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
