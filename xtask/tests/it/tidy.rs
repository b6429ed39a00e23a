//! The conventions that a machine can check.

use crate::files::{self, File, none};

/// Lists what `broken` finds in the Rust files, as `path:line`.
fn in_rust(rule: &str, broken: impl Fn(&File, &str) -> bool) {
    let mut found = Vec::new();
    for file in files::all().iter().filter(|file| file.is_rust()) {
        let lines = file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| broken(file, line));
        found.extend(lines.map(|(number, _)| format!("{}:{}", file.path.display(), number + 1)));
    }
    none(rule, &found);
}

fn paths(rule: &str, broken: impl Fn(&File) -> bool) {
    let found = files::all()
        .into_iter()
        .filter(|file| broken(file))
        .map(|file| file.path.display().to_string());
    none(rule, &found.collect::<Vec<_>>());
}

#[test]
fn every_rust_file_says_first_what_it_is_for() {
    paths("opens without `//!`", |file| {
        file.is_rust() && !file.text.starts_with("//! ")
    });
}

#[test]
fn a_module_stands_beside_its_folder() {
    paths("is called mod.rs", |file| file.path.ends_with("mod.rs"));
}

#[test]
fn no_rust_file_is_longer_than_one_can_keep_in_mind() {
    paths("has more than 600 lines", |file| {
        file.is_rust() && file.text.lines().count() > 600
    });
}

#[test]
fn no_test_is_ignored() {
    // Put together here, so that this file does not break its own rule.
    let ignored = concat!("#[", "ignore");
    in_rust("ignores a test", |_, line| line.contains(ignored));
}

#[test]
fn a_test_says_itself_what_it_expects() {
    let panics = concat!("should", "_panic");
    in_rust("expects any panic at all", |_, line| line.contains(panics));
}

#[test]
fn no_test_sleeps() {
    let sleeps = concat!("sleep", "(");
    in_rust("sleeps", |file, line| {
        file.path.components().any(|part| part.as_os_str() == "tests") && line.contains(sleeps)
    });
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let homes = [
        concat!("/", "work/"),
        concat!("/", "root/"),
        concat!("/", "tmp/"),
        concat!("/", "Users/"),
    ];
    let mut found = Vec::new();
    for file in files::all() {
        for (number, line) in file.text.lines().enumerate() {
            if homes.iter().any(|home| begins_path(line, home)) {
                found.push(format!("{}:{}", file.path.display(), number + 1));
            }
        }
    }
    none("names a folder of one machine", &found);
}

#[test]
fn every_crate_forbids_unsafe_code_by_the_shared_lints() {
    let files = files::all();
    let root = files
        .iter()
        .find(|file| file.path.as_os_str() == "Cargo.toml")
        .unwrap();
    assert!(root.text.contains("unsafe_code = \"forbid\""));
    let free = files
        .iter()
        .filter(|file| file.is_manifest() && !file.text.contains("[workspace]"));
    let free = free.filter(|file| !file.is_below("fuzz".as_ref()) && !file.is_below("benches".as_ref()));
    let free = free.filter(|file| !file.text.contains("[lints]\nworkspace = true"));
    none(
        "does not share the lints",
        &free
            .map(|file| file.path.display().to_string())
            .collect::<Vec<_>>(),
    );
}

/// Says whether a path in `line` begins with `home`, rather than having it somewhere inside.
fn begins_path(line: &str, home: &str) -> bool {
    let inside = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || "._-/}>".contains(c));
    line.match_indices(home).any(|(at, _)| !inside(&line[..at]))
}
