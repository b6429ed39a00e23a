//! Chromium's own commands, for what the standard has none for.

use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::Browser;

impl Browser {
    /// Tells Chromium to do something, and returns what it answers.
    pub(super) async fn tell(&self, command: &'static str, parameters: Value) -> Result<Value> {
        let told = Told { command, parameters };
        let answer = self.client.issue_cmd(told).await;
        answer.with_context(|| format!("the browser does not do {command}"))
    }
}

/// A command of the protocol that its own tools speak.
#[derive(Debug)]
struct Told {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Told {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}
