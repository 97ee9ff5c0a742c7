//! Places of a unit, as a table. That systemd reads the values back is shown on real targets.

use crate::base::value::Value;
use crate::build::artifact::Grammar;
use crate::build::fill::fill;
use crate::build::fill::tests::{list, outcome, pieces, string};

fn unit(line: &str, values: &[Value]) -> Result<String, String> {
    outcome(Grammar::Unit, &format!("[Service]\n{line}\n"), values)
        .map(|text| text.strip_prefix("[Service]\n").unwrap_or_default().trim_end_matches('\n').to_owned())
}

#[test]
fn each_kind_of_key_has_its_quoting() {
    for (line, value, expected) in [
        ("ExecStart=§ x", "/bin/a", "ExecStart=/bin/a x"),
        ("ExecStart=-@§/a b", "/bin", "ExecStart=-@/bin/a b"),
        ("ExecStart=/a §", "8099", "ExecStart=/a 8099"),
        ("ExecStart=/a §", "", "ExecStart=/a \"\""),
        ("ExecStart=/a §", ";", "ExecStart=/a \";\""),
        ("ExecStart=/a §", "a b\n\"%$\\'\u{1}", "ExecStart=/a \"a b\\n\\\"%%$$\\\\\\'\\x01\""),
        ("ExecStart=/a --x=§", "a b\n\"%$\\'", "ExecStart=/a --x=a\\x20b\\x0a\\x22%%$$\\x5c\\x27"),
        ("ExecStart=:/a §", "$ %", "ExecStart=:/a \"$ %%\""),
        ("ExecStart=/a \"x §\"", "\"", "ExecStart=/a \"x \\\"\""),
        ("ExecStart=/a 'x §'", "'", "ExecStart=/a 'x \\''"),
        ("ExecStart=/a x ; /b §", "y z", "ExecStart=/a x ; /b \"y z\""),
        ("ExecStart=/a \\\n  §", "# x", "ExecStart=/a \\\n  \"# x\""),
        ("ExecStart=/a ${B}/§ $$§", "c", "ExecStart=/a ${B}/c $$c"),
        ("Environment=A=§", "b c", "Environment=A=b\\x20c"),
        ("Environment=\"A=§\"", "$b %c\n", "Environment=\"A=$b %%c\\n\""),
        ("Environment=§", "A=b c", "Environment=\"A=b c\""),
        ("LogExtraFields=A_B=§", "b c\t", "LogExtraFields=A_B=b\\x20c\\x09"),
        ("ReadWritePaths=§ x", "/a b", "ReadWritePaths=\"/a b\" x"),
        ("ReadWritePaths=-+§", "/a", "ReadWritePaths=-+/a"),
        ("ReadWritePaths=%h/§", "a", "ReadWritePaths=%h/a"),
        ("ReadWritePaths=\"/x/§\"", "a \"b\\", "ReadWritePaths=\"/x/a \\\"b\\\\\""),
        ("BindPaths=§:/b", "/a b", "BindPaths=\"/a b\":/b"),
        ("BindPaths=/a:§:rbind", "/b c", "BindPaths=/a:\"/b c\":rbind"),
        ("Description=a § b", "50 % \"x\" \\y", "Description=a 50 %% \"x\" \\y b"),
        ("WorkingDirectory=-§", "/a b%", "WorkingDirectory=-/a b%%"),
        ("LoadCredential=§", "a.b:/c-d", "LoadCredential=a.b:/c-d"),
        ("LoadCredential=a:§", "/c%d", "LoadCredential=a:/c%%d"),
        ("Documentation=§", "https://a.b/c?d=e%20f", "Documentation=https://a.b/c?d=e%%20f"),
        ("User=§", "voevent", "User=voevent"),
        ("X-Reload-Triggers=§", "/a/b", "X-Reload-Triggers=/a/b"),
        ("# §", "a %x", "# a %x"),
        ("[X-§]", "Ab_1", "[X-Ab_1]"),
        ("Limit§=1", "NOFILE", "LimitNOFILE=1"),
        ("After=a \\\n# § \\\n b", "x\\", "After=a \\\n# x\\ \\\n b"),
    ] {
        if line.matches('§').count() > 1 {
            let values = vec![string(value); line.matches('§').count()];
            assert!(unit(line, &values).is_ok(), "{line}: {:?}", unit(line, &values));
        } else {
            assert_eq!(unit(line, &[string(value)]), Ok(expected.to_owned()), "{line}");
        }
    }
}

const REFUSED: &[(&str, &str)] = &[
    ("ExecStart=§", "a"),
    ("ExecStart=§", "-/bin/a"),
    ("ExecStart=§", "/bin/a b"),
    ("ExecStart=§", "/bin/$a"),
    ("ExecStart=§", ""),
    ("ExecStart=/bin/§", ""),
    ("ExecStart=§/a", "%h"),
    ("ExecStart=|§", "/a"),
    ("ExecStart=/bin/../§", "a"),
    ("ExecStart=/a %§", "i"),
    ("ExecStart=/a $§", "HOME"),
    ("ExecStart=/a ${§}", "HOME"),
    ("ExecStart=/a x$§", "{HOME}"),
    ("ExecStart=/a $A§", "B"),
    ("ExecStart=/a \\§", "n"),
    ("ExecStart=/a \\x4§", "1"),
    ("ExecStart=/a \\d §", "1"),
    ("ExecStart=/a \"b §", "1"),
    ("ExecStart=/bin/sh -c §", "x"),
    ("ExecStart=/bin/sh -c 'x §'", "x"),
    ("ExecStart=/usr/bin/env bash -ec \"x §\"", "x"),
    ("ExecStartPre=§ -c §", "/bin/sh"),
    ("Environment=§", "a b"),
    ("Environment=§=b", "a-b"),
    ("Environment=§=b", "A=c"),
    ("Environment=A§", "b"),
    ("LogExtraFields=A=§", "b\nc"),
    ("LogExtraFields=a=§", "b"),
    ("Environment=\"A=%§\"", "h"),
    ("ReadWritePaths=§", "a"),
    ("ReadWritePaths=§", "-/a"),
    ("ReadWritePaths=§", "/a/../b"),
    ("ReadWritePaths=§", "/a\nb"),
    ("ReadWritePaths=§", "/a "),
    ("ReadWritePaths=/x§", " y"),
    ("RequiresMountsFor=-§", "/a"),
    ("BindPaths=§:/b", "/a:b"),
    ("BindPaths=§", "/a'b"),
    ("LoadCredential=a:§", "/b c"),
    ("BindPaths=/a:/b:§", "rbind"),
    ("BindPaths=/a::§", "rbind"),
    ("BindPaths=/x§", ":/y"),
    ("Description=§", " a"),
    ("Description=§", "a "),
    ("Description=§", "a\\"),
    ("Description=§", "a\nb"),
    ("Description=§", ""),
    ("Description=§", "a\u{fffe}"),
    ("Description=%§", "h"),
    ("Description=\\§", "a"),
    ("Description=a \\\n§", "# b"),
    ("Description=a \\\n §;b", ""),
    ("WorkingDirectory=§", "~"),
    ("WorkingDirectory=§", "-/a"),
    ("EnvironmentFile=§", "/a*"),
    ("LoadCredential=§", "a b:/c"),
    ("LoadCredential=§", "a:c"),
    ("LoadCredential=a:§", "b"),
    ("User=§", "a b"),
    ("User=§", "%u"),
    ("User=§", ""),
    ("StateDirectory=§", "a:b"),
    ("Documentation=§", "a b"),
    ("# §", "a\nb"),
    ("# §", "a\\"),
    ("[§]", "a]"),
    ("§", "User=root"),
    ("§=a", "a b"),
    ("§=a", ""),
    ("a§", "=b"),
    ("RootImage=§", "/a\u{7}"),
    ("ExecStart=/a §", "\0"),
    ("PathExistsGlob=§", "/a*"),
    ("ConditionPathExists=§", "!/a"),
];

#[test]
fn values_that_would_not_come_back_are_refused() {
    for (line, value) in REFUSED {
        let values = vec![string(value); line.matches('§').count()];
        assert!(unit(line, &values).is_err(), "{line} {value:?} {:?}", unit(line, &values));
    }
    assert!(outcome(Grammar::Unit, "[Unit]\r\nDescription=§", &[string("a")]).is_err());
    assert!(outcome(Grammar::Unit, "[Unit]\nDescription=§", &[string(&"a".repeat(1 << 20))]).is_err());
    assert!(outcome(Grammar::Unit, "[Service]\nExecStart=/a §", &[string(&"a".repeat(128 << 10))]).is_err());
}

#[test]
fn lists_stand_as_whole_words() {
    for (line, expected) in
        [("ExecStart=/a §", "ExecStart=/a b \"c d\""), ("ExecStart=/a x § y", "ExecStart=/a x b \"c d\" y")]
    {
        assert_eq!(unit(line, &[list(&["b", "c d"])]), Ok(expected.to_owned()));
    }
    assert_eq!(unit("ExecStart=§ x", &[list(&["/a", "b c"])]), Ok("ExecStart=/a \"b c\" x".to_owned()));
    assert_eq!(unit("ExecStart=/a §", &[list(&[])]), Ok("ExecStart=/a ".to_owned()));
    assert_eq!(
        unit("ReadWritePaths=/x §", &[list(&["/a", "/b c"])]),
        Ok("ReadWritePaths=/x /a \"/b c\"".to_owned())
    );
    assert_eq!(
        unit("After=§", &[list(&["a.service", "b.target"])]),
        Ok("After=a.service b.target".to_owned())
    );
    assert_eq!(unit("Environment=§", &[list(&["A=b", "C=d e"])]), Ok("Environment=A=b \"C=d e\"".to_owned()));
    for line in [
        "ExecStart=§",
        "After=§",
        "ReadWritePaths=§",
        "User=§",
        "Description=§",
        "ExecStart=/a b§",
        "ExecStart=/a \"§\"",
        "Environment=A=§",
        "BindPaths=§:/b",
        "# §",
        "ExecStart=-§",
    ] {
        assert!(unit(line, &[list(&[])]).is_err(), "{line}");
    }
    assert!(unit("ExecStart=§ x", &[list(&["/bin/sh", "-c", "x"])]).is_err());
}

#[test]
fn other_languages_are_a_warning() {
    let template = "[Service]\nExecStart=/usr/bin/python3 -c \"x §\"\n";
    assert_eq!(fill(Grammar::Unit, &pieces(template, &[string("x")])).unwrap().warnings.len(), 1);
    let template = "[Service]\nExecStart=/bin/sh -c 'x \"$$1\"' sh §\n";
    assert_eq!(fill(Grammar::Unit, &pieces(template, &[string("x")])).unwrap().warnings, []);
}
