//! Documents of office programs, which are ZIP archives: which of them it is, and that it is there to be read and not to do anything.
//!
//! Macros are refused in all of them. So is what a document loads from elsewhere when it is opened (a template, an object: how
//! CVE-2022-30190 and its like came in by mail), unless the limits allow scripts; links that a person clicks are not meant.

use std::io::{Read, Seek};

use memchr::memmem;

use super::{InspectLimits, Source, Unacceptable};
use crate::media::MediaType;

/// A file of the archive.
pub(super) struct Part {
    pub(super) name: String,
    /// It is the archive's first.
    pub(super) first: bool,
    /// It is not compressed.
    pub(super) stored: bool,
    /// All of it, where [`looks_into`] says so.
    pub(super) text: Option<Vec<u8>>,
}

const CONTENT_TYPES: &str = "[content_types].xml";
const MANIFEST: &str = "meta-inf/manifest.xml";

/// Whether a part's contents are asked for.
pub(super) fn looks_into(name: &str) -> bool {
    is_relations(name)
        || matches!(
            name.to_lowercase().as_str(),
            CONTENT_TYPES | MANIFEST | "mimetype"
        )
}

/// Whether a part lists what another one needs.
fn is_relations(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, end)| end.eq_ignore_ascii_case("rels"))
}

/// Says what the archive is.
pub(super) fn kind_of<F: Read + Seek>(
    source: &mut Source<'_, F>,
    parts: &[Part],
    limits: &InspectLimits,
) -> Result<MediaType, Unacceptable> {
    let part = |name: &str| parts.iter().find(|part| part.name.to_lowercase() == name);
    let text = |name: &str| part(name).and_then(|part| part.text.as_deref());
    if part("meta-inf/manifest.mf").is_some() {
        return Err(source.active("it is a program in Java or for Android"));
    }
    if let Some(types) = text(CONTENT_TYPES) {
        return microsoft(source, parts, types, limits);
    }
    let open = parts
        .iter()
        .find(|part| part.name == "mimetype")
        .zip(text("mimetype"));
    let kinds = [MediaType::Odt, MediaType::Ods, MediaType::Odp];
    let kind = open.and_then(|(_, mime)| kinds.into_iter().find(|kind| kind.mime().as_bytes() == mime));
    match (kind, open, text(MANIFEST)) {
        (Some(kind), Some((mime, _)), Some(manifest)) => {
            source.is_a(kind.noun());
            source.rule(mime.first && mime.stored, "it does not begin with its type")?;
            source.rule(part("content.xml").is_some(), "it has no contents")?;
            open_document(source, parts, manifest, limits)?;
            Ok(kind)
        }
        (Some(kind), ..) => {
            source.is_a(kind.noun());
            Err(source.damaged("it has no list of its parts"))
        }
        _ => Ok(MediaType::Zip),
    }
}

/// Office Open XML (ECMA-376): its kind is the type of its main part.
fn microsoft<F: Read + Seek>(
    source: &mut Source<'_, F>,
    parts: &[Part],
    types: &[u8],
    limits: &InspectLimits,
) -> Result<MediaType, Unacceptable> {
    source.is_a("office document");
    let types = plain(source, types)?;
    let lower = types.to_ascii_lowercase();
    let macros = lower.contains("macroenabled") || lower.contains("vbaproject");
    if macros || any_named(parts, |name| name.ends_with("vbaproject.bin")) {
        return Err(source.active("it holds macros"));
    }
    let mains = [
        (MediaType::Docx, "wordprocessingml.document.main+xml", "word/"),
        (MediaType::Xlsx, "spreadsheetml.sheet.main+xml", "xl/"),
        (MediaType::Pptx, "presentationml.presentation.main+xml", "ppt/"),
    ];
    let mut found = mains.into_iter().filter(|(_, main, _)| lower.contains(main));
    let (Some((kind, _, folder)), None) = (found.next(), found.next()) else {
        return Err(source.damaged("it is neither a document, a workbook nor a presentation"));
    };
    source.is_a(kind.noun());
    let has = |wanted: &str| any_named(parts, |name| name == wanted);
    source.rule(
        has("_rels/.rels") && any_named(parts, |name| name.starts_with(folder)),
        "it has no contents",
    )?;
    if !limits.scripts_in_documents {
        for part in parts.iter().filter(|part| is_relations(&part.name)) {
            let text = plain(source, part.text.as_deref().unwrap_or_default())?;
            if loads_from_elsewhere(text) {
                return Err(source.active("it loads a part of itself from elsewhere"));
            }
        }
        if any_named(parts, |name| name.contains("/activex/")) {
            return Err(source.active("it holds programs (ActiveX)"));
        }
    }
    if !limits.files_in_documents && any_named(parts, |name| name.contains("/embeddings/")) {
        return Err(source.active("it holds other files"));
    }
    Ok(kind)
}

/// `OpenDocument` (ISO 26300): macros lie in folders of their own, and passwords show in the list.
fn open_document<F: Read + Seek>(
    source: &Source<'_, F>,
    parts: &[Part],
    manifest: &[u8],
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    if memmem::find(manifest, b"encryption-data").is_some() {
        return Err(source.encrypted());
    }
    if any_named(parts, |name| {
        name.starts_with("basic/") || name.starts_with("scripts/")
    }) {
        return Err(source.active("it holds macros"));
    }
    if !limits.files_in_documents
        && any_named(parts, |name| {
            name.starts_with("object ") || name.starts_with("objects/")
        })
    {
        return Err(source.active("it holds other files"));
    }
    Ok(())
}

fn any_named(parts: &[Part], is: impl Fn(&str) -> bool) -> bool {
    parts.iter().any(|part| is(&part.name.to_lowercase()))
}

/// XML in UTF-8, without a declaration of entities: what is looked for in it stands there as it is.
fn plain<'t, F: Read + Seek>(source: &Source<'_, F>, text: &'t [u8]) -> Result<&'t str, Unacceptable> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.contains("<!DOCTYPE") && !text.contains('\0'));
    text.ok_or_else(|| source.damaged("one of its parts is not as office programs write it"))
}

/// Whether a list of relations has one to another place that is followed without a click.
fn loads_from_elsewhere(relations: &str) -> bool {
    relations.split('<').any(|element| {
        let name = element
            .split(|character: char| character.is_whitespace() || matches!(character, '/' | '>'))
            .next();
        let is_relation = name.is_some_and(|name| name == "Relationship" || name.ends_with(":Relationship"));
        // Who writes any of it in another way than programs do means to hide it.
        let inside = attribute(element, "TargetMode").is_none_or(|mode| mode == "Internal");
        let kind = attribute(element, "Type").unwrap_or_default();
        let clicked = ["/hyperlink", "/externalLinkPath", "/externalLink"]
            .iter()
            .any(|end| kind.ends_with(end));
        is_relation && !inside && !clicked
    })
}

/// The value of an attribute of an element, read one attribute after the other: what looks like one within another's value is none.
fn attribute<'t>(element: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = element.get(element.find(char::is_whitespace)?..)?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_loads_from_elsewhere_is_seen_and_links_are_not_meant() {
        let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relation = |of: &str, mode: &str| {
            let target = "https://evil.example/ TargetMode=\"Internal\" a.dotm";
            format!(
                "<Relationships><Relationship Id='1' Target='{target}' Type=\"{kind}/{of}\" {mode}/></Relationships>"
            )
        };
        for (of, mode) in [
            ("attachedTemplate", "TargetMode=\"External\""),
            ("oleObject", "TargetMode = 'External'"),
            ("frame", "TargetMode=\"&#69;xternal\""),
            ("image", "\tTargetMode=\"External\""),
        ] {
            assert!(loads_from_elsewhere(&relation(of, mode)), "{of} {mode}");
        }
        for (of, mode) in [
            ("hyperlink", "TargetMode=\"External\""),
            ("image", "TargetMode=\"Internal\""),
            ("image", ""),
        ] {
            assert!(!loads_from_elsewhere(&relation(of, mode)), "{of} {mode}");
        }
    }
}
