//! The page of all settings is made from the table, so that it cannot lie.

use palisade_core::settings::reference_toml;

/// `BLESS=1 cargo test -p palisade-core settings_page` writes the page anew.
#[test]
fn the_page_of_settings_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    let page = format!(
        "# Settings\n\nDjango's names in lower case, in a TOML file or as `PALISADE_…` variables, which override it. The \
         defaults are the strict ones; what loosens them shows in `Settings::weaknesses()`. A start with bad settings lists \
         everything that is wrong at once.\n\nThis page is made from the table in `palisade-core/src/settings/registry.rs`.\n\n\
         ```toml\n{}```\n",
        reference_toml()
    );
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/settings.md is out of date: BLESS=1 cargo test -p palisade-core settings_page"
    );
}
