//! What the README shows works as it is shown.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use voevent_node::switch::failure::Exit;

use crate::sandbox::Sandbox;

const README: &str = include_str!("../../README.md");

/// The code block of the README that has this line, without the fence.
fn block(with: &str) -> String {
    let block = README.split("```").find(|block| block.contains(with)).unwrap();
    block.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn the_host_builds() {
    let sandbox = Sandbox::example();
    sandbox.write("hosts/node1.toml", &block("[host]\n"));
    sandbox.build();
}

#[test]
fn the_exit_codes_are_those_of_the_activator() {
    let table = README.split_once("| exit code | meaning |\n|---|---|\n").unwrap().1;
    let shown: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let meant = Exit::ALL.map(|exit| format!("| {} | {} |", exit.code(), exit.meaning()));
    assert_eq!(shown, meant);
}

#[test]
fn the_module_greets() {
    let sandbox = Sandbox::example();
    sandbox.write("modules/motd/module.toml", &block("# modules/motd/module.toml"));
    sandbox.write("modules/motd/motd.sh.j2", &block("# modules/motd/motd.sh.j2"));
    sandbox.edit("hosts/node1.toml", "modules = [\"comet\"]", "modules = [\"comet\", \"motd\"]");
    sandbox.build();
    let script = sandbox.path("generated/node1/root/etc/update-motd.d/10-voevent");
    #[expect(clippy::disallowed_methods, reason = "the script is run as it would be")]
    let output = Command::new(script).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "node1 serves ivo://org.example/node1\n");
}
