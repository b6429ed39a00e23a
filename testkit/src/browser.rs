//! A real browser, steered from outside.
//!
//! What a browser does with a cookie, a frame or a forged form is decided by the browser, not by the specification
//! as a test's author remembers it. So attacks are carried out in headless Chromium, over TLS, between sites with
//! different names: `--host-resolver-rules` leads the names to ports of the loopback address and every other name
//! to nowhere. The address bar shows `https://vault.test/`, and `SameSite` means what it means outside.

mod chromium;
mod console;
mod element;
mod hand;
mod screen;
mod seat;
mod setup;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::cookies::Cookie;
use fantoccini::{Client, Locator};
use serde_json::Value;
use tempfile::TempDir;

use crate::Process;

pub use screen::Screen;
pub use seat::Seat;
pub use setup::Setup;

/// How long a page may take before a test says that it does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the browser is asked whether something is there yet.
const GLANCE: Duration = Duration::from_millis(25);

/// A running browser with a fresh profile; it is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    driver: Process,
    port: u16,
    _profile: TempDir,
}

impl Browser {
    /// Describes a browser that is to be started.
    pub fn setup() -> Setup {
        Setup::default()
    }

    /// Opens `url` and waits until it is loaded.
    ///
    /// # Errors
    /// When nothing answers there.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client
            .goto(url)
            .await
            .with_context(|| format!("{url} could not be opened"))
    }

    /// Returns the address of the page that is shown.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn url(&self) -> Result<String> {
        Ok(self.client.current_url().await?.to_string())
    }

    /// Waits until a page is shown whose address begins with `start`.
    ///
    /// # Errors
    /// When the browser does not get there.
    pub async fn arrive(&self, start: &str) -> Result<()> {
        let there = async {
            while !self.url().await?.starts_with(start) {
                tokio::time::sleep(GLANCE).await;
            }
            self.loaded().await
        };
        tokio::time::timeout(PATIENCE, there)
            .await
            .with_context(|| format!("the browser did not get to {start}"))?
    }

    /// Returns the address of what is shown where the browser has stepped to, a frame's if it stepped into one.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn framed_url(&self) -> Result<String> {
        Ok(self
            .run("return location.href", &[])
            .await?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Returns the title of the page that is shown.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn title(&self) -> Result<String> {
        Ok(self.client.title().await?)
    }

    /// Returns the status code with which the page that is shown was answered; 0 when it was not.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn status(&self) -> Result<u64> {
        let script = "return performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0";
        Ok(self.run(script, &[]).await?.as_u64().unwrap_or(0))
    }

    /// Runs the body of a script function in the page and returns its result.
    ///
    /// # Errors
    /// When the script throws.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        Ok(self.client.execute(script, arguments.to_vec()).await?)
    }

    /// Waits until the page has written its outcome to `data-result` of its root element, and returns that.
    ///
    /// # Errors
    /// When it does not do so in time.
    pub async fn result(&self) -> Result<String> {
        let root = self
            .client
            .wait()
            .at_most(PATIENCE)
            .every(GLANCE)
            .for_element(Locator::Css("[data-result]"));
        Ok(root
            .await
            .context("the page reported no result")?
            .attr("data-result")
            .await?
            .unwrap_or_default())
    }

    /// Returns the cookies that the browser would send to the page that is shown, those hidden from scripts too.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn cookies(&self) -> Result<Vec<Cookie<'static>>> {
        Ok(self.client.get_all_cookies().await?)
    }

    /// Returns the value of the cookie called `name` on the page that is shown.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn cookie(&self, name: &str) -> Result<Option<String>> {
        let cookies = self.cookies().await?;
        Ok(cookies
            .into_iter()
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned()))
    }

    /// Writes what the window shows to `path` as PNG, making its folder.
    ///
    /// # Errors
    /// When the picture cannot be taken or written.
    pub async fn screenshot(&self, path: impl AsRef<Path>) -> Result<()> {
        let picture = self.client.screenshot().await?;
        if let Some(folder) = path.as_ref().parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, picture)?)
    }

    /// Gives the window another size, a phone's for instance.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.client.set_window_size(width, height).await?)
    }

    /// Steps into the first frame of the page, so that everything that follows happens inside it.
    ///
    /// # Errors
    /// When the page has no frame.
    pub async fn enter_frame(&self) -> Result<()> {
        Ok(self.client.enter_frame(0).await?)
    }

    /// Steps out of the frame again.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn leave_frame(&self) -> Result<()> {
        Ok(self.client.enter_parent_frame().await?)
    }

    /// Waits until everything that the page asked for is there.
    pub(crate) async fn loaded(&self) -> Result<()> {
        while self.run("return document.readyState === 'complete'", &[]).await? != serde_json::json!(true) {
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Returns the driver client, for what has no method here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns what the driver has logged.
    pub fn log(&self) -> String {
        self.driver.log()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is merely killed leaves its browser running, so it is asked to close it first.
        let _closed = setup::shut_down(self.port);
    }
}
