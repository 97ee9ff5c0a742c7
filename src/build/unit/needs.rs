//! What a unit must have, its drop-ins with it: systemd would refuse to load it otherwise.

use crate::base::name::UnitName;
use crate::build::unit::UnitFile;

/// What is missing or too much, and what to do.
#[must_use]
pub fn needs(unit: &UnitName, whole: &UnitFile) -> Option<(String, String)> {
    let (message, help) = match unit.as_str().rsplit_once('.')?.1 {
        "service" => service(whole)?,
        "timer" => timer(whole)?,
        "path" => path(whole)?,
        "socket" => socket(whole)?,
        _ => return None,
    };
    Some((format!("unit `{unit}` {message}"), help.to_owned()))
}

/// The service that a timer, path or socket starts where it names none, and the template of it if that would do as well;
/// before them the key that would name another.
#[must_use]
pub fn triggered(unit: &UnitName, whole: &UnitFile) -> Option<(&'static str, String, Option<String>)> {
    let (stem, kind) = unit.as_str().rsplit_once('.')?;
    let (section, key) = match kind {
        "timer" => ("Timer", "Unit"),
        "path" => ("Path", "Unit"),
        "socket" => ("Socket", "Service"),
        _ => return None,
    };
    // An instance comes of its template, and a socket makes one for each connection where it says so.
    let accepts = whole.last("Socket", "Accept").is_some_and(|value| !is_no(value));
    let template = if stem.contains('@') || (kind == "socket" && accepts) {
        Some(format!("{}@.service", stem.split('@').next()?))
    } else {
        None
    };
    whole.set(section, key).is_empty().then(|| (key, format!("{stem}.service"), template))
}

type Told = (&'static str, &'static str);

/// `service_verify` of systemd 252 and 257, as far as the text decides.
fn service(unit: &UnitFile) -> Option<Told> {
    let has = |key: &str| !unit.set("Service", key).is_empty();
    let starts = unit.set("Service", "ExecStart").len();
    let action = unit.last("Unit", "SuccessAction").is_some_and(|action| !["", "none"].contains(&action));
    let kind = unit.last("Service", "Type").filter(|kind| !kind.is_empty());
    let oneshot = kind == Some("oneshot") || (kind.is_none() && starts == 0 && !has("BusName"));
    if starts == 0 {
        if !has("ExecStop") && !action {
            return Some(("has no `ExecStart=`", "say what it runs"));
        }
        if !oneshot {
            return Some(("has no `ExecStart=`", "say what it runs, or write `Type=oneshot`"));
        }
        let remains = unit.last("Service", "RemainAfterExit").is_some_and(|value| !is_no(value));
        if !remains && !action {
            return Some((
                "has neither `ExecStart=` nor `RemainAfterExit=yes`",
                "say what it runs, or that it remains when there is nothing to run",
            ));
        }
    }
    if starts > 1 && !oneshot {
        return Some((
            "has more than one `ExecStart=`",
            "only `Type=oneshot` may; in a drop-in, an empty `ExecStart=` takes the first one back",
        ));
    }
    if oneshot && unit.last("Service", "Restart").is_some_and(|when| ["always", "on-success"].contains(&when))
    {
        return Some((
            "would start over for ever: it is `Type=oneshot`, and `Restart=` holds for success",
            "write `Restart=on-failure`, or another `Type=`",
        ));
    }
    (kind == Some("dbus") && !has("BusName")).then_some(("has no `BusName=`", "`Type=dbus` needs it"))
}

fn is_no(value: &str) -> bool {
    value.is_empty() || ["no", "false", "off", "0", "n", "f"].contains(&value.to_ascii_lowercase().as_str())
}

/// `timer_verify`
fn timer(unit: &UnitFile) -> Option<Told> {
    const KEYS: [&str; 6] =
        ["OnCalendar", "OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"];
    let some = KEYS.iter().any(|key| !unit.set("Timer", key).is_empty());
    let changes = ["OnClockChange", "OnTimezoneChange"];
    let on_change = changes.iter().any(|key| unit.last("Timer", key).is_some_and(|value| !is_no(value)));
    (!some && !on_change)
        .then_some(("says nowhere when", "write `OnCalendar=`, or `OnBootSec=` and `OnUnitActiveSec=`"))
}

/// `path_verify`
fn path(unit: &UnitFile) -> Option<Told> {
    const KEYS: [&str; 5] =
        ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"];
    let none = KEYS.iter().all(|key| unit.set("Path", key).is_empty());
    none.then_some(("says nowhere what to watch", "write `PathChanged=`, `PathExists=` or the like"))
}

/// `socket_verify`
fn socket(unit: &UnitFile) -> Option<Told> {
    const KEYS: [&str; 8] = [
        "ListenStream",
        "ListenDatagram",
        "ListenSequentialPacket",
        "ListenFIFO",
        "ListenNetlink",
        "ListenSpecial",
        "ListenMessageQueue",
        "ListenUSBFunction",
    ];
    let none = KEYS.iter().all(|key| unit.set("Socket", key).is_empty());
    none.then_some(("listens nowhere", "write `ListenStream=` or the like"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(unit: &str, text: &str) -> Option<String> {
        needs(&UnitName::new(unit).unwrap(), &UnitFile::parse(text).unwrap()).map(|(message, _)| message)
    }

    #[test]
    fn what_systemd_loads_is_enough() {
        for (unit, text) in [
            ("a.service", "[Service]\nExecStart=/x\n"),
            ("a.service", "[Service]\nType=oneshot\nExecStart=/x\nExecStart=/y\n"),
            ("a.service", "[Service]\nExecStart=/x\nExecStart=\nExecStart=/y\n"),
            ("a.service", "[Service]\nExecStop=/x\nRemainAfterExit=yes\n"),
            ("a.service", "[Service]\nType=dbus\nBusName=a.b\nExecStart=/x\n"),
            ("a.timer", "[Timer]\nOnBootSec=1\n"),
            ("a.timer", "[Timer]\nOnClockChange=yes\n"),
            ("a.path", "[Path]\nPathExists=/x\n"),
            ("a.socket", "[Socket]\nListenStream=1\n"),
            ("a.target", "[Unit]\nDescription=x\n"),
        ] {
            assert_eq!(missing(unit, text), None, "{text}");
        }
    }

    #[test]
    fn what_systemd_refuses_is_told() {
        for (unit, text, message) in [
            ("a.service", "[Unit]\nDescription=x\n", "has no `ExecStart=`"),
            ("a.service", "[Service]\nExecStart=/x\nExecStart=\n", "has no `ExecStart=`"),
            ("a.service", "[Service]\nType=exec\nExecStop=/x\nRemainAfterExit=yes\n", "has no `ExecStart=`"),
            ("a.service", "[Service]\nExecStop=/x\n", "has neither `ExecStart=` nor `RemainAfterExit=yes`"),
            ("a.service", "[Service]\nExecStart=/x\nExecStart=/y\n", "has more than one `ExecStart=`"),
            ("a.service", "[Service]\nType=dbus\nExecStart=/x\n", "has no `BusName=`"),
            (
                "a.service",
                "[Service]\nType=oneshot\nRestart=always\nExecStart=/x\n",
                "would start over for ever: it is `Type=oneshot`, and `Restart=` holds for success",
            ),
            ("a.timer", "[Timer]\nPersistent=yes\n", "says nowhere when"),
            ("a.path", "[Path]\nUnit=x.service\n", "says nowhere what to watch"),
            ("a.socket", "[Socket]\nAccept=yes\n", "listens nowhere"),
        ] {
            assert_eq!(missing(unit, text), Some(format!("unit `{unit}` {message}")), "{text}");
        }
    }

    #[test]
    fn the_service_of_a_timer() {
        let of = |unit: &str, text: &str| {
            triggered(&UnitName::new(unit).unwrap(), &UnitFile::parse(text).unwrap())
                .map(|(_, service, template)| (service, template))
        };
        let names = |one: &str, two: Option<&str>| Some((one.to_owned(), two.map(str::to_owned)));
        assert_eq!(of("a.timer", "[Timer]\n"), names("a.service", None));
        assert_eq!(of("a@b.path", "[Path]\n"), names("a@b.service", Some("a@.service")));
        assert_eq!(of("a.socket", "[Socket]\n"), names("a.service", None));
        assert_eq!(of("a.socket", "[Socket]\nAccept=yes\n"), names("a.service", Some("a@.service")));
        assert_eq!(of("a.timer", "[Timer]\nUnit=b.service\n"), None);
        assert_eq!(of("a.service", ""), None);
    }
}
