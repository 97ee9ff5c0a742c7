//! The readers: libraries in Rust, and what Python has.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use voevent_node::build::artifact::Grammar;

/// A file.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) grammar: Grammar,
    pub(super) text: String,
}

/// Reads a file with a library, if there is one.
pub(super) fn here(case: &Case) -> Option<Result<Json, String>> {
    match case.grammar {
        Grammar::Json => Some(serde_json::from_str(&case.text).map_err(|error| error.to_string())),
        Grammar::Toml => {
            let read = toml::from_str::<toml::Table>(&case.text).map_err(|error| error.to_string());
            Some(read.map(|table| from_toml(&toml::Value::Table(table))))
        }
        Grammar::Xml => {
            let read = roxmltree::Document::parse(&case.text).map_err(|error| error.to_string());
            Some(read.map(|document| from_xml(document.root_element())))
        }
        Grammar::Text => Some(Ok(json!(case.text))),
        Grammar::Lines => Some(Ok(case.text.split('\n').collect())),
        _ => None,
    }
}

fn from_toml(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(value) => json!(value),
        toml::Value::Datetime(time) => json!(format!("time {time}")),
        toml::Value::Array(values) => values.iter().map(from_toml).collect(),
        toml::Value::Table(values) => {
            Json::Object(values.iter().map(|(key, value)| (key.clone(), from_toml(value))).collect())
        }
    }
}

/// Tag, attributes, text, and children with the text behind each.
fn from_xml(element: roxmltree::Node<'_, '_>) -> Json {
    let attributes = element.attributes().map(|a| (a.name().to_owned(), json!(a.value()))).collect();
    let (mut text, mut children) = (String::new(), Vec::<(Json, String)>::new());
    for child in element.children() {
        if child.is_element() {
            children.push((from_xml(child), String::new()));
        } else if child.is_text() {
            let into = children.last_mut().map_or(&mut text, |(_, tail)| tail);
            into.push_str(child.text().unwrap_or_default());
        }
    }
    json!([element.tag_name().name(), Json::Object(attributes), text, children])
}

const PYTHON: &str = r#"
import ast, configparser, io, json, sys, warnings
import xml.etree.ElementTree as etree
try:
    import tomllib
except ImportError:
    tomllib = None
warnings.simplefilter("ignore")

def element(e):
    local = lambda name: name.split("}")[-1]
    attributes = {local(name): value for name, value in e.attrib.items()}
    return [local(e.tag), attributes, e.text or "", [[element(child), child.tail or ""] for child in e]]

def sections(parser, text):
    parser.read_file(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    return {name: dict(parser.items(name)) for name in parser.sections()}

def tree(node):
    if isinstance(node, ast.AST):
        return [type(node).__name__] + [tree(getattr(node, field, None)) for field in node._fields]
    if isinstance(node, list):
        return [tree(child) for child in node]
    return node if isinstance(node, str) else "=" + repr(node)

def run(text):
    names = {}
    exec(compile(text.encode(), "x.py", "exec"), names)
    return names["r"]

def plain(value):
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value if isinstance(value, (bool, int, float, str)) or value is None else "time " + repr(value)

def read(kind, text):
    if kind == "json":
        return [json.loads(text)]
    if kind == "toml":
        return [plain(tomllib.loads(text))] if tomllib else []
    if kind == "ini":
        parsers = configparser.RawConfigParser, configparser.ConfigParser
        extended = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
        return [sections(parser(), text) for parser in parsers] + [sections(extended, text)]
    if kind == "xml":
        return [element(etree.fromstring(text.encode()))]
    if kind == "python":
        return [run(text)]
    if kind == "tree":
        return [tree(ast.parse(text.encode()))]
    return []

def readings(kind, text):
    try:
        return read(kind, text)
    except Exception as error:
        return [{"error": f"{type(error).__name__}"}]

json.dump([readings(kind, text) for kind, text in json.load(sys.stdin)], sys.stdout)
"#;

/// What Python's readers make of each file; of a program the value of `r`.
pub(super) fn with_python(cases: &[Case]) -> Vec<Vec<Json>> {
    ask(&cases.iter().map(|case| (kind(case.grammar), case.text.as_str())).collect::<Vec<_>>())
}

/// The syntax trees of programs; of other files the same as before.
pub(super) fn trees(cases: &[&Case]) -> Vec<Vec<Json>> {
    let kind = |grammar| if grammar == Grammar::Python { "tree" } else { kind(grammar) };
    ask(&cases.iter().map(|case| (kind(case.grammar), case.text.as_str())).collect::<Vec<_>>())
}

fn kind(grammar: Grammar) -> &'static str {
    Grammar::ALL.iter().find(|(_, known)| *known == grammar).unwrap().0
}

fn ask(cases: &[(&str, &str)]) -> Vec<Vec<Json>> {
    let input = serde_json::to_vec(cases).unwrap();
    let mut child = Command::new("python3")
        .args(["-I", "-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Reads INI files with git, if it is here: all as one file, since it starts for each.
pub(super) fn with_git<'a>(cases: impl Iterator<Item = (&'a Case, &'a Json)>) {
    let (mut file, mut expected) = (String::new(), String::new());
    for (number, (case, read)) in cases.enumerate() {
        // Git's names of sections and keys are narrower than others'.
        let Some(keys) = read["s"].as_object() else { continue };
        file.push_str(&case.text.replace("\n[s]\n", &format!("\n[s{number}]\n")).replace("c: ", "c = "));
        for (key, value) in keys {
            let _ = write!(expected, "s{number}.{key}\n{}\0", value.as_str().unwrap());
        }
    }
    let mut temporary = tempfile::NamedTempFile::new().unwrap();
    temporary.write_all(file.as_bytes()).unwrap();
    let arguments = ["config", "--no-includes", "--list", "--null", "--file"];
    let Ok(output) = Command::new("git").args(arguments).arg(temporary.path()).output() else {
        println!("skipped: there is no git here");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
