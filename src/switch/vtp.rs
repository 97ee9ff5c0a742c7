//! VTP's frames and messages (IVOA Note "VOEvent Transport Protocol", 2.0): what the probes send and read.
//!
//! A frame is a length of four bytes, big-endian, then so many bytes of XML: a `Transport` message or a `VOEvent`.
//! What came is hostile: bounded in length and in nodes, and without a document type.

use roxmltree::{Document, Node, ParsingOptions};

/// The longest message that is read. Comet refuses events of 100,000 bytes; Transport messages have some hundreds.
pub const LONGEST: usize = 1 << 20;
/// A Transport message has about ten.
const NODES: u32 = 10_000;

/// What came is no VTP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VtpError {
    /// The length is none: another protocol's text, mostly.
    #[error("the answer starts with `{}`, which is no length of a VTP message", .0.escape_ascii())]
    NoLength([u8; 4]),
    /// No XML that may be.
    #[error("the answer is no XML: {0}")]
    NoXml(String),
    /// Some other XML.
    #[error("the answer is a `{0}` element, not a `Transport`")]
    NoTransport(String),
}

/// A `Transport` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// What it is for: `authenticate`, `iamalive`, `ack`, `nak`.
    pub role: String,
    /// Who or what it is about: the IVOID of a broker, or of the event that is answered.
    pub origin: String,
    /// Why, in a `nak`.
    pub reason: Option<String>,
}

/// A message in its frame.
#[must_use]
pub fn frame(message: &str) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(message.as_bytes());
    bytes
}

/// The length of a message, from the first bytes of its frame.
///
/// # Errors
/// Where it is longer than any message.
pub fn length(start: [u8; 4]) -> Result<usize, VtpError> {
    match usize::try_from(u32::from_be_bytes(start)) {
        Ok(length) if length <= LONGEST => Ok(length),
        _ => Err(VtpError::NoLength(start)),
    }
}

/// Reads a `Transport` message.
///
/// # Errors
/// Where it is none.
pub fn transport(bytes: &[u8]) -> Result<Transport, VtpError> {
    let text = str::from_utf8(bytes).map_err(|error| VtpError::NoXml(error.to_string()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| VtpError::NoXml(error.to_string().escape_debug().to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "Transport" {
        return Err(VtpError::NoTransport(root.tag_name().name().escape_debug().to_string()));
    }
    let reason = child(root, "Meta").and_then(|meta| child(meta, "Result")).map(words);
    Ok(Transport {
        role: root.attribute("role").unwrap_or_default().escape_debug().to_string(),
        origin: child(root, "Origin").map(words).unwrap_or_default(),
        reason,
    })
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text of an element, fit to be shown.
fn words(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().escape_debug().to_string()
}

/// An event that every broker refuses: its IVOID is none. So it is neither kept nor sent on, and still it goes through
/// the receiver, the XML reader and the validators. It has the role `test`, for one that would take it.
#[must_use]
pub fn invalid_event() -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
     <voe:VOEvent xmlns:voe=\"http://www.ivoa.net/xml/VOEvent/v2.0\" version=\"2.0\" role=\"test\" \
     ivorn=\"voevent-switch:probe\">\
     <Who><AuthorIVORN>voevent-switch:probe</AuthorIVORN><Date>2000-01-01T00:00:00</Date></Who>\
     <What><Description>Is the broker alive? It answers this with a nak.</Description></What></voe:VOEvent>"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GREETING: &str = r#"<?xml version='1.0' encoding='UTF-8'?>
<trn:Transport xmlns:trn="http://www.telescope-networks.org/xml/Transport/v1.1" version="1.0" role="authenticate">
  <Origin>ivo://org.example.a/broker</Origin>
  <TimeStamp>2026-11-23T04:13:36Z</TimeStamp>
</trn:Transport>
"#;

    #[test]
    fn frames() {
        assert_eq!(frame("abc"), b"\0\0\0\x03abc");
        assert_eq!(length([0, 0, 1, 0xc2]), Ok(450));
        let error = length(*b"HTTP").unwrap_err().to_string();
        assert_eq!(error, "the answer starts with `HTTP`, which is no length of a VTP message");
    }

    #[test]
    fn a_greeting_of_comet() {
        let greeting = transport(GREETING.as_bytes()).unwrap();
        assert_eq!(
            (greeting.role.as_str(), greeting.origin.as_str()),
            ("authenticate", "ivo://org.example.a/broker")
        );
    }

    #[test]
    fn a_nak_has_a_reason() {
        let text = "<Transport role='nak'><Origin>x</Origin><Meta><Result>Bad\u{1b}[31m IVORN</Result></Meta></Transport>";
        assert!(matches!(transport(text.as_bytes()), Err(VtpError::NoXml(_))));
        let text = text.replace("\u{1b}[31m", "\n");
        assert_eq!(transport(text.as_bytes()).unwrap().reason.as_deref(), Some("Bad\\n IVORN"));
    }

    #[test]
    fn hostile_xml_is_refused() {
        let laughs =
            "<!DOCTYPE x [<!ENTITY a 'b'>]><Transport role='authenticate'><Origin>&a;</Origin></Transport>";
        let many = format!("<Transport>{}</Transport>", "<a/>".repeat(200_000));
        let deep = "<Transport>".repeat(90_000);
        for bad in [laughs, many.as_str(), deep.as_str(), "", "x", "<a", "<a></b>"] {
            assert!(matches!(transport(bad.as_bytes()), Err(VtpError::NoXml(_))));
        }
        let nested = format!("{}{}", "<Transport>".repeat(9_000), "</Transport>".repeat(9_000));
        assert!(transport(nested.as_bytes()).is_ok());
        assert_eq!(transport(b"<html/>"), Err(VtpError::NoTransport("html".into())));
        assert!(matches!(transport(b"<a>\xff</a>"), Err(VtpError::NoXml(_))));
    }

    #[test]
    fn the_probing_event_is_well_formed() {
        let text = invalid_event();
        let document = Document::parse(&text).unwrap();
        assert!(!document.root_element().attribute("ivorn").unwrap().starts_with("ivo:"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..GREETING.len()) {
            let _ = transport(&bytes);
            let mut text = GREETING.as_bytes().to_vec();
            let end = (at + bytes.len()).min(text.len());
            text.splice(at..end, bytes);
            let _ = transport(&text);
        }
    }
}
