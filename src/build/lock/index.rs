//! Where packages come from is pip's configuration, which uv does not read: what it says, in uv's own words.

use std::collections::BTreeMap;

/// Settings of pip, by name without their section: `index-url`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PipSettings {
    settings: BTreeMap<String, String>,
}

impl PipSettings {
    /// Reads what `pip config list` prints: `global.index-url='…'`, a line each.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let mut ranked: BTreeMap<String, (u8, String)> = BTreeMap::new();
        for line in list.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let Some((section, name)) = key.trim().rsplit_once('.') else { continue };
            // Later ones win; sections of other commands than ours say nothing.
            let rank = match section {
                "global" => 0,
                "download" => 1,
                ":env:" => 2,
                _ => continue,
            };
            let Some(value) = literal(value.trim()) else { continue };
            let best = ranked.entry(name.to_owned()).or_insert_with(|| (rank, value.clone()));
            if best.0 <= rank {
                *best = (rank, value);
            }
        }
        Self { settings: ranked.into_iter().map(|(name, (_, value))| (name, value)).collect() }
    }

    /// The parts of a setting, which pip divides at white space.
    fn words(&self, name: &str) -> Vec<&str> {
        self.settings.get(name).map(|value| value.split_whitespace().collect()).unwrap_or_default()
    }

    /// Whether pip asks no index at all.
    #[must_use]
    pub fn no_index(&self) -> bool {
        matches!(self.words("no-index")[..], ["1" | "true" | "yes" | "on" | "True"])
    }

    /// uv's environment variables that say the same. Not arguments: addresses may have passwords in them.
    /// `exists` tells which local paths are there: pip passes over others, and uv fails.
    #[must_use]
    pub fn for_uv(&self, exists: impl Fn(&str) -> bool) -> BTreeMap<&'static str, String> {
        let links = self.words("find-links").into_iter().filter(|link| link.contains("://") || exists(link));
        [
            ("UV_DEFAULT_INDEX", self.words("index-url").join(" ")),
            ("UV_INDEX", self.words("extra-index-url").join(" ")),
            ("UV_FIND_LINKS", links.collect::<Vec<_>>().join(",")),
            ("UV_INSECURE_HOST", self.words("trusted-host").join(" ")),
            ("SSL_CERT_FILE", self.words("cert").join(" ")),
            ("ALL_PROXY", self.words("proxy").join(" ")),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}

/// The text of a Python string literal, as `repr` writes one.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut value = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            },
            c => c,
        });
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_to_uv() {
        let list = ":env:.index-url='x://b/'\nglobal.index-url='x://a/'\nglobal.extra-index-url='\\nx://c\\nx://d'\n\
                    install.index-url='x://e/'\nglobal.find-links='/there /not x://f'\nglobal.no-index='true'\n\
                    global.timeout='60'\nglobal.cert=\"/it's\"\nnonsense\nglobal.proxy=7\n";
        let settings = PipSettings::parse(list);
        let expected = [
            ("UV_DEFAULT_INDEX", "x://b/"),
            ("UV_INDEX", "x://c x://d"),
            ("UV_FIND_LINKS", "/there,x://f"),
            ("SSL_CERT_FILE", "/it's"),
        ];
        assert_eq!(settings.for_uv(|path| path == "/there"), expected.map(|(k, v)| (k, v.to_owned())).into());
        assert!(settings.no_index());
        assert_eq!(PipSettings::parse("").for_uv(|_| true), BTreeMap::new());
    }
}
