//! What a person does on a page: look, type, press.

use std::path::Path;

use anyhow::{Context, Result, bail};
use fantoccini::Locator;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use serde_json::json;

use super::{Browser, GLANCE, PATIENCE};

/// The button that a page is about.
const MAIN_BUTTON: &str = "main form button[type=submit]";

/// The Tab key, as the protocol writes it.
const TAB: &str = "\u{e004}";

/// More than any page has to be gone through.
const MOST_TABS: usize = 60;

impl Browser {
    /// Waits for the element that a CSS selector names.
    ///
    /// # Errors
    /// When it does not appear; the error carries the page.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        let wait = self
            .client
            .wait()
            .at_most(PATIENCE)
            .every(GLANCE)
            .for_element(Locator::Css(selector));
        match wait.await {
            Ok(element) => Ok(element),
            Err(error) => {
                let page = self.client.source().await.unwrap_or_default();
                let url = self.url().await.unwrap_or_default();
                Err(error).with_context(|| format!("no `{selector}` on {url}, which shows:\n{page}"))
            }
        }
    }

    /// Says whether the page has, at this moment, an element that `selector` names.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn has(&self, selector: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(selector)).await?.is_empty())
    }

    /// Returns the text of an element as a person sees it.
    ///
    /// # Errors
    /// When there is no such element.
    pub async fn text(&self, selector: &str) -> Result<String> {
        Ok(self.find(selector).await?.text().await?)
    }

    /// Returns what stands in the field called `name`.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn value(&self, name: &str) -> Result<String> {
        Ok(self
            .find(&field(name))
            .await?
            .prop("value")
            .await?
            .unwrap_or_default())
    }

    /// Replaces what stands in the field called `name`.
    ///
    /// # Errors
    /// When there is no such field or it cannot be written in.
    pub async fn fill(&self, name: &str, value: &str) -> Result<()> {
        let field = self.find(&field(name)).await?;
        field.clear().await?;
        Ok(field.send_keys(value).await?)
    }

    /// Fills in several fields by name.
    ///
    /// # Errors
    /// As [`fill`](Browser::fill).
    pub async fn fill_all(&self, fields: &[(&str, &str)]) -> Result<()> {
        for (name, value) in fields {
            self.fill(name, value).await?;
        }
        Ok(())
    }

    /// Chooses a file of the person's own machine for the field called `name`.
    ///
    /// # Errors
    /// When there is no such field, or no such file.
    pub async fn choose(&self, name: &str, file: &Path) -> Result<()> {
        let file = file.to_str().context("the path is no text")?;
        Ok(self.find(&field(name)).await?.send_keys(file).await?)
    }

    /// Clicks on an element.
    ///
    /// # Errors
    /// When there is none, or something lies over it.
    pub async fn click(&self, selector: &str) -> Result<()> {
        Ok(self.find(selector).await?.click().await?)
    }

    /// Clicks on an element that leads to another page, and waits for that page.
    ///
    /// # Errors
    /// When there is no such element or no page follows.
    pub async fn follow(&self, selector: &str) -> Result<()> {
        // The mark is on this document, and gone with it.
        self.run("document.documentElement.dataset.left = ''", &[])
            .await?;
        self.click(selector).await?;
        self.find(":root:not([data-left]) body").await?;
        self.loaded().await
    }

    /// Types keys, one after another, into whatever has the focus.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn press(&self, keys: &str) -> Result<()> {
        // Not by the element, where keys for the choice of a file would be taken for its name.
        let strike =
            |hand: KeyActions, value| hand.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        let hand = keys.chars().fold(KeyActions::new("keys".to_owned()), strike);
        Ok(self.client.perform_actions(hand).await?)
    }

    /// Goes forward with the Tab key until this element has the focus, as somebody does who has no mouse.
    ///
    /// # Errors
    /// When the key does not get there.
    pub async fn tab_to(&self, selector: &str) -> Result<()> {
        let there = "return document.activeElement?.matches(arguments[0]) ?? false";
        for _ in 0..MOST_TABS {
            if self.run(there, &[json!(selector)]).await? == json!(true) {
                return Ok(());
            }
            self.press(TAB).await?;
        }
        bail!("no Tab leads to `{selector}` on {}", self.url().await?)
    }

    /// Types keys that lead to another page, and waits for that page.
    ///
    /// # Errors
    /// When no page follows.
    pub async fn enter(&self, keys: &str) -> Result<()> {
        // As in `follow`.
        self.run("document.documentElement.dataset.left = ''", &[])
            .await?;
        self.press(keys).await?;
        self.find(":root:not([data-left]) body").await?;
        self.loaded().await
    }

    /// Presses the button that the page is about and waits for the next page.
    ///
    /// # Errors
    /// As [`follow`](Browser::follow).
    pub async fn submit(&self) -> Result<()> {
        self.follow(MAIN_BUTTON).await
    }

    /// Adds a hidden field to the form that the page is about, as a user does who wants more than was offered.
    ///
    /// # Errors
    /// When the page has no form.
    pub async fn smuggle(&self, name: &str, value: &str) -> Result<()> {
        let script = "const field = document.createElement('input');
            [field.type, field.name, field.value] = ['hidden', arguments[1], arguments[2]];
            document.querySelector(arguments[0]).form.append(field)";
        self.run(script, &[json!(MAIN_BUTTON), json!(name), json!(value)])
            .await?;
        Ok(())
    }
}

fn field(name: &str) -> String {
    format!("[name={}]", json!(name))
}
