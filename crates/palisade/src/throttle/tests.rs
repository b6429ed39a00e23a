//! Places, networks and words.

use std::collections::HashSet;

use palisade_core::SecretKey;

use super::attempt::{folded, network_of};
use super::*;

#[test]
fn names_are_spread_over_all_places_and_keys_spread_them_differently() {
    let place = |key: &str, name: &str| {
        Bucket::keyed(&SecretKey::new(key), Scope::Login, Kind::Account, name).to_string()
    };
    let names: Vec<String> = (0..10_000).map(|nth| format!("name{nth}")).collect();
    let places: HashSet<String> = names.iter().map(|name| place("one", name)).collect();
    assert!(places.len() > 9_900, "{}", places.len());
    let same = names
        .iter()
        .filter(|name| place("one", name) == place("other", name));
    assert!(same.count() < 5);
}

#[test]
fn scopes_and_kinds_have_places_of_their_own_and_are_read_back() {
    let key = SecretKey::new("a key");
    let mut all = HashSet::new();
    for scope in Scope::ALL {
        for kind in Kind::ALL {
            let bucket = Bucket::keyed(&key, scope, kind, "ada");
            assert_eq!(bucket.to_string().parse(), Ok(bucket));
            assert!(bucket.to_string().len() <= 40);
            all.insert(bucket);
        }
    }
    assert_eq!(all.len(), Scope::ALL.len() * Kind::ALL.len());
    for bad in [
        "",
        "login",
        "login/account",
        "login/account/100000",
        "login/account/+1",
        "x/account/00000",
    ] {
        assert_eq!(bad.parse::<Bucket>(), Err(InvalidBucket), "{bad}");
    }
}

#[test]
fn an_address_is_counted_with_its_network() {
    let network = |address: &str| network_of(address.parse().unwrap()).to_string();
    assert_eq!(network("192.0.2.7"), "192.0.2.7/32");
    assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7/32");
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
}

#[test]
fn names_that_are_one_account_at_a_sign_up_are_counted_as_one() {
    assert_eq!(folded("Ada"), folded("aDA"));
    assert_eq!(folded("\u{fb01}nn"), folded("FINN"), "a ligature");
    assert_ne!(folded("ada"), folded("ida"));
}

#[test]
fn a_wait_is_told_in_words_and_never_too_short() {
    let words = [0, 1, 59_001, 90_000, 90_001, 240_000, 900_000]
        .map(Duration::from_millis)
        .map(in_words);
    assert_eq!(
        words,
        [
            "a second",
            "a second",
            "60 seconds",
            "90 seconds",
            "2 minutes",
            "4 minutes",
            "15 minutes"
        ]
    );
    assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
}
