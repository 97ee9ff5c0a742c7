//! XPath 1.0, as Comet takes it for `--filter`: lxml compiles the text and evaluates it on each event, without a map of
//! namespaces, without variables, and with the functions of the recommendation only.

use std::ops::Range;

use xpath_eval::{Expr, FilterExpr, LocationPath, NodeTest, PathExpr, PrimaryExpr, QName, parse};

use crate::base::nearest::nearest;

/// The longest text, in bytes, and the deepest nesting of brackets and signs: the parser recurses.
const MAX: (usize, usize) = (4096, 64);

/// The functions of XPath 1.0, each with the fewest and the most arguments.
const FUNCTIONS: [(&str, usize, usize); 27] = [
    ("last", 0, 0),
    ("position", 0, 0),
    ("count", 1, 1),
    ("id", 1, 1),
    ("local-name", 0, 1),
    ("namespace-uri", 0, 1),
    ("name", 0, 1),
    ("string", 0, 1),
    ("concat", 2, usize::MAX),
    ("starts-with", 2, 2),
    ("contains", 2, 2),
    ("substring-before", 2, 2),
    ("substring-after", 2, 2),
    ("substring", 2, 3),
    ("string-length", 0, 1),
    ("normalize-space", 0, 1),
    ("translate", 3, 3),
    ("boolean", 1, 1),
    ("not", 1, 1),
    ("true", 0, 0),
    ("false", 0, 0),
    ("lang", 1, 1),
    ("number", 0, 1),
    ("sum", 1, 1),
    ("floor", 1, 1),
    ("ceiling", 1, 1),
    ("round", 1, 1),
];

/// What is wrong with an expression.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in its text.
    pub at: Range<usize>,
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The first thing that is wrong; `None` where lxml takes it and can evaluate it.
#[must_use]
pub fn fault(text: &str) -> Option<Fault> {
    let all = |message: String, help: &str| Some(Fault { at: 0..text.len(), message, help: help.to_owned() });
    if text.len() > MAX.0 {
        return all(format!("an XPath of {} bytes", text.len()), "4096 bytes are the most");
    }
    if depth(text) > MAX.1 {
        return all(format!("an XPath with more than {} levels", MAX.1), "nest it less");
    }
    let parsed = match parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let start = text.floor_char_boundary(error.position.min(text.len()));
            let end = text.ceil_char_boundary((start + 1).min(text.len()));
            let message = format!("this is no XPath 1.0: {}", error.message.replace('\'', "`"));
            let help = "write it like `//Param[@name=\"SC_Lat\"]`, or `/*[@role=\"observation\"]`".to_owned();
            return Some(Fault { at: start..end, message, help });
        }
    };
    let mut look = Look { text, fault: None };
    look.expr(&parsed);
    look.fault
}

/// How deep brackets and signs are nested, at the most.
fn depth(text: &str) -> usize {
    let (mut deepest, mut brackets, mut signs) = (0, 0_usize, 0_usize);
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => brackets += 1,
            (None, ')' | ']') => brackets = brackets.saturating_sub(1),
            (None, '-') => signs += 1,
            (None, c) if c.is_whitespace() => {}
            (None, _) => signs = 0,
        }
        deepest = deepest.max(brackets + signs);
    }
    deepest
}

struct Look<'a> {
    text: &'a str,
    fault: Option<Fault>,
}

impl Look<'_> {
    /// The parser keeps no places: the first one where the name is written is shown.
    fn found(&mut self, name: &str, message: String, help: String) {
        let start = self.text.find(name).unwrap_or(0);
        self.fault.get_or_insert(Fault { at: start..start + name.len(), message, help });
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Or(left, right)
            | Expr::And(left, right)
            | Expr::Equality(left, _, right)
            | Expr::Relational(left, _, right)
            | Expr::Additive(left, _, right)
            | Expr::Multiplicative(left, _, right)
            | Expr::Union(left, right) => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Negate(inner) => self.expr(inner),
            Expr::Path(PathExpr::Location(path)) => self.path(path),
            Expr::Path(PathExpr::Filter(filter)) => self.filter(filter),
            Expr::Path(PathExpr::FilterLocation(filter, path)) => {
                self.filter(filter);
                self.path(path);
            }
        }
    }

    fn path(&mut self, path: &LocationPath) {
        for step in &path.steps {
            match &step.node_test {
                NodeTest::NamespaceWildcard(prefix) => self.prefix(prefix),
                NodeTest::QName(name) => self.name(name),
                _ => {}
            }
            step.predicates.iter().for_each(|predicate| self.expr(predicate));
        }
    }

    fn filter(&mut self, filter: &FilterExpr) {
        match &filter.primary {
            PrimaryExpr::Variable(name) => {
                let shown = format!("${}", name.local);
                self.found(&shown, format!("nothing gives `{shown}` a value"), "write the value".to_owned());
            }
            PrimaryExpr::Parenthesized(inner) => self.expr(inner),
            PrimaryExpr::Literal(_) | PrimaryExpr::Number(_) => {}
            PrimaryExpr::Function(call) => {
                self.name(&call.name);
                self.function(&call.name.local, call.args.len());
                call.args.iter().for_each(|arg| self.expr(arg));
            }
        }
        filter.predicates.iter().for_each(|predicate| self.expr(predicate));
    }

    fn name(&mut self, name: &QName) {
        name.prefix.iter().for_each(|prefix| self.prefix(prefix));
    }

    fn prefix(&mut self, prefix: &str) {
        // libxml2 knows this one by itself.
        if prefix != "xml" {
            let help = "write `*[local-name()=\"VOEvent\"]`; elements within a VOEvent have no namespace";
            let message = format!("nobody says what the prefix `{prefix}` stands for");
            self.found(&format!("{prefix}:"), message, help.to_owned());
        }
    }

    fn function(&mut self, name: &str, args: usize) {
        match FUNCTIONS.iter().find(|(known, ..)| *known == name) {
            None => {
                let near = nearest(name, FUNCTIONS.iter().map(|(known, ..)| *known));
                let help = near.map_or_else(
                    || "XPath 1.0 has 27 functions, `contains` and `starts-with` among them".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.found(name, format!("XPath 1.0 has no function `{name}`"), help);
            }
            Some((_, least, most)) if !(*least..=*most).contains(&args) => {
                let help = match (least, most) {
                    (least, most) if least == most => format!("it takes {least}"),
                    (least, &usize::MAX) => format!("it takes {least} or more"),
                    (least, most) => format!("it takes {least} to {most}"),
                };
                self.found(name, format!("`{name}` has {args} arguments here"), help);
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xpath_1_0_takes_is_taken() {
        for text in [
            "//Param[@name=\"SC_Lat\"]",
            "/*[@role='observation']",
            "//Who/Author[shortName=\"VO-GCN\"]",
            "//Param[@name=\"GRB\" and @value > 5.0]",
            "count(//Param) * 2 mod 3 - -1 >= .5",
            "//What/Group/Param[position()=last()]/@value | //How",
            "not(contains(@ivorn, 'test')) or starts-with(string(), \"x\")",
            "ancestor-or-self::node()/following-sibling::*[1]",
            "//*[local-name()='Position2D']/..//.",
            "id('a')/child::text()[. = 'b']",
            "processing-instruction('x')/comment()",
            "@xml:lang",
            "/",
            "//div/mod/and[or]",
            "translate(name(), 'A', 'a') = \"x\"",
            "(//Param)[1]/@name",
            "concat('a', 'b', 'c', \"'\")",
            "1",
            "div div div",
            "* * *",
            "é/@ü",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn what_it_refuses_has_its_place() {
        for (text, at, reason) in [
            ("//Param[@name=\"x\"", 17..17, "this is no XPath 1.0: "),
            ("//Param[", 8..8, "this is no XPath 1.0: "),
            ("//Param]", 7..8, "this is no XPath 1.0: "),
            ("a b", 2..3, "this is no XPath 1.0: "),
            ("", 0..0, "this is no XPath 1.0: "),
            ("a = 'b", 4..5, "this is no XPath 1.0: "),
            ("foo::a", 3..4, "this is no XPath 1.0: "),
            ("//voe:VOEvent", 2..6, "nobody says what the prefix `voe` stands for"),
            ("voe:*", 0..4, "nobody says what the prefix `voe` stands for"),
            ("re:match(a, 'b')", 0..3, "nobody says what the prefix `re` stands for"),
            ("matches(@a, 'b')", 0..7, "XPath 1.0 has no function `matches`"),
            ("//a[contain(b, 'c')]", 4..11, "XPath 1.0 has no function `contain`"),
            ("contains(a)", 0..8, "`contains` has 1 arguments here"),
            ("concat('a')", 0..6, "`concat` has 1 arguments here"),
            ("$x = 1", 0..2, "nothing gives `$x` a value"),
            ("a if b", 2..3, "this is no XPath 1.0: "),
            ("a eq b", 2..3, "this is no XPath 1.0: "),
        ] {
            let fault = fault(text).unwrap_or_else(|| panic!("`{text}` is taken"));
            assert!(fault.message.starts_with(reason), "{text}: {fault:?}");
            assert_eq!(fault.at, at, "{text}: {fault:?}");
        }
        for deep in ["(".repeat(2000), "a[".repeat(1000), "-".repeat(3000), "1+".repeat(2047) + "1"] {
            assert!(fault(&deep).is_some() || deep.ends_with('1'), "{deep}");
        }
        assert!(fault(&"a".repeat(5000)).is_some());
    }
}
