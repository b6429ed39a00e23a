//! A document as a template shows it: what it is and how large, in words.

use minijinja::context;
use minijinja::value::Value;
use palisade::media::MediaType;

use super::store::Document;
use crate::pages::moment::moment;

/// What a page knows of a document.
pub(super) fn line(document: &Document) -> Value {
    context! {
        id => document.id,
        title => document.title.as_str(),
        file_name => document.file_name.as_str(),
        kind => kind(document.media_type),
        size => size(document.size),
        is_picture => document.media_type.shows_inline(),
        kept => moment(document.kept.0),
    }
}

/// What a person calls files of this kind.
fn kind(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Png | MediaType::Jpeg | MediaType::Gif | MediaType::WebP => "Picture",
        MediaType::Pdf => "PDF",
        MediaType::Text => "Text",
        _ => "File",
    }
}

/// A size as people say it: three digits at most, and never 0 for a file with something in it.
pub(super) fn size(bytes: i64) -> String {
    let mut amount = bytes.unsigned_abs();
    for unit in ["bytes", "KB", "MB"] {
        if amount < 1000 {
            return format!("{amount} {unit}");
        }
        amount = amount.div_ceil(1000);
    }
    format!("{amount} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        for (bytes, said) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1 KB"),
            (1001, "2 KB"),
            (999_001, "1 MB"),
            (10_485_760, "11 MB"),
            (2_000_000_000, "2 GB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }
}
