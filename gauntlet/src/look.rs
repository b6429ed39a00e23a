//! Looks at a page as people meet it who do not sit where its maker sat: on a small screen, at night, without a mouse, without eyes.
//!
//! What a script can judge of that is judged on every page that a journey comes by: labels, headings, room, contrast, focus. What only
//! a person can judge, they judge on pictures: with a folder in `GAUNTLET_PICTURES`, `cargo test -p gauntlet --test journeys` leaves there one of
//! each page, on a desktop and on a phone, by day and by night.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::json;
use testkit::browser::Screen;

use crate::Arena;

const FAULTS: &str = include_str!("look.js");

/// On what a page is judged; the flag says of a screen that it adds nothing but a picture.
const SCREENS: [(&str, Screen, bool); 5] = [
    ("phone", Screen::PHONE, false),
    ("phone-dark", Screen::PHONE.dark(), true),
    ("small", Screen::SMALL, false),
    ("desktop-dark", Screen::DESKTOP.dark(), false),
    ("desktop", Screen::DESKTOP, false),
];

/// What the console says of a page that was refused on purpose: of a form that is not right, of what is not there, of waiting.
const REFUSALS: [&str; 4] = ["403", "404", "422", "429"];

impl Arena {
    /// Judges the page that is shown, which goes by `name` in pictures, and leaves it on the screen of a desktop.
    ///
    /// # Errors
    /// Every fault that it has.
    pub async fn look(&self, name: &str) -> Result<()> {
        // A key, so that the browser shows the focus. It goes to where it was before.
        self.browser.press("\u{e008}").await?;
        let pictures = env::var_os("GAUNTLET_PICTURES").map(PathBuf::from);
        let mut faults = Vec::new();
        for (kind, screen, for_pictures) in SCREENS {
            if for_pictures && pictures.is_none() {
                continue;
            }
            self.browser.show_on(screen).await?;
            if let Some(folder) = &pictures {
                self.browser
                    .whole_page(folder.join(format!("{name}.{kind}.png")))
                    .await?;
            }
            let arguments = [json!(screen.width), json!(screen.phone)];
            let found = self.browser.run(FAULTS, &arguments).await?;
            let found = found.as_array().into_iter().flatten();
            faults.extend(found.map(|fault| format!("{kind}: {}", fault.as_str().unwrap_or_default())));
        }
        faults.extend(self.complaints().await?);
        ensure!(
            faults.is_empty(),
            "{name}, {}:\n{}",
            self.browser.url().await?,
            faults.join("\n")
        );
        Ok(())
    }

    /// What the console complains of, but for pages that were refused on purpose.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let mut complaints = self.browser.complaints().await?;
        complaints.retain(|complaint| {
            let refused = |status| complaint.contains(&format!("responded with a status of {status}"));
            !REFUSALS.into_iter().any(refused)
        });
        Ok(complaints)
    }
}
