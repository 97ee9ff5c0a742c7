//! Tests of the driver itself: what other tests take for granted.

use crate::driver::{Call, Disk, Failure, Lab, Machine, Result, Setup, Suite, must_fail};
use std::path::Path;
use std::time::{Duration, Instant};

crate::tests![
    boots_to_a_working_systemd,
    boots_trixie,
    boots_with_the_packages_of_modules,
    exec_gives_status_and_output,
    a_command_that_hangs_is_ended_with_what_it_started,
    what_a_command_leaves_behind_does_not_block,
    a_background_command_is_watched_and_ended,
    files_and_folders_arrive_as_roots,
    hosts_reach_each_other_and_are_reached,
    a_shutdown_and_a_boot_keep_the_disk,
    a_power_cut_keeps_a_folder_disk,
    a_power_cut_loses_what_was_not_synced,
    a_reset_is_a_bare_host_again,
    snapshots_are_kept_and_boot_other_hosts,
    snapshots_of_images,
    waiting_is_bounded_and_says_why,
];

const SOON: Duration = Duration::from_secs(10);

fn boots_to_a_working_systemd() -> Result<()> {
    let host = Lab::new()?.boot("node1")?;
    assert_eq!(host.run(["systemctl", "is-system-running"])?, "running");
    assert_eq!(host.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
    assert_eq!(host.run(["cat", "/proc/sys/kernel/hostname"])?, "node1");
    let unit = ["systemd-run", "--wait", "--pipe", "-p", "DynamicUser=yes", "-p", "ProtectSystem=strict"];
    assert_eq!(host.run(unit.into_iter().chain(["sh", "-c", "test $(id -u) -ne 0 && echo unit"]))?, "unit");
    Ok(())
}

fn boots_trixie() -> Result<()> {
    let setup = Setup { suite: Suite::Trixie, ..Setup::default() };
    let host = Lab::new()?.boot_with("node1", setup)?;
    assert_eq!(
        host.sh(". /etc/os-release; echo $VERSION_CODENAME; systemctl is-system-running")?,
        "trixie\nrunning"
    );
    Ok(())
}

fn boots_with_the_packages_of_modules() -> Result<()> {
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let host = Lab::new()?.boot_with("node1", Setup::of_modules(suite))?;
        assert_eq!(host.run(["systemctl", "--failed", "--plain", "--no-legend"])?, "");
        host.sh("nft list ruleset; restic version; visudo -c; test -x /usr/lib/systemd/systemd-timesyncd")?;
        // what is only in apt's cache: one time daemon takes the place of the other
        host.sh("DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends chrony")?;
        assert_eq!(
            host.sh("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' chrony")?,
            "chrony installed"
        );
    }
    Ok(())
}

fn exec_gives_status_and_output() -> Result<()> {
    let host = Lab::new()?.boot("node1")?;
    let output = host.exec(["sh", "-c", "echo out; echo err >&2; exit 7"])?;
    assert_eq!((output.code(), &*output.stdout, &*output.stderr), (Some(7), "out\n", "err\n"));
    let failure = must_fail(host.run(["sh", "-c", "echo why >&2; exit 7"]))?;
    assert!(failure.contains("exit 7` on node1 failed: exit status: 7\nwhy"), "{failure}");
    assert!(host.sh("false; echo not reached").is_err());
    let bytes = [0, 159, 146, 150, b'\n'];
    assert_eq!(host.call(["cat"])?.stdin(bytes).bytes()?, bytes);
    let environment = host.run(["env"])?;
    assert!(
        environment
            .lines()
            .all(|line| ["PATH", "HOME", "LANG"].contains(&&line[..4]) || line.starts_with("PWD")),
        "{environment}"
    );
    Ok(())
}

fn a_command_that_hangs_is_ended_with_what_it_started() -> Result<()> {
    let host = Lab::new()?.boot("node1")?;
    let start = Instant::now();
    let call = host.call(["sh", "-c", "echo said; sleep 4321 & sleep 4321"])?;
    let failure = must_fail(call.timeout(Duration::from_millis(300)).output())?;
    assert!(failure.contains("did not end within 300ms\nsaid"), "{failure}");
    assert!(start.elapsed() < SOON);
    assert!(!has_process(&host, "sleep 4321")?);
    Ok(())
}

fn what_a_command_leaves_behind_does_not_block() -> Result<()> {
    let host = Lab::new()?.boot("node1")?;
    assert_eq!(host.call(["sh", "-c", "sleep 1234 & echo done"])?.timeout(SOON).ok()?, "done");
    assert!(has_process(&host, "sleep 1234")?);
    Ok(())
}

fn a_background_command_is_watched_and_ended() -> Result<()> {
    let mut host = Lab::new()?.boot("node1")?;
    let counting = host.spawn(["sh", "-c", "echo one; sleep 2345"])?;
    host.wait(SOON, || Ok(counting.stdout()? == "one\n"))?;
    assert!(!counting.is_over()? && has_process(&host, "sleep 2345")?);
    counting.kill()?;
    assert!(!has_process(&host, "sleep 2345")?);
    let mut cut = host.spawn(["sleep", "3456"])?;
    host.power_cut()?;
    assert!(!cut.wait(SOON)?.success());
    assert!(must_fail(host.exec(["true"]))?.contains("node1 is off"));
    Ok(())
}

fn files_and_folders_arrive_as_roots() -> Result<()> {
    let lab = Lab::new()?;
    let host = lab.boot("node1")?;
    let dir = lab.dir().join("given");
    Call::here(
        ["sh", "-euc", "mkdir -p $0/below; echo a >$0/below/a; ln $0/below/a $0/b; ln -s below/a $0/link"]
            .map(Path::new)
            .into_iter()
            .chain([dir.as_path()]),
    )
    .ok()?;
    Call::here(["chown", "-hR", "1234:1234"].map(Path::new).into_iter().chain([dir.as_path()])).ok()?;
    host.put(&dir, "/opt/deep/folder")?;
    host.put("/bin/true", "/opt/deeper/program")?;
    host.write_file("/opt/text", "text\n")?;
    let listing = host.sh(
        "cd /opt/deep/folder; find . /opt/text /opt/deeper/program -printf '%p %y %m %n %U %l\\n' | sort",
    )?;
    assert_eq!(
        listing,
        ". d 755 3 0 \n./b f 644 2 0 \n./below d 755 2 0 \n./below/a f 644 2 0 \n./link l 777 1 0 below/a\n\
         /opt/deeper/program f 755 1 0 \n/opt/text f 644 1 0"
    );
    assert_eq!(host.read_file("/opt/deep/folder/link")?, b"a\n");
    assert!(must_fail(host.read_file("/opt/none"))?.contains("No such file"));
    Ok(())
}

fn hosts_reach_each_other_and_are_reached() -> Result<()> {
    let lab = Lab::new()?;
    let (one, two) = (lab.boot("one")?, lab.boot("two")?);
    let script = "import socket, sys; print(socket.create_connection((sys.argv[1], 22), 5).recv(4).decode())";
    for (from, to) in [(&one, &two), (&two, &one)] {
        assert_eq!(from.run(["python3", "-c", script, &to.address()])?, "SSH-");
    }
    assert_eq!(two.ssh(["hostname"]).ok()?, "two");
    assert_eq!(lab.control(["python3", "-c", script, &one.address()]).ok()?, "SSH-");
    let outside = one.exec(["ip", "route", "get", "192.0.2.1"])?;
    assert!(!outside.success(), "{outside:?}");
    Ok(())
}

fn a_shutdown_and_a_boot_keep_the_disk() -> Result<()> {
    let mut host = Lab::new()?.boot("node1")?;
    host.write_file(
        "/etc/systemd/system/last.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n\
        ExecStart=/bin/true\nExecStop=/bin/touch /var/stopped\n[Install]\nWantedBy=multi-user.target\n",
    )?;
    host.sh("systemctl enable --now last; touch /run/volatile; ip link add left type bridge")?;
    host.reboot()?;
    host.sh("test -e /var/stopped; test ! -e /run/volatile; systemctl is-active last; ! ip link show left")?;
    Ok(())
}

fn a_power_cut_keeps_a_folder_disk() -> Result<()> {
    let mut host = Lab::new()?.boot("node1")?;
    host.sh("echo kept >/var/kept; systemd-run --unit=going -p 'ExecStop=/bin/touch /var/stopped' sleep 99")?;
    host.power_cut()?;
    host.start()?;
    host.sh("test $(cat /var/kept) = kept; test ! -e /var/stopped")?;
    Ok(())
}

fn a_power_cut_loses_what_was_not_synced() -> Result<()> {
    let setup = Setup { disk: Disk::Image, ..Setup::default() };
    let mut host = Lab::new()?.boot_with("node1", setup)?;
    host.sh("echo kept >/var/kept; sync; echo lost >/var/lost; mv /var/kept /var/moved")?;
    host.power_cut()?;
    host.start()?;
    assert_eq!(host.sh("ls /var | grep -E 'kept|lost|moved'; cat /var/kept")?, "kept\nkept");
    // once more, from the image that the first cut left
    host.sh("mv /var/kept /var/moved; sync; mv /var/moved /var/lost")?;
    host.power_cut()?;
    host.start()?;
    assert_eq!(host.sh("ls /var | grep -E 'kept|lost|moved'; cat /var/moved")?, "moved\nkept");
    // a shutdown loses nothing
    host.sh("mv /var/moved /var/kept")?;
    host.reboot()?;
    assert_eq!(host.sh("cat /var/kept")?, "kept");
    Ok(())
}

fn a_reset_is_a_bare_host_again() -> Result<()> {
    let mut host = Lab::new()?.boot("node1")?;
    let address = host.address();
    host.sh("echo mine >/etc/mine; rm /etc/issue; useradd someone")?;
    let start = Instant::now();
    host.reset()?;
    let took = start.elapsed();
    host.sh("test ! -e /etc/mine; test -e /etc/issue; ! id someone 2>/dev/null")?;
    assert_eq!(host.address(), address);
    assert!(took < SOON, "a reset took {took:?}");
    Ok(())
}

fn snapshots_are_kept_and_boot_other_hosts() -> Result<()> {
    snapshots(Disk::Folder)
}

fn snapshots_of_images() -> Result<()> {
    snapshots(Disk::Image)
}

fn snapshots(disk: Disk) -> Result<()> {
    let lab = Lab::new()?;
    let mut host = lab.boot_with("node1", Setup { disk, ..Setup::default() })?;
    host.sh(
        "mkdir -p /opt/dir/below; echo first >/opt/dir/file; ln /opt/dir/file /opt/dir/same; rm /etc/issue",
    )?;
    assert!(must_fail(host.snapshot())?.contains("node1 is on"));
    host.power_off()?;
    let first = host.snapshot()?;
    host.start()?;
    // folders can be renamed, and hard links are still ones
    host.sh("mv /opt/dir /opt/moved; echo second >>/opt/moved/same; test ! -e /etc/issue")?;
    assert_eq!(host.sh("cat /opt/moved/file")?, "first\nsecond");
    host.power_off()?;
    let second = host.snapshot()?;
    host.restore(&first)?;
    assert_eq!(host.sh("cat /opt/dir/file; ls /opt")?, "first\ndir");
    host.restore(&second)?;
    assert_eq!(host.sh("cat /opt/moved/file; ls /opt")?, "first\nsecond\nmoved");
    let other = Lab::new()?.boot_with("other", Setup::from(&second))?;
    assert_eq!(other.sh("cat /opt/moved/file; hostname; test ! -e /etc/issue")?, "first\nsecond\nother");
    Ok(())
}

fn waiting_is_bounded_and_says_why() -> Result<()> {
    let host = Lab::new()?.boot("node1")?;
    host.wait(SOON, || Ok(host.exec(["test", "-d", "/etc"])?.success()))?;
    let never = host.wait(Duration::from_millis(100), || Err(Failure::new("not ready yet")));
    let message = must_fail(never)?;
    assert!(message.ends_with("was not so after 100ms: not ready yet"), "{message}");
    Ok(())
}

/// Does a process with this command line run on the machine?
fn has_process(host: &Machine, command: &str) -> Result<bool> {
    let script =
        "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$file\" 2>/dev/null || true; echo; done";
    Ok(host.sh(script)?.lines().any(|line| line.trim() == command))
}
