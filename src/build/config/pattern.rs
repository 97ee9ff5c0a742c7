//! The patterns of options: regular expressions, of which a short one can take much memory.

use regex::{Error, Regex, RegexBuilder};

use super::tree::Placed;
use crate::base::report::Diagnostic;

/// Compiles the patterns of a module.
#[derive(Debug)]
pub struct Patterns {
    /// What all that come may still take, in bytes.
    room: usize,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { room: 64 << 20 }
    }
}

impl Patterns {
    /// A pattern as it is written, and the expression that the whole of a text must match.
    ///
    /// # Errors
    /// Where it is none, or takes too much.
    pub fn regex(&mut self, written: Placed<String>) -> Result<(String, Regex), Diagnostic> {
        // Nobody says how much one takes: it gets more and more until it is enough.
        const LEAST: usize = 16 << 10;
        const MOST: usize = 10 << 20;
        let whole = format!(r"\A(?:{})\z", written.value);
        let most = MOST.min(self.room);
        let mut size = LEAST.min(most);
        let built = loop {
            match RegexBuilder::new(&whole).size_limit(size).build() {
                Err(Error::CompiledTooBig(_)) if size < most => size = most.min(4 * size),
                built => break built,
            }
        };
        self.room -= size;
        match built {
            Ok(regex) => Ok((written.value, regex)),
            Err(error) => {
                let words = error.to_string().to_lowercase();
                let last = words.lines().last().unwrap_or_default();
                let last = last.trim_start_matches("error: ").trim_end_matches('.');
                let error = Diagnostic::error(format!("the pattern is no regular expression: {last}"));
                Err(error.at(written.place, "").help("it has the syntax of the Rust crate `regex`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::report::{Place, Source};

    #[test]
    fn patterns_have_a_bound_together() {
        let source = Arc::new(Source { name: String::new(), text: String::new() });
        let place = Place { source, span: 0..0 };
        let tried = |patterns: &mut Patterns, written: &str| {
            let written = Placed { value: written.to_owned(), place: place.clone() };
            patterns.regex(written).map(drop).map_err(|error| error.message)
        };
        // Each of these takes 5 MB.
        let mut patterns = Patterns::default();
        let taken = (0..100).filter(|_| tried(&mut patterns, r"\w{90}").is_ok()).count();
        assert!((5..10).contains(&taken), "{taken}");
        let error = "the pattern is no regular expression: compiled regex exceeds size limit of 0 bytes";
        assert_eq!(tried(&mut patterns, "a{1000}"), Err(error.to_owned()));
        let mut patterns = Patterns::default();
        assert!((0..1000).all(|_| tried(&mut patterns, "[a-z]+").is_ok()));
    }
}
