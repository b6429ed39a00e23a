//! Several people at one browser, one after another, without logging out.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Browser;

/// What a cookie is made of again. A domain is not: a cookie stays with the host that has set it.
const PARTS: [&str; 7] = [
    "name", "value", "path", "secure", "httpOnly", "sameSite", "expires",
];

/// What a browser keeps of one person: whoever sits down with it again is who they were.
#[derive(Debug, Default)]
pub struct Seat(Vec<Value>);

impl Browser {
    /// Lets somebody else sit down, and returns what the browser kept of whoever sat there. The page that is shown stays.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn seat(&self, next: Seat) -> Result<Seat> {
        let left = self.tell("Network.getAllCookies", json!({})).await?;
        self.tell("Network.clearBrowserCookies", json!({})).await?;
        if !next.0.is_empty() {
            self.tell("Network.setCookies", json!({ "cookies": next.0 }))
                .await?;
        }
        let left = left.get("cookies").and_then(Value::as_array);
        Ok(Seat(left.into_iter().flatten().map(again).collect()))
    }
}

/// How a cookie is set as it was.
fn again(cookie: &Value) -> Value {
    let parts = PARTS.into_iter().filter_map(|part| {
        // A cookie without an end has the end -1 here.
        let value = cookie
            .get(part)
            .filter(|value| value.as_f64().is_none_or(|end| end > 0.0))?;
        Some((part.to_owned(), value.clone()))
    });
    let mut set: Map<String, Value> = parts.collect();
    let host = cookie.get("domain").and_then(Value::as_str).unwrap_or_default();
    set.insert("url".to_owned(), json!(format!("https://{host}/")));
    Value::Object(set)
}
