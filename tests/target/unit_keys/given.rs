//! The values that are given to real systemd: right ones, and nearly right ones.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Generated calendar expressions, time spans and sizes.
const COUNT: usize = 3_000;

/// Values that are right for some keys, or nearly so.
pub(super) fn pool() -> Vec<String> {
    let words = "yes no true FALSE on off 1 0 y n t f maybe yess 2 -1 +1 5 10 100 4096 070 0644 07777 0888 0x10 0b1 0o17 \
                 99999999999999999999 1.5 10% 12.5% 1‰ 200% 5%% % %i infinity 5s 1min 5m 1h30 1M 512M 1G 1.5G 512MB 4k 1K2 \
                 1G512M 5parsecs daily dayly auto none all main exec simple forking oneshot dbus notify notify-reload idle \
                 always on-failure on-success on-abnormal on-watchdog on-abort normal direct debug control-group process \
                 mixed terminate abort kill stop continue cgroup read-only tmpfs strict full private inherit shared \
                 disconnected self identity invisible noaccess ptraceable default pid init login user fail replace isolate \
                 flush ignore-dependencies triggering restart-dependencies journal syslog kmsg null tty tty-force socket \
                 fd fd:x file:/x append:/x truncate:/x file=/x data journal+console emerg err warning info crit notice \
                 daemon local0 local9 reboot reboot-force poweroff exit-force soft-reboot halt kexec kexec-force \
                 inactive inactive-or-failed best-effort realtime other batch rr fifo ext closed avoid omit restart \
                 SIGTERM TERM SIGRTMIN+3 RTMAX-1 SIGFOO KILL SIGSTKFLT 64 65 soon x a:b 1:2 /x ~ - . , watchdog";
    let more = ["1 2", "1min 30s", "5 s", "5 x", "1G 512M", "512 M", "0 1", " ", "yes no", "10 %"];
    words.split_whitespace().chain(more).map(str::to_owned).collect()
}

pub(super) fn generate(strategy: &BoxedStrategy<String>) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let value = || strategy.new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(value).take(COUNT).collect()
}

/// One of the texts that `¦` divides.
fn tokens(all: &'static str) -> BoxedStrategy<String> {
    prop::sample::select(all.split('¦').map(str::to_owned).collect::<Vec<_>>()).boxed()
}

/// Some tokens in a row.
fn noise(all: &'static str) -> BoxedStrategy<String> {
    prop::collection::vec(tokens(all), 1..8).prop_map(|tokens| tokens.concat()).boxed()
}

/// The same text, or one with a token more or with some characters less.
fn nearly(good: BoxedStrategy<String>, all: &'static str) -> BoxedStrategy<String> {
    let change = |text: String, (at, token, less): (usize, String, usize)| {
        let characters: Vec<char> = text.chars().collect();
        let at = at % (characters.len() + 1);
        let rest = characters[at..].iter().skip(less);
        characters[..at].iter().copied().chain(token.chars()).chain(rest.copied()).collect()
    };
    let changed = (good.clone(), (0..40_usize, tokens(all), 0..3_usize));
    prop_oneof![2 => good, 2 => changed.prop_map(move |(text, how)| change(text, how)), 1 => noise(all)]
        .boxed()
}

pub(super) fn calendars() -> BoxedStrategy<String> {
    const TOKENS: &str = "¦Mon¦tue¦Wednesday¦Sun¦..¦,¦-¦*¦/¦~¦:¦ ¦  ¦0¦5¦12¦24¦29¦31¦59¦60¦99¦1969¦2024¦2200¦1.5¦.¦UTC¦\
                          Europe/Berlin¦daily¦weekly¦@¦CEST¦x¦+¦\t";
    fn chain(from: u32, to: u32) -> BoxedStrategy<String> {
        let number = move || (from..=to).prop_map(|number| format!("{number:02}"));
        let part = prop_oneof![
            3 => number(),
            1 => (number(), number()).prop_map(|(a, b)| format!("{a}..{b}")),
            1 => (number(), 0..=to).prop_map(|(a, b)| format!("{a}/{b}")),
            1 => (number(), number(), 1..5_u32).prop_map(|(a, b, c)| format!("{a}..{b}/{c}")),
        ];
        prop_oneof![1 => Just("*".to_owned()), 3 => prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(","))]
            .boxed()
    }
    let days = prop::collection::vec(tokens("Mon¦tue¦Wed..Fri¦Sat..Sun¦sun¦Thursday¦Mon-Tue"), 1..3);
    let days = prop_oneof![1 => Just(String::new()), 1 => days.prop_map(|days| days.join(",") + " ")];
    let year = prop_oneof![chain(1970, 2199), chain(0, 99)];
    let date = prop_oneof![
        (year, chain(1, 12), tokens("-¦~"), chain(1, 31))
            .prop_map(|(y, m, mark, d)| format!("{y}-{m}{mark}{d} ")),
        (chain(1, 12), tokens("-¦~"), chain(1, 28)).prop_map(|(m, mark, d)| format!("{m}{mark}{d} ")),
        Just(String::new()),
    ];
    let fraction = tokens("¦¦.5¦.123456¦.9999999¦.25..7¦/1.5¦.");
    let time = prop_oneof![
        (chain(0, 23), chain(0, 59)).prop_map(|(h, m)| format!("{h}:{m}")),
        (chain(0, 23), chain(0, 59), chain(0, 59), fraction)
            .prop_map(|(h, m, s, f)| format!("{h}:{m}:{s}{f}")),
        Just(String::new()),
    ];
    let zone = tokens("¦¦¦ UTC¦ utc¦ Europe/Berlin¦ America/New_York¦ Nowhere/Else");
    let whole =
        (days, date, time, zone).prop_map(|(days, date, time, zone)| format!("{days}{date}{time}{zone}"));
    let short = (
        tokens("daily¦Weekly¦anually¦semi-annually¦bi-annually¦minutely¦hourly¦monthly¦quarterly¦yearly"),
        tokens("¦ UTC"),
    );
    let good = prop_oneof![9 => whole, 1 => short.prop_map(|(short, zone)| short + &zone)];
    nearly(good.boxed(), TOKENS)
}

pub(super) fn spans() -> BoxedStrategy<String> {
    const UNITS: &str = "¦s¦sec¦second¦seconds¦m¦min¦minute¦minutes¦M¦month¦months¦ms¦msec¦h¦hr¦hour¦hours¦d¦day¦days¦w¦week¦\
                         weeks¦y¦year¦years¦us¦usec¦µs¦μs¦ns¦x¦minutess¦S¦H";
    const TOKENS: &str =
        " ¦.¦+¦-¦,¦5¦0¦s¦min¦infinity¦1.5¦x¦9223372036854775807¦9223372036854775808¦584542y¦%¦\t";
    let number = prop_oneof![5 => "[0-9]{1,4}", 2 => "[0-9]{0,3}\\.[0-9]{0,7}", 1 => "[0-9]{15,21}"];
    let part =
        (number, tokens("¦ "), tokens(UNITS), tokens("¦ ")).prop_map(|(n, a, u, b)| format!("{n}{a}{u}{b}"));
    let good = prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat().trim().to_owned());
    nearly(good.boxed(), TOKENS)
}

pub(super) fn sizes() -> BoxedStrategy<String> {
    const TOKENS: &str =
        " ¦.¦+¦-¦K¦M¦G¦k¦B¦i¦5¦0¦%¦‰¦infinity¦1.5¦0x¦18446744073709551615¦18446744073709551616";
    let number = prop_oneof![4 => "[0-9]{1,5}", 2 => "[0-9]{0,3}\\.[0-9]{0,3}", 1 => "[0-9]{15,21}"];
    let part = (number, tokens("¦¦¦ "), tokens("¦K¦M¦G¦T¦P¦E¦B¦k¦MB¦MiB¦%¦‰¦‱"), tokens("¦¦ "))
        .prop_map(|(n, a, u, b)| format!("{n}{a}{u}{b}"));
    let good = prop::collection::vec(part, 1..3).prop_map(|parts| parts.concat().trim().to_owned());
    nearly(good.boxed(), TOKENS)
}
