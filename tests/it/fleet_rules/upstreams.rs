//! From whom hosts take their events.

use super::checked;

#[test]
fn one_upstream_only() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "receive = 8098\nbroadcast = 8099\n"),
        ("b", "b.example.org", "remotes = ['a:8099']\n"),
        ("c", "c.example.org", "remotes = ['a:8099', 'A.example.org:8099']\n"),
        ("d", "d.example.org", "remotes = ['a:8099']\n"),
        ("e", "e.example.org", "remotes = ['a:8099']\ntopics = ['gcn']\n"),
        ("f", "f.example.org", "remotes = ['far.example.net:8099']\n"),
    ]), @"
    exit 0
    ---- stdout
    ---- stderr
    warning: `b`, `c` and `d` take their events from `a` alone: none come while that is down
     --> hosts/b.toml:8:12
      |
    8 | remotes = ['a:8099']
      |            ^^^^^^^^ by `b`
      |
     ::: hosts/c.toml:8:12
      |
    8 | remotes = ['a:8099', 'A.example.org:8099']
      |            -------- by `c`
      |
     ::: hosts/d.toml:8:12
      |
    8 | remotes = ['a:8099']
      |            -------- by `d`
      |
      = help: subscribe to a second broker too: what was seen before is dropped

    warning: `f` takes its events from `far.example.net` alone: none come while that is down
     --> hosts/f.toml:8:12
      |
    8 | remotes = ['far.example.net:8099']
      |            ^^^^^^^^^^^^^^^^^^^^^^ by `f`
      |
      = help: subscribe to a second broker too: what was seen before is dropped
    6 hosts, 0 errors, 2 warnings
    ");
}

#[test]
fn upstreams_that_are_gone() {
    insta::assert_snapshot!(checked(&[
        ("a", "a.example.org", "remotes = ['68.169.57.253:8099', 'voevent.4pisky.org:8099']\n"),
        ("b", "b.example.org", "remotes = ['68.169.57.253:8099', '45.58.43.186:8099']\n"),
    ]), @"
    exit 0
    ---- stdout
    ---- stderr
    warning: `45.58.43.186:8099` is a broker of GCN, which switched its VOEvent brokers off on 2026-04-06
     --> hosts/b.toml:8:34
      |
    8 | remotes = ['68.169.57.253:8099', '45.58.43.186:8099']
      |                                  ^^^^^^^^^^^^^^^^^^^ by `b`
      |
      = help: take GCN's events from Kafka (`gcn.classic.voevent.*`), and leave this upstream out

    warning: `68.169.57.253:8099` is a broker of GCN, which switched its VOEvent brokers off on 2026-04-06
     --> hosts/a.toml:8:12
      |
    8 | remotes = ['68.169.57.253:8099', 'voevent.4pisky.org:8099']
      |            ^^^^^^^^^^^^^^^^^^^^ by `a`
      |
     ::: hosts/b.toml:8:12
      |
    8 | remotes = ['68.169.57.253:8099', '45.58.43.186:8099']
      |            -------------------- by `b`
      |
      = help: take GCN's events from Kafka (`gcn.classic.voevent.*`), and leave this upstream out

    warning: `voevent.4pisky.org:8099` is the broker of 4 Pi Sky, which is not known to run since 2018
     --> hosts/a.toml:8:34
      |
    8 | remotes = ['68.169.57.253:8099', 'voevent.4pisky.org:8099']
      |                                  ^^^^^^^^^^^^^^^^^^^^^^^^^ by `a`
      |
      = help: leave it out, or ask its operators first
    2 hosts, 0 errors, 3 warnings
    ");
}
