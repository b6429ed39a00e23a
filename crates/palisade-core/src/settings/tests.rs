//! Settings as people write them: rightly, wrongly, and loosely.

use super::{PREFIX, Settings, SettingsErrors};

mod judging;
mod reading;
mod refusing;
mod table;

const KEY: &str = "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Loads a text beside the two settings that every site has.
fn load(toml: &str) -> Result<Settings, SettingsErrors> {
    load_with(toml, &[])
}

fn load_with(toml: &str, pairs: &[(&str, &str)]) -> Result<Settings, SettingsErrors> {
    let own = [
        ("PALISADE_SECRET_KEY", KEY),
        ("PALISADE_ALLOWED_HOSTS", "a.example"),
    ];
    let own = own.iter().filter(|(name, _)| {
        let name = name.trim_start_matches(PREFIX).to_lowercase();
        !toml.contains(&format!("{name} ="))
    });
    let pairs: Vec<_> = own.chain(pairs).copied().collect();
    Settings::load(Some(toml), env(&pairs))
}

fn problems(toml: &str) -> Vec<String> {
    load(toml)
        .unwrap_err()
        .problems()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// What is said, if it is one thing.
fn problem(toml: &str) -> String {
    match problems(toml).as_slice() {
        [one] => one.clone(),
        other => panic!("{toml}: {other:#?}"),
    }
}
