//! The activator as it is shipped: static, for any Linux of the architecture.

use super::{Call, Failure, Result};
use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

const TARGET: &str = "x86_64-unknown-linux-musl";
const BUILDING: Duration = Duration::from_mins(30);

/// The static `voevent-switch`: that of `$VOEVENT_SWITCH`, otherwise built from this tree.
pub fn activator() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(find_or_build).clone()
}

fn find_or_build() -> Result<PathBuf> {
    if let Some(path) = env::var_os("VOEVENT_SWITCH").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let missing = || Failure::new(format!("VOEVENT_SWITCH is `{}`: no such file", path.display()));
        return path.is_file().then_some(path.clone()).ok_or_else(missing);
    }
    // <target>/<profile>/voevent-switch is the one that cargo built for the tests
    let built = PathBuf::from(env!("CARGO_BIN_EXE_voevent-switch"));
    let target = built.ancestors().nth(2).ok_or_else(|| Failure::new("no target folder"))?;
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let words = ["build", "--quiet", "--release", "--target", TARGET, "--bin", "voevent-switch"];
    let argv = [env!("CARGO")].into_iter().chain(words).chain(["--manifest-path", manifest]);
    let call = Call::here(argv).env("CARGO_TARGET_DIR", target).timeout(BUILDING);
    call.ok().map_err(|failure| {
        Failure::new(format!("no static activator; `rustup target add {TARGET}` may be missing: {failure}"))
    })?;
    Ok(target.join(TARGET).join("release/voevent-switch"))
}
