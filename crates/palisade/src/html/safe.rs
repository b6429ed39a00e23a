//! HTML that may be put into a page as it is: by type, so that no text becomes it by accident.

use std::fmt;

use palisade_core::escape::escape;
use serde::{Serialize, Serializer};

/// HTML that was made by sanitising or escaping, and by nothing else.
///
/// # Example
///
/// ```
/// use palisade::html::SafeHtml;
///
/// let name = SafeHtml::escaped("<b>Ann</b>");
/// assert_eq!(name.to_string(), "&lt;b&gt;Ann&lt;/b&gt;");
/// ```
///
/// Text cannot be declared safe:
///
/// ```compile_fail,E0308
/// let html: palisade::html::SafeHtml = String::from("<script>alert(1)</script>");
/// ```
///
/// # In templates
///
/// With the feature `minijinja` it turns into a value that is printed as it is (`Value::from`). Serialised, as within a struct, it is a plain
/// string, which a template escapes once more: what was forgotten shows as text, never as markup. In askama,
/// maud and other engines, print [`as_str`](Self::as_str) with the engine's own mark for HTML.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SafeHtml(String);

impl SafeHtml {
    /// Escapes text.
    pub fn escaped(text: &str) -> Self {
        Self(escape(text))
    }

    /// Takes what this crate has sanitised or written itself.
    pub(crate) fn sanitised(html: String) -> Self {
        Self(html)
    }

    /// Shows the HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the HTML away.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Puts more behind it; safe and safe is safe.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::html::{SafeHtml, markdown};
    ///
    /// let both = markdown("*hi*").and(&SafeHtml::escaped("<"));
    /// assert_eq!(both.as_str(), "<p><em>hi</em></p>\n&lt;");
    /// ```
    #[must_use]
    pub fn and(mut self, more: &Self) -> Self {
        self.0.push_str(&more.0);
        self
    }
}

impl fmt::Display for SafeHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SafeHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafeHtml({} bytes)", self.0.len())
    }
}

impl Serialize for SafeHtml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
