//! Secrets that lie beside the host file: encrypted, and in no other form anywhere.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, Identity, x25519};
use walkdir::WalkDir;

use crate::sandbox::{Sandbox, without_hashes};

const HOST: &str = "hosts/node1.toml";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGAiceB/cUlHg4HUsBy10QDoqP/nnDcpR8JtjMJpMg/3 root@node1";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ27I0Sd8SoBczh+Fkk/qD0SP7XY03goaY5JsV9UfrvU root@node2";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCKqGvF+a5jKDHdrHg8GIionagQTfaSaYpPYqOpPFXMAmlvcEFAHzFjfU+D+6HKRYX7mJzh3aviZxycKrptKmGY= x";
const MODULE: &str = "[options.token]\ntype = \"secret\"\ndescription = \"x\"\n\
    [[unit]]\nname = \"a.service\"\ntemplate = \"a.service.j2\"\nwanted_by = [\"voevent.target\"]\n";
const UNIT: &str = "[Service]\nType=oneshot\nExecStart=/bin/true\nLoadCredential={{ credential(m.token) }}\n";
const PLANTED: &str = "planted hunter2 7c1d9f";
const TOKEN: &str = "hosts/secrets/token.age";

/// A host with one secret, whose file is not there yet.
fn project(key: &str) -> Sandbox {
    let project = Sandbox::module(&[("module.toml", MODULE), ("a.service.j2", UNIT)]);
    project.edit(HOST, "[host]\n", &format!("[host]\nssh_host_key = \"{key}\"\n"));
    project.append(HOST, "[m]\ntoken = { age = \"secrets/token.age\" }\n");
    project
}

/// Runs `voevent-build secret` with this on its stdin.
fn encrypt(project: &Sandbox, words: &[&str], text: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voevent-build"));
    command.arg("secret").args(words).current_dir(project.path(".")).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have refused before it reads.
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn good(project: &Sandbox, words: &[&str], text: &str) -> String {
    let output = encrypt(project, words, text.as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

fn refused(project: &Sandbox, words: &[&str], text: &[u8]) -> String {
    let output = encrypt(project, words, text);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    said(&output)
}

#[test]
fn a_secret_is_encrypted_built_and_nowhere_readable() {
    let project = project(KEY);
    let admin = x25519::Identity::generate();
    let public = admin.to_public().to_string();
    let told = good(&project, &["node1", TOKEN, "--also", &public], PLANTED);
    insta::assert_snapshot!(told, @r#"
    hosts/secrets/token.age
    in `hosts/node1.toml` name it by `{ age = "secrets/token.age" }`
    "#);
    let (name, _) = project.build();
    let store = format!("generated/store/{name}");
    let unit = project.read(&format!("{store}/root/etc/systemd/system/a.service"));
    let line = unit.lines().find(|line| line.contains("Credential")).unwrap();
    insta::assert_snapshot!(without_hashes(line), @"LoadCredential=m.token:/run/voevent/secrets/[HASH]-token.age");
    let manifest = project.read(&format!("{store}/manifest.toml"));
    let secret = manifest.split("[[secret]]\n").nth(1).unwrap().split("\n\n").next().unwrap();
    insta::assert_snapshot!(without_hashes(secret), @r#"
    unit = "a.service"
    name = "m.token"
    path = "/run/voevent/secrets/[HASH]-token.age"
    object = "[HASH]-token.age"
    "#);
    // The object is the file, and the text is in nothing that was written.
    let object = line.rsplit('/').next().unwrap();
    assert_eq!(project.read(&format!("generated/store/{object}")), project.read(TOKEN));
    for entry in WalkDir::new(project.path(".")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(PLANTED.len()).any(|part| part == PLANTED.as_bytes()), "{entry:?}");
        }
    }
    // Who may decrypt it can.
    let sealed = project.read(TOKEN);
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed.as_bytes())).unwrap();
    let mut text = String::new();
    let admin: &dyn Identity = &admin;
    decryptor.decrypt(std::iter::once(admin)).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, PLANTED);
}

#[test]
fn another_secret_is_another_unit() {
    let project = project(KEY);
    good(&project, &[HOST, TOKEN], "one");
    let (first, _) = project.build();
    assert_eq!(project.build().0, first);
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], b"two"), @"
    error: `hosts/secrets/token.age` is there already
     |
     = help: choose another name, or replace what it has by `--force`
    ");
    good(&project, &[HOST, TOKEN, "--force"], "two");
    insta::assert_snapshot!(project.shown(&["diff", HOST]), @"
    exit 0
    ---- stdout
    node1, compared with its last build

    changed secret m.token of a.service
      it was encrypted anew

    changed unit a.service
      through secret token.age

    a switch
      restarts a.service: another definition of it runs
    ---- stderr
    ");
    assert_ne!(project.build().0, first);
    insta::assert_snapshot!(project.shown(&["why", "node1", "m.token"]), @r#"
    exit 0
    ---- stdout
    m.token = { age = "hosts/secrets/token.age" }
      > host     hosts/node1.toml:8  { age = "hosts/secrets/token.age" }
    ---- stderr
    "#);
}

/// A module names a file of its own folder.
#[test]
fn a_module_can_bring_a_secret() {
    let module = MODULE.replace("type = \"secret\"", "type = \"secret\"\ndefault = { age = \"x.age\" }");
    let project = Sandbox::module(&[("module.toml", &module), ("a.service.j2", UNIT)]);
    project.edit(HOST, "[host]\n", &format!("[host]\nssh_host_key = \"{KEY}\"\n"));
    good(&project, &[HOST, "modules/m/x.age"], "x");
    let (name, _) = project.build();
    assert!(project.read(&format!("generated/store/{name}/manifest.toml")).contains("-x.age\"\n"));
}

#[test]
fn what_cannot_be_encrypted() {
    let project = project(KEY);
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], b""), @"
    error: the secret is empty
     |
     = help: give it on stdin: `printf %s SECRET | voevent-build secret …`
    ");
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], &vec![b'x'; 600_000]), @"
    error: the secret has more than 524288 bytes
     |
     = help: encrypt a key, and with that what is long
    ");
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN, "--also", "age1x", "--also", KEY], b"x"), @"
    error: `age1x` is no public key of age: invalid Bech32 encoding
     |
     = help: write what `age-keygen` calls the public key: `age1…`

    error: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGAiceB/cUlHg4HUsBy10QDoqP/nnDcpR8JtjMJpMg/3 root@node1` is no public key of age: invalid Bech32 encoding
     |
     = help: write what `age-keygen` calls the public key: `age1…`
    ");
    project.edit(HOST, KEY, ECDSA);
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], b"x"), @r#"
    error: `ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCKqGvF+a5jKDHdrHg8GIionagQTfaSaYpPYqOpPFXMAmlvcEFAHzFjfU+D+6HKRYX7mJzh3aviZxycKrptKmGY= x` is no `ssh_host_key` that is known
     --> hosts/node1.toml:2:16
      |
    2 | ... = "ecdsa-sha2-nistp256 AAAA...7mJzh3aviZxycKrptKmGY= x"
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: age encrypts for keys of the kinds `ssh-ed25519` and `ssh-rsa` only: take the line of `/etc/ssh/ssh_host_ed25519_key.pub` on the host
    "#);
    project.edit(HOST, ECDSA, "ssh-ed25519 AAAA");
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], b"x"), @r#"
    error: `ssh-ed25519 AAAA` is no `ssh_host_key` that is known
     --> hosts/node1.toml:2:16
      |
    2 | ssh_host_key = "ssh-ed25519 AAAA"
      |                ^^^^^^^^^^^^^^^^^^
      |
      = help: it is no public key of SSH, as `ssh-ed25519 AAAA…`: take the line of `/etc/ssh/ssh_host_ed25519_key.pub` on the host
    "#);
    project.edit(HOST, "ssh_host_key = \"ssh-ed25519 AAAA\"\n", "");
    insta::assert_snapshot!(refused(&project, &[HOST, TOKEN], b"x"), @r#"
    error: `host.ssh_host_key` is not set: for whom to encrypt is not known
     --> hosts/node1.toml:1:1
      |
    1 | [host]
      | ^^^^^^
      |
      = help: add `ssh_host_key = "ssh-ed25519 AAAA…"`: what `/etc/ssh/ssh_host_ed25519_key.pub` of the host has
    "#);
    assert!(!project.path(TOKEN).exists());
}

#[test]
fn files_that_no_host_decrypts() {
    let project = project(KEY);
    insta::assert_snapshot!(project.refused(), @r#"
    error: there is no `hosts/secrets/token.age`
     --> hosts/node1.toml:8:17
      |
    8 | token = { age = "secrets/token.age" }
      |                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: `hosts/secrets` is empty or not there
    "#);
    project.write(TOKEN, PLANTED);
    insta::assert_snapshot!(project.refused(), @r#"
    error: `hosts/secrets/token.age` is no secret that a host can decrypt: it is no age file
     --> hosts/node1.toml:8:17
      |
    8 | token = { age = "secrets/token.age" }
      |                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: encrypt the secret by `voevent-build secret HOST FILE`, with `ssh_host_key` in `[host]`
    "#);
    project.write(TOKEN, "age-encryption.org/v1\n-> X25519 broken\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `hosts/secrets/token.age` is no secret that a host can decrypt: its header is broken
     --> hosts/node1.toml:8:17
      |
    8 | token = { age = "secrets/token.age" }
      |                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: encrypt the secret by `voevent-build secret HOST FILE`, with `ssh_host_key` in `[host]`
    "#);
    let mut bytes = Vec::new();
    let passphrase = Encryptor::with_user_passphrase(SecretString::from("x".to_owned()));
    let mut writer = passphrase.wrap_output(&mut bytes).unwrap();
    writer.write_all(b"x").unwrap();
    writer.finish().unwrap();
    fs::write(project.path(TOKEN), &bytes).unwrap();
    insta::assert_snapshot!(project.refused(), @r#"
    error: `hosts/secrets/token.age` is no secret that a host can decrypt: it is encrypted with a passphrase, which nobody types on the target
     --> hosts/node1.toml:8:17
      |
    8 | token = { age = "secrets/token.age" }
      |                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: encrypt the secret by `voevent-build secret HOST FILE`, with `ssh_host_key` in `[host]`
    "#);
    good(&project, &[HOST, TOKEN, "--force"], "x");
    project.edit(HOST, KEY, OTHER);
    insta::assert_snapshot!(project.refused(), @r#"
    error: `hosts/secrets/token.age` is not encrypted for this host, which has the ssh-ed25519 key `KIvY/A`, but for the ssh-ed25519 key `3jy1+Q`
     --> hosts/node1.toml:8:17
      |
    2 | ... = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ27I0Sd8SoBczh+Fkk/qD0SP7XY03goaY5JsV9UfrvU root@node2"
      |       --------------------------------------------------------------------------------------------- its key
    ...
    8 | ...e = "secrets/token.age" }
      |        ^^^^^^^^^^^^^^^^^^^
      |
      = help: encrypt the secret by `voevent-build secret HOST FILE`, with `ssh_host_key` in `[host]`
    "#);
    project.edit(HOST, &format!("ssh_host_key = \"{OTHER}\"\n"), "");
    project.build();
    project.write(TOKEN, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    insta::assert_snapshot!(project.refused(), @r#"
    error: `hosts/secrets/token.age` is a private key, or has one in it
     --> hosts/node1.toml:7:17
      |
    7 | token = { age = "secrets/token.age" }
      |                 ^^^^^^^^^^^^^^^^^^^
      |
      = help: name it by an option of the type `secret`, and encrypt it by `voevent-build secret` or put it on the target, root's with mode 0400; if it was ever committed, make a new one
    "#);
}

#[test]
fn age_as_it_is_not_written() {
    for (written, said) in [
        ("{ age = 7 }", "the `age` of a secret is the name of a file, found an integer"),
        ("{ age = \"/etc/x.age\" }", "`/etc/x.age` is no file in the folder of this one"),
        ("{ age = \"../x.age\" }", "`../x.age` is no file in the folder of this one"),
        ("{ age = 7, file = \"/etc/x\" }", "a secret has one key: `age` or `file`"),
    ] {
        let project = project(KEY);
        project.edit(HOST, "{ age = \"secrets/token.age\" }", written);
        let shown = project.refused();
        assert!(shown.contains(said) && shown.contains("hosts/node1.toml:8:"), "{shown}");
    }
    let module =
        MODULE.replace("type = \"secret\"", "type = \"secret\"\ndefault = { age = \"{{ host.name }}.age\" }");
    let project = Sandbox::module(&[("module.toml", &module), ("a.service.j2", UNIT)]);
    insta::assert_snapshot!(project.refused(), @r#"
    error: `m.token`: the `age` of a secret is made by an expression
     --> modules/m/module.toml:5:11
      |
    3 | [options.token]
      |          ----- declared here
    4 | type = "secret"
    5 | default = { age = "{{ host.name }}.age" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: only the file that sets it can name it; an expression passes a secret on, or none
    "#);
}
