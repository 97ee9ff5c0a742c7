//! Scripts: those that entry points ask for, and those that a wheel brings (entry points specification; the binary
//! distribution format, "Recommended installer features").

use configparser::ini::Ini;

use super::archive::path_fault;
use super::fault::Problem;

/// Starts the environment's own python wherever the environment lies: the script's folder is that of `python`.
/// The shell reads the second line as a command, and python as the text of a string.
const SHEBANG: &str =
    "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''";

/// An entry point that becomes a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPoint {
    /// The script's name.
    pub(super) name: String,
    module: String,
    function: String,
}

/// Reads `entry_points.txt`: the scripts of its `console_scripts` and `gui_scripts`, by name.
pub(super) fn entry_points(bytes: &[u8], minor: u8) -> Result<Vec<EntryPoint>, Vec<Problem>> {
    let unreadable = |why: String| vec![Problem::Metadata { file: "entry_points.txt", why }];
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
    // "Case-sensitive", and `=` is the only delimiter (entry points specification, "File format").
    let mut defaults = Ini::new_cs().defaults();
    defaults.delimiters = vec!['='];
    let mut ini = Ini::new_from_defaults(defaults);
    let sections = ini.read(text.to_owned()).map_err(unreadable)?;
    let mut points = Vec::new();
    let mut problems = Vec::new();
    for section in ["console_scripts", "gui_scripts"] {
        for (name, value) in sections.get(section).into_iter().flatten() {
            match EntryPoint::parse(name, value.as_deref().unwrap_or_default()) {
                Ok(point) => points.push(point),
                Err(why) => problems.push(Problem::EntryPoint { name: name.clone(), why }),
            }
        }
    }
    // Sections come in no order.
    points.sort_by(|one, other| one.name.cmp(&other.name));
    problems.sort_by_key(ToString::to_string);
    if problems.is_empty() { Ok(with_own_pip(points, minor)) } else { Err(problems) }
}

/// pip's wheel names the version of the python that made it: installers replace that by their own.
fn with_own_pip(mut points: Vec<EntryPoint>, minor: u8) -> Vec<EntryPoint> {
    points.retain(|point| point.name.strip_prefix("pip3.").is_none_or(|rest| rest.parse::<u8>().is_err()));
    if let Some(pip) = points.iter().find(|point| point.name == "pip3").cloned() {
        points.push(EntryPoint { name: format!("pip3.{minor}"), ..pip });
    }
    points
}

impl EntryPoint {
    fn parse(name: &str, value: &str) -> Result<Self, &'static str> {
        if name.contains('/') || path_fault(name).is_some() {
            return Err("has a name that no file can have");
        }
        if is_python(name) {
            return Err("has the name of the interpreter");
        }
        // `module:function [extra]`: extras say nothing to a script.
        let (object, extras) =
            value.split_once('[').map_or((value, None), |(object, rest)| (object, Some(rest)));
        if extras.is_some_and(|rest| !rest.trim_end().ends_with(']')) {
            return Err("is no `module:function`");
        }
        let (module, function) = object.split_once(':').ok_or("is no `module:function`")?;
        let (module, function) = (module.trim(), function.trim());
        if !dotted(module) || !dotted(function) {
            return Err("is no `module:function`");
        }
        Ok(Self { name: name.to_owned(), module: module.to_owned(), function: function.to_owned() })
    }

    /// The script.
    pub(super) fn text(&self) -> String {
        let Self { module, function, .. } = self;
        let import = function.split_once('.').map_or(function.as_str(), |(first, _)| first);
        format!(
            "{SHEBANG}\n# -*- coding: utf-8 -*-\nimport sys\nfrom {module} import {import}\n\
             if __name__ == \"__main__\":\n    if sys.argv[0].endswith(\"-script.pyw\"):\n        \
             sys.argv[0] = sys.argv[0][:-11]\n    elif sys.argv[0].endswith(\".exe\"):\n        \
             sys.argv[0] = sys.argv[0][:-4]\n    sys.exit({function}())\n"
        )
    }

    /// Whether a script of that name in `.data/scripts` is this one, as old makers of wheels brought both.
    pub(super) fn is(&self, script: &str) -> bool {
        let stem = [".exe", "-script.py", ".pya"].iter().find_map(|end| script.strip_suffix(end));
        self.name == stem.unwrap_or(script)
    }
}

/// Whether a text is identifiers with dots between them: it is written into a script.
fn dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Whether a script would take the place of the interpreter's links.
fn is_python(name: &str) -> bool {
    let minor = name.strip_prefix("python3.").is_some_and(|minor| minor.parse::<u8>().is_ok());
    minor || matches!(name, "python" | "python3" | "pythonw")
}

/// A script of `.data/scripts` as it is installed: a first line that begins with `#!python` becomes the shebang.
pub(super) fn installed(script: Vec<u8>) -> Vec<u8> {
    if !script.starts_with(b"#!python") {
        return script;
    }
    // The whole line goes, as with pip; uv keeps what follows `#!python` or `#!pythonw`, and what it makes of
    // `#!python3` does not start.
    let line = script.iter().position(|&b| b == b'\n').unwrap_or(script.len());
    let carriage = usize::from(script[..line].ends_with(b"\r"));
    [SHEBANG.as_bytes(), &script[line - carriage..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<EntryPoint>, Vec<Problem>> {
        entry_points(text.as_bytes(), 11)
    }

    #[test]
    fn names_keep_their_case_and_extras_go() {
        let points = parse(
            "[console_scripts]\nTwist = a.b:C.main\nb:c = x : f [one, two]\n[other]\nx = y\n[gui_scripts]\ng=m:f\n",
        )
        .unwrap();
        let names: Vec<_> = points.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(names, ["Twist", "b:c", "g"]);
        let text = points[0].text();
        assert!(text.starts_with(
            "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n"
        ));
        assert!(text.contains("\nfrom a.b import C\n") && text.ends_with("\n    sys.exit(C.main())\n"));
        assert!(points[1].text().contains("from x import f\n"));
    }

    #[test]
    fn nothing_gets_into_a_script_but_names() {
        for bad in
            ["", "a", "a:", ":f", "a:f()", "a;import os:f", "a b:f", "a-b:f", "a..b:f", "a:f [x", "a:1"]
        {
            assert!(parse(&format!("[console_scripts]\nx = {bad}\n")).is_err(), "{bad}");
        }
        for bad in ["../x", "python", "python3", "python3.11", "a/b", ".."] {
            assert!(parse(&format!("[console_scripts]\n{bad} = a:f\n")).is_err(), "{bad}");
        }
        assert!(parse("[console_scripts]\nx: a:f\n").is_err());
        assert!(entry_points(b"[console_scripts]\n\xff = a:f\n", 11).is_err());
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn pip_gets_the_version_of_the_host() {
        let points = parse("[console_scripts]\npip = p:m\npip3 = p:m\npip3.13 = p:m\n").unwrap();
        let names: Vec<_> = points.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(names, ["pip", "pip3", "pip3.11"]);
    }

    #[test]
    fn only_the_interpreter_of_a_script_changes() {
        let start = |script: &str| String::from_utf8(installed(script.into())).unwrap();
        assert_eq!(start("#!python\nx\n"), format!("{SHEBANG}\nx\n"));
        assert_eq!(start("#!pythonw\r\nx\n"), format!("{SHEBANG}\r\nx\n"));
        assert_eq!(start("#!python3 -u\nx\n"), format!("{SHEBANG}\nx\n"));
        assert_eq!(start("#!python"), SHEBANG);
        for other in ["", "#", "#!/usr/bin/python\n", "\x7fELF", "x"] {
            assert_eq!(start(other), other);
        }
    }

    #[test]
    fn a_script_of_the_same_name_is_the_entry_point() {
        let point = EntryPoint::parse("x", "a:f").unwrap();
        assert!(point.is("x") && point.is("x.exe") && point.is("x-script.py") && !point.is("x.py"));
    }
}
