//! What kinds of files there are to accept, and how each is sent.

use std::fmt;

use crate::rows::{Cell, Kind, Value};

/// A kind of file that can be told from its bytes. What is not here cannot be accepted: HTML, SVG, XML, scripts and programs among them.
///
/// A comma-separated table is [`MediaType::Text`]: nothing in its bytes tells it from other text.
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
    /// An archive of any files, none of which is an archive itself.
    Zip,
    /// A text document of Word, without macros, as the two after it.
    Docx,
    Xlsx,
    Pptx,
    /// A text document of `LibreOffice` and others, without macros, as the two after it.
    Odt,
    Ods,
    Odp,
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
        Self::Zip,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Odt,
        Self::Ods,
        Self::Odp,
    ];
    /// Pictures that browsers show and this library understands.
    pub const IMAGES: &'static [Self] = &[Self::Png, Self::Jpeg, Self::Gif, Self::WebP];
    /// What people read: PDF, text, and documents of the office programs.
    pub const DOCUMENTS: &'static [Self] = &[
        Self::Pdf,
        Self::Text,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Odt,
        Self::Ods,
        Self::Odp,
    ];
    /// Pictures and documents.
    pub const IMAGES_AND_DOCUMENTS: &'static [Self] = &[
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::WebP,
        Self::Pdf,
        Self::Text,
        Self::Docx,
        Self::Xlsx,
        Self::Pptx,
        Self::Odt,
        Self::Ods,
        Self::Odp,
    ];

    /// The media type (RFC 9110), as `Content-Type` says it.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain; charset=utf-8",
            Self::Zip => "application/zip",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Odp => "application/vnd.oasis.opendocument.presentation",
        }
    }

    /// The kind that has this media type.
    pub fn of_mime(mime: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.mime() == mime)
    }

    /// What a file's name ends with, for the `accept` of a form's field.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => ".png",
            Self::Jpeg => ".jpg",
            Self::Gif => ".gif",
            Self::WebP => ".webp",
            Self::Pdf => ".pdf",
            Self::Text => ".txt",
            Self::Zip => ".zip",
            Self::Docx => ".docx",
            Self::Xlsx => ".xlsx",
            Self::Pptx => ".pptx",
            Self::Odt => ".odt",
            Self::Ods => ".ods",
            Self::Odp => ".odp",
        }
    }

    /// What it is called, with its article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Gif => "a GIF picture",
            Self::WebP => "a WebP picture",
            Self::Pdf => "a PDF",
            Self::Text => "a plain text in UTF-8",
            Self::Zip => "a ZIP archive",
            Self::Docx => "a Word document (.docx)",
            Self::Xlsx => "an Excel workbook (.xlsx)",
            Self::Pptx => "a PowerPoint presentation (.pptx)",
            Self::Odt => "an OpenDocument text (.odt)",
            Self::Ods => "an OpenDocument spreadsheet (.ods)",
            Self::Odp => "an OpenDocument presentation (.odp)",
        }
    }

    /// What it is called after "this".
    pub(super) fn noun(self) -> &'static str {
        let name = self.name();
        name.split_once(' ').map_or(name, |(_, noun)| noun)
    }

    /// Whether it is a picture.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::WebP)
    }

    /// Whether it is a ZIP archive underneath, as the documents of office programs are.
    pub(super) const fn is_archive(self) -> bool {
        matches!(
            self,
            Self::Zip | Self::Docx | Self::Xlsx | Self::Pptx | Self::Odt | Self::Ods | Self::Odp
        )
    }

    /// Whether a browser may show it within its own window: pictures, which run nothing.
    pub const fn shows_inline(self) -> bool {
        self.is_picture()
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
