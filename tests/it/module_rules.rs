//! What one can get wrong with the modules that are shipped, and what they say to it.

use crate::sandbox::Sandbox;

const HOST: &str = "hosts/node1.toml";

/// What is said to a host with these modules and settings.
fn said(modules: &str, settings: &str) -> String {
    let project = Sandbox::example();
    let head = "[host]\nsystem = \"debian-12\"\narch = \"x86_64\"\npython = \"3.11\"\n";
    project.write(HOST, &format!("{head}modules = [{modules}]\n{settings}"));
    project.shown(&[HOST])
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let comet = "[comet]\nlocal_ivo = \"ivo://org.example/x\"\n";
    let backup = "[backup]\npassword = { file = \"/etc/voevent/secrets/b\" }\n";
    let command = "command = \"/bin/true\"\n";
    for (modules, settings, wanted) in [
        ("'metrics'", "[metrics]\nlisten = \"[::]:9754\"\n".to_owned(), "`metrics.listen` is no name"),
        ("'monitor'", "[monitor]\nsilence = { observation = \"1d\" }\n".to_owned(), "nobody counts events"),
        (
            "'monitor', 'comet'",
            format!("{comet}[monitor]\nsilence = {{ 'ivo://a/*' = \"1d\" }}\n"),
            "turn on the module `archive`",
        ),
        (
            "'metrics'",
            "[metrics]\nlisten = \"node1.example.org:9754\"\n".to_owned(),
            "`metrics.listen` is no name",
        ),
        (
            "'handlers'",
            format!("{comet}[handlers.handler.'a b']\n{command}"),
            "handler `a b`: the name is part of those of folders",
        ),
        (
            "'handlers'",
            format!("{comet}[handlers.handler.a]\n{command}environment = {{ 'A B' = \"x\" }}\n"),
            "`environment` of handler `a`: the name of a variable",
        ),
        (
            "'archive'",
            format!("{comet}[archive]\ndir = \"/root/archive\"\n"),
            "`archive.dir` must not be below",
        ),
        (
            "'backup'",
            format!("{backup}[backup.include]\nx = {{ path = \"/root/x\" }}\n"),
            "`/root/x` is nothing that the backup could copy",
        ),
        (
            "'ssh'",
            "[ssh]\nkeys_elsewhere = true\nallow_users = [\"root\"]\nroot_login = \"no\"\n".to_owned(),
            "`ssh.allow_users` has root alone",
        ),
        (
            "'logging'",
            "[logging]\nexport = { folder = \"/tmp/log\" }\n".to_owned(),
            "`logging.export.folder` must not be below",
        ),
        ("'logging'", "[logging]\nexport = { at = \"24:00\" }\n".to_owned(), "`24:00`"),
    ] {
        let said = said(modules, &settings);
        assert!(said.starts_with("exit 1\n") && said.contains(wanted), "{settings}: {said}");
    }
}

#[test]
fn settings_that_hardly_are_meant_are_warned_of() {
    let backup = "[backup]\npassword = { file = \"/etc/voevent/secrets/b\" }\nat = \"*-*-* 04:00\"\n";
    for (modules, settings, wanted) in [
        ("'monitor'", "", "warning: `monitor.alarm` is empty: whatever is wrong, nobody is told"),
        ("'backup'", backup, "warning: `backup.stale_after` is for the usual `backup.at`"),
    ] {
        let said = said(modules, settings);
        assert!(said.starts_with("exit 0\n") && said.contains(wanted), "{settings}: {said}");
    }
}

#[test]
fn numbers_are_given_out_at_any_address() {
    let project = Sandbox::example();
    for (listen, check, open) in
        [("0.0.0.0:9754", true, true), ("192.0.2.5:9754", false, true), ("127.0.0.1:9754", true, false)]
    {
        let head = "[host]\nsystem = \"debian-12\"\narch = \"x86_64\"\npython = \"3.11\"\n";
        project.write(
            HOST,
            &format!("{head}modules = ['metrics', 'firewall']\n[metrics]\nlisten = \"{listen}\"\n"),
        );
        project.build();
        let manifest = project.read("generated/node1/manifest.toml");
        // A check asks at 127.0.0.1: where nothing listens there, it would put each switch back.
        assert_eq!(manifest.contains("name = \"fetched\""), check, "{listen}: {manifest}");
        assert!(manifest.contains("name = \"listens\""), "{listen}: {manifest}");
        let rules = project.read("generated/node1/root/etc/voevent/firewall.nft");
        assert_eq!(rules.contains("9754"), open, "{listen}: {rules}");
    }
}
