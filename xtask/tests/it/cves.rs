//! The list of published holes names tests and attacks that are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The rows of the list: numbers, what broke, what answers it.
fn rows() -> Vec<[String; 3]> {
    let page = std::fs::read_to_string(docs().join("cves.md")).unwrap();
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter(|line| !line.starts_with("CVE |"))
        .map(|line| {
            let cells: Vec<String> = line.split(" | ").map(str::to_owned).collect();
            cells.try_into().unwrap_or_else(|cells| panic!("{cells:?}"))
        })
        .collect()
}

#[test]
fn each_published_hole_names_tests_that_are_there_or_a_reason() {
    let mut named = 0;
    for [numbers, _, answer] in rows() {
        if let Some(reason) = answer.strip_prefix("— ") {
            assert!(reason.contains(' '), "{numbers} gives no reason");
            continue;
        }
        for source in answer.split("; ") {
            let (link, names) = source
                .split_once("): ")
                .unwrap_or_else(|| panic!("{numbers}: {source}"));
            let address = link.rsplit_once("](").unwrap().1;
            let text = std::fs::read_to_string(docs().join(address)).unwrap_or_default();
            for name in names.split('`').skip(1).step_by(2) {
                let there = text.contains(&format!("fn {name}("));
                assert!(there, "{numbers}: there is no `{name}` in {address}");
                named += 1;
            }
        }
    }
    assert!(named > 50, "only {named} tests were found to be named");
}

#[test]
fn no_published_hole_is_listed_twice() {
    let mut seen = BTreeSet::new();
    for [numbers, ..] in rows() {
        for number in numbers.split(", ") {
            assert!(seen.insert(number.to_owned()), "{number} is listed twice");
        }
    }
    assert!(seen.len() > 80, "only {} numbers were found", seen.len());
}
