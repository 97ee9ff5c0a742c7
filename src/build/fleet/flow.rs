//! The flow of events through a fleet: who takes events from whom, as data.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::build::facts::{Listener, Protocol, Role, Subscription};

use super::Member;

/// Hosts, and the subscriptions between them and to others. Listening authors' ports and sources are among each host's
/// facts.
#[derive(Debug)]
pub struct Flow<'a> {
    /// The hosts, in their order.
    pub members: &'a [Member],
    /// All subscriptions, by subscriber, then as stated.
    pub links: Vec<Link<'a>>,
}

/// A subscription: events flow from the upstream to the subscriber.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The host that subscribes: an index of the flow's members.
    pub subscriber: usize,
    /// What it states.
    pub subscription: &'a Subscription,
    /// Where the events come from.
    pub upstream: Upstream<'a>,
}

/// Where events come from.
#[derive(Debug, Clone, Copy)]
pub enum Upstream<'a> {
    /// A host of the fleet that broadcasts at this port.
    Member(usize, &'a Listener),
    /// A host of the fleet that does not.
    Silent(usize),
    /// A broker that is none of the fleet: nothing is known of it.
    Outside,
}

impl<'a> Flow<'a> {
    /// The flow through these hosts.
    #[must_use]
    pub fn of(members: &'a [Member]) -> Self {
        let book = addresses(members);
        let mut links = Vec::new();
        for (subscriber, member) in members.iter().enumerate() {
            for subscription in &member.facts.subscriptions {
                let host = if is_loopback(&subscription.host) {
                    Some(subscriber)
                } else {
                    book.get(&canonical(&subscription.host)).copied()
                };
                let upstream = host.map_or(Upstream::Outside, |host| {
                    let listeners = broadcasters(&members[host]);
                    let listener = listeners.into_iter().find(|listener| listener.port == subscription.port);
                    listener.map_or(Upstream::Silent(host), |listener| Upstream::Member(host, listener))
                });
                links.push(Link { subscriber, subscription, upstream });
            }
        }
        Self { members, links }
    }

    /// The subscriptions of a host.
    pub fn upstreams(&self, subscriber: usize) -> impl Iterator<Item = &Link<'a>> {
        self.links.iter().filter(move |link| link.subscriber == subscriber)
    }

    /// Whether each host can get any event: from authors, from a source, from a broker outside of the fleet, or from a
    /// host that can. A subscription that leads nowhere counts as one that may: it is an error of its own.
    #[must_use]
    pub fn reached(&self) -> Vec<bool> {
        let enters = |member: &Member| {
            let receives = |listener: &Listener| listener.role == Some(Role::Receive);
            !member.facts.sources.is_empty() || member.facts.listeners.iter().any(receives)
        };
        let mut reached: Vec<bool> = self.members.iter().map(enters).collect();
        let mut passes: Vec<Vec<usize>> = vec![Vec::new(); self.members.len()];
        for link in &self.links {
            match link.upstream {
                Upstream::Member(host, _) => passes[host].push(link.subscriber),
                Upstream::Silent(_) | Upstream::Outside => reached[link.subscriber] = true,
            }
        }
        let mut new: Vec<usize> = (0..reached.len()).filter(|host| reached[*host]).collect();
        while let Some(host) = new.pop() {
            for next in &passes[host] {
                if !std::mem::replace(&mut reached[*next], true) {
                    new.push(*next);
                }
            }
        }
        reached
    }
}

/// The ports at which a host broadcasts.
pub(super) fn broadcasters(member: &Member) -> Vec<&Listener> {
    let broadcasts =
        |listener: &&Listener| listener.role == Some(Role::Broadcast) && listener.protocol == Protocol::Tcp;
    member.facts.listeners.iter().filter(broadcasts).collect()
}

/// Under which names hosts are known: their addresses, and their own names.
fn addresses(members: &[Member]) -> BTreeMap<String, usize> {
    let mut book = BTreeMap::new();
    // An address is what others are told; a name that is another's address is not meant.
    for (index, member) in members.iter().enumerate() {
        book.entry(canonical(member.name.as_str())).or_insert(index);
    }
    for (index, member) in members.iter().enumerate().rev() {
        if let Some(address) = &member.address {
            book.insert(canonical(&address.value), index);
        }
    }
    book
}

/// The one form of an address: in lower case, without the dot of a full domain name, an IP address as it is printed.
pub(super) fn canonical(address: &str) -> String {
    let name = address.strip_suffix('.').unwrap_or(address).to_ascii_lowercase();
    name.parse::<IpAddr>().map_or(name, |address| address.to_string())
}

/// Whether an address is that of the host itself, whoever asks.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
