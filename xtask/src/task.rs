//! What can be asked for, and the stages each task consists of.

use std::path::Path;

use crate::stage::Stage;
use crate::tool::{BROWSER, PYTHON, SERVERS};

/// Something that can be asked for by name.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) stages: fn() -> Vec<Stage>,
}

/// Every task, in the order in which they are taught.
pub(crate) const TASKS: &[Task] = &[
    Task {
        name: "ci",
        what: "everything below, in this order",
        stages: ci,
    },
    Task {
        name: "fmt",
        what: "formatting, checked",
        stages: || vec![fmt()],
    },
    Task {
        name: "lint",
        what: "clippy, every warning an error",
        stages: || vec![lint()],
    },
    Task {
        name: "build",
        what: "the vault, as the browser tests start it",
        stages: || vec![build()],
    },
    Task {
        name: "test",
        what: "unit, integration and documentation tests",
        stages: || vec![test()],
    },
    Task {
        name: "browser",
        what: "the journeys in a real browser",
        stages: || vec![build(), browser()],
    },
    Task {
        name: TAKES_WORDS,
        what: "every attack on the weak site and the vault; then what is in an id or a threat, --list or --bless",
        stages: || vec![build(), gauntlet()],
    },
    Task {
        name: "siege",
        what: "hostile clients against the vault, while others are to be served",
        stages: || vec![build(), siege()],
    },
    Task {
        name: "soak",
        what: "the vault killed at random moments for 60 s, or `soak --seconds 600`: no promise is lost",
        stages: || vec![build(), soak()],
    },
    Task {
        name: "django",
        what: "one login for a real Django and Palisade on every database, and random questions to both",
        stages: || vec![django()],
    },
    Task {
        name: "suite",
        what: "Django's own tests, answered by Palisade",
        stages: || vec![suite()],
    },
    Task {
        name: "extras",
        what: "the separate workspaces of fuzz targets and benchmarks",
        stages: extras,
    },
];

/// What people do at the vault, as targets of the gauntlet, and what readers are told of its attacks.
const JOURNEYS: [&str; 6] = ["--test", "vault", "--test", "journeys", "--test", "registry"];

/// The task to which the words after it belong.
pub(crate) const TAKES_WORDS: &str = "gauntlet";

fn ci() -> Vec<Stage> {
    let mut stages = vec![
        fmt(),
        lint(),
        build(),
        test(),
        browser(),
        gauntlet(),
        siege(),
        soak(),
        django(),
        suite(),
    ];
    stages.extend(extras());
    stages
}

fn fmt() -> Stage {
    Stage::cargo("fmt", &["fmt", "--all", "--check"])
}

fn lint() -> Stage {
    Stage::cargo(
        "lint",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ],
    )
}

// Always the whole workspace is selected and then narrowed: cargo would otherwise compile the dependencies once
// more for every selection that asks for other features of them. All features, because what is not compiled is not tested.

fn build() -> Stage {
    Stage::cargo(
        "build",
        &["build", "--workspace", "--all-features", "--bin", "vault"],
    )
}

// The gauntlet has a stage of its own; the test tools drive a browser too, to be tested themselves.
fn test() -> Stage {
    let arguments = ["test", "--workspace", "--exclude", "gauntlet", "--all-features"];
    Stage::cargo("test", &arguments).needs(BROWSER).needs(SERVERS)
}

fn browser() -> Stage {
    let arguments = [&["test", "--workspace", "--all-features"], &JOURNEYS[..]].concat();
    Stage::cargo("browser", &arguments).needs(BROWSER)
}

fn gauntlet() -> Stage {
    let arguments = ["test", "--workspace", "--all-features", "--test", "attacks"];
    Stage::cargo(TAKES_WORDS, &arguments)
        .needs(BROWSER)
        .needs(SERVERS)
}

// By itself, since it measures.
fn siege() -> Stage {
    let arguments = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "siege",
        "--",
        "--nocapture",
    ];
    Stage::cargo("siege", &arguments)
}

fn soak() -> Stage {
    let arguments = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "soak",
        "--",
        "--nocapture",
    ];
    Stage::cargo("soak", &arguments)
}

// The test makes Django's virtual environment by itself, once.
fn django() -> Stage {
    Stage::cargo(
        "django",
        &["test", "--workspace", "--all-features", "--test", "django"],
    )
    .needs(PYTHON)
    .needs(SERVERS)
}

// The script builds the program that it asks, and fetches Django and its tests, once.
fn suite() -> Stage {
    Stage::python("suite", "conformance/django_suite/prove.py").needs(PYTHON)
}

fn extras() -> Vec<Stage> {
    let workspaces = [
        ("fuzz", "fuzz/Cargo.toml"),
        ("harness", "benches/harness/Cargo.toml"),
        ("app", "benches/palisade/Cargo.toml"),
        ("parts", "benches/parts/Cargo.toml"),
    ];
    let present = workspaces
        .into_iter()
        .filter(|(_, manifest)| Path::new(manifest).is_file());
    present
        .map(|(name, manifest)| Stage::cargo(name, &["check", "--manifest-path", manifest]))
        .collect()
}
