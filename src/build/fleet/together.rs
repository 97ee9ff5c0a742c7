//! What hosts must not share, and what only all of them together show: rings, and hosts that get no event.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::name::{HostName, InstanceName};
use crate::base::report::{Diagnostic, Place};
use crate::build::facts::{Broker, Role, Said};
use crate::build::ring::{Edge, Ring, order};

use super::flow::{Flow, Upstream, canonical};
use super::{Member, also};

/// Hosts of one `[host] address`: bundles for one would be sent to the other.
pub(super) fn equal_addresses(members: &[Member]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, (&HostName, &Place)> = BTreeMap::new();
    let mut found = Vec::new();
    for member in members {
        let Some(address) = &member.address else { continue };
        let Some((name, place)) = first.get(&canonical(&address.value)) else {
            first.insert(canonical(&address.value), (&member.name, &address.place));
            continue;
        };
        let message = format!("hosts `{name}` and `{}` have the address `{}`", member.name, address.value);
        let error = Diagnostic::error(message).at(address.place.clone(), format!("of `{}`", member.name));
        let error = also(error, Some(place), &format!("of `{name}`"));
        found.push(
            error.help("give each host its own address, in its own file: it is where its bundle is sent"),
        );
    }
    found
}

/// Brokers of one IVOID: those who get an event from both cannot tell them apart.
pub(super) fn equal_ivos(members: &[Member]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, (&HostName, &Broker)> = BTreeMap::new();
    let mut found = Vec::new();
    for member in members {
        for broker in &member.facts.brokers {
            // IVOIDs are compared without regard to case (IVOA Identifiers 2.0).
            let key = broker.ivo.to_ascii_lowercase();
            let Some((name, other)) = first.get(&key) else {
                first.insert(key, (&member.name, broker));
                continue;
            };
            let brokers = if *name == &member.name {
                format!("two brokers of `{name}`")
            } else {
                format!("brokers of `{name}` and `{}`", member.name)
            };
            let error = Diagnostic::error(format!("{brokers} have the IVOID `{}`", broker.ivo));
            let error = error.at(broker.said.place().clone(), format!("on `{}`", member.name));
            let error = also(error, Some(other.said.place()), &format!("on `{name}`"));
            found.push(error.help("give each broker an IVOID of its own, such as `ivo://AUTHORITY/HOST`"));
        }
    }
    found
}

/// A broker of a flow: its host, and which of that host's it is.
type Node<'a> = (usize, &'a InstanceName);

/// Hosts that subscribe to each other in a ring: each event comes back to each of them, and is dropped as seen before.
/// A host with two brokers may let one subscribe to the other.
pub(super) fn rings(flow: &Flow<'_>) -> Vec<Diagnostic> {
    let links: Vec<(Node<'_>, Node<'_>, &Said)> = flow
        .links
        .iter()
        .filter_map(|link| match link.upstream {
            Upstream::Member(upstream, listener) => {
                let said = &link.subscription.said;
                Some(((link.subscriber, &said.module), (upstream, &listener.said.module), said))
            }
            _ => None,
        })
        .collect();
    let nodes: BTreeSet<Node<'_>> = links.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
    let nodes: Vec<Node<'_>> = nodes.into_iter().collect();
    let index = |node: &Node<'_>| nodes.partition_point(|other| other < node);
    let edges = links.iter().map(|(from, to, said)| (index(from), index(to), *said));
    // Within a larger ring the shortest one is shown: who subscribes to itself would hide it.
    let (own, others): (Vec<Edge<&Said>>, Vec<_>) = edges.partition(|(from, to, _)| from == to);
    let mut rings = order(nodes.len(), &others).err().unwrap_or_default();
    rings.extend(own.into_iter().map(|(node, _, said)| vec![(node, said)]));
    rings.iter().map(|ring| ring_warning((flow, &nodes), ring)).collect()
}

fn ring_warning((flow, nodes): (&Flow<'_>, &[Node<'_>]), ring: &Ring<&Said>) -> Diagnostic {
    let broker = |node: &usize| {
        let (member, module) = nodes[*node];
        let host = &flow.members[member].name;
        if module.name().is_some() { format!("`{module}` of `{host}`") } else { format!("`{host}`") }
    };
    let names: Vec<String> = ring.iter().map(|(node, _)| broker(node)).collect();
    let Some(first) = names.first() else { return Diagnostic::warning("hosts subscribe in a ring") };
    let message = match names.as_slice() {
        [one] => format!("{one} subscribes to itself"),
        names => format!("hosts subscribe to each other in a ring: {} → {first}", names.join(" → ")),
    };
    let nexts = names.iter().skip(1).chain([first]);
    let warning =
        ring.iter().zip(nexts).fold(Diagnostic::warning(message), |warning, ((node, said), next)| {
            also(warning, Some(said.place()), &format!("{} takes events from {next}", broker(node)))
        });
    let help = "each event goes round and is dropped where it was seen before: leave one of these out, unless the ring \
                is there so that one of them may fail";
    warning.help(if names.len() == 1 { "leave it out" } else { help })
}

/// Hosts that have a broker, and no way for any event to come to it.
pub(super) fn unreached(flow: &Flow<'_>) -> Vec<Diagnostic> {
    let reached = flow.reached();
    let lost = flow.members.iter().zip(reached).filter(|(_, reached)| !reached).map(|(member, _)| member);
    lost.filter_map(|member| {
        let broadcasts = |said: &&crate::build::facts::Listener| said.role == Some(Role::Broadcast);
        let listener = member.facts.listeners.iter().find(broadcasts).map(|listener| &listener.said);
        let subscription = member.facts.subscriptions.first().map(|subscription| &subscription.said);
        let said = subscription.or(listener)?;
        let warning = Diagnostic::warning(format!("no event can reach the broker of `{}`", member.name));
        let warning =
            said.shown(warning, if subscription.is_some() { "its upstream gets none either" } else { "" });
        Some(warning.help("let it take events from authors, or subscribe it to a broker that gets some"))
    })
    .collect()
}
