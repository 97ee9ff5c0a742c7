//! Whether systemd takes a value, by the kind of its key: only where that is certain. What is not known passes.

use crate::base::nearest::{advice, nearest};
use crate::build::unit::keys::Version;
use crate::build::unit::{calendar, timespan};

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Bool,
    Calendar,
    Span,
    /// Bytes.
    Size,
    /// Bytes, a share, or `infinity`.
    Memory,
    /// A number, a share, or `infinity`.
    Count,
    /// A share alone.
    Share,
    /// `0644`
    Mode,
    Whole,
    /// `N` or `N:M`, where each may have a unit or be `infinity`.
    Limit,
    Signal,
    /// One of the words that this version knows, see [`choices`].
    OneOf(&'static str, Version),
}

/// What to write instead of a value; `None` where systemd takes it, or may take it.
pub(super) fn refuse(version: Version, key: &str, kind: &str, value: &str) -> Option<String> {
    let shape = shape(version, key, kind)?;
    // Specifiers are known on the host only; no other kind that is judged has them.
    if value.is_empty() || (value.contains('%') && kind == "TIMER") || shape.takes(value) {
        return None;
    }
    Some(shape.help(value))
}

fn shape(version: Version, key: &str, kind: &str) -> Option<Shape> {
    let shape = match kind {
        "BOOLEAN" => Shape::Bool,
        "TIMER" if key == "OnCalendar" => Shape::Calendar,
        "SECONDS" | "TIMER" => Shape::Span,
        "SIZE" => Shape::Size,
        "LIMIT" if key.contains("Memory") => Shape::Memory,
        "LIMIT" if key.starts_with("Limit") => Shape::Limit,
        "MODE" if !key.ends_with("JobMode") => Shape::Mode,
        "UNSIGNED" | "INTEGER" | "LONG" | "NICE" | "OOMSCOREADJUST" | "WEIGHT" | "SHARES" => Shape::Whole,
        "SIGNAL" => Shape::Signal,
        "OTHER" => match key {
            "TimeoutSec"
            | "TimeoutStopSec"
            | "JobTimeoutSec"
            | "JobRunningTimeoutSec"
            | "CPUQuotaPeriodSec" => Shape::Span,
            "TasksMax" => Shape::Count,
            "CPUQuota" => Shape::Share,
            _ => Shape::OneOf(choices(key)?, version),
        },
        _ => Shape::OneOf(choices(if kind == "MODE" { "JobMode" } else { kind })?, version),
    };
    Some(shape)
}

/// The words of an enumeration, by its kind, or by its key where the kind says nothing. `BOOL` are those of a boolean;
/// after a `:` anything may follow; where `0` stands any number may; after a `+` stands what 252 does not know.
fn choices(name: &str) -> Option<&'static str> {
    Some(match name {
        "SERVICETYPE" => "simple exec forking oneshot dbus notify idle +notify-reload",
        "SERVICERESTARTMODE" => "normal direct +debug",
        "ACTION" => {
            "none exit exit-force reboot reboot-force reboot-immediate poweroff poweroff-force poweroff-immediate \
             +halt +halt-force +halt-immediate +kexec +kexec-force +soft-reboot +soft-reboot-force"
        }
        "SERVICERESTART" => "no on-success on-failure on-abnormal on-watchdog on-abort always",
        "SERVICEEXITTYPE" => "main cgroup",
        "KILLMODE" => "control-group process mixed none",
        "TIMEOUTMODE" => "terminate abort kill",
        "ACCESS" => "none main exec all",
        "JobMode" => {
            "fail replace replace-irreversibly isolate flush ignore-dependencies ignore-requirements triggering \
             restart-dependencies"
        }
        "INPUT" => "null tty tty-force tty-fail socket fd data fd: file:",
        "OUTPUT" => {
            "inherit null tty journal kmsg journal+console kmsg+console syslog syslog+console socket fd fd: file: \
             append: truncate:"
        }
        "LEVEL" => "emerg alert crit err warning notice info debug 0",
        "FACILITY" => {
            "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 \
             local5 local6 local7 0"
        }
        "IOCLASS" => "none realtime best-effort idle 0",
        "CPUSCHEDPOLICY" => "other batch idle fifo rr ext 0",
        "CPUWEIGHT" => "idle 0",
        "POLICY" => "auto closed strict",
        "OOMPolicy" => "continue stop kill",
        "CollectMode" => "inactive inactive-or-failed",
        "ProtectSystem" => "BOOL full strict",
        "ProtectHome" => "BOOL read-only tmpfs",
        "ProtectProc" => "noaccess invisible ptraceable default",
        "ProcSubset" => "all pid",
        "KeyringMode" => "inherit private shared",
        "RuntimeDirectoryPreserve" => "BOOL restart",
        "UtmpMode" => "init login user",
        "ManagedOOMSwap" | "ManagedOOMMemoryPressure" => "auto kill",
        "ManagedOOMPreference" => "none avoid omit",
        "PrivateTmp" => "BOOL disconnected",
        "PrivateUsers" => "BOOL self identity",
        "ProtectControlGroups" => "BOOL private strict",
        "PrivateMounts"
        | "PrivatePIDs"
        | "MountAPIVFS"
        | "SetLoginEnvironment"
        | "MemoryKSM"
        | "BindLogSockets" => "BOOL",
        _ => return None,
    })
}

const BOOL: [&str; 12] = ["yes", "no", "true", "false", "on", "off", "1", "0", "y", "n", "t", "f"];

impl Shape {
    fn takes(self, value: &str) -> bool {
        match self {
            Self::Bool => BOOL.contains(&value.to_ascii_lowercase().as_str()),
            Self::Calendar => calendar::is_valid(value),
            Self::Span => timespan::parse(value).is_some(),
            Self::Size => is_size(value),
            Self::Memory => value == "infinity" || is_share(value) || is_size(value),
            Self::Count => value == "infinity" || is_share(value) || is_whole(value),
            Self::Share => is_share(value),
            Self::Mode => u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777),
            Self::Whole => is_whole(value),
            Self::Limit => value.contains(|c: char| c.is_ascii_digit()) || value.contains("infinity"),
            Self::Signal => is_signal(value),
            Self::OneOf(words, version) => known(words, version).any(|word| match word {
                "BOOL" => Self::Bool.takes(value),
                "0" => is_whole(value),
                _ => value == word || (word.ends_with(':') && value.starts_with(word)),
            }),
        }
    }

    /// What to write instead.
    fn help(self, value: &str) -> String {
        let like = match self {
            Self::Bool => "write `yes` or `no`",
            Self::Calendar => {
                let lower = value.to_ascii_lowercase();
                if !value.contains(|c: char| c.is_ascii_digit() || c == '*') {
                    let words = calendar::SHORTHANDS.into_iter().chain(["mon", "mon..fri", "sat,sun"]);
                    if let Some(near) = nearest(&lower, words) {
                        return format!("did you mean `{near}`?");
                    }
                }
                "write it like `daily`, `Mon..Fri 03:00` or `*-*-01 03:00:00`: \
                 `systemd-analyze calendar` shows what one means"
            }
            Self::Span => "write a time span like `90`, `500ms`, `1min 30s` or `infinity`",
            Self::Size => "write bytes, with `K`, `M`, `G` or `T` for powers of 1024: `512M`",
            Self::Memory => {
                "write bytes, with `K`, `M`, `G` or `T` for powers of 1024, a share or `infinity`: `512M`, `10%`"
            }
            Self::Count => "write a number, a share like `10%`, or `infinity`",
            Self::Share => "write a share, as `50%`",
            Self::Mode => "write it in octal digits, as `0640`",
            Self::Whole => "write a whole number",
            Self::Limit => "write a number, `soft:hard`, or `infinity`",
            Self::Signal => "write the name of a signal, as `SIGTERM`",
            Self::OneOf(words, version) => {
                let booleans = if words.starts_with("BOOL") { &BOOL[..2] } else { &[] };
                let words = known(words, version).filter(|word| !["0", "BOOL"].contains(word));
                return advice(value, booleans.iter().copied().chain(words));
            }
        };
        like.to_owned()
    }
}

/// The words that a version knows.
fn known(words: &'static str, version: Version) -> impl Iterator<Item = &'static str> {
    words.split(' ').filter_map(move |word| match word.strip_prefix('+') {
        Some(newer) => (version != Version::V252).then_some(newer),
        None => Some(word),
    })
}

/// A number as strtol(3) reads it, in any base that systemd knows; whether it fits is not judged.
fn is_whole(value: &str) -> bool {
    let number = value.trim_start_matches(['+', '-', ' ']);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'x' | b'X' | b'o' | b'O'))
}

/// `10%`, `12.5‰`; whether it is too much is not judged.
fn is_share(value: &str) -> bool {
    let number = ["%", "\u{2030}", "\u{2031}"].iter().find_map(|sign| value.strip_suffix(sign));
    let number = number.map(|number| number.split_once('.').unwrap_or((number, "0")));
    number.is_some_and(|(whole, parts)| is_whole(whole) && parts.bytes().all(|b| b.is_ascii_digit()))
}

/// `1G 512M`: each unit once, in falling order; the last may be left out. Whether it is too much is not judged.
fn is_size(value: &str) -> bool {
    let mut units = "EPTGMKB";
    let mut rest = value;
    loop {
        let number = rest.trim_start();
        let number = number.strip_prefix('+').unwrap_or(number);
        let after = number.trim_start_matches(|c: char| c.is_ascii_digit());
        if after.len() == number.len() {
            return false;
        }
        let after = after.strip_prefix('.').unwrap_or(after);
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let Some(unit) = after.chars().next() else { return true };
        let Some(at) = units.find(unit) else { return false };
        (units, rest) = (&units[at + 1..], &after[1..]);
        if rest.is_empty() {
            return true;
        }
    }
}

/// `SIGTERM`, `TERM`, `15`, `RTMIN+3`; numbers are not judged.
fn is_signal(value: &str) -> bool {
    const NAMES: &str = " HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP \
                         TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS ";
    let name = value.strip_prefix("SIG").unwrap_or(value);
    let known = !name.contains(' ') && NAMES.contains(&format!(" {name} "));
    known || is_whole(value) || is_whole(name) || name.starts_with("RTMIN") || name.starts_with("RTMAX")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(key: &str, kind: &str, value: &str) -> bool {
        refuse(Version::V257, key, kind, value).is_none()
    }

    #[test]
    fn values() {
        for (key, kind, good, bad) in [
            ("RemainAfterExit", "BOOLEAN", "yes Off 1", "maybe 2"),
            ("RestartSec", "SECONDS", "5 1min infinity", "5parsecs %i"),
            ("TimeoutStopSec", "OTHER", "5", "soon"),
            ("OnCalendar", "TIMER", "daily *:0/5", "dayly"),
            ("OnBootSec", "TIMER", "5min %i", "daily"),
            ("MemoryMax", "LIMIT", "512M 10% infinity 1.5G", "512MB 512m lots 5%5"),
            ("LimitNOFILE", "LIMIT", "1024:4096 infinity", "many"),
            ("TasksMax", "OTHER", "10 5% infinity", "ten"),
            ("CPUQuota", "OTHER", "50% 12.5%", "50"),
            ("UMask", "MODE", "0077 22", "0o22 9 rw 100000"),
            ("OnFailureJobMode", "MODE", "replace", "0644 replaced"),
            ("StartLimitBurst", "UNSIGNED", "5 0x10", "five"),
            ("PipeSize", "SIZE", "4K", "4k infinity"),
            ("KillSignal", "SIGNAL", "SIGTERM INT 9 RTMIN+2", "SIGTREM"),
            ("Type", "SERVICETYPE", "exec notify-reload", "execute"),
            ("StandardOutput", "OUTPUT", "journal file:/x", "file=/x"),
            ("SyslogLevel", "LEVEL", "info 6", "information"),
            ("ProtectSystem", "OTHER", "yes strict", "full-strict"),
            ("Delegate", "OTHER", "cpu", ""),
        ] {
            good.split(' ').for_each(|value| assert!(taken(key, kind, value), "{key}={value}"));
            bad.split_whitespace().for_each(|value| assert!(!taken(key, kind, value), "{key}={value}"));
            assert!(taken(key, kind, ""), "{key}=");
        }
    }

    #[test]
    fn advice_is_given() {
        let help = |key, kind, value| refuse(Version::V257, key, kind, value).unwrap_or_default();
        assert_eq!(help("OnCalendar", "TIMER", "dayly"), "did you mean `daily`?");
        assert_eq!(help("Restart", "SERVICERESTART", "on-failur"), "did you mean `on-failure`?");
        assert_eq!(help("ProtectHome", "OTHER", "zzzz"), "known are `yes`, `no`, `read-only` and `tmpfs`");
    }
}
