//! The activator needs nothing of the host that it runs on: one file for every release.

use crate::driver::{Explain, Lab, Result, Setup, Suite, activator};
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, read};
use std::fs;

crate::tests![it_names_no_interpreter_and_no_library, it_starts_on_bare_hosts];

fn it_names_no_interpreter_and_no_library() -> Result<()> {
    let path = activator()?;
    let bytes = fs::read(&path).explain(|| format!("read `{}`", path.display()))?;
    let (interpreters, libraries) = links(&bytes).explain(|| format!("understand `{}`", path.display()))?;
    assert_eq!((interpreters, libraries), (0, 0), "`{}` is not static", path.display());

    // what it is told from: a program that is linked in the usual way
    let usual = fs::read("/bin/true").explain(|| "read `/bin/true`".to_owned())?;
    assert_eq!(links(&usual).explain(|| "understand `/bin/true`".to_owned())?, (1, 1));
    Ok(())
}

fn it_starts_on_bare_hosts() -> Result<()> {
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let host = Lab::new()?.boot_with("node1", Setup { suite, ..Setup::default() })?;
        host.put(activator()?, "/root/voevent-switch")?;
        host.run(["/root/voevent-switch", "--version"])?;
    }
    Ok(())
}

/// How many interpreters and shared libraries an ELF file asks for.
fn links(bytes: &[u8]) -> read::Result<(usize, usize)> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let (mut interpreters, mut libraries) = (0, 0);
    for segment in header.program_headers(endian, bytes)? {
        interpreters += usize::from(segment.interpreter(endian, bytes)?.is_some());
        let entries = segment.dynamic(endian, bytes)?.unwrap_or_default();
        libraries += entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED).count();
    }
    Ok((interpreters, libraries))
}
