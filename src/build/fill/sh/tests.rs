//! Places of a script, as a table. That a real shell reads the values back is shown in `tests/it/fill_sh.rs`.

use crate::base::value::Value;
use crate::build::artifact::Grammar;
use crate::build::fill::fill;
use crate::build::fill::tests::{list, outcome, pieces, string};

fn sh(template: &str, values: &[Value]) -> Result<String, String> {
    outcome(Grammar::Sh, template, values)
}

#[test]
fn each_place_has_its_quoting() {
    for (template, value, expected) in [
        ("x §", "it's", r"x 'it'\''s'"),
        ("x a§b", "", "x a''b"),
        ("x \"§\"", r#"a"b$c`d\e"#, r#"x "a\"b\$c\`d\\e""#),
        ("x 'a§'", "it's", r"x 'ait'\''s'"),
        ("# §\n", "$(rm)", "# $(rm)\n"),
        ("a=§", "b c", "a='b c'"),
        ("§=1", "a_1", "a_1=1"),
        ("A§=1", "B", "AB=1"),
        ("for § in a b; do :; done", "i", "for i in a b; do :; done"),
        ("cat <<E\n§\nE\n", "$x \"y\"", "cat <<E\n\\$x \"y\"\nE\n"),
        ("cat <<'E'\n§\nE\n", "$x", "cat <<'E'\n$x\nE\n"),
        ("cat <<\"E\"\n§\nE\n", "$x", "cat <<\"E\"\n$x\nE\n"),
        ("cat <<\\E F\n§\nE\n", "$x", "cat <<\\E F\n$x\nE\n"),
        ("x $(y §)", "z", "x $(y 'z')"),
        ("x \"$(y \"§\")\"", "\"", "x \"$(y \"\\\"\")\""),
        ("x >§", "&1", "x >'&1'"),
        ("§ x", "if", "'if' x"),
        ("case $a in §) x ;; esac", "*", "case $a in '*') x ;; esac"),
        ("x $(case a in a) y §;; esac)", "z", "x $(case a in a) y 'z';; esac)"),
        (
            "x $(case a in (a) case b in b) y;; esac; y §;; esac)",
            "z",
            "x $(case a in (a) case b in b) y;; esac; y 'z';; esac)",
        ),
        ("x ${a:-'}'} §", "z", "x ${a:-'}'} 'z'"),
        ("x \"${a:-it's}\" §", "z", "x \"${a:-it's}\" 'z'"),
        ("x \"${a#'}'}\" §", "z", "x \"${a#'}'}\" 'z'"),
        ("x \"5$\" §", "z", "x \"5$\" 'z'"),
        ("f() { x §; }", "z", "f() { x 'z'; }"),
        ("x a#b §", "z", "x a#b 'z'"),
        ("x \\\n  §", "z", "x \\\n  'z'"),
        ("x `a \\` b` §", "z", "x `a \\` b` 'z'"),
    ] {
        assert_eq!(sh(template, &[string(value)]), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn deep_and_long_texts_are_no_trouble() {
    for open in ["$(", "\"$(", "${a:-", "$(( $(", "(", "case a in a) ", "cat <<E\n$(", "{ ", "a=$("] {
        _ = sh(&(open.repeat(20_000) + "§"), &[string("x")]);
    }
    let script = "x 'a' \"$b\" §\n".repeat(20_000);
    assert!(sh(&script, &vec![string("x"); 20_000]).is_ok());
}

#[test]
fn lists_and_numbers() {
    assert_eq!(sh("x § y", &[list(&["a", "b c", ""])]), Ok("x 'a' 'b c' '' y".to_owned()));
    assert_eq!(sh("x §\n", &[list(&[])]), Ok("x \n".to_owned()));
    assert_eq!(sh("for i in §; do :; done", &[list(&["a"])]), Ok("for i in 'a'; do :; done".to_owned()));
    assert_eq!(sh("x §>f", &[Value::Int(8099)]), Ok("x '8099'>f".to_owned()));
    assert_eq!(sh("x $(( § - § ))", &[Value::Int(-3), Value::Int(4)]), Ok("x $(( (-3) - 4 ))".to_owned()));
    for template in ["x a§", "x \"§\"", "a=§", "x >§", "case § in a) ;; esac", "§ x", "# §", "x §\\\ny"]
    {
        assert!(sh(template, &[list(&[])]).is_err(), "{template}");
    }
    for template in ["x $((1§))", "x $((a§))", "x $((§#1))", "x $((§§))"] {
        let values = vec![Value::Int(1); template.matches('§').count()];
        assert!(sh(template, &values).is_err(), "{template}");
    }
    for value in [Value::Int(i64::MIN), string("1"), Value::Float(1.0)] {
        assert!(sh("x $(( § ))", &[value]).is_err());
    }
}

#[test]
fn places_without_a_safe_reading_are_refused() {
    for template in [
        "x ${a:-§}",
        "x \"${a:-§}\"",
        "x ${§}",
        "x ${a:-$(b §)}",
        "x `a §`",
        "x $'§'",
        "x \\§",
        "x $§",
        "x \"$§\"",
        "x \"$a§\"",
        "cat <<E\n$a§\nE\n",
        "x \"$1§\"",
        "x <<§\n§\n",
        "x <<E§\nE\n",
        "x >&§",
        "x <&§",
        "x 2>&1§",
        "§() { :; }",
        "x§() { :; }",
        "for §a in b; do :; done",
        "#!/bin/sh §\n",
        "#!/bin/sh§\nx",
        "#§",
    ] {
        let values = vec![string("a b"); template.matches('§').count()];
        assert!(sh(template, &values).is_err(), "{template}");
    }
    for name in ["", "1a", "a-b", "a b", "a=b", "é", "a\n"] {
        assert!(sh("§=x", &[string(name)]).is_err(), "{name:?}");
        assert!(sh("for § in x; do :; done", &[string(name)]).is_err(), "{name:?}");
    }
}

#[test]
fn what_other_shells_know_is_refused() {
    for template in [
        "[[ a ]]",
        "x $(<f)",
        "x <<\"$E\"\n$E\n",
        "x <<\"E\\F\"\nE\\F\n",
        "x <(y)",
        "x >(y)",
        "x <<< y",
        "x &> f",
        "x |& y",
        "function f { :; }",
        "a=(b c)",
        "x $'a'",
        "x $\"a\"",
        "x $[1]",
        "((a))",
        "x ${a//b/c}",
        "x ${a:1:2}",
        "x ${!a}",
        "x ${a^^}",
        "x ${a[0]}",
        "x @(a|b)",
        "case a in a) ;& b) ;; esac",
        "#!/bin/bash\n",
        "#!/usr/bin/env sh\n",
        "#!/bin/sh -x y\n",
        "#!/bin/sh -c\n",
        "#!/bin/sh\r\n",
    ] {
        assert!(sh(template, &[]).is_err(), "{template}");
    }
    for template in
        ["#!/bin/sh\nx", "#! /bin/sh -eu\n", "#!/bin/sh -e", "x & y", "x ${#a} ${a%%b} ${1:-c} $# $$ $?"]
    {
        assert_eq!(sh(template, &[]), Ok(template.to_owned()));
    }
}

#[test]
fn what_has_no_end_points_to_its_start() {
    for (template, offset) in [
        ("x 'a\n", 2),
        ("x \"a", 2),
        ("x `a", 2),
        ("x $(a", 2),
        ("x ${a", 2),
        ("x $((1", 2),
        ("x <<E\na\n", 2),
        ("x <<E", 2),
        ("(a", 0),
        ("case a in a) b;;", 0),
        ("x \"$(a '\")\"", 7),
        ("x\n)", 2),
        ("x <<E\n$(a\nb)\nE\n", 6),
    ] {
        let refusals =
            fill(Grammar::Sh, &[crate::build::fill::Piece::Text(template.to_owned())]).unwrap_err();
        assert_eq!((refusals.len(), refusals[0].at.offset), (1, offset), "{template} {refusals:?}");
    }
}

#[test]
fn here_documents_end_where_the_template_says() {
    for (template, value) in [
        ("cat <<E\n§\nE\n", "E"),
        ("cat <<'E'\n§\nE\n", "a\nE\nb"),
        ("cat <<EE\nE§\nEE\n", "E"),
        ("cat <<-E\n§\n\tE\n", "a\n\t\tE"),
        ("cat <<-E\n§\nE\n", "\ta"),
        ("cat <<-E\n\t§\nE\n", "\ta"),
        ("cat <<-E\nb§\nE\n", "a\n\tb"),
        ("cat <<E\na\\\nE\n§\nE\n", "x"),
        ("cat <<E\n§", "x"),
        ("cat <<E\n§\nE\nF", "x\nE"),
        ("cat <<E\nE§\nE\n", ""),
        ("cat <<E\n§E\nE\n", "a\n"),
        ("cat <<E\n\\\n§\nE\n", "E"),
    ] {
        assert!(sh(template, &[string(value)]).is_err(), "{template} {value:?}");
    }
    for (template, value) in [
        ("cat <<E\n§\nE\n", " E"),
        ("cat <<E\n§\nE\n", "E "),
        ("cat <<-'E'\nb§\n\tE\n", "\ta"),
        ("cat <<E <<F\n§\nE\nE\nF\n", "F"),
        ("x=$(cat <<E\n§\nE\n)\n", "a"),
        ("cat <<E\n§\nE", "a"),
        ("cat <<E | while read a\n§\nE\ndo :; done\n", "a"),
    ] {
        assert!(
            sh(template, &[string(value)]).is_ok(),
            "{template} {value:?}: {:?}",
            sh(template, &[string(value)])
        );
    }
}

#[test]
fn what_a_shell_reads_again_is_refused() {
    for template in [
        "eval §",
        "eval \"x $y\" §",
        "command eval §",
        "A=1 eval §",
        "sh -c §",
        "/bin/sh -ec \"x §\"",
        "sudo -u a sh -c 'x §'",
        "find . -exec sh -c 'x §' \\;",
        "bash -o pipefail -c §",
        "trap 'rm §' EXIT",
        "trap -- § EXIT",
        "alias a=§",
        "su -c 'x §' b",
        "su b --command='x §'",
        "sh <<E\n§\nE\n",
        "cat <<E | sh\n§\nE\n",
        "echo § | sh",
        "echo § |\n sh",
        "{ echo §; } | sh",
        "x=$(eval §)",
        "if eval §; then :; fi",
        "timeout 5 sh -c §",
        "\"$SHELL\" -c §",
        "x | sh -s <<E\n§\nE\n",
        "watch §",
        "bash --rcfile a -c §",
        "PS4=§ x",
        "echo § | runuser b",
        "busybox sh -c §",
        "! eval §",
        "case a in a) eval §;; esac",
        "su - b <<'E'\n§\nE\n",
    ] {
        assert!(sh(template, &[string("x")]).is_err(), "{template}");
    }
    for template in [
        "sh -c 'x \"$1\"' sh §",
        "sh §",
        ". §",
        "sh -e §",
        "trap 'x' §",
        "echo § | cat",
        "echo §; sh x",
        "x <<E\n§\nE\nsh -s a\n",
        "evaluate §",
        "x eval §",
        "echo § | runuser -u b cat",
        "PS3=§",
        "sh -c x\necho §",
        "y | sh x §",
        "su b -c x <<E\n§\nE\n",
    ] {
        assert!(sh(template, &[string("x")]).is_ok(), "{template}");
    }
}

#[test]
fn what_other_languages_read_again_is_a_warning() {
    for template in [
        "ssh host x §",
        "sed s/a/§/ f",
        "sed -e §",
        "awk -v a=§ p f",
        "awk '§'",
        "python3 -c 'x §'",
        "perl -e §",
        "ssh h <<E\n§\nE\n",
        "printf \"§\"",
        "python3 - <<E\n§\nE\n",
    ] {
        let filled = fill(Grammar::Sh, &pieces(template, &[string("x")])).unwrap();
        assert_eq!(filled.warnings.len(), 1, "{template}");
    }
    for template in
        ["ssh § x", "sed p §", "awk p §", "python3 -c x §", "printf %s §", "python3 § <<E\na\nE\n", "echo §"]
    {
        let filled = fill(Grammar::Sh, &pieces(template, &[string("x")])).unwrap();
        assert_eq!(filled.warnings, [], "{template}");
    }
}
