//! What kinds of files there are to accept, and how each is sent.

use std::fmt;

use crate::rows::{Cell, Kind, Value};

/// A kind of file that can be told from its bytes. What is not here cannot be accepted: HTML, SVG, scripts and programs among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the formats")]
pub enum MediaType {
    Png,
    Jpeg,
    Gif,
    WebP,
    Pdf,
    /// Text in UTF-8.
    Text,
}

impl MediaType {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::WebP,
        Self::Pdf,
        Self::Text,
    ];
    /// Pictures that browsers show and this library understands.
    pub const IMAGES: &'static [Self] = &[Self::Png, Self::Jpeg, Self::Gif, Self::WebP];

    /// The media type (RFC 9110), as `Content-Type` says it.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The kind that has this media type.
    pub fn of_mime(mime: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.mime() == mime)
    }

    /// Whether a browser may show it within its own window: pictures, which run nothing.
    pub const fn shows_inline(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::WebP)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mime())
    }
}

impl Cell for MediaType {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value {
        Value::Text(self.mime().to_owned())
    }

    fn from_value(value: Value) -> Option<Self> {
        Self::of_mime(&String::from_value(value)?)
    }
}
