//! Public brokers that are known to have gone.

use std::collections::BTreeMap;

use crate::base::report::Diagnostic;

use super::Sharers;
use super::flow::{Flow, Upstream, canonical};

/// A broker that is gone: under which addresses it was known, what became of it, and what to do.
struct Retired {
    addresses: &'static [&'static str],
    what: &'static str,
    help: &'static str,
}

const RETIRED: [Retired; 2] = [
    // https://gcn.nasa.gov/docs/vtp; the addresses: https://gcn.gsfc.nasa.gov/voevent.html
    Retired {
        addresses: &["68.169.57.253", "45.58.43.186", "50.116.49.68", "209.208.78.170"],
        what: "a broker of GCN, which switched its VOEvent brokers off on 2026-04-06",
        help: "take GCN's events from Kafka (`gcn.classic.voevent.*`), and leave this upstream out",
    },
    // Its code ends in 2018, and nobody says that it runs.
    Retired {
        addresses: &["voevent.4pisky.org"],
        what: "the broker of 4 Pi Sky, which is not known to run since 2018",
        help: "leave it out, or ask its operators first",
    },
];

/// Subscriptions to brokers that are gone.
pub(super) fn upstreams(flow: &Flow<'_>) -> Vec<Diagnostic> {
    let mut found: BTreeMap<(usize, String), Sharers<'_>> = BTreeMap::new();
    for link in &flow.links {
        let address = canonical(&link.subscription.host);
        let retired = RETIRED.iter().position(|retired| retired.addresses.contains(&address.as_str()));
        if let (Upstream::Outside, Some(retired)) = (link.upstream, retired) {
            let sharers = found.entry((retired, link.subscription.to())).or_default();
            sharers.add(&flow.members[link.subscriber].name, &link.subscription.said);
        }
    }
    let warning = |((retired, to), sharers): ((usize, String), Sharers<'_>)| {
        let Retired { what, help, .. } = &RETIRED[retired];
        sharers.shown(Diagnostic::warning(format!("`{to}` is {what}"))).help(*help)
    };
    found.into_iter().map(warning).collect()
}
