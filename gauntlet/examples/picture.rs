//! Takes the README's pictures of the vault, in the browser that the attacks use: `cargo run -p gauntlet --example picture`.

use anyhow::Result;
use gauntlet::{Arena, Person};
use palisade::clock::Clock;
use testkit::browser::Screen;

/// As wide as the README shows it.
const DESKTOP: Screen = Screen {
    width: 1100,
    height: 620,
    ..Screen::DESKTOP
};

const PHONE: Screen = Screen {
    height: 700,
    ..Screen::PHONE
};

#[tokio::main]
async fn main() -> Result<()> {
    let arena = Arena::around_vault_at(&Clock::system(), "").await?;
    arena.enter(Person::VICTIM).await?;
    for (title, body) in [
        ("The door of the summer house", "4711, then the green key"),
        ("Recovery phrase", "a boat in a blue bottle, twice"),
        ("A letter not yet sent", "Dear Grace, …"),
    ] {
        arena.keep_secret(title, body).await?;
    }
    arena.open("/").await?;
    arena.browser.show_on(DESKTOP).await?;
    arena.browser.screenshot("docs/vault.png").await?;
    arena.browser.show_on(PHONE).await?;
    arena.browser.screenshot("docs/vault-phone.png").await?;
    // A second factor that nobody will ever have.
    arena.open("/second-factor/").await?;
    arena.browser.submit().await?;
    arena.browser.screenshot("docs/vault-second-factor.png").await?;
    Ok(())
}
