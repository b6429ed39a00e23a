//! `Content-Security-Policy`: what the page may load, run and send, and who may frame it.
//!
//! Content Security Policy Level 3. The policy that palisade sends allows scripts by a nonce that is new in each response,
//! so that a script which an attacker smuggled into the page does not run. The nonce's place in the policy is written
//! `'nonce-{nonce}'`: braces cannot stand in a nonce, so a policy that was sent without filling the place in allows less,
//! not more.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::{InvalidHeader, ReportUri, SecurityHeader};
use crate::Weakness;

mod judge;
mod template;

pub use template::CspTemplate;

/// Where the nonce goes.
const PLACEHOLDER: &str = "{nonce}";

/// The source that stands for the response's nonce.
const NONCE_SOURCE: &str = "'nonce-{nonce}'";

/// A content security policy: directives in order, each with its sources.
///
/// Whatever a policy holds renders as a legal header value. A source given to the builder that holds `;`, `,`, a space or
/// anything outside visible ASCII is percent-encoded, as the standard asks for such URLs; it cannot start a new directive.
///
/// # Example
/// ```
/// use palisade_core::header::{Csp, SecurityHeader};
///
/// let policy = Csp::strict().with_img_src(["'self'", "https://images.example"]);
/// assert!(policy.needs_nonce());
/// assert!(policy.render(Some("cmFuZG9t")).contains("script-src 'nonce-cmFuZG9t'"));
/// assert!(policy.weaknesses().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Csp {
    directives: Vec<Directive>,
}

/// One directive as it stands in the policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Directive {
    name: String,
    sources: Vec<String>,
}

impl Csp {
    /// The header's name for a policy that reports and blocks nothing.
    pub const REPORT_ONLY_NAME: &'static str = "content-security-policy-report-only";

    /// The source that stands for the response's nonce until [`render`](Self::render) fills it in.
    pub const NONCE: &'static str = NONCE_SOURCE;

    /// Starts an empty policy, which forbids nothing.
    pub const fn new() -> Self {
        Self {
            directives: Vec::new(),
        }
    }

    /// Builds the policy for a server-rendered site, which is also the default.
    ///
    /// - `default-src 'none'`: what is not named is not allowed: no plug-ins, frames, workers or media.
    /// - `script-src 'nonce-…'`, without `'self'`: a script that was uploaded to the site is on the site, too. Without
    ///   `'strict-dynamic'`: a site that needs no script loader has no reason to let scripts load scripts.
    /// - `style-src 'self' 'nonce-…'`: style sheets come as files; a style block needs the nonce, style attributes do nothing.
    /// - `img-src 'self' data:`: a `data:` image is part of the page already and asks nobody anything.
    /// - `font-src`, `connect-src`, `manifest-src` and `form-action` `'self'`: neither data nor forms leave for another site.
    /// - `base-uri 'none'`: a smuggled `<base>` cannot redirect the page's relative addresses.
    /// - `frame-ancestors 'none'`: nobody frames the page; see [`with_frame_ancestors`](Self::with_frame_ancestors).
    /// - `object-src 'none'`: said by `default-src` already, and written for the reader who looks for it.
    pub fn strict() -> Self {
        let own = ["'self'"];
        Self::new()
            .with_source("default-src", ["'none'"])
            .with_script_src([NONCE_SOURCE])
            .with_style_src(["'self'", NONCE_SOURCE])
            .with_img_src(["'self'", "data:"])
            .with_source("font-src", own)
            .with_connect_src(own)
            .with_source("manifest-src", own)
            .with_form_action(own)
            .with_source("base-uri", ["'none'"])
            .with_frame_ancestors(["'none'"])
            .with_source("object-src", ["'none'"])
    }

    /// Sets a directive from its text, the part after the name; an existing directive of that name is replaced.
    ///
    /// # Errors
    /// When the name or the value could not stand in a policy: a name that is not letters, digits and hyphens, or a value
    /// with `;`, `,` or anything outside visible ASCII and spaces.
    pub fn with_directive(self, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        let name = name.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(InvalidHeader::new(
                Self::NAME,
                format!("{name:?} is not a directive's name"),
            ));
        }
        let sources: Vec<_> = value.split_ascii_whitespace().map(str::to_owned).collect();
        if !sources.iter().all(|source| is_source(source)) {
            return Err(InvalidHeader::new(
                Self::NAME,
                format!("{value:?} cannot stand in a directive"),
            ));
        }
        Ok(self.with_sources(name, sources))
    }

    /// Sets from where scripts come; [`Csp::NONCE`] stands for the response's nonce.
    #[must_use]
    pub fn with_script_src(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("script-src", sources)
    }

    /// Sets from where style sheets come.
    #[must_use]
    pub fn with_style_src(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("style-src", sources)
    }

    /// Sets from where images come.
    #[must_use]
    pub fn with_img_src(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("img-src", sources)
    }

    /// Sets whom scripts may talk to.
    #[must_use]
    pub fn with_connect_src(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("connect-src", sources)
    }

    /// Sets where forms may be sent.
    #[must_use]
    pub fn with_form_action(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("form-action", sources)
    }

    /// Sets who may frame the page: origins, `'self'`, or nobody when the list is empty.
    ///
    /// # Example
    /// ```
    /// use palisade_core::header::Csp;
    ///
    /// let widget = Csp::strict().with_frame_ancestors(["https://partner.example"]);
    /// assert_eq!(widget.frame_ancestors(), Some(&["https://partner.example".to_owned()][..]));
    /// ```
    #[must_use]
    pub fn with_frame_ancestors(self, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.with_source("frame-ancestors", sources)
    }

    /// Removes the limit on who may frame the page.
    ///
    /// # Security
    /// Every site can then put the page under its own buttons, unless `X-Frame-Options` still forbids it.
    #[must_use]
    pub fn dangerous_without_frame_ancestors(mut self) -> Self {
        self.directives
            .retain(|directive| directive.name != "frame-ancestors");
        self
    }

    /// Names the address to which browsers send their reports.
    #[must_use]
    pub fn with_report_uri(self, address: &str) -> Self {
        self.with_source("report-uri", [address])
    }

    /// Sends reports to an address, in the old way and the new; a policy that names its own keeps it.
    #[must_use]
    pub fn with_reports_to(self, address: &ReportUri) -> Self {
        if self.sources("report-uri").is_some() || self.sources("report-to").is_some() {
            return self;
        }
        self.with_report_uri(address.as_str())
            .with_source("report-to", [ReportUri::NAME])
    }

    /// Says whether this is the name of a directive that browsers obey, in lower case.
    pub fn is_directive(name: &str) -> bool {
        judge::KNOWN.contains(&name)
    }

    /// Returns who may frame the page, if the policy says.
    pub fn frame_ancestors(&self) -> Option<&[String]> {
        self.sources("frame-ancestors")
    }

    /// Returns the sources of a directive; where it stands twice, those of the first, which is the one browsers obey.
    pub fn sources(&self, name: &str) -> Option<&[String]> {
        let found = self
            .directives
            .iter()
            .find(|directive| directive.name.eq_ignore_ascii_case(name))?;
        Some(&found.sources)
    }

    /// Lists the directives in the order in which they are sent, doubled and unknown ones included.
    pub fn directives(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.directives
            .iter()
            .map(|directive| (directive.name.as_str(), directive.sources.as_slice()))
    }

    /// Tells whether the policy has a place for a nonce.
    pub fn needs_nonce(&self) -> bool {
        self.directives
            .iter()
            .any(|directive| directive.sources.iter().any(|source| source == NONCE_SOURCE))
    }

    /// Renders the policy with the response's nonce, or without any.
    ///
    /// Without one, and with a text that is not a nonce, the nonce's source is left out: the policy allows less. For many
    /// responses, [`template`](Self::template) does the work once.
    pub fn render(&self, nonce: Option<&str>) -> String {
        let template = self.template();
        match nonce {
            Some(nonce) => template.render(nonce),
            None => template.without_nonce().to_owned(),
        }
    }

    /// Splits the policy around its nonce, so that rendering it for a response is one copy.
    pub fn template(&self) -> CspTemplate {
        CspTemplate::new(self)
    }

    /// Reads a header that may hold several policies, separated by commas; a browser obeys all of them.
    ///
    /// # Errors
    /// When the text holds control characters.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, InvalidHeader> {
        text.split(',')
            .map(str::parse)
            .filter(|policy| !matches!(policy, Ok(Self { directives }) if directives.is_empty()))
            .collect()
    }

    fn with_source(self, name: &str, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut sources: Vec<_> = sources
            .into_iter()
            .map(|source| encoded(source.as_ref()))
            .collect();
        sources.retain(|source| !source.is_empty());
        if sources.is_empty() {
            sources.push("'none'".to_owned());
        }
        self.with_sources(name.to_owned(), sources)
    }

    fn with_sources(mut self, name: String, sources: Vec<String>) -> Self {
        match self
            .directives
            .iter_mut()
            .find(|directive| directive.name == name)
        {
            Some(directive) => directive.sources = sources,
            None => self.directives.push(Directive { name, sources }),
        }
        self
    }
}

impl Default for Csp {
    fn default() -> Self {
        Self::strict()
    }
}

impl SecurityHeader for Csp {
    const NAME: &'static str = "content-security-policy";

    fn weaknesses(&self) -> Vec<Weakness> {
        judge::weaknesses(self)
    }
}

impl fmt::Display for Csp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, directive) in self.directives.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&directive.name)?;
            for source in &directive.sources {
                write!(f, " {source}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Csp {
    type Err = InvalidHeader;

    /// Reads one policy as CSP Level 3 §2.2.1 does: names in lower case, directives with characters outside ASCII skipped.
    ///
    /// Unknown and doubled directives are kept, to be rendered and judged; [`Csp::sources`] obeys the first.
    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        if text.contains(',') {
            return Err(InvalidHeader::new(
                Self::NAME,
                "a comma separates two policies; read them with parse_list",
            ));
        }
        let mut directives = Vec::new();
        for part in text.split(';').filter(|part| part.is_ascii()) {
            let mut words = part.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let sources: Vec<_> = words.map(str::to_owned).collect();
            if !is_source(name) || !sources.iter().all(|source| is_source(source)) {
                return Err(InvalidHeader::new(
                    Self::NAME,
                    "the value holds control characters",
                ));
            }
            directives.push(Directive {
                name: name.to_ascii_lowercase(),
                sources,
            });
        }
        Ok(Self { directives })
    }
}

/// Tells whether a text can stand between two spaces of a directive.
fn is_source(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_graphic() && b != b';' && b != b',')
}

/// Percent-encodes what cannot stand in a source.
fn encoded(source: &str) -> String {
    let source = source.trim();
    if is_source(source) {
        return source.to_owned();
    }
    let mut text = String::with_capacity(source.len() + 16);
    for byte in source.bytes() {
        if byte.is_ascii_graphic() && byte != b';' && byte != b',' {
            text.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
