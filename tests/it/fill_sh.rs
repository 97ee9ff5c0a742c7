//! Values that went through a script come back byte for byte: scripts are filled and run by the shells that are here.
#![expect(clippy::disallowed_methods, reason = "runs real shells on real files")]
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot run a shell")]

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use voevent_node::base::value::Value;
use voevent_node::build::artifact::Grammar;
use voevent_node::build::fill::{Piece, fill};

/// A script with a hole at each `§`, and what it must print for a value; a NUL ends each output.
struct Context {
    script: &'static str,
    expected: fn(&str) -> Vec<String>,
}

fn same(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}
fn between(value: &str) -> Vec<String> {
    vec![format!("<{value}>")]
}
fn line(value: &str) -> Vec<String> {
    vec![format!("<{value}>\n")]
}
fn yes(_: &str) -> Vec<String> {
    vec!["yes".to_owned()]
}

const CONTEXTS: &[Context] = &[
    Context { script: "printf '%s\\0' §\n", expected: same },
    Context { script: "printf '%s\\0' a§b\n", expected: |value| vec![format!("a{value}b")] },
    Context { script: "printf '%s\\0' §§\n", expected: |value| vec![value.repeat(2)] },
    Context { script: "printf '%s\\0' \"<§>\"\n", expected: between },
    Context { script: "printf '%s\\0' '<§>'\n", expected: between },
    Context { script: "printf '%s\\0' \"<\"§'>'\n", expected: between },
    Context { script: "printf '%s\\0' \\\n  §\n", expected: same },
    Context {
        script: "printf '%s\\0' ~§ [§] *§\n",
        expected: |v| vec![format!("~{v}"), format!("[{v}]"), format!("*{v}")],
    },
    Context { script: "v=§; printf '%s\\0' \"$v\"\n", expected: same },
    Context {
        script: "v=\"§\" w='§'\nprintf '%s\\0' \"$v\" \"$w\"\n", expected: |v| vec![v.to_owned(); 2]
    },
    Context { script: "v=~§:§; printf '%s\\0' \"$v\"\n", expected: |v| vec![format!("~{v}:{v}")] },
    Context { script: "export V=§; sh -c 'printf \"%s\\0\" \"$V\"'\n", expected: same },
    Context { script: "V=§ sh -c 'printf \"%s\\0\" \"$V\"'\n", expected: same },
    Context { script: "sh -c 'printf \"%s\\0\" \"$1\"' sh §\n", expected: same },
    Context { script: "cat <<EOF\n<§>\nEOF\nprintf '\\0'\n", expected: line },
    Context { script: "cat <<EOF\n§\nEOF\nprintf '\\0'\n", expected: |value| vec![format!("{value}\n")] },
    Context { script: "cat <<'EOF'\n<§>\nEOF\nprintf '\\0'\n", expected: line },
    Context { script: "cat <<'EOF'\n§\nEOF\nprintf '\\0'\n", expected: |value| vec![format!("{value}\n")] },
    Context { script: "cat <<-EOF\n\t<§>\n\tEOF\nprintf '\\0'\n", expected: line },
    Context {
        script: "cat <<-'EOF'\n\t§\n\tEOF\nprintf '\\0'\n",
        expected: |value| vec![format!("{value}\n")],
    },
    Context {
        script: "cat <<EOF | cat\n$(printf '%s.' §)\"§\"\nEOF\nprintf '\\0'\n",
        expected: |v| vec![format!("{v}.\"{v}\"\n")],
    },
    Context { script: "cat <<A - <<B\n§\nA\n<§>\nB\nprintf '\\0'\n", expected: line },
    Context {
        script: "printf '%s\\0' \"$(printf '%s.' §)\"\n", expected: |value| vec![format!("{value}.")]
    },
    Context {
        script: "printf '%s\\0' \"$(printf '%s.' \"$(printf '%s.' \"§\")\")\"\n",
        expected: |value| vec![format!("{value}..")],
    },
    Context { script: "printf '%s\\0' \"$(cat <<EOF\n<§>\nEOF\n)\"\n", expected: between },
    Context { script: "printf '%s\\0' \"$(case a in a) printf '<%s>' §;; esac)\"\n", expected: between },
    Context { script: "case § in §) printf 'yes\\0';; *) printf 'no\\0';; esac\n", expected: yes },
    Context {
        script: "case x§ in (\"x§\" | b) printf 'yes\\0';; *) printf 'no\\0';; esac\n", expected: yes
    },
    Context { script: "if [ § = \"§\" ]; then printf 'yes\\0'; fi\n", expected: yes },
    Context {
        script: "for i in § x; do printf '%s\\0' \"$i\"; done\n",
        expected: |v| vec![v.to_owned(), "x".to_owned()],
    },
    Context { script: "f() { printf '%s\\0' \"$1\"; }; f §\n", expected: same },
    Context { script: "(printf '%s' §) | { cat; printf '\\0'; }\n", expected: same },
    Context {
        script: "set -- §; printf '%s\\0' \"$#\" \"$@\"\n",
        expected: |v| vec!["1".to_owned(), v.to_owned()],
    },
    Context {
        script: "v=§; printf '%s\\0' \"${v#\"}\"}x${v:+it's}\" >&2; printf '%s\\0' \"$v\"\n",
        expected: same,
    },
    Context { script: "# §\nprintf 'yes\\0' # §\n", expected: yes },
    Context { script: "{ printf '%s\\0' § && :; } 2>/dev/null || printf §\n", expected: same },
];

fn pieces(script: &str, value: &Value) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, text) in script.split('§').enumerate() {
        if index > 0 {
            pieces.push(Piece::Hole(value.clone()));
        }
        pieces.push(Piece::Text(text.to_owned()));
    }
    pieces
}

/// One of the texts that `¦` divides.
fn tokens(all: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(all.split('¦').collect::<Vec<_>>())
}

fn strange() -> impl Strategy<Value = String> {
    let token = tokens(
        "'¦''¦\"¦\\¦\\\\¦$¦$x¦$(echo x)¦${x}¦`echo x`¦\n¦\n\n¦\t¦\r¦ ¦  ¦%¦%s¦!¦*¦?¦[a]¦~¦~root¦{{¦}}¦\
         {a,b}¦#¦# x¦EOF¦A¦B¦\nEOF\n¦-¦--¦-n¦=¦a=b¦;¦;;¦esac¦&¦|¦<¦>¦(¦)¦((¦))¦$((1))¦é¦Á¦ÁÂÃÄÅÆÇÈ¦₁¦\
         \u{81}¦\u{88}¦日本¦🔭¦\u{1}¦\u{7f}¦\u{1b}[m¦\u{f0000}¦\u{fffe}¦x¦in¦do¦:¦/¦/etc/passwd¦.¦..¦0¦\
         8099¦\\n¦\\0¦\\c¦\\$¦\\\n¦<<EOF¦'\\''¦\"$(x)\"",
    );
    prop_oneof![
        8 => prop::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat()),
        2 => any::<String>().prop_map(|text| text.replace('\0', "")),
        1 => (prop::sample::select(vec!["x", "'", "\\", "$x", "\n"]), 1..3000_usize).prop_map(|(text, n)| text.repeat(n)),
    ]
}

/// The shells that are here, as they read a script from a file.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["sh"], vec!["bash", "--posix"], vec!["busybox", "sh"]];
    let runs = |shell: &Vec<&str>| {
        let mut command = Command::new(shell[0]);
        command
            .args(&shell[1..])
            .args(["-c", ":"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    all.into_iter().filter(runs).collect()
}

fn run(shell: &[&str], script: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(file.path()).current_dir(folder.path()).env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap().stdout
}

/// Fills all contexts with all values; what was not refused runs in one process a shell.
fn check(shells: &[Vec<&str>], values: &[String]) -> Result<(usize, usize), String> {
    let (mut script, mut expected, mut refused) = ("#!/bin/sh\n".to_owned(), Vec::new(), 0);
    for value in values {
        for context in CONTEXTS {
            match fill(Grammar::Sh, &pieces(context.script, &Value::Str(value.clone()))) {
                Ok(filled) => {
                    script.push_str(&filled.text);
                    expected.push(((context.expected)(value).join("\0") + "\0", context.script, value));
                }
                Err(_) => refused += 1,
            }
        }
    }
    for shell in shells {
        let output = run(shell, &script);
        let mut rest = output.as_slice();
        for (expected, context, value) in &expected {
            rest = rest.strip_prefix(expected.as_bytes()).ok_or_else(|| {
                let got = String::from_utf8_lossy(&rest[..rest.len().min(200)]);
                format!("{shell:?}, {value:?} in {context}: {got:?}")
            })?;
        }
        if !rest.is_empty() {
            return Err(format!("{shell:?} printed more: {:?}", String::from_utf8_lossy(rest)));
        }
    }
    Ok((expected.len(), refused))
}

#[test]
fn real_shells_read_every_value_back() {
    let shells = shells();
    assert!(!shells.is_empty());
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let (ran, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let result = runner.run(&prop::collection::vec(strange(), 10), |values| {
        let (more, less) = check(&shells, &values).map_err(TestCaseError::fail)?;
        ran.set(ran.get() + more);
        refused.set(refused.get() + less);
        Ok(())
    });
    println!(
        "{} values in {} contexts: {} ran, {} refused",
        cases * 10,
        CONTEXTS.len(),
        ran.get(),
        refused.get()
    );
    result.unwrap();
    assert!(refused.get() * 5 < ran.get());
}

/// Scripts at random, most of them nonsense: what one prints with a value is what it prints with a plain word, but for
/// that word. So the lexer never took a place for another, however the text is twisted.
#[test]
fn random_scripts_differ_by_the_value_only() {
    let fragment = tokens(
        " ¦ ¦\n¦\n¦;¦p ¦p ¦p §¦p \"¦§¦§¦§¦'¦\"¦$(¦)¦\"$(p ¦)\"¦`¦\\¦$x¦${x¦}¦${x:-¦${x#¦\"${x:-¦<<EOF¦\nEOF\n¦\
         <<'EOF'¦<<-EOF¦\t¦cat <<EOF\n¦cat <<EOF §\n¦case a in ¦a) ¦(a) ¦*) ¦;;¦ esac¦(¦#¦ #¦a¦x=¦x=§¦\
         &&¦ | ¦cat ¦>f ¦<f¦if ¦ then ¦ fi¦for i in ¦ do ¦ done¦$((¦1+¦))¦{ ¦ }¦\\\n¦ in ¦!¦p \"$i$x\"¦\
         f() ¦>&2¦'\\''¦\"\\\"¦~¦=¦:¦%",
    );
    let scripts = prop::collection::vec(fragment, 2..14).prop_map(|fragments| fragments.concat());
    let hostile = prop::collection::vec(
        tokens("'¦\"¦$¦\\¦`¦(¦)¦;¦&¦|¦<¦>¦#¦{¦}¦~¦!¦=¦-¦EOF¦x¦$x¦$(p)¦${x}¦;;¦esac¦é¦<<EOF¦%s¦))"),
        1..6,
    );
    let values = hostile.prop_map(|tokens| format!("y{}y", tokens.concat()));
    let shells = shells();
    let cases =
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse::<u32>().ok()).unwrap_or(4) * 400;
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let ran = std::cell::Cell::new(0);
    let result = TestRunner::new(config).run(&(scripts, values), |(script, value)| {
        // A new meaning for `p` could call itself for ever.
        prop_assume!(!script.replace([' ', '\t', '\n', '\\'], "").contains("p("));
        let script =
            format!("p() {{ for a; do printf '<%s>' \"$a\"; done; echo; }}\nx=X\n{script}\np 'end'\n");
        let with = |text: &str| fill(Grammar::Sh, &pieces(&script, &Value::Str(text.to_owned())));
        if let (true, Ok(plain), Ok(hostile)) = (script.contains('§'), with("yZQZy"), with(&value)) {
            ran.set(ran.get() + 1);
            for shell in &shells {
                // What runs in the background prints whenever it likes.
                let sorted = |text: &str, word: &str| {
                    let mut output =
                        String::from_utf8_lossy(&run(shell, text)).replace(word, &value).into_bytes();
                    output.sort_unstable();
                    String::from_utf8_lossy(&output).into_owned()
                };
                let expected = sorted(&plain.text, "yZQZy");
                let got = sorted(&hostile.text, &value);
                prop_assert_eq!(expected, got, "{:?} {}", shell, hostile.text);
            }
        }
        Ok(())
    });
    println!("{cases} scripts, {} ran", ran.get());
    result.unwrap();
}

#[test]
fn real_shells_read_lists_numbers_and_names_back() {
    let list =
        |texts: &[&str]| Value::List(texts.iter().map(|text| Value::Str((*text).to_owned())).collect());
    let cases: [(&str, Value, &str); 9] = [
        ("set -- §\nprintf '%s\\0' $# \"$@\"", list(&["a b", "", "'", "$x\n"]), "4\0a b\0\0'\0$x\n\0"),
        ("set -- §\nprintf '%s\\0' $#", list(&[]), "0\0"),
        ("for i in §; do printf '%s\\0' \"$i\"; done", list(&["*", "-n"]), "*\0-n\0"),
        ("§ x", list(&["printf", "%s-%s\\0", "a"]), "a-x\0"),
        ("printf '%s\\0' $(( 5 -§ )) $((§*2))", Value::Int(-3), "8\0-6\0"),
        ("printf '%s\\0' $((§))", Value::Int(i64::MAX), "9223372036854775807\0"),
        ("printf '%s\\0' $((§))", Value::Int(i64::MIN + 1), "-9223372036854775807\0"),
        ("§=1; for § in a b; do :; done; printf '%s\\0' \"$name_1\"", Value::Str("name_1".to_owned()), "b\0"),
        ("printf '%s\\0' §>§; cat §", Value::Int(2), "2\0"),
    ];
    for shell in shells() {
        for (script, value, expected) in &cases {
            let filled = fill(Grammar::Sh, &pieces(script, value)).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&run(&shell, &filled.text)),
                *expected,
                "{shell:?} {}",
                filled.text
            );
        }
    }
}
