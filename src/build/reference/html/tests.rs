//! The one page is whole, and no module can put anything into it but text.

use std::collections::BTreeSet;

use clap::Command;
use regex::Regex;

use super::*;
use crate::build::module_folders::ModuleFolder;
use crate::build::reference::library;
use crate::build::reference::page::{Program, pages};
use crate::build::sources::Memory;

const HOSTILE: &str = "[module]
description = '</script><script>alert(1)</script> @SECTIONS@ <!-- `<b>` | ![x](http://x/y.png) [z](javascript:alert(2))'
[options.a]
type = 'string'
pattern = '<img src=x onerror=alert(3)>|`|.*'
default = '</code><script>alert(4)</script> {{ host.name }}'
description = \"<a id=\\\"x\\\" onclick=alert(5)>`` </td></table> `\\n# heading\"
example = '<a id=\"h\">'
[[assert]]
that = \"a.a != '</li><script>'\"
message = '<iframe src=http://x>'
";

fn page(module: &str) -> String {
    let mut tree = Memory::default();
    tree.0.insert("modules/a/module.toml".into(), module.into());
    tree.0.insert(
        "modules/b/module.toml".into(),
        "[module]\ndescription = 'B'\nrequires = ['a', 'c']\n".into(),
    );
    let modules = library::modules(&mut tree, vec![ModuleFolder::default_at("modules")])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let programs = [Program { command: Command::new("p").about("<script>"), exits: vec![(0, "<script>")] }];
    let book = Book { modules: &modules, programs: &programs };
    html(&book, &pages(&book))
}

#[test]
fn a_description_is_text() {
    let page = page(HOSTILE);
    // All that begins in the page, but for the elements that it is made of.
    let elements: BTreeSet<&str> = Regex::new("<([a-z0-9]+)")
        .unwrap()
        .captures_iter(&page)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    for element in ["iframe", "img", "b"] {
        assert!(!elements.contains(element), "<{element}>");
    }
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(page.matches("<section id=\"page-index\">").count(), 1);
    assert!(!Regex::new(r"<[^>]*(onclick|onerror|javascript:)").unwrap().is_match(&page));
    assert!(page.contains(
        "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; @SECTIONS@ &lt;!-- <code>&lt;b&gt;</code> | !"
    ));
    let (_, index) = page.split_once("id=\"index\">").unwrap();
    let index: Vec<(String, String, String, String)> =
        serde_json::from_str(index.split_once("</script>").unwrap().0).unwrap();
    assert!(index.iter().any(|(name, _, kind, id)| name == "a.a" && kind == "string" && id == "a.a"));
}

#[test]
fn every_link_leads_somewhere() {
    let page = page(HOSTILE);
    let found = |pattern: &str| -> Vec<String> {
        let found = Regex::new(pattern).unwrap();
        found.captures_iter(&page).map(|found| found[1].to_owned()).collect()
    };
    let ids = found(r#" id="([^"]+)""#);
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    let links = found(r#" href="([^"]+)""#);
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        let inside = link.strip_prefix('#').is_some_and(|id| unique.contains(&id.to_owned()));
        assert!(inside || link.starts_with("https://jinja."), "{link}");
    }
    // Nothing is fetched: no element of the page has a source.
    assert!(found(r#"<[^>]+ src="?([^">]*)"#).is_empty());
}

#[test]
fn the_same_modules_make_the_same_bytes() {
    assert_eq!(page(HOSTILE), page(HOSTILE));
}
