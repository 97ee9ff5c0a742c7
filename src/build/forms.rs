//! The texts that stand for something: durations, sizes, networks, hosts with ports, IVOIDs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::types::{Misfit, misfit};

/// The largest unit that gives a whole number: one text for each value.
pub(super) fn units(value: u64, units: &[(u64, &str)]) -> String {
    let whole = units.iter().find(|(size, _)| value != 0 && value.is_multiple_of(*size));
    let (size, unit) = whole.copied().unwrap_or((1, units.last().map_or("", |(_, unit)| unit)));
    format!("{}{unit}", value / size)
}

/// The seconds of a duration such as `90s`, `15m` or `1h30m`.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let size = match tail.as_bytes().first()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(size)?)?;
        rest = &tail[1..];
    }
    (!text.is_empty() && i64::try_from(total).is_ok()).then_some(total)
}

/// The bytes of a size such as `256M`: powers of 1024.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let (number, shift) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 10),
        b'M' => (&text[..text.len() - 1], 20),
        b'G' => (&text[..text.len() - 1], 30),
        b'T' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let bytes = number.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    i64::try_from(bytes).is_ok().then_some(bytes)
}

pub(super) fn host_port(text: &str) -> Result<String, Misfit> {
    let shown = text.escape_debug();
    let help = "write it like `upstream.example.org:8099`, `192.0.2.7:8099` or `[2001:db8::7]:8099`";
    let Some((host, port)) = text.rsplit_once(':') else {
        return misfit(format!("`{shown}` has no port"), help);
    };
    let plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    if !plain || port.parse::<u16>().is_err() {
        return misfit(format!("`{}` is no port", port.escape_debug()), help);
    }
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]")),
        None => is_host(host).then(|| host.to_ascii_lowercase()),
    };
    match host {
        Some(host) => Ok(format!("{host}:{port}")),
        None => misfit(format!("`{shown}` names no host"), help),
    }
}

/// A DNS name or an IPv4 address; what looks like an address must be one.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        matches!(label.len(), 1..=63)
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if last_is_number {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.len() <= 253 && host.split('.').all(label)
}

pub(super) fn cidr(text: &str) -> Result<String, Misfit> {
    let shown = text.escape_debug();
    let network = text.parse::<ipnet::IpNet>().or_else(|_| text.parse::<IpAddr>().map(ipnet::IpNet::from));
    match network {
        Ok(network) if network.addr() == network.network() => Ok(network.to_string()),
        Ok(network) => misfit(
            format!("`{shown}` has host bits set"),
            format!(
                "write `{}` for the network, or `{}` for the one address",
                network.trunc(),
                network.addr()
            ),
        ),
        Err(_) => {
            misfit(format!("`{shown}` is no network"), "write it like `192.0.2.0/24` or `2001:db8::/32`")
        }
    }
}

/// What Comet takes for an IVOID: `ivo://`, an authority of three characters or more, a path, a local part.
pub(super) fn is_ivoid(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b"_-.~*'()".contains(&b);
    let Some(rest) = text.strip_prefix("ivo://") else { return false };
    let (rest, local) = rest.split_once('#').map_or((rest, None), |(rest, local)| (rest, Some(local)));
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(rest, path)| (rest, Some(path)));
    let segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(word);
    authority.len() >= 3
        && authority.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && authority.bytes().all(word)
        && path.is_none_or(|path| path.split('/').all(segment))
        && local
            .is_none_or(|local| !local.is_empty() && local.bytes().all(|b| word(b) || b"+=/:".contains(&b)))
}
