//! Swap files on ext4, xfs and btrfs: made, grown, shrunk, turned off; the file stays.
//!
//! Swap is the whole machine's, so of the host of the tests too: files of 16 MB, turned off whatever becomes of the test.
//! The swappiness that is set is the one that the host has already.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::driver::{Call, Explain, Lab, Machine, Result, Setup, Suite};
use crate::node::{Node, SHIPPED, Workstation, host_of};

crate::tests![swap_on_debian_12, swap_on_debian_13];

/// mkfs.xfs(8) makes none that is smaller.
const BYTES: u64 = 320 << 20;
const FOLDERS: [&str; 3] = ["ext4/our-swap", "xfs/swap", "btrfs/swap"];

fn swap_on_debian_12() -> Result<()> {
    story(Suite::Bookworm)
}

fn swap_on_debian_13() -> Result<()> {
    story(Suite::Trixie)
}

/// The swap of a machine with its file systems in this folder goes with it. The kernel knows a file by what it is: the
/// name in its table is the machine's.
struct SwapOff(PathBuf);

impl Drop for SwapOff {
    fn drop(&mut self) {
        for folder in FOLDERS {
            let file = self.0.join(folder).join("swapfile");
            // one that is off already is as it should be
            if let Err(failure) = Call::here([Path::new("swapoff"), &file]).output() {
                eprintln!("warning: {failure}");
            }
        }
    }
}

/// A machine with a file system of each kind at `/srv/<suite>/<kind>`. The kernel has one table of swap for all machines, with
/// each file as its own machine sees it: so they are at other paths on other machines.
fn boot(lab: &Lab, suite: Suite) -> Result<(Machine, SwapOff)> {
    let folder = lab.dir().join("fs");
    let bind = format!("--bind={}:/srv/{}", folder.display(), suite.name());
    for kind in ["ext4", "xfs", "btrfs"] {
        fs::create_dir_all(folder.join(kind)).explain(|| "make a folder".to_owned())?;
        let image =
            File::create(folder.join(format!("{kind}.img"))).explain(|| "make an image".to_owned())?;
        image.set_len(BYTES).explain(|| "size an image".to_owned())?;
    }
    let nspawn = vec!["--system-call-filter=@swap".to_owned(), bind];
    let node = lab.boot_with("node1", Setup { nspawn, ..Setup::of_modules(suite) })?;
    node.sh("cd /srv/*; for kind in ext4 xfs btrfs; do mkfs.$kind -q $kind.img; done")?;
    for kind in ["ext4", "xfs", "btrfs"] {
        let (image, at) = (folder.join(format!("{kind}.img")), folder.join(kind));
        Call::here([Path::new("mount"), Path::new("-o"), Path::new("loop"), &image, &at]).ok()?;
    }
    // what is mounted there now is seen on the machine too
    assert_eq!(node.sh("stat -f -c %T /srv/*/*/ | tr '\\n' ' '")?, "btrfs ext2/ext3 xfs");
    node.sh("mount -o remount,rw /proc/sys")?;
    Ok((node, SwapOff(folder)))
}

/// KiB of each file that the kernel swaps to; the machine's own alone.
fn swaps(node: &Machine) -> Result<String> {
    node.sh("cd /srv/*/ext4/..; sed -n \"s|^$PWD/\\(.*\\)/swapfile *file[ \\t]*\\([0-9]*\\).*|\\1 \\2|p\" /proc/swaps | sort")
}

/// A switch is put back, because the service says so.
fn fails(node: &Machine, bundle: &str, said: &str) -> Result<()> {
    let output = node.switch([format!("{SHIPPED}/store/{bundle}").as_str()])?;
    assert_eq!(output.code(), Some(4), "{output:?}");
    node.logs("-u voevent-swap", said)
}

fn story(suite: Suite) -> Result<()> {
    let lab = Lab::new()?;
    let workstation = Workstation::new(&lab, "w")?;
    let (node, _off) = boot(&lab, suite)?;
    let swappiness = node.sh("cat /proc/sys/vm/swappiness")?;
    let build = |folder: &str, size: &str| {
        let settings = format!("folder = \"{folder}\"\nsize = \"{size}\"\nswappiness = {swappiness}");
        workstation.build(&host_of(suite, "swap", &settings))
    };
    let each = |size: &str| -> Result<Vec<String>> {
        FOLDERS.into_iter().map(|folder| build(&format!("/srv/{}/{folder}", suite.name()), size)).collect()
    };
    let (large, small, huge) = (each("16M")?, each("12M")?, each("1G")?);
    let overlay = build("/var/swap", "16M")?;
    let without = workstation.build(&host_of(suite, "users", ""))?;
    node.ship(&workstation)?;

    for ((large, small), (huge, folder)) in large.iter().zip(&small).zip(huge.iter().zip(FOLDERS)) {
        let file = format!("/srv/{}/{folder}/swapfile", suite.name());
        let is = |mega: u64| -> Result<()> {
            let found = swaps(&node)?;
            let kib = found.strip_prefix(&format!("{folder} ")).and_then(|kib| kib.parse::<u64>().ok());
            assert!(kib.is_some_and(|kib| kib <= mega << 10 && kib > (mega << 10) - 64), "{found}");
            let stat =
                node.sh(&format!("stat -c '%s %a %U' {file}; test $(stat -c %b {file}) -ge {}", mega << 11))?;
            assert_eq!(stat, format!("{} 600 root", mega << 20));
            Ok(())
        };
        node.switch_to(small)?;
        is(12)?;
        // Nothing that is right is made again.
        let made = node.sh(&format!("swaplabel {file}; stat -c %i {file}"))?;
        node.run(["systemctl", "restart", "voevent-swap.service"])?;
        is(12)?;
        assert_eq!(node.sh(&format!("swaplabel {file}; stat -c %i {file}"))?, made);
        node.switch_to(large)?;
        is(16)?;
        // One who was killed after a new size has not written its header.
        node.sh(&format!(
            "systemctl stop voevent-swap; truncate -s 12M {file}; mkswap {file} >/dev/null 2>&1; fallocate -l 16M {file}
             systemctl start voevent-swap"
        ))?;
        is(16)?;
        node.switch_to(small)?;
        is(12)?;
        // More than there is room for: what was is back, in its size.
        fails(&node, huge, "there is no room for 1073741824 bytes")?;
        is(12)?;
        node.switch_to(&without)?;
        assert_eq!(swaps(&node)?, "");
        node.run(["test", "-s", &file])?;
    }

    keeps_what_is_in_use(&node, (&large[1], &small[1]))?;
    fails(&node, &overlay, "a swap file needs ext4, xfs or btrfs")?;
    let said = node.sh("systemd-analyze security --no-pager voevent-swap.service | tail -1")?;
    let score = said.split_whitespace().find_map(|word| word.parse::<f32>().ok());
    assert!(score.is_some_and(|score| score <= 1.5), "{said}");
    node.switch_to(&without).map(drop)
}

/// Where the swap cannot be turned off, its size stays: here because `swapoff` does not work.
fn keeps_what_is_in_use(node: &Machine, (large, small): (&str, &str)) -> Result<()> {
    node.switch_to(large)?;
    node.sh("mv /usr/sbin/swapoff /usr/sbin/swapoff.away")?;
    let failed = fails(node, small, "is in use and has 16777216 bytes, not 12582912");
    node.sh("mv /usr/sbin/swapoff.away /usr/sbin/swapoff")?;
    failed?;
    assert_eq!(swaps(node)?, "xfs/swap 16380");
    assert_eq!(node.sh("stat -c %s /srv/*/xfs/swap/swapfile")?, "16777216");
    Ok(())
}
