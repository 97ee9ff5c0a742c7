//! Looking for options by words: the best first.
//!
//! The page of the reference does the same in the browser (`page.js`); the same cases test both.

/// How well a name and a description have all words in them: the lower, the better; `None` where one is in neither.
#[must_use]
pub fn rank(name: &str, description: &str, words: &str) -> Option<u32> {
    let (name, description) = (name.to_lowercase(), description.to_lowercase());
    let words = words.to_lowercase();
    let mut words = words.split_whitespace().peekable();
    words.peek()?;
    words.map(|word| rank_word(&name, &description, word)).sum()
}

fn rank_word(name: &str, description: &str, word: &str) -> Option<u32> {
    let parts = || name.split('.');
    if name == word || parts().next_back() == Some(word) {
        Some(0)
    } else if parts().any(|part| part == word) {
        Some(1)
    } else if parts().any(|part| part.starts_with(word)) {
        Some(2)
    } else if name.contains(word) {
        Some(3)
    } else if description.split(|c: char| !c.is_alphanumeric()).any(|part| part == word) {
        Some(4)
    } else if description.contains(word) {
        Some(5)
    } else {
        None
    }
}

/// Of some things those that have all words in their name or description: the best first, equals in their order.
#[must_use]
pub fn search<T>(all: Vec<T>, words: &str, texts: impl Fn(&T) -> (String, String)) -> Vec<T> {
    let mut found: Vec<(u32, T)> = Vec::new();
    for one in all {
        let (name, description) = texts(&one);
        if let Some(rank) = rank(&name, &description, words) {
            found.push((rank, one));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_that_the_page_has_too() {
        type Case = (String, String, String, Option<u32>);
        let cases: Vec<Case> = serde_json::from_str(include_str!("search_cases.json")).unwrap();
        for (name, description, words, want) in cases {
            assert_eq!(rank(&name, &description, &words), want, "{words:?} in {name:?}, {description:?}");
        }
    }

    #[test]
    fn equals_stay_in_their_order() {
        let all = vec!["b.x", "a.port", "c.port", "port.b"];
        assert_eq!(
            search(all, "port", |name| ((*name).to_owned(), String::new())),
            ["a.port", "c.port", "port.b"]
        );
    }
}
