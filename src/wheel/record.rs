//! `RECORD`: the hash of every file of a wheel (the binary distribution format, "The .dist-info directory"; PEP 376).

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::fault::Problem;

/// What `RECORD` says of the files.
#[derive(Debug, Default)]
pub(super) struct Record {
    rows: BTreeMap<String, Row>,
}

/// What it says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    hash: String,
    size: Option<u64>,
}

impl Record {
    /// Reads the rows.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let unreadable = |why: String| Problem::Metadata { file: "RECORD", why };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| unreadable(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() > 3 {
                return Err(unreadable(format!("line {line} has more than three fields")));
            }
            let path = record.get(0).unwrap_or_default().to_owned();
            let size = match record.get(2).unwrap_or_default() {
                "" => None,
                size => Some(size.parse().map_err(|_| unreadable(format!("line {line} has no size")))?),
            };
            let row = Row { hash: record.get(1).unwrap_or_default().to_owned(), size };
            if rows.insert(path, row.clone()).is_some_and(|other| other != row) {
                return Err(unreadable(format!(
                    "line {line} says something else of a file than a line before"
                )));
            }
        }
        Ok(Self { rows })
    }

    /// Checks a file that is there.
    pub(super) fn check(&mut self, path: &str, content: &[u8]) -> Result<(), Problem> {
        let row = self.rows.remove(path).filter(|row| !row.hash.is_empty());
        let row = row.ok_or_else(|| Problem::NotInRecord(path.to_owned()))?;
        let (algorithm, expected) = row.hash.split_once('=').unwrap_or((&row.hash, ""));
        // "The hash algorithm must be sha256 or better" (the binary distribution format).
        let found = match algorithm {
            "sha256" => BASE64URL_NOPAD.encode(&Sha256::digest(content)),
            "sha384" => BASE64URL_NOPAD.encode(&Sha384::digest(content)),
            "sha512" => BASE64URL_NOPAD.encode(&Sha512::digest(content)),
            _ => return Err(Problem::NotInRecord(path.to_owned())),
        };
        if expected.trim_end_matches('=') != found {
            let (expected, found) = (row.hash.clone(), format!("{algorithm}={found}"));
            return Err(Problem::OtherBytes { path: path.to_owned(), expected, found });
        }
        match row.size {
            Some(size) if size != content.len() as u64 => Err(Problem::OtherBytes {
                path: path.to_owned(),
                expected: format!("{size} bytes"),
                found: format!("{} bytes", content.len()),
            }),
            _ => Ok(()),
        }
    }

    /// A fault for each row whose file was not checked; `exempt` are those that need no hash.
    pub(super) fn missing(mut self, exempt: &[String]) -> Vec<Problem> {
        for path in exempt {
            self.rows.remove(path);
        }
        self.rows.into_keys().map(Problem::Missing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_X: &str = "sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE";

    #[test]
    fn checks_hash_and_size() {
        let text =
            format!("a/x.py,{OF_X},1\n\"b,c\",{OF_X},\nd,{OF_X},2\ne,md5=abc,1\nf,,\ngone,{OF_X},1\nR,,\n");
        let mut record = Record::parse(text.as_bytes()).unwrap();
        assert_eq!(record.check("a/x.py", b"x"), Ok(()));
        assert_eq!(record.check("b,c", b"x"), Ok(()));
        assert!(matches!(record.check("d", b"x"), Err(Problem::OtherBytes { .. })));
        for path in ["e", "f", "nowhere"] {
            assert_eq!(record.check(path, b"x"), Err(Problem::NotInRecord(path.to_owned())));
        }
        assert_eq!(record.missing(&["R".to_owned()]), [Problem::Missing("gone".to_owned())]);
        let mut record = Record::parse(format!("a,{OF_X},1\n").as_bytes()).unwrap();
        let error = record.check("a", b"y").unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("its `a` is not what `RECORD` says: expected {OF_X}, found sha256="))
        );
    }

    #[test]
    fn refuses_what_is_no_record() {
        for bad in ["a,b,c,d", "a,b,-1", "a,b,x", "a,b,1\na,c,1"] {
            assert!(Record::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Record::parse(b"\xff,b,1").is_err());
    }
}
