//! The `string` of SSH's wire format: its length in four bytes, then its bytes (RFC 4251, section 5).

/// Takes the next one; `None` where what is left is not whole.
pub fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (found, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_taken_one_by_one() {
        let mut rest: &[u8] = b"\0\0\0\x02ab\0\0\0\0\0\0\0\x02c";
        assert_eq!(string(&mut rest), Some(&b"ab"[..]));
        assert_eq!(string(&mut rest), Some(&b""[..]));
        assert_eq!((string(&mut rest), rest), (None, &b"\0\0\0\x02c"[..]));
    }
}
