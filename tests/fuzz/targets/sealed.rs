//! Age files, and the public keys of hosts.

use voevent_node::store::sealed::{HostKey, open, recipients};

use super::input::grown;
use super::laws::is_line;

pub(super) fn run(input: &[u8]) {
    let input = grown(input);
    match recipients(&input) {
        Ok(found) => {
            assert!(!found.is_empty(), "somebody can decrypt it");
            assert!(found.iter().all(|recipient| is_line(&recipient.to_string())));
            assert!(open(&input).is_ok(), "what has recipients can be opened");
        }
        Err(error) => assert!(is_line(&error.to_string()), "{error}"),
    }
    let text = String::from_utf8_lossy(&input);
    match HostKey::parse(text.trim_end()) {
        Ok(key) => {
            let again = HostKey::parse(&key.to_string()).map(|again| again.tag().clone());
            assert_eq!(again.as_ref(), Ok(key.tag()), "a key is read as it is written");
        }
        Err(error) => assert!(is_line(&error.to_string()), "{error}"),
    }
}

/// A file for a host and a key of age, its form for binaries, and a public key.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        &include_bytes!("../seeds/x.age")[..],
        include_bytes!("../seeds/binary.age"),
        include_bytes!("../seeds/x.pub"),
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

pub(super) const WORDS: &str = "age-encryption.org/v1\n¦-> ssh-ed25519 ¦-> ssh-rsa ¦-> X25519 ¦-> scrypt ¦-> x-grease ¦\
    --- ¦-----BEGIN AGE ENCRYPTED FILE-----\n¦-----END AGE ENCRYPTED FILE-----\n¦ssh-ed25519 ¦ssh-rsa ¦\
    ecdsa-sha2-nistp256 ¦AAAAC3NzaC1lZDI1NTE5AAAAI¦AAAAB3NzaC1yc2E¦=¦==¦\r\n¦é";
