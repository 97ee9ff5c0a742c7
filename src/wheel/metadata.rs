//! `WHEEL` and `METADATA`: headers in the form of mails (the binary distribution format, core metadata).

use mailparse::MailHeaderMap;

use super::fault::Problem;
use super::name::WheelName;

/// Whether the root of a wheel goes to purelib, from its `WHEEL`; both are the same folder in a venv on Linux.
///
/// # Errors
/// Where the format is not 1.x.
pub(super) fn check_format(wheel: &[u8]) -> Result<(), Problem> {
    let version = header("WHEEL", wheel, "Wheel-Version")?;
    match version.split_once('.') {
        Some(("1", minor)) if !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
        _ => Err(Problem::Format(version)),
    }
}

/// Compares name and version in `METADATA` with those of the file name; gives the name as written there.
pub(super) fn check_package(metadata: &[u8], name: &WheelName) -> Result<String, Problem> {
    let package = header("METADATA", metadata, "Name")?;
    let version = header("METADATA", metadata, "Version")?;
    if name.is_of(&package, &version) {
        Ok(package)
    } else {
        Err(Problem::OtherPackage { name: package, version })
    }
}

/// The first header of a name.
fn header(file: &'static str, bytes: &[u8], key: &str) -> Result<String, Problem> {
    let unreadable = |why: String| Problem::Metadata { file, why };
    // Descriptions may be long, and come after the headers.
    let (headers, _) = mailparse::parse_headers(bytes).map_err(|error| unreadable(error.to_string()))?;
    let value = headers.get_first_value(key).ok_or_else(|| unreadable(format!("it has no `{key}`")))?;
    Ok(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert_eq!(check_format(b"Wheel-Version: 1.0\nGenerator: x\n"), Ok(()));
        assert_eq!(check_format(b"Generator: x\nWheel-Version: 1.9\r\n"), Ok(()));
        for bad in ["2.0", "0.1", "1", "1.", "x"] {
            let error = check_format(format!("Wheel-Version: {bad}\n").as_bytes());
            assert_eq!(error, Err(Problem::Format(bad.to_owned())));
        }
        assert!(matches!(check_format(b"Generator: x\n"), Err(Problem::Metadata { file: "WHEEL", .. })));
    }

    #[test]
    fn packages() {
        let name = WheelName::parse("zope_interface-8.0-py3-none-any.whl").unwrap();
        let check = |text: &str| check_package(text.as_bytes(), &name);
        assert_eq!(check("Name: Zope.Interface\nVersion: 8\n\nText"), Ok("Zope.Interface".to_owned()));
        let error = check("Name: zope-event\nVersion: 8.0\n").unwrap_err();
        assert_eq!(error.to_string(), "its `METADATA` is of `zope-event` `8.0`");
    }
}
