//! The registry of attacks is what readers are told of it. `BLESS=1` writes the pages as they have to be.

use std::collections::BTreeSet;
use std::fs;

use gauntlet::attack::registry::NOT_ATTACKED;
use gauntlet::{ATTACKS, page};
use palisade::core::Threat;

#[test]
fn ids_are_unique_and_in_kebab_case() {
    let ids: BTreeSet<String> = ATTACKS.iter().map(gauntlet::attack::card::Attack::id).collect();
    assert_eq!(ids.len(), ATTACKS.len());
    for id in &ids {
        assert!(
            id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{id}"
        );
        assert!(
            !id.contains("--") && !id.starts_with('-') && !id.ends_with('-'),
            "{id}"
        );
        assert!(id.parse::<Threat>().is_err(), "{id} is the id of a threat");
    }
}

#[test]
fn every_threat_has_five_attacks_or_a_written_reason() {
    assert!(ATTACKS.len() >= 70, "{} attacks", ATTACKS.len());
    for threat in Threat::ALL {
        let has = ATTACKS.iter().filter(|attack| attack.threat == threat).count();
        let has_reason = NOT_ATTACKED.iter().any(|(it, _)| *it == threat);
        assert!(
            has >= 5 || has_reason,
            "{threat} has {has} attacks, and no reason is written"
        );
        assert!(
            has == 0 || !has_reason,
            "{threat} is attacked: its reason would hide the attacks on its page"
        );
    }
}

#[test]
fn titles_are_unique_sentences_without_a_stop() {
    let titles: BTreeSet<&str> = ATTACKS.iter().map(|attack| attack.title).collect();
    assert_eq!(titles.len(), ATTACKS.len());
    for title in titles {
        let is_begun = title.starts_with(|first: char| first.is_ascii_uppercase());
        assert!(
            is_begun && !title.ends_with('.') && title.contains(' '),
            "{title}"
        );
    }
}

#[test]
fn published_holes_are_called_by_their_number() {
    for attack in ATTACKS {
        for name in attack.replays {
            let number = name.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
            let is_number = number.is_some_and(|(year, number)| {
                year.len() == 4
                    && number.len() >= 4
                    && (year.to_owned() + number)
                        .bytes()
                        .all(|byte| byte.is_ascii_digit())
            });
            assert!(is_number, "{}: {name}", attack.id());
        }
    }
}

#[test]
fn the_pages_tell_of_every_attack() {
    let rows = page::expected();
    assert_eq!(rows.len(), ATTACKS.len());
    if std::env::var_os("BLESS").is_some() {
        page::bless(&rows).unwrap();
    }
    let written = fs::read_to_string(page::place()).unwrap_or_default();
    assert!(
        written == page::gauntlet(&rows),
        "docs/gauntlet.md does not tell of every attack"
    );
    for threat in Threat::ALL {
        let page = fs::read_to_string(page::place_of(threat)).unwrap();
        let is_current = page == page::with_attacks(&page, threat) && page.contains("\n## Attacks\n");
        assert!(is_current, "{threat}.md does not tell of its attacks");
    }
}
