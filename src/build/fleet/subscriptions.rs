//! Subscriptions to hosts of the fleet, against what those hosts offer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::base::report::Diagnostic;
use crate::build::facts::{Listener, Protocol, Role};

use super::flow::{Flow, Link, Upstream, broadcasters, canonical};
use super::{Member, Sharers, named};

/// Subscriptions that cannot work: nobody broadcasts at that port, or the subscriber is shut out.
pub(super) fn misled(flow: &Flow<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for link in &flow.links {
        match link.upstream {
            Upstream::Silent(upstream) => found.push(silent(flow, link, upstream)),
            Upstream::Member(upstream, listener) if upstream != link.subscriber => {
                found.extend(shut_out(flow, link, (upstream, listener)));
            }
            _ => {}
        }
    }
    found
}

fn silent(flow: &Flow<'_>, link: &Link<'_>, upstream: usize) -> Diagnostic {
    let (member, port) = (&flow.members[upstream], link.subscription.port);
    let name = &member.name;
    let here = |listener: &&Listener| listener.port == port && listener.protocol == Protocol::Tcp;
    let other = member.facts.listeners.iter().find(here);
    let why = match other {
        Some(listener) if listener.role == Some(Role::Receive) => {
            ": that is where it takes events from authors".to_owned()
        }
        Some(listener) => format!(": that is where `{}` listens", listener.service),
        None => String::new(),
    };
    let message = format!("`{name}` does not broadcast on port {port}{why}");
    let subscriber = &flow.members[link.subscriber].name;
    let error =
        link.subscription.said.shown(Diagnostic::error(message), &format!("`{subscriber}` subscribes here"));
    let offers = broadcasters(member);
    let error = other.into_iter().chain(offers.iter().copied()).fold(error, |error, listener| {
        let does = if listener.role == Some(Role::Broadcast) { "broadcasts" } else { "listens" };
        super::also(
            error,
            Some(listener.said.place()),
            &format!("`{name}` {does} on port {} by this", listener.port),
        )
    });
    match offers.iter().min_by_key(|listener| (listener.port.abs_diff(port), listener.port)) {
        Some(nearest) => {
            let host = link.subscription.to();
            let host = host.rsplit_once(':').map_or("", |(host, _)| host);
            error.help(format!("subscribe to `{host}:{}`", nearest.port))
        }
        None => error.help(format!("`{name}` broadcasts nowhere: let it, or subscribe to another host")),
    }
}

/// What is known of whether a subscriber is let in. The address of a host is where bundles are sent to; the one that it
/// connects from may be another, and a name is none at all: only a list that lets nobody in is certain.
fn shut_out(
    flow: &Flow<'_>,
    link: &Link<'_>,
    (upstream, listener): (usize, &Listener),
) -> Option<Diagnostic> {
    let from = listener.from.as_ref()?;
    let (member, subscriber) = (&flow.members[upstream], &flow.members[link.subscriber]);
    let (name, by) = (&member.name, &subscriber.name);
    let diagnostic = match subscriber.ip() {
        _ if from.is_empty() => Diagnostic::error(format!(
            "`{name}` lets nobody but itself subscribe on port {}, and `{by}` wants to",
            listener.port
        )),
        Some(address) if !admits(from, address) => Diagnostic::warning(format!(
            "`{name}` does not let `{address}` subscribe on port {}, which is the address of `{by}`",
            listener.port
        )),
        _ => return None,
    };
    let shown = link.subscription.said.shown(diagnostic, &format!("`{by}` subscribes here"));
    let shown = super::also(shown, Some(listener.from_said.place()), &format!("whom `{name}` lets in"));
    let address = subscriber.address.as_ref().filter(|_| !from.is_empty());
    let shown = super::also(shown, address.map(|address| &address.place), &format!("the address of `{by}`"));
    Some(match subscriber.ip() {
        Some(address) => {
            let known =
                if from.is_empty() { "" } else { ", or the one that it connects from where that is another" };
            shown.help(format!("let in `{}`{known}", IpNet::from(address)))
        }
        None => shown.help(format!("let in the network from which `{by}` connects")),
    })
}

/// Whether a list may let an address in. A host with an address of one family may well connect by the other.
fn admits(from: &[IpNet], address: IpAddr) -> bool {
    from.iter().any(|network| network.contains(&address) || network.addr().is_ipv4() != address.is_ipv4())
}

/// Brokers that get all their events from one upstream, by upstream: they get none while it is down.
pub(super) fn single(flow: &Flow<'_>) -> Vec<Diagnostic> {
    let mut found: BTreeMap<String, Sharers<'_>> = BTreeMap::new();
    for (index, member) in flow.members.iter().enumerate() {
        // What one broker of a host takes from another comes from elsewhere, or is the host's own.
        let others = || flow.upstreams(index).filter(|link| !is_inner(link));
        let hosts: BTreeSet<String> = others().map(identity).collect();
        if let (1, Some(link), true) = (hosts.len(), others().next(), only_subscribes(member)) {
            let name = match link.upstream {
                Upstream::Outside => link.subscription.host.clone(),
                Upstream::Member(host, _) | Upstream::Silent(host) => flow.members[host].name.to_string(),
            };
            found.entry(name).or_default().add(&member.name, &link.subscription.said);
        }
    }
    let warning = |(upstream, sharers): (String, Sharers<'_>)| {
        let names = sharers.names();
        let take = if names.len() == 1 { "takes its events" } else { "take their events" };
        let message =
            format!("{} {take} from `{upstream}` alone: none come while that is down", named(names));
        let warning = Diagnostic::warning(message);
        sharers.shown(warning).help("subscribe to a second broker too: what was seen before is dropped")
    };
    found.into_iter().map(warning).collect()
}

/// Whether events come to a host by its subscriptions alone.
fn only_subscribes(member: &Member) -> bool {
    member.facts.sources.is_empty()
}

/// Whether a subscription leads to its own host.
const fn is_inner(link: &Link<'_>) -> bool {
    matches!(link.upstream, Upstream::Member(host, _) if host == link.subscriber)
}

/// What host a subscription leads to.
fn identity(link: &Link<'_>) -> String {
    match link.upstream {
        Upstream::Member(host, _) | Upstream::Silent(host) => host.to_string(),
        Upstream::Outside => canonical(&link.subscription.host),
    }
}
