//! What kinds of files there are to accept, and how each is sent.

use std::borrow::Cow;
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

/// What Windows takes for a device, with any ending.
const DEVICES: [&str; 26] = [
    "con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "conin$",
    "conout$",
];

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

    /// What the name of such a file may end with: nothing that a double click runs.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Gif => &["gif"],
            Self::WebP => &["webp"],
            Self::Pdf => &["pdf"],
            Self::Text => &[
                "txt", "text", "csv", "tsv", "md", "markdown", "rst", "log", "json", "yaml", "yml", "toml",
                "asc", "pem", "srt", "vcf", "ics", "tex", "bib", "diff", "patch",
            ],
            Self::Zip => &["zip"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Odt => &["odt"],
            Self::Ods => &["ods"],
            Self::Odp => &["odp"],
        }
    }

    /// The name under which such a file is saved, whatever its sender has called it: with an ending of its kind, so that no text is an
    /// `invoice.hta`, not hidden, and not that of a device of Windows.
    pub fn saved_as(self, name: &str) -> Cow<'_, str> {
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase());
        let ends_well = ending.is_some_and(|ending| self.endings().contains(&ending.as_str()));
        let stem = name.split('.').next().unwrap_or_default().trim_end();
        let is_device = DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device));
        let starts_well = !name.starts_with('.') && !is_device;
        if starts_well && ends_well {
            return Cow::Borrowed(name);
        }
        let before = if starts_well { "" } else { "_" };
        let behind = if ends_well { "" } else { self.extension() };
        // Windows takes dots and blanks off the end.
        Cow::Owned(format!("{before}{}{behind}", name.trim_end_matches(['.', ' '])))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_saved_under_a_name_of_another_kind() {
        for (kind, name, saved) in [
            (MediaType::Text, "notes.txt", "notes.txt"),
            (MediaType::Text, "Table.CSV", "Table.CSV"),
            (MediaType::Text, "invoice.hta", "invoice.hta.txt"),
            (MediaType::Text, "run.bat", "run.bat.txt"),
            (MediaType::Text, "page.html", "page.html.txt"),
            (MediaType::Text, "run.bat. ", "run.bat.txt"),
            (MediaType::Text, "README", "README.txt"),
            (MediaType::Text, ".htaccess", "_.htaccess.txt"),
            (MediaType::Text, "con.txt", "_con.txt"),
            (MediaType::Jpeg, "a.jpeg", "a.jpeg"),
            (MediaType::Jpeg, "a.png", "a.png.jpg"),
            (MediaType::Pdf, "a.pdf.exe", "a.pdf.exe.pdf"),
        ] {
            assert_eq!(kind.saved_as(name), saved, "{name}");
        }
    }
}
