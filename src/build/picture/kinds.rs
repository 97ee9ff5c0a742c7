//! What nodes and arrows can be, and how each looks.
//!
//! Colours are those of Okabe and Ito, which people who see colours differently can tell apart, in pairs of a light fill
//! and a dark line of the same hue; text on them is dark. No kind is told by colour alone.

/// The kinds of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A module that the host names.
    Named,
    /// A module that comes along.
    Required,
    /// A module that another one would use, and that is off.
    Off,
    /// A unit.
    Unit,
    /// A drop-in of a unit.
    DropIn,
    /// A script.
    Script,
    /// A Python environment.
    Venv,
    /// A file.
    File,
    /// A folder.
    Directory,
    /// A user.
    User,
    /// A group.
    Group,
    /// A package of the distribution.
    Package,
    /// A check.
    Check,
    /// Who sends events to a broker.
    Author,
    /// Events that come from elsewhere than a broker or an author.
    Source,
    /// A host that passes events on.
    Broker,
    /// A host that only takes events.
    Taker,
    /// Who takes events, and is no host of ours.
    Subscriber,
    /// What is not ours.
    Outside,
}

/// How a node looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its name in a language's text: lower-case letters.
    pub class: &'static str,
    /// What it is, for the legend.
    pub title: &'static str,
    /// The colour of its area, as `#rrggbb`.
    pub fill: &'static str,
    /// The colour of its border.
    pub line: &'static str,
    /// Whether its border is dashed.
    pub dashed: bool,
}

const fn look(class: &'static str, title: &'static str, (fill, line): Hue) -> Look {
    Look { class, title, fill, line, dashed: false }
}

const fn dashed(class: &'static str, title: &'static str, hue: Hue) -> Look {
    Look { dashed: true, ..look(class, title, hue) }
}

/// Fill and line.
type Hue = (&'static str, &'static str);
const BLUE: Hue = ("#b5d9f0", "#005a8f");
const SKY: Hue = ("#e1f1fb", "#2f7fb0");
const GREEN: Hue = ("#bfe6d8", "#00694c");
const ORANGE: Hue = ("#fbdb9d", "#8f6100");
const YELLOW: Hue = ("#faf5b8", "#7a7000");
const RED: Hue = ("#f6c6a8", "#a34700");
const PURPLE: Hue = ("#efd0e1", "#8d4a70");
const ROSE: Hue = ("#f9ebf3", "#a56a8a");
const GREY: Hue = ("#dddddd", "#555555");
const WHITE: Hue = ("#ffffff", "#555555");

impl Kind {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Named,
        Self::Required,
        Self::Off,
        Self::Unit,
        Self::DropIn,
        Self::Script,
        Self::Venv,
        Self::File,
        Self::Directory,
        Self::User,
        Self::Group,
        Self::Package,
        Self::Check,
        Self::Author,
        Self::Source,
        Self::Broker,
        Self::Taker,
        Self::Subscriber,
        Self::Outside,
    ];

    /// How it looks.
    #[must_use]
    pub const fn look(self) -> Look {
        match self {
            Self::Named => look("named", "module that the host names", BLUE),
            Self::Required => look("required", "module that comes along", ORANGE),
            Self::Off => dashed("off", "module that is off", WHITE),
            Self::Unit => look("unit", "unit", BLUE),
            Self::DropIn => dashed("dropin", "drop-in", SKY),
            Self::Script => look("script", "script", ORANGE),
            Self::Venv => look("venv", "venv", GREEN),
            Self::File => look("file", "file", YELLOW),
            Self::Directory => look("directory", "directory", GREY),
            Self::User => look("user", "user", PURPLE),
            Self::Group => look("group", "group", ROSE),
            Self::Package => look("package", "package", WHITE),
            Self::Check => look("check", "check", RED),
            Self::Author => look("author", "authors", ORANGE),
            Self::Source => look("source", "source of events", YELLOW),
            Self::Broker => look("broker", "host that broadcasts", BLUE),
            Self::Taker => look("taker", "host that only takes events", PURPLE),
            Self::Subscriber => look("subscriber", "subscribers", GREEN),
            Self::Outside => dashed("outside", "not ours", WHITE),
        }
    }
}

/// The kinds of arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// A module requires another.
    Requires,
    /// A module uses another.
    Uses,
    /// A module sets options of another.
    Sets,
    /// An artifact has the path of another, or its name, in its text.
    Refers,
    /// A unit wants another.
    Wants,
    /// A drop-in changes a unit.
    Changes,
    /// A check is about a unit.
    Checks,
    /// A folder belongs to a user.
    Belongs,
    /// A user is in a group.
    Member,
    /// Events flow.
    Events,
    /// A host subscribes where nobody broadcasts.
    Silent,
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// An unbroken line.
    Solid,
    /// Dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// A wide line.
    Bold,
}

impl Link {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Requires,
        Self::Uses,
        Self::Sets,
        Self::Refers,
        Self::Wants,
        Self::Changes,
        Self::Checks,
        Self::Belongs,
        Self::Member,
        Self::Events,
        Self::Silent,
    ];

    /// What stands between the names of two nodes to make a sentence.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Requires => "requires",
            Self::Uses => "uses",
            Self::Sets => "sets options of",
            Self::Refers => "refers to",
            Self::Wants => "wants",
            Self::Changes => "changes",
            Self::Checks => "checks",
            Self::Belongs => "belongs to",
            Self::Member => "is in",
            Self::Events => "gives events to",
            Self::Silent => "gives no events to",
        }
    }

    /// Its line.
    #[must_use]
    pub const fn stroke(self) -> Stroke {
        match self {
            Self::Requires | Self::Refers | Self::Events => Stroke::Solid,
            Self::Uses | Self::Wants | Self::Silent => Stroke::Dashed,
            Self::Checks | Self::Belongs | Self::Member => Stroke::Dotted,
            Self::Sets | Self::Changes => Stroke::Bold,
        }
    }

    /// Its colour, as `#rrggbb`: to be seen on white and on black.
    #[must_use]
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Requires | Self::Uses | Self::Refers => "#666666",
            Self::Sets | Self::Wants | Self::Events => "#0072b2",
            Self::Changes => "#56b4e9",
            Self::Checks | Self::Silent => "#d55e00",
            Self::Belongs | Self::Member => "#b06590",
        }
    }
}
