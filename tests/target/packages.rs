//! Debian packages: missing ones are refused or installed, before anything changes; upgrades and holds are what apt makes
//! of the files. Packages come from a folder of the machine: it has no network.

use crate::driver::{Failure, Lab, Machine, Output, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, host_of};

crate::tests![packages_on_debian_12, packages_on_debian_13];

/// Makes `/srv/repository` the only source of apt, with a package of each of these versions: `<name> <version> [<postinst>]`.
const REPOSITORY: &str = r#"
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
mkdir -p /srv/repository && cd /srv/repository
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
while read -r name version script; do
    rm -rf build; mkdir -p build/DEBIAN build/usr/share/"$name"
    echo "$version" >build/usr/share/$name/version
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: a test <test@example.org>\nDescription: a test\n' \
        "$name" "$version" >build/DEBIAN/control
    if [ -n "$script" ]; then printf '#!/bin/sh\n%s\n' "$script" >build/DEBIAN/postinst; chmod 755 build/DEBIAN/postinst; fi
    dpkg-deb -Zgzip --build build "${name}_$version.deb" >/dev/null
done
for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done >Packages
"#;

fn packages_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn packages_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

fn repository(node: &Machine, packages: &str) -> Result<()> {
    node.call(["bash", "-euo", "pipefail", "-c", REPOSITORY])?.stdin(packages).ok().map(drop)
}

fn switch(node: &Machine, bundle: &str, code: i32) -> Result<Output> {
    let output = node.switch(["--install-packages", &format!("{SHIPPED}/store/{bundle}")])?;
    if output.code() == Some(code) {
        return Ok(output);
    }
    Err(Failure::new(format!("expected {code}: {output:?}")))
}

fn version(node: &Machine, package: &str) -> Result<String> {
    node.sh(&format!("dpkg-query -W -f '${{db:Status-Status}} ${{Version}}' {package} 2>/dev/null || true"))
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let build = |settings: &str| workstation.build(&host_of(suite, "packages", settings));
    let first = build("install = [\"our-hello\"]")?;
    let held = build("install = [\"our-hello\"]\nhold = [\"our-hello\"]")?;
    let off = build("upgrade = \"none\"")?;
    let unknown = build("install = [\"our-hello\", \"no-such-package\"]")?;
    let broken = build("install = [\"our-broken\"]")?;
    let node = lab.boot_with("node1", Setup::of_modules(suite))?;
    node.ship(&workstation)?;
    repository(&node, "our-hello 1.0\nour-broken 1.0 echo the last words of a package >&2; exit 7\n")?;

    // Not asked for: what to do is told, and nothing is done.
    let path = format!("{SHIPPED}/store/{first}");
    let refused = node.switch([path.as_str()])?;
    assert_eq!(refused.code(), Some(3), "{refused:?}");
    let advice =
        "switch with `--install-packages`, or run `apt-get install --no-install-recommends our-hello`";
    assert!(refused.stderr.contains(advice), "{refused:?}");
    assert_eq!(version(&node, "our-hello")?, "");

    // What apt cannot do ends before anything changes, with apt's own words.
    for (bundle, said) in [(&unknown, "no-such-package"), (&broken, "exit status 7")] {
        let output = switch(&node, bundle, 3)?;
        assert!(output.stderr.contains("packages could not be installed"), "{output:?}");
        assert!(output.stderr.contains(said), "{said}: {output:?}");
        let changed = node.sh("ls /var/lib/voevent/generations; find /etc -name '*voevent*'")?;
        assert_eq!(changed, "");
    }
    node.sh("dpkg --purge our-broken")?;

    let output = switch(&node, &first, 0)?;
    assert!(output.stderr.contains("installing packages: our-hello"), "{output:?}");
    assert_eq!(version(&node, "our-hello")?, "installed 1.0");
    upgrades_are_of_security_alone(&node, suite)?;
    // Gone again: the switch that has nothing else to do brings it back.
    node.sh("dpkg --purge our-hello")?;
    let output = switch(&node, &first, 0)?;
    assert!(output.stderr.contains("nothing to do"), "{output:?}");
    assert_eq!(version(&node, "our-hello")?, "installed 1.0");

    holds(&node, &held, &first)?;
    node.switch_to(&off)?;
    assert_eq!(node.sh("apt-config dump --format '%v%n' APT::Periodic::Unattended-Upgrade")?, "0");
    assert_eq!(version(&node, "our-hello")?, "installed 2.0", "what is no longer asked for stays");
    Ok(())
}

/// What unattended-upgrades itself makes of its configuration.
fn upgrades_are_of_security_alone(node: &Machine, suite: Suite) -> Result<()> {
    let said = node.sh("unattended-upgrade --dry-run --verbose 2>&1")?;
    let origins = said.lines().find(|line| line.contains("Allowed origins are")).unwrap_or_default();
    let only = format!("origin=Debian,codename={}-security,label=Debian-Security", suite.name());
    assert!(origins.ends_with(&only) && origins.matches("origin=").count() == 1, "{said}");
    let reboot = "apt-config dump --format '%v%n' Unattended-Upgrade::Automatic-Reboot";
    assert_eq!(node.sh(reboot)?, "false");
    // needrestart reads its file as Perl.
    let perl = "our %nrconf; defined(do '/etc/needrestart/conf.d/voevent.conf') or die; \
                for my $unit ('comet.service', 'comet-backup.service', 'voevent-gcn.service', 'ssh.service') { \
                print grep({ $unit =~ $_ } keys %{$nrconf{override_rc}}) ? '-' : '+' }";
    assert_eq!(node.run(["perl", "-e", perl])?, "---+");
    Ok(())
}

/// A held package is not upgraded; one that is held no more is.
fn holds(node: &Machine, held: &str, free: &str) -> Result<()> {
    repository(node, "our-hello 1.0\nour-hello 2.0\n")?;
    node.sh("apt-get -q update")?;
    let upgrade = "DEBIAN_FRONTEND=noninteractive apt-get -q -y upgrade";
    node.switch_to(held)?;
    node.sh(upgrade)?;
    assert_eq!(version(node, "our-hello")?, "installed 1.0");
    node.switch_to(free)?;
    node.sh(upgrade)?;
    assert_eq!(version(node, "our-hello")?, "installed 2.0");
    // Newer than what may be had: to hold it is to keep what is there.
    node.switch_to(held)?;
    assert_eq!(version(node, "our-hello")?, "installed 2.0");
    Ok(())
}
