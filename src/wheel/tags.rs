//! Which wheels an interpreter can use (PEP 425, PEP 600), and which of several it likes best.

use std::cmp::Reverse;
use std::fmt;

use super::name::WheelName;
use crate::store::manifest::Target;

/// A host's interpreter: what decides about wheels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The `11` of python 3.11.
    pub minor: u8,
    /// The machine.
    pub arch: Arch,
    /// The `36` of glibc 2.36: the host's, so that wheels for older ones run.
    pub glibc: u16,
}

/// The machines that hosts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arch {
    /// `x86_64`
    X86_64,
    /// `aarch64`
    Aarch64,
}

/// A target that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTarget {
    /// Its release.
    #[error("the glibc of system `{0}` is not known: one of {known}", known = systems())]
    System(String),
    /// Its machine.
    #[error("arch `{0}` is not known: `x86_64` or `aarch64`")]
    Arch(String),
    /// Its python.
    #[error("python `{0}` is not known: `3.9` to `3.30`, without a patch version")]
    Python(String),
}

/// Minor version of glibc 2 of each release (packages.debian.org, packages.ubuntu.com: `libc6`).
const GLIBC: [(&str, u16); 5] =
    [("debian-11", 31), ("debian-12", 36), ("debian-13", 41), ("ubuntu-22.04", 35), ("ubuntu-24.04", 39)];

fn systems() -> String {
    GLIBC.map(|(system, _)| format!("`{system}`")).join(", ")
}

impl Arch {
    /// As uname(2) says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Reads what uname(2) says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::X86_64, Self::Aarch64].into_iter().find(|arch| arch.as_str() == text)
    }
}

/// How much an interpreter likes a wheel: the least is the best. The order of the `packaging` library's `sys_tags`.
pub type Rank = (u8, Reverse<u8>, Reverse<u16>);

impl Interpreter {
    /// The interpreter of a target.
    ///
    /// # Errors
    /// Where its system, arch or python is not known.
    pub fn of(target: &Target) -> Result<Self, UnknownTarget> {
        let glibc = GLIBC.iter().find(|(system, _)| *system == target.system);
        let (_, glibc) = glibc.ok_or_else(|| UnknownTarget::System(target.system.clone()))?;
        let arch = Arch::parse(&target.arch).ok_or_else(|| UnknownTarget::Arch(target.arch.clone()))?;
        let minor =
            target.python.strip_prefix("3.").and_then(small_number).filter(|minor| (9..=30).contains(minor));
        let minor = minor.ok_or_else(|| UnknownTarget::Python(target.python.clone()))?;
        Ok(Self { minor, arch, glibc: *glibc })
    }

    /// `3.11`
    #[must_use]
    pub fn version(&self) -> String {
        format!("3.{}", self.minor)
    }

    /// Whether it can use the wheel of this file name.
    #[must_use]
    pub fn takes(&self, file: &str) -> bool {
        WheelName::parse(file).is_ok_and(|wheel| self.rank(&wheel).is_some())
    }

    /// The rank of a wheel, `None` where it cannot be used.
    #[must_use]
    pub fn rank(&self, wheel: &WheelName) -> Option<Rank> {
        // Of several versions of glibc the newest counts.
        let platforms = || wheel.platform.iter().filter_map(|tag| self.platform(tag));
        let glibc = platforms().filter_map(|platform| match platform {
            Platform::Any => None,
            Platform::Glibc(minor) => Some((false, minor)),
        });
        let any = platforms().any(|platform| matches!(platform, Platform::Any)).then_some((true, 0));
        let platforms = [any, glibc.max()];
        let mut best = None;
        for python in &wheel.python {
            for abi in &wheel.abi {
                for (any, glibc) in platforms.into_iter().flatten() {
                    let rank = self.tag(python, abi, any);
                    let rank = rank.map(|(class, minor)| (class, Reverse(minor), Reverse(glibc)));
                    best = [best, rank].into_iter().flatten().min();
                }
            }
        }
        best
    }

    /// Class and minor version of a python and an ABI tag; `any`: the platform is `any`.
    fn tag(&self, python: &str, abi: &str, any: bool) -> Option<(u8, u8)> {
        let cpython = python.strip_prefix("cp3").and_then(small_number);
        let own = cpython == Some(self.minor);
        let generic = match python {
            "py3" => Some(u8::MAX - 1),
            _ => python.strip_prefix("py3").and_then(small_number),
        };
        match (abi, any) {
            _ if own && abi == python => Some((0, 0)),
            ("abi3", _) if own => Some((1, 0)),
            ("none", false) if own => Some((2, 0)),
            ("abi3", _) => cpython.filter(|minor| (2..self.minor).contains(minor)).map(|minor| (3, minor)),
            ("none", true) if own => Some((5, 0)),
            ("none", _) => {
                // `py311` comes first, then `py3`, then `py310` and older ones.
                let minor = match generic? {
                    minor if minor == self.minor => u8::MAX,
                    minor if minor == u8::MAX - 1 || minor < self.minor => minor,
                    _ => return None,
                };
                Some((if any { 6 } else { 4 }, minor))
            }
            _ => None,
        }
    }

    /// What a platform tag asks for; `None` where it does not fit.
    fn platform(&self, tag: &str) -> Option<Platform> {
        if tag == "any" {
            return Some(Platform::Any);
        }
        // `linux_x86_64` says nothing of glibc, and `musllinux` needs another C library: both are refused.
        let rest = tag.strip_prefix("manylinux")?.strip_suffix(self.arch.as_str())?.strip_suffix('_')?;
        let minor = match rest {
            "1" => 5,
            "2010" => 12,
            "2014" => 17,
            _ => rest.strip_prefix("_2_")?.parse().ok()?,
        };
        (minor <= self.glibc).then_some(Platform::Glibc(minor))
    }
}

/// What a wheel's platform tag asks for.
#[derive(Debug, Clone, Copy)]
enum Platform {
    /// `any`
    Any,
    /// The minor version of glibc 2.
    Glibc(u16),
}

/// A number without sign or leading zero.
fn small_number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "python 3.{} on {} with glibc 2.{}", self.minor, self.arch.as_str(), self.glibc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: Interpreter = Interpreter { minor: 11, arch: Arch::X86_64, glibc: 36 };

    fn rank(tags: &str) -> Option<Rank> {
        PYTHON.rank(&WheelName::parse(&format!("a-1-{tags}.whl")).unwrap())
    }

    #[test]
    fn the_order_is_that_of_packaging() {
        let order = [
            "cp311-cp311-manylinux_2_36_x86_64",
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp311-cp311-manylinux1_x86_64",
            "cp311-abi3-manylinux_2_28_x86_64",
            "cp311-none-manylinux_2_28_x86_64",
            "cp310-abi3-manylinux_2_28_x86_64",
            "cp39-abi3-manylinux_2_28_x86_64",
            "py311-none-manylinux_2_28_x86_64",
            "py3-none-manylinux_2_28_x86_64",
            "py310-none-manylinux_2_28_x86_64",
            "cp311-none-any",
            "py311-none-any",
            "py2.py3-none-any",
            "py310-none-any",
        ];
        let ranks: Vec<_> = order.iter().map(|tags| rank(tags).expect(tags)).collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    }

    /// Each with each would be 10^11.
    #[test]
    fn of_many_platforms_two_are_looked_at() {
        let many = |tag: &str, count| vec![tag.to_owned(); count];
        let platform = [many("any", 500_000), many("manylinux1_x86_64", 500_000)].concat();
        let wheel = WheelName {
            python: many("cp311", 1000),
            abi: many("abi3", 100),
            platform,
            ..WheelName::parse("a-1-py3-none-any.whl").unwrap()
        };
        assert_eq!(PYTHON.rank(&wheel), rank("cp311-abi3-manylinux1_x86_64"));
    }

    #[test]
    fn what_does_not_fit() {
        for tags in [
            "cp311-cp311-manylinux_2_37_x86_64",
            "cp311-cp311-manylinux_2_17_aarch64",
            "cp311-cp311-musllinux_1_2_x86_64",
            "cp311-cp311-linux_x86_64",
            "cp311-cp311-win_amd64",
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-abi3-manylinux_2_17_x86_64",
            "cp311-cp311t-manylinux_2_17_x86_64",
            "cp310-none-any",
            "py312-none-any",
            "py2-none-any",
            "pp311-pypy311_pp73-manylinux_2_17_x86_64",
            "cp3-abi3-manylinux_2_17_x86_64",
            "py3-none-manylinux_3_1_x86_64",
        ] {
            assert_eq!(rank(tags), None, "{tags}");
        }
    }

    #[test]
    fn targets() {
        let target = |system: &str, arch: &str, python: &str| {
            let [system, arch, python] = [system, arch, python].map(str::to_owned);
            Interpreter::of(&Target { arch, python, system })
        };
        assert_eq!(target("debian-12", "x86_64", "3.11"), Ok(PYTHON));
        let error = target("debian-99", "x86_64", "3.11").unwrap_err();
        assert!(
            error.to_string().starts_with("the glibc of system `debian-99` is not known: one of `debian-11`")
        );
        assert!(target("debian-12", "i686", "3.11").is_err());
        for bad in ["3", "3.", "3.011", "3.11.2", "2.7", "3.8", "3.300", "3.+11"] {
            assert!(target("debian-12", "x86_64", bad).is_err(), "{bad}");
        }
    }
}
