//! Where things lie on a target (hier(7)): the paths that rendered texts contain and that the activator keeps.

/// Everything of ours that is not under `/etc`: root's, mode 0755.
pub const STATE: &str = "/var/lib/voevent";
/// The store on the target.
pub const STORE: &str = "/var/lib/voevent/store";
/// Venvs with the bytecode that only the target's interpreter can make.
pub const DERIVED: &str = "/var/lib/voevent/derived";
/// Where the secrets that came with bundles are decrypted to: memory, root's, mode 0700.
pub const SECRETS: &str = "/run/voevent/secrets";
/// The bundle of the live generation: managed links lead here, with their own path appended.
pub const LIVE_ROOT: &str = "/var/lib/voevent/current/bundle/root";
/// Where the administrator's units are, and where a bundle's `root/` has ours.
pub const UNITS: &str = "/etc/systemd/system";
/// The users and groups of a bundle (sysusers.d(5)).
pub const SYSUSERS: &str = "/etc/sysusers.d/voevent.conf";
/// The folders of a bundle (tmpfiles.d(5)).
pub const TMPFILES: &str = "/etc/tmpfiles.d/voevent.conf";
/// The target that all units of ours hang on.
pub const TARGET_UNIT: &str = "voevent.target";
/// The service that a switch runs in: two at once are refused by its name.
pub const RUN_UNIT: &str = "voevent-switch-run.service";
