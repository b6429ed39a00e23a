//! Takes the README's pictures of the vault, in the browser that the attacks use: `cargo run -p gauntlet --example picture`.

use anyhow::Result;
use gauntlet::{Arena, Person};

#[tokio::main]
async fn main() -> Result<()> {
    let arena = Arena::around_vault().await?;
    arena.enter(Person::VICTIM).await?;
    for (title, body) in [
        ("The door of the summer house", "4711, then the green key"),
        ("Recovery phrase", "a boat in a blue bottle, twice"),
        ("A letter not yet sent", "Dear Grace, …"),
    ] {
        arena.keep_secret(title, body).await?;
    }
    arena.open("/").await?;
    arena.browser.resize(1100, 760).await?;
    arena.browser.screenshot("docs/vault.png").await?;
    arena.browser.resize(390, 844).await?;
    arena.browser.screenshot("docs/vault-phone.png").await?;
    Ok(())
}
