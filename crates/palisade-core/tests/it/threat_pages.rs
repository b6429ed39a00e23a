//! Every threat has a page, and every page tells what it owes the reader.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use palisade_core::Threat;
use palisade_core::card::Face;

#[test]
fn ids_are_unique_kebab_case_and_round_trip() {
    let ids: BTreeSet<_> = Threat::ALL.iter().map(|threat| threat.id()).collect();
    assert_eq!(ids.len(), Threat::ALL.len());
    for threat in Threat::ALL {
        assert_eq!(threat.to_string().parse(), Ok(threat));
        assert!(
            threat.id().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{threat}"
        );
    }
    assert_eq!(
        "no-such-threat".parse::<Threat>().unwrap_err().to_string(),
        "there is no threat `no-such-threat`"
    );
}

#[test]
fn titles_are_unique() {
    let titles: BTreeSet<_> = Threat::ALL.iter().map(|threat| threat.title()).collect();
    assert_eq!(titles.len(), Threat::ALL.len());
}

#[test]
fn each_page_begins_with_its_title() {
    for threat in Threat::ALL {
        assert_eq!(
            threat.page().lines().next(),
            Some(format!("# {}", threat.title()).as_str()),
            "{threat}"
        );
    }
}

#[test]
fn each_page_names_its_id_and_all_its_cwe_numbers() {
    for threat in Threat::ALL {
        assert!(!threat.cwe().is_empty(), "{threat}");
        assert!(threat.page().contains(&format!("`{}`", threat.id())), "{threat}");
        for number in threat.cwe() {
            let name = format!("CWE-{number}");
            let named = threat
                .page()
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .any(|word| word == name);
            assert!(named, "{threat} does not name {name}");
        }
    }
}

#[test]
fn each_page_tells_the_attack_the_four_answers_and_the_limits() {
    for threat in Threat::ALL {
        let lines: Vec<_> = threat.page().lines().collect();
        let place = |heading: &str| {
            lines
                .iter()
                .position(|line| *line == heading)
                .unwrap_or_else(|| panic!("{threat} has no `{heading}`"))
        };
        let parts = [
            "## The attack",
            "## Who answers it",
            "## How the library answers it",
            "## Limits",
        ]
        .map(place);
        assert!(parts.is_sorted(), "{threat}");
        let answers = &lines[parts[1]..parts[2]];
        for face in Face::ALL {
            let start = format!("- **{face}**");
            assert!(
                answers.iter().any(|line| line.starts_with(&start)),
                "{threat} says nothing about the {face}"
            );
        }
    }
}

#[test]
fn each_page_names_tests_that_are_there() {
    for threat in Threat::ALL {
        let (_, proof) = threat
            .page()
            .split_once("\n## Proof\n")
            .unwrap_or_else(|| panic!("{threat} names no tests"));
        let items = proof.split("\n- ").skip(1);
        for item in items {
            let (source, names) = item.split_once("):").unwrap();
            let address = source.rsplit_once("](").unwrap().1;
            let source = fs::read_to_string(folder().join(address)).unwrap_or_default();
            let named = names.split('`').skip(1).step_by(2);
            for name in named.filter(|name| name.contains('_') && *name != "compile_fail") {
                let there = source.contains(&format!("fn {name}("));
                assert!(there, "{threat}: there is no `{name}` in {address}");
            }
        }
    }
}

#[test]
fn each_link_of_a_page_leads_somewhere() {
    for threat in Threat::ALL {
        for link in threat.page().split("](").skip(1) {
            let address = link.split(')').next().unwrap_or_default();
            assert!(
                folder().join(address).exists(),
                "{threat} links to {address}, which is not there"
            );
        }
    }
}

#[test]
fn there_is_no_page_without_a_threat() {
    for entry in folder().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            id.parse::<Threat>().is_ok(),
            "{} belongs to no threat",
            path.display()
        );
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("threats")
}
