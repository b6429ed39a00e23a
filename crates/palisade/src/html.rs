//! HTML that people write: Markdown and rich text, made safe before any page shows it (threat `cross-site-scripting`).
//!
//! What a person wrote is text and stays text in the database; it becomes HTML when a page is made, so that a better
//! sanitiser tomorrow also cleans what was written yesterday. Three steps, each of which suffices against a mistake of the others:
//!
//! 1. `outline.rs` reads the text by the tokenizer that browsers follow and writes anew only what is on the allow-list, each element closed
//!    in its place, at most [`DEEPEST`] deep and [`MOST_ELEMENTS`] in all. No input makes the parser behind it slow.
//! 2. ammonia parses that as a browser does and judges the tree.
//! 3. Its result is judged again until it does not change any more: a text that a second parser could read otherwise
//!    (mutation XSS) is not shown as HTML at all, but as the text it was.
//!
//! # The allow-list
//!
//! `a` (`href`, `title`), `b`, `blockquote`, `br`, `code`, `del`, `em`, `h1`–`h6`, `hr`, `i`, `kbd`, `li`, `ol` (`start`), `p`, `pre`,
//! `s`, `strong`, `sub`, `sup`, `table`, `tbody`, `td`, `th`, `thead`, `tr`, `u`, `ul`; with [`RichText::with_own_images`] also `img` (`src`,
//! `alt`, `title`) of the site itself. No `class`, no `id`, no `style`, no `name`: what is written cannot dress up as the page around it.
//! Links are what [`palisade_core::safe_url`] lets through, and carry `rel="noopener nofollow ugc"`.
//!
//! # Example
//!
//! ```
//! use palisade::html::{markdown, rich_text};
//!
//! assert_eq!(markdown("**bold** <script>").as_str(), "<p><strong>bold</strong> &lt;script&gt;</p>\n");
//! assert_eq!(rich_text("<p onclick=x>hi<script>x()</script>").as_str(), "<p>hi</p>");
//! ```
//!
//! # Security
//!
//! A link may lead to any site, and its text may lie about which. Images of other sites are never shown: they would tell their
//! server who reads, and when.

mod context;
mod outline;
mod safe;
#[cfg(test)]
mod tests;

pub use context::{TemplateFault, check_template, harden_template, in_attribute};
pub use safe::SafeHtml;

use std::borrow::Cow;
use std::sync::LazyLock;

use ammonia::Builder;
use palisade_core::safe_url::{is_own_path, is_safe_url};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use outline::outline;

/// The longest text that is taken for Markdown or HTML, in bytes; a longer one is shown as it was written.
pub const LONGEST: usize = 256 * 1024;

/// How deep elements may stand in one another; deeper ones are left out, and what they hold stays.
pub const DEEPEST: usize = 24;

/// How many elements one text may have; those after them are left out, and what they hold stays.
pub const MOST_ELEMENTS: usize = 20_000;

/// How often a result is judged again at most.
const MOST_PASSES: usize = 4;

/// The elements that may stand in a text, each with its attributes.
const ALLOWED: &[(&str, &[&str])] = &[
    ("a", &["href", "title"]),
    ("b", &[]),
    ("blockquote", &[]),
    ("br", &[]),
    ("code", &[]),
    ("del", &[]),
    ("em", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("kbd", &[]),
    ("li", &[]),
    ("ol", &["start"]),
    ("p", &[]),
    ("pre", &[]),
    ("s", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &[]),
    ("th", &[]),
    ("thead", &[]),
    ("tr", &[]),
    ("u", &[]),
    ("ul", &[]),
];

/// What an image may have, where images are shown.
const IMAGE: (&str, &[&str]) = ("img", &["alt", "src", "title"]);

/// Makes Markdown safe HTML, as [`RichText::markdown`] does with its defaults.
pub fn markdown(text: &str) -> SafeHtml {
    RichText::new().markdown(text)
}

/// Makes somebody's HTML safe, as [`RichText::html`] does with its defaults.
pub fn rich_text(html: &str) -> SafeHtml {
    RichText::new().html(html)
}

/// How what people write becomes HTML; the defaults are [`markdown`] and [`rich_text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RichText {
    own_images: bool,
    line_breaks: bool,
    headings_below: u8,
    longest: usize,
}

impl Default for RichText {
    fn default() -> Self {
        Self::new()
    }
}

impl RichText {
    /// Starts with the defaults: no images, and [`LONGEST`] bytes.
    pub const fn new() -> Self {
        Self {
            own_images: false,
            line_breaks: false,
            headings_below: 0,
            longest: LONGEST,
        }
    }

    /// Shows images, if their address is a path of the site itself.
    ///
    /// # Security
    ///
    /// A page then asks the site for whatever path a writer chose, with the reader's cookies: have no GET that changes something.
    pub const fn with_own_images(mut self) -> Self {
        self.own_images = true;
        self
    }

    /// Breaks the line where Markdown's writer has broken it, as people expect who know nothing of Markdown.
    pub const fn with_line_breaks(mut self) -> Self {
        self.line_breaks = true;
        self
    }

    /// Puts the headings of Markdown below those of the page: with 1, `#` is an `h2`. A page has one `h1`, by which those find their way
    /// who do not see it. None goes below `h6`.
    pub const fn with_headings_below(mut self, level: u8) -> Self {
        self.headings_below = level;
        self
    }

    /// Takes texts up to so many bytes for what they are, and never more than [`LONGEST`]; longer ones are shown as they were written.
    pub const fn with_longest(mut self, bytes: usize) -> Self {
        self.longest = if bytes < LONGEST { bytes } else { LONGEST };
        self
    }

    /// Makes Markdown (`CommonMark` with tables and strike-through) safe HTML. HTML in it is text.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::html::RichText;
    ///
    /// let html = RichText::new().markdown("[click](javascript:alert(1)) <https://example.com/>");
    /// assert_eq!(
    ///     html.as_str(),
    ///     "<p><a rel=\"noopener nofollow ugc\">click</a> \
    ///      <a href=\"https://example.com/\" rel=\"noopener nofollow ugc\">https://example.com/</a></p>\n",
    /// );
    /// ```
    pub fn markdown(self, text: &str) -> SafeHtml {
        if text.len() > self.longest {
            return as_written(text);
        }
        let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
        let events = events.map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::SoftBreak if self.line_breaks => Event::HardBreak,
            Event::Start(Tag::Heading {
                level,
                id,
                classes,
                attrs,
            }) => Event::Start(Tag::Heading {
                level: self.lowered(level),
                id,
                classes,
                attrs,
            }),
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(self.lowered(level))),
            event => event,
        });
        let mut html = String::with_capacity(text.len() * 2);
        pulldown_cmark::html::push_html(&mut html, events);
        self.settle(&html).unwrap_or_else(|| as_written(text))
    }

    /// Makes somebody's HTML safe: what is not on the allow-list is left out, and the text in it stays, except that of scripts and styles.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade::html::RichText;
    ///
    /// let html = RichText::new().html("<b>a</b><img src=x onerror=alert(1)><svg><a href=' javascript:x'>b");
    /// assert_eq!(html.as_str(), "<b>a</b><a rel=\"noopener nofollow ugc\">b</a>");
    /// ```
    pub fn html(self, html: &str) -> SafeHtml {
        if html.len() > self.longest {
            return as_written(html);
        }
        self.settle(html).unwrap_or_else(|| as_written(html))
    }

    fn lowered(self, level: HeadingLevel) -> HeadingLevel {
        let wanted = level as usize + usize::from(self.headings_below);
        HeadingLevel::try_from(wanted).unwrap_or(HeadingLevel::H6)
    }

    /// Judges until nothing changes any more.
    fn settle(self, html: &str) -> Option<SafeHtml> {
        let mut html = self.judged(html);
        for _ in 1..MOST_PASSES {
            let again = self.judged(&html);
            if again == html {
                return Some(SafeHtml::sanitised(html));
            }
            html = again;
        }
        None
    }

    fn judged(self, html: &str) -> String {
        let sanitiser = if self.own_images { &*WITH_IMAGES } else { &*WITHOUT };
        let outlined = outline(html, |element| attributes(element, self.own_images));
        // A parser drops a line break that comes first in `pre`; so one is written for it to drop.
        sanitiser.clean(&outlined).to_string().replace("<pre>", "<pre>\n")
    }
}

/// What an element may have, if it may stand there.
fn attributes(element: &str, own_images: bool) -> Option<(&'static str, &'static [&'static str])> {
    let found = ALLOWED.binary_search_by_key(&element, |(name, _)| name);
    match found {
        Ok(place) => ALLOWED.get(place).copied(),
        Err(_) => (own_images && element == IMAGE.0).then_some(IMAGE),
    }
}

/// The text itself, for what is not taken for more.
fn as_written(text: &str) -> SafeHtml {
    SafeHtml::sanitised(format!("<pre>\n{}</pre>", SafeHtml::escaped(text)))
}

static WITHOUT: LazyLock<Builder<'static>> = LazyLock::new(|| sanitiser(ALLOWED.iter()));
static WITH_IMAGES: LazyLock<Builder<'static>> = LazyLock::new(|| sanitiser(ALLOWED.iter().chain([&IMAGE])));

fn sanitiser(
    allowed: impl Iterator<Item = &'static (&'static str, &'static [&'static str])> + Clone,
) -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(allowed.clone().map(|(name, _)| *name).collect())
        .tag_attributes(
            allowed
                .map(|(name, attributes)| (*name, attributes.iter().copied().collect()))
                .collect(),
        )
        .strip_comments(true)
        .clean_content_tags(["script", "style"].into())
        .url_schemes(palisade_core::safe_url::SAFE_SCHEMES.into())
        .link_rel(Some("noopener nofollow ugc"))
        .attribute_filter(|_, attribute, value| match attribute {
            "href" => is_safe_url(value).then_some(Cow::Borrowed(value)),
            "src" => is_own_path(value).then_some(Cow::Borrowed(value)),
            "start" => value.parse::<u32>().ok().map(|_| Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    builder
}
