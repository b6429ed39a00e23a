//! The screen that a page is shown on: its size, whether it is a phone's, light or dark; and pictures of whole pages.
//!
//! A window cannot be as narrow as a phone, and ignores what a page says of phones in `viewport`. So the browser is told to behave
//! as if it had such a screen.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Browser;

/// A screen, and what its owner has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// The width in CSS pixels.
    pub width: u32,
    /// The height in CSS pixels.
    pub height: u32,
    /// Whether it is a phone's.
    pub phone: bool,
    /// Whether pages are to be dark.
    pub dark: bool,
}

impl Screen {
    /// What stands on a desk.
    pub const DESKTOP: Screen = Screen {
        width: 1280,
        height: 800,
        phone: false,
        dark: false,
    };
    /// What most people have in their pocket.
    pub const PHONE: Screen = Screen {
        width: 390,
        height: 844,
        phone: true,
        dark: false,
    };
    /// The smallest that pages are made for, and a desktop's page at four times its size.
    pub const SMALL: Screen = Screen {
        width: 320,
        height: 568,
        phone: true,
        dark: false,
    };

    /// The same screen at night.
    #[must_use]
    pub const fn dark(mut self) -> Screen {
        self.dark = true;
        self
    }
}

impl Browser {
    /// Shows pages on this screen from now on.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn show_on(&self, screen: Screen) -> Result<()> {
        let size = json!({
            "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.phone,
        });
        self.tell("Emulation.setDeviceMetricsOverride", size).await?;
        let scheme = if screen.dark { "dark" } else { "light" };
        let chosen = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tell("Emulation.setEmulatedMedia", chosen).await?;
        Ok(())
    }

    /// Writes the whole page to `path` as PNG, what has to be scrolled to as well, making its folder.
    ///
    /// # Errors
    /// When the picture cannot be taken or written.
    pub async fn whole_page(&self, path: impl AsRef<Path>) -> Result<()> {
        let script = "const root = document.documentElement;
            return [root.clientWidth, Math.max(root.scrollHeight, innerHeight)]";
        let size = self.run(script, &[]).await?;
        let clip = json!({ "x": 0, "y": 0, "width": size.get(0), "height": size.get(1), "scale": 1 });
        let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.tell("Page.captureScreenshot", asked).await?;
        let picture = picture.get("data").and_then(Value::as_str);
        let picture = picture.context("the browser took no picture")?;
        if let Some(folder) = path.as_ref().parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, STANDARD.decode(picture)?)?)
    }
}
