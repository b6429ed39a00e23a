//! Files made by hand, byte for byte: those that programs make, and what an attacker makes of them.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Crc;
use flate2::write::{DeflateEncoder, ZlibEncoder};

/// A chunk of a PNG, with its checksum.
pub(crate) fn chunk(kind: [u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(contents);
    let length = u32::try_from(contents.len()).unwrap();
    [
        &length.to_be_bytes(),
        kind.as_slice(),
        contents,
        &sum.sum().to_be_bytes(),
    ]
    .concat()
}

pub(crate) fn zlib(contents: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(contents).unwrap();
    out.finish().unwrap()
}

/// A PNG of these sides, 8 bits of grey, whose rows are `rows`, with further chunks before its picture.
pub(crate) fn png(width: u32, height: u32, more: &[u8], rows: &[u8]) -> Vec<u8> {
    png_of([8, 0, 0, 0, 0], width, height, more, &zlib(rows))
}

pub(crate) fn png_of(sort: [u8; 5], width: u32, height: u32, more: &[u8], data: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &sort].concat();
    [
        b"\x89PNG\r\n\x1a\n",
        &chunk(*b"IHDR", &header)[..],
        more,
        &chunk(*b"IDAT", data),
        &chunk(*b"IEND", b""),
    ]
    .concat()
}

/// The rows of a grey picture.
pub(crate) fn rows(width: usize, height: usize) -> Vec<u8> {
    vec![0; (width + 1) * height]
}

/// A file for a ZIP archive.
#[derive(Clone)]
pub(crate) struct Put {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) sum: u32,
    pub(crate) unfolded: u32,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) attributes: u32,
    pub(crate) extra: Vec<u8>,
    /// What the list says in its stead.
    pub(crate) listed: Option<Vec<u8>>,
}

pub(crate) fn put(name: &str, contents: &[u8]) -> Put {
    let mut out = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(contents).unwrap();
    let mut put = stored(name, contents);
    put.data = out.finish().unwrap();
    put.method = 8;
    put
}

pub(crate) fn stored(name: &str, contents: &[u8]) -> Put {
    let mut sum = Crc::new();
    sum.update(contents);
    Put {
        name: name.as_bytes().to_vec(),
        data: contents.to_vec(),
        sum: sum.sum(),
        unfolded: u32::try_from(contents.len()).unwrap(),
        method: 0,
        flags: 0,
        attributes: 0,
        extra: Vec::new(),
        listed: None,
    }
}

/// An archive of these files.
pub(crate) fn zip(files: &[Put]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for file in files {
        let at = u32::try_from(out.len()).unwrap();
        out.extend(local(file));
        list.extend(listed(file, at));
    }
    finish(out, &list, files.len())
}

/// What stands before a file and the file itself.
pub(crate) fn local(file: &Put) -> Vec<u8> {
    let mut out = b"PK\x03\x04\x14\0".to_vec();
    out.extend(both(file));
    out.extend(u16::try_from(file.name.len()).unwrap().to_le_bytes());
    out.extend(u16::try_from(file.extra.len()).unwrap().to_le_bytes());
    [&out[..], &file.name, &file.extra, &file.data].concat()
}

fn both(file: &Put) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(file.flags.to_le_bytes());
    out.extend(file.method.to_le_bytes());
    out.extend([0; 4]);
    out.extend(file.sum.to_le_bytes());
    out.extend(u32::try_from(file.data.len()).unwrap().to_le_bytes());
    out.extend(file.unfolded.to_le_bytes());
    out
}

/// A line of the list.
pub(crate) fn listed(file: &Put, at: u32) -> Vec<u8> {
    let name = file.listed.as_ref().unwrap_or(&file.name);
    let mut out = b"PK\x01\x02\x14\x03\x14\0".to_vec();
    out.extend(both(file));
    out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend([0; 8]);
    out.extend(file.attributes.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(name);
    out
}

/// The list and the end.
pub(crate) fn finish(mut out: Vec<u8>, list: &[u8], files: usize) -> Vec<u8> {
    let at = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(files).unwrap().to_le_bytes();
    out.extend(list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// The files of a Word document, as small as one can be.
pub(crate) fn word() -> Vec<Put> {
    let types = "<Types><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    vec![
        put("[Content_Types].xml", types.as_bytes()),
        put("_rels/.rels", b"<Relationships/>"),
        put("word/document.xml", b"<w:document/>"),
    ]
}

/// A PDF of these objects, with the table where it belongs.
pub(crate) fn pdf(objects: &[&str]) -> Vec<u8> {
    pdf_with("%\u{e2}\u{e3}\n", objects, "/Root 1 0 R")
}

pub(crate) fn pdf_with(remark: &str, objects: &[&str], trailer: &str) -> Vec<u8> {
    let mut out = format!("%PDF-1.7\n{remark}");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (place, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", out.len()).unwrap();
        writeln!(out, "{} 0 obj\n{object}\nendobj", place + 1).unwrap();
    }
    let at = out.len();
    let count = objects.len() + 1;
    write!(
        out,
        "{table}trailer\n<</Size {count} {trailer}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
    out.into_bytes()
}

/// The one page of every PDF here.
pub(crate) const PAGES: &str = "<</Type/Catalog/Pages 2 0 R>>";
