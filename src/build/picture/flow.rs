//! The events of a fleet: from authors, sources and brokers elsewhere through its hosts to those who subscribe.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::build::facts::{Listener, Role};
use crate::build::fleet::Member;
use crate::build::fleet::flow::{Flow, Link as Subscription, Upstream};

use super::Picture;
use super::kinds::{Kind, Link};

/// The flow of events through hosts.
#[must_use]
pub fn picture(members: &[Member]) -> Picture {
    let title = match members {
        [member] => format!("{}: flow of events", member.name),
        members => format!("{} hosts: flow of events", members.len()),
    };
    let mut picture = Picture::new(&title);
    let hosts: Vec<usize> = members.iter().map(|member| host(&mut picture, member)).collect();
    for (member, host) in members.iter().zip(&hosts) {
        for source in &member.facts.sources {
            let id = format!("source {}/{}", member.name, source.name);
            let from = picture.node(&id, Kind::Source, &source.name, &format!("source on {}", member.name));
            picture.edge(from, *host, Link::Events, "");
        }
        for listener in &member.facts.listeners {
            others(&mut picture, listener, *host);
        }
    }
    for link in &Flow::of(members).links {
        subscription(&mut picture, &hosts, link);
    }
    picture
}

fn host(picture: &mut Picture, member: &Member) -> usize {
    let broadcasts = member.facts.listeners.iter().any(|listener| listener.role == Some(Role::Broadcast));
    let kind = if broadcasts { Kind::Broker } else { Kind::Taker };
    let brokers: Vec<&str> = member.facts.brokers.iter().map(|broker| broker.ivo.as_str()).collect();
    let name = member.name.as_str();
    picture.node(&format!("host {name}"), kind, name, &brokers.join(", "))
}

/// Those who are no hosts of the fleet and may connect to a broker.
fn others(picture: &mut Picture, listener: &Listener, host: usize) {
    let networks = networks(listener.from.as_deref());
    match listener.role {
        Some(Role::Receive) => {
            let from = picture.node(&format!("authors {networks}"), Kind::Author, "authors", &networks);
            picture.edge(from, host, Link::Events, "");
        }
        // Who subscribes on the host itself is one of its services.
        Some(Role::Broadcast) if listener.from.as_ref().is_none_or(|from| !from.is_empty()) => {
            let id = format!("subscribers {networks}");
            let to = picture.node(&id, Kind::Subscriber, "subscribers", &networks);
            picture.edge(host, to, Link::Events, "");
        }
        _ => {}
    }
}

/// The networks of those who may connect.
fn networks(from: Option<&[IpNet]>) -> String {
    let everywhere = |network: &&IpNet| network.prefix_len() == 0;
    match from {
        None => "anywhere".to_owned(),
        Some([]) => "on the host itself".to_owned(),
        Some(networks) if networks.iter().any(|network| everywhere(&network)) => {
            let ip = |network: &IpNet| matches!(network.addr(), IpAddr::V4(_));
            let wide: Vec<&IpNet> = networks.iter().filter(everywhere).collect();
            match (wide.iter().any(|network| ip(network)), wide.iter().any(|network| !ip(network))) {
                (true, true) => "anywhere".to_owned(),
                (true, false) => "anywhere by IPv4".to_owned(),
                _ => "anywhere by IPv6".to_owned(),
            }
        }
        Some(networks) => networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn subscription(picture: &mut Picture, hosts: &[usize], link: &Subscription<'_>) {
    let Some(to) = hosts.get(link.subscriber).copied() else { return };
    let address = link.subscription.to();
    match link.upstream {
        Upstream::Member(host, _) => {
            if let Some(from) = hosts.get(host) {
                picture.edge(*from, to, Link::Events, "");
            }
        }
        Upstream::Silent(host) => {
            if let Some(from) = hosts.get(host) {
                let label = format!("no broadcast at port {}", link.subscription.port);
                picture.edge(*from, to, Link::Silent, &label);
            }
        }
        Upstream::Outside => {
            let id = format!("outside {address}");
            let from = picture.node(&id, Kind::Outside, &address, "broker elsewhere");
            picture.edge(from, to, Link::Events, "");
        }
    }
}
