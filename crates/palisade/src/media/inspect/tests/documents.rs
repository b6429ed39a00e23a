//! Attacks with PDFs.

use super::make::{PAGES, pdf, pdf_with, zip, zlib};
use super::*;

const PLAIN: [&str; 2] = [PAGES, "<</Type/Pages/Kids[]/Count 0>>"];

fn with(object: &str) -> Vec<u8> {
    pdf(&[PLAIN[0], PLAIN[1], object])
}

#[test]
fn pdf_with_something_before_between_or_behind_its_objects_is_refused() {
    accepted(&pdf(&PLAIN), MediaType::Pdf);
    let whole = pdf(&PLAIN);
    let text = String::from_utf8(whole.clone()).unwrap();
    for before in [&b"\n"[..], b"<html><script>alert(1)</script>", b"GIF89a"] {
        assert!(look(&[before, &whole].concat(), &InspectLimits::default()).is_err());
    }
    refused(
        &pdf_with("%<html><script>alert(1)</script>\n", &PLAIN, ""),
        MediaType::Pdf,
        "web page",
    );
    refused(
        &pdf_with("<html><script>alert(1)</script>\n", &PLAIN, ""),
        MediaType::Pdf,
        "",
    );
    let between = text.replacen("endobj\n2", "endobj\nevil\n2", 1);
    refused(between.as_bytes(), MediaType::Pdf, "between its objects");
    refused(format!("{text}<script>").as_bytes(), MediaType::Pdf, "");
    refused(
        format!("{text}{}", "\n".repeat(100)).as_bytes(),
        MediaType::Pdf,
        "further bytes",
    );
    refused(
        text.replacen("PDF-1.7\n", "PDF-1.7 %", 1)
            .replacen("%%EOF", "", 1)
            .as_bytes(),
        MediaType::Pdf,
        "ends before",
    );
    refused(
        text.replacen("%PDF-1.7", "%PDF-9.7", 1).as_bytes(),
        MediaType::Pdf,
        "first line",
    );
    let moved = text.replacen("startxref\n", "startxref\n9", 1);
    refused(moved.as_bytes(), MediaType::Pdf, "table is not where it says");
    // An archive as an attachment that is not packed.
    let archive = zip(&[super::make::put("Evil.class", b"evil")]);
    let archive: Vec<u8> = [
        format!("<</Length {}>>stream\n", archive.len()).into_bytes(),
        archive,
        b"\nendstream".to_vec(),
    ]
    .concat();
    let mut file = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n2 0 obj\n".to_vec();
    file.extend(archive);
    file.extend(b"\nendobj\n");
    let at = file.len();
    file.extend(format!("xref\n0 0\ntrailer\n<</Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n").into_bytes());
    refused(&file, MediaType::Pdf, "ZIP archive");
}

#[test]
fn pdf_with_a_script_is_refused_however_it_is_written() {
    for object in [
        "<</S/JavaScript/JS(app.alert\\(1\\))>>",
        "<</S /J#61v#61Script /JS (x)>>",
        "[<</S%remark\n/JavaScript>>]",
        "<</A<</B<</S/Launch/F(cmd.exe)>>>>>>",
        "<</Type/Annot/Subtype/RichMedia>>",
        "<</XFA 3 0 R>>",
    ] {
        refused(&with(object), MediaType::Pdf, "script");
        let trusting = InspectLimits::default().dangerous_scripts_in_documents();
        assert_eq!(
            look(&with(object), &trusting).ok(),
            Some(MediaType::Pdf),
            "{object}"
        );
    }
    for object in [
        "(/JavaScript)",
        "<</T(\\)/Launch)>>",
        "<2F4A617661536372697074>",
        "%/JavaScript\n<<>>",
    ] {
        accepted(&with(object), MediaType::Pdf);
    }
}

/// A PDF with this data in a stream of this dictionary.
fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n2 0 obj\n".to_vec();
    file.extend(format!("<<{dictionary}/Length {}>>stream\r\n", data.len()).into_bytes());
    file.extend(data);
    file.extend(b"\r\nendstream endobj\n");
    let at = file.len();
    file.extend(format!("xref\n0 0\ntrailer\n<</Root 1 0 R>>\nstartxref\n{at}\n%%EOF").into_bytes());
    file
}

#[test]
fn script_in_a_packed_collection_of_objects_is_found() {
    let objects = format!("1 0 2 5 <<>> {} <</S/Java#53cript/JS(x)>>", " ".repeat(70_000));
    let packed = "/Type/ObjStm/N 2/First 8/Filter/FlateDecode";
    refused(
        &stream(packed, &zlib(objects.as_bytes())),
        MediaType::Pdf,
        "script",
    );
    refused(
        &stream("/Type /ObjStm/Filter[/FlateDecode]", &zlib(objects.as_bytes())),
        MediaType::Pdf,
        "script",
    );
    refused(
        &stream("/Type/ObjStm", objects.as_bytes()),
        MediaType::Pdf,
        "script",
    );
    accepted(&stream(packed, &zlib(b"1 0 <<>>")), MediaType::Pdf);
    refused(
        &stream("/Type/ObjStm/Filter/LZWDecode", b"x"),
        MediaType::Pdf,
        "nobody looks into",
    );
    refused(
        &stream("/Type/ObjStm/Filter 3 0 R", b"x"),
        MediaType::Pdf,
        "nobody looks into",
    );
    refused(&stream(packed, b"no data"), MediaType::Pdf, "unfolded");
    let bomb = zlib(&vec![b' '; 3 * 1024 * 1024]);
    let limits = InspectLimits::default().with_max_unfolded(2 * 1024 * 1024);
    refused_within(
        &stream(packed, &bomb),
        MediaType::Pdf,
        "unfolds into more",
        &limits,
    );
    // What is drawn is not looked into: it runs nothing.
    accepted(
        &stream("/Filter/FlateDecode", &zlib(b"BT /JavaScript 12 Tf ET")),
        MediaType::Pdf,
    );
}

#[test]
fn pdf_that_nobody_can_look_into_is_refused() {
    refused(
        &pdf_with("", &PLAIN, "/Root 1 0 R/Encrypt 2 0 R"),
        MediaType::Pdf,
        "password",
    );
    let trusting = InspectLimits::default().dangerous_scripts_in_documents();
    assert_eq!(
        look(&corpus("encrypted.pdf"), &trusting).ok(),
        Some(MediaType::Pdf)
    );
}

#[test]
fn pdf_that_holds_files_or_acts_when_it_is_opened_is_refused_where_only_plain_ones_are_taken() {
    let plain = InspectLimits::default().only_plain_documents();
    refused_within(&corpus("attachment.pdf"), MediaType::Pdf, "other files", &plain);
    refused_within(
        &with("<</OpenAction[2 0 R/Fit]>>"),
        MediaType::Pdf,
        "when it is opened",
        &plain,
    );
    accepted(&with("<</OpenAction[2 0 R/Fit]>>"), MediaType::Pdf);
    assert!(look(&corpus("reportlab.pdf"), &plain).is_ok());
}

#[test]
fn a_stream_is_as_long_as_it_says() {
    let long = stream("", b"some data with endobj and endstream in it");
    accepted(&long, MediaType::Pdf);
    let text = String::from_utf8(long).unwrap();
    refused(
        text.replacen("/Length 41", "/Length 11", 1).as_bytes(),
        MediaType::Pdf,
        "another length",
    );
    refused(
        text.replacen("/Length 41", "/Length 99999999999", 1).as_bytes(),
        MediaType::Pdf,
        "",
    );
    // Elsewhere: it ends where it ends.
    accepted(&stream("/Length 3 0 R", b"data"), MediaType::Pdf);
}

/// A collection of objects that holds a script, packed.
fn scripts() -> Vec<u8> {
    zlib(b"1 0 5 40 <</Type/Catalog/OpenAction 5 0 R         >> <</S/JavaScript/JS(x)>> ")
}

#[test]
fn collection_of_objects_is_looked_into_however_it_describes_itself() {
    let data = scripts();
    let many = "/X0 0".repeat(300);
    for dictionary in [
        "/N 2/First 8/Filter/FlateDecode",
        "/Type 7 0 R/N 2/First 8/Filter/FlateDecode",
        "/#54ype/Obj#53tm/N 2/First 8/Filter/FlateDecode",
        "/N 2/#46irst 8/Filter/FlateDecode",
    ] {
        refused(&stream(dictionary, &data), MediaType::Pdf, "script");
    }
    refused(
        &stream(
            &format!("{many}/Type/ObjStm/N 2/First 8/Filter/FlateDecode"),
            &data,
        ),
        MediaType::Pdf,
        "says more of itself",
    );
    for dictionary in [
        "/Type/ObjStm/N 2/First 8/Filter[7 0 R]",
        "/Type/ObjStm/N 2/First 8/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 4>>",
        "/Type/ObjStm/N 2/First 8/Filter/FlateDecode/DP 7 0 R",
        "/Type/ObjStm/N 2/First 8/Filter/Crypt/Filter/FlateDecode",
    ] {
        refused(&stream(dictionary, &data), MediaType::Pdf, "nobody looks into");
    }
}

#[test]
fn document_within_a_stream_a_string_or_a_comment_is_refused() {
    let hidden = "5 0 obj <</S/JavaScript/JS(x)>> endobj";
    refused(&stream("", hidden.as_bytes()), MediaType::Pdf, "another document");
    let string = format!("<</Title({hidden})>>");
    refused(&with(&string), MediaType::Pdf, "another document");
    let remark = "%5 0 obj [/S/JavaScript] endobj\n".to_owned();
    refused(
        &pdf_with(&remark, &PLAIN, "/Root 1 0 R"),
        MediaType::Pdf,
        "another document",
    );
    let apart = "5 0 %\nobj <</S/JavaScript/JS(x)>> endobj";
    refused(&stream("", apart.as_bytes()), MediaType::Pdf, "another document");
    let root = b"xref\n0 0\ntrailer\n<</Root<</OpenAction<</S/JavaScript>>>>>>";
    refused(&stream("", root), MediaType::Pdf, "another document");
}
