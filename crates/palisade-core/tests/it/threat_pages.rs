//! Every threat has a page, and every page tells what it owes the reader.

use std::collections::BTreeSet;
use std::path::Path;

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
fn there_is_no_page_without_a_threat() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("threats");
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            id.parse::<Threat>().is_ok(),
            "{} belongs to no threat",
            path.display()
        );
    }
}
