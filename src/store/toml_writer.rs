//! TOML with one form for each value, so that equal contents are equal bytes.

use std::fmt::Write as _;

/// Writes TOML 1.0 line by line: keys in the order of the calls, strings always basic, lists on one line.
#[derive(Debug, Default)]
pub struct TomlWriter {
    out: String,
}

impl TomlWriter {
    /// `[name]`
    pub fn table(&mut self, name: &str) {
        let _ = write!(self.out, "\n[{name}]\n");
    }

    /// `[[name]]`
    pub fn element(&mut self, name: &str) {
        let _ = write!(self.out, "\n[[{name}]]\n");
    }

    /// `key = "text"`
    pub fn text(&mut self, key: &str, text: &str) {
        let _ = writeln!(self.out, "{key} = {}", quoted(text));
    }

    /// `key = "text"`, or nothing.
    pub fn text_if(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// `key = 1`
    pub fn number(&mut self, key: &str, number: u64) {
        let _ = writeln!(self.out, "{key} = {number}");
    }

    /// `key = true`
    pub fn flag(&mut self, key: &str, flag: bool) {
        let _ = writeln!(self.out, "{key} = {flag}");
    }

    /// `key = true`, or nothing.
    pub fn flag_if(&mut self, key: &str, flag: bool) {
        if flag {
            self.flag(key, flag);
        }
    }

    /// `key = ["a", "b"]`
    pub fn texts<'a>(&mut self, key: &str, texts: impl IntoIterator<Item = &'a str>) {
        let texts: Vec<String> = texts.into_iter().map(quoted).collect();
        let _ = writeln!(self.out, "{key} = [{}]", texts.join(", "));
    }

    /// `key = [1, 2]`
    pub fn numbers(&mut self, key: &str, numbers: impl IntoIterator<Item = i64>) {
        let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
        let _ = writeln!(self.out, "{key} = [{}]", numbers.join(", "));
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }
}

/// A basic string, on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn toml_reads_back_what_was_written(text in any::<String>(), list in prop::collection::vec(any::<String>(), 0..4)) {
            let mut writer = TomlWriter::default();
            writer.text("text", &text);
            writer.texts("list", list.iter().map(String::as_str));
            let table: toml::Table = writer.finish().parse().unwrap();
            prop_assert_eq!(table["text"].as_str(), Some(text.as_str()));
            let back: Vec<_> = table["list"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(back, list);
        }
    }
}
