//! The name that was probably meant.

/// How many pairs of letters are compared at most: with a name of twenty letters five hundred others.
const MAX_COMPARED: usize = 200_000;

/// Of `candidates` the one that is nearest to `name`, the first of several; `None` where none is near.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        // So many letters are missing or too many: it cannot be near.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .take(MAX_COMPARED / (length * length).max(1))
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        // With every letter another, nothing is like it.
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < length.max(candidate.chars().count())
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Advice after an unknown name: the nearest one, else all of them where they are few.
#[must_use]
pub fn advice<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match candidates.as_slice() {
        [] => "there is none".to_owned(),
        [only] => format!("there is only `{only}`"),
        _ if candidates.len() > 16 => format!("it is none of the {} that there are", candidates.len()),
        [all @ .., last] => format!("known are `{}` and `{last}`", all.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_only() {
        let names = ["receive", "remotes", "broadcast"];
        assert_eq!(nearest("recieve", names), Some("receive"));
        assert_eq!(nearest("remote", names), Some("remotes"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(nearest("k", ["m"]), None);
        assert_eq!(nearest("k", ["m", "ks"]), Some("ks"));
        assert_eq!(advice("zzz", names), "known are `receive`, `remotes` and `broadcast`");
        assert_eq!(advice("zzz", ["a"]), "there is only `a`");
    }

    /// Comparing two of these would take a table of more than 10 TB.
    #[test]
    fn what_is_too_long_is_near_nothing() {
        let long = "x".repeat(1 << 20);
        assert_eq!(nearest(&format!("{long}y"), [long.as_str()]), None);
        assert_eq!(nearest(&long, ["x"]), None);
        let many: Vec<String> = (0..5000).map(|number| format!("{number:05}")).collect();
        let many = || many.iter().map(String::as_str);
        assert_eq!(nearest("00x00", many()), Some("00000"));
        assert_eq!(nearest("x4999", many()), Some("04999"));
    }
}
