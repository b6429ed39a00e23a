//! Uploads over real HTTP to a real disk: what is kept, what is refused and with which words, and that nothing else stays.

use std::fmt::Write as _;
use std::fs;

use http::StatusCode;
use palisade::media::MediaType;
use testkit::raw::Wire;

use crate::form_uploads_site::{BOUNDARY, PAPER, Site, WHOLE, body, field, file, with_headers};

/// A picture of one grey point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDATx\x9cch\0\0\0\x82\0\x81\x77\xcdr\xb6\0\0\0\0IEND\xaeB`\x82";
const TEXT: &str = "the combination is 4711\n";

fn title() -> Vec<u8> {
    field("title", "The safe")
}

#[tokio::test]
async fn file_of_a_form_is_kept_and_noted_for_what_its_bytes_are() {
    let mut site = Site::start().await;
    for (name, content, media_type) in [
        ("safe.exe", TEXT.as_bytes(), MediaType::Text),
        ("point.txt", PNG, MediaType::Png),
    ] {
        // The token comes first, in the same body.
        let reply = site
            .post("/paper", &[title(), file("paper", name, content)])
            .await;
        assert_eq!(reply.text(), "kept The safe");
        let noted = site.noted().pop().unwrap();
        assert_eq!(
            (noted.file_name.as_str(), noted.media_type, noted.size),
            (name, media_type, content.len() as u64)
        );
        let path = site
            .files()
            .into_iter()
            .find(|path| path.ends_with(noted.name.to_string()));
        assert_eq!(fs::read(path.unwrap()).unwrap(), content);
    }
    assert_eq!(site.files().len(), 2, "the spool is empty again");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_at_its_field_and_nothing_stays() {
    let mut site = Site::start().await;
    let polyglot = [PNG, b"PK\x03\x04 an archive behind a picture"].concat();
    let large = vec![b'a'; PAPER + 1];
    for (content, why) in [
        (&b""[..], "The submitted file is empty."),
        (b"<!doctype html><script>alert(1)</script>", "not accepted here"),
        (b"%PDF-1.7\n", "This is a PDF, which is not accepted here"),
        (&PNG[..40], "class=\"errorlist\""),
        (&polyglot, "class=\"errorlist\""),
        (&large, "This file is too large: it may have 4 KB at most."),
    ] {
        let reply = site
            .post("/paper", &[title(), file("paper", "point.png", content)])
            .await;
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
        assert_eq!(site.files().len(), 0, "{why}");
    }
    // As large as it may be.
    let reply = site
        .post("/paper", &[title(), file("paper", "a.txt", &large[1..])])
        .await;
    assert_eq!(reply.text(), "kept The safe");
}

#[tokio::test]
async fn field_without_a_file_is_empty_however_it_is_sent() {
    let mut site = Site::start().await;
    for part in [
        file("paper", "", ""),
        file("paper", "..", TEXT),
        file("paper", "papers/", TEXT),
        // A text is no file.
        field("paper", TEXT),
        field("other", ""),
    ] {
        let reply = site.post("/paper", &[title(), part]).await;
        assert!(
            reply.text().contains("This field is required."),
            "{}",
            reply.text()
        );
    }
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn second_file_for_one_place_is_refused_and_not_overlooked() {
    let mut site = Site::start().await;
    for second in [PNG, b"%PDF-1.7\n"] {
        let parts = [
            title(),
            file("paper", "a.txt", TEXT),
            file("paper", "b.txt", second),
        ];
        let reply = site.post("/paper", &parts).await;
        assert!(
            reply.text().contains("Choose one file at most."),
            "{}",
            reply.text()
        );
    }
    let some = |many| vec![file("papers", "a.txt", TEXT); many];
    let reply = site.post("/album", &some(4)).await;
    assert!(
        reply.text().contains("Choose 3 files at most."),
        "{}",
        reply.text()
    );
    assert_eq!(site.files().len(), 0);
    // One that is not right refuses all.
    let reply = site
        .post("/album", &[some(2), vec![file("papers", "b.txt", PNG)]].concat())
        .await;
    assert!(reply.text().contains("not accepted here"), "{}", reply.text());
    assert_eq!(site.files().len(), 0);
    assert_eq!(site.post("/album", &some(3)).await.text(), "kept");
    assert_eq!((site.files().len(), site.noted().len()), (3, 3));
}

#[tokio::test]
async fn hundred_and_one_files_are_refused_also_where_no_field_takes_them() {
    let mut site = Site::start().await;
    let many = vec![file("papers", "a.txt", "a"); 101];
    let reply = site.post("/album", &many).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let reply = site.post("/album", &many[1..]).await;
    assert!(
        reply.text().contains("Choose 3 files at most."),
        "{}",
        reply.text()
    );
    let reply = site
        .post("/paper", &[title(), file("avatar", "a.png", PNG)])
        .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn request_above_the_limit_of_its_route_is_refused_whether_it_says_so_or_not() {
    let mut site = Site::start().await;
    // Each within its field's size.
    let parts: Vec<_> = (0..6)
        .map(|_| file("papers", "a.txt", vec![b'a'; PAPER]))
        .collect();
    let (head, said) = site.request("/album", &parts).await;
    assert!(said.len() > WHOLE);
    let reply = site.visitor.send(head, said.clone()).await.unwrap();
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);

    let mut wire = Wire::plain(site.address).await.unwrap();
    let head = raw_head(&site, "/album", "Transfer-Encoding: chunked");
    wire.send(head).await.unwrap();
    for piece in said.chunks(1000) {
        // It need not hear all of it.
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        if wire.send(chunk).await.is_err() {
            break;
        }
    }
    let head = wire.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    site.comes_to(0).await;
}

/// The head of a request that is sent by hand.
fn raw_head(site: &Site, path: &str, length: &str) -> String {
    let request = site.head(path).body(()).unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\n{length}\r\n");
    for (name, value) in request.headers() {
        writeln!(head, "{name}: {}\r", value.to_str().unwrap()).unwrap();
    }
    head + "\r\n"
}

#[tokio::test]
async fn client_that_hangs_up_in_the_middle_of_a_file_leaves_nothing() {
    let mut site = Site::start().await;
    let content = vec![b'a'; PAPER];
    // The spool holds pieces of 256 KiB, or what there is when a file begins.
    let (_, whole) = site
        .request("/paper", &[title(), file("paper", "a.txt", &content)])
        .await;
    let middle = whole.len() - PAPER / 2;
    for end in [middle, whole.len() - BOUNDARY.len()] {
        let mut wire = Wire::plain(site.address).await.unwrap();
        let length = format!("Content-Length: {}", whole.len());
        wire.send(raw_head(&site, "/paper", &length)).await.unwrap();
        wire.send(&whole[..end]).await.unwrap();
        drop(wire);
    }
    // Whoever comes afterwards is served, and finds a spool that is empty.
    let reply = site
        .post("/paper", &[title(), file("paper", "a.txt", TEXT)])
        .await;
    assert_eq!(reply.text(), "kept The safe");
    site.comes_to(1).await;
    assert_eq!(site.noted().len(), 1);
}

#[tokio::test]
async fn body_that_ends_within_a_file_is_broken_and_leaves_nothing() {
    let mut site = Site::start().await;
    let (_, whole) = site
        .request("/paper", &[title(), file("paper", "a.txt", TEXT)])
        .await;
    let cut = whole.slice(..whole.len() - BOUNDARY.len() - 10);
    let reply = site.visitor.send(site.head("/paper"), cut).await.unwrap();
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!((site.files().len(), site.noted().len()), (0, 0));
}

#[tokio::test]
async fn file_that_no_row_names_is_deleted_again() {
    let mut site = Site::start().await;
    let reply = site
        .post("/forget", &[title(), file("paper", "a.txt", TEXT)])
        .await;
    assert!(reply.text().starts_with("forgotten "), "{}", reply.text());
    site.comes_to(0).await;
    assert!(site.media.store().list().await.unwrap().is_empty());
}

#[tokio::test]
async fn token_behind_a_long_file_is_none_and_the_file_never_comes_in() {
    let mut site = Site::start().await;
    let page = site.visitor.open("/forget").await.unwrap();
    let token = field("csrfmiddlewaretoken", &page.field("csrfmiddlewaretoken").unwrap());
    // More than is searched for a token.
    let long = file("paper", "a.txt", "a".repeat(70_000));
    for parts in [
        vec![title(), long.clone(), token.clone()],
        vec![title(), long.clone()],
        vec![title(), file("paper", "a.txt", TEXT)],
    ] {
        let reply = site
            .visitor
            .send(site.head("/forget"), body(&parts))
            .await
            .unwrap();
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert_eq!(site.files().len(), 0);
    }
    let before = body(&[token, title(), long]);
    let reply = site.visitor.send(site.head("/forget"), before).await.unwrap();
    assert!(
        reply.text().contains("This file is too large"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn uploads_of_all_together_have_a_limit_that_can_be_set() {
    let mut site = Site::with(|media| media.with_max_waiting(100)).await;
    let reply = site
        .post("/paper", &[title(), file("paper", "a.txt", "a".repeat(101))])
        .await;
    assert_eq!(reply.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(site.files().len(), 0);
    // What has been let go of leaves its room, and what is kept waits no longer.
    for _ in 0..3 {
        let reply = site
            .post("/paper", &[title(), file("paper", "a.txt", "a".repeat(100))])
            .await;
        assert_eq!(reply.text(), "kept The safe");
    }
}

/// What a client calls a file, and what Django 5.2.19 makes of it (`sanitize_file_name`, then `UploadedFile.name`).
const NAMES: &[(&str, &str)] = &[
    ("../../etc/passwd", "passwd"),
    ("/etc/passwd", "passwd"),
    ("C:\\\\Users\\\\ann\\\\photo.png", "photo.png"),
    ("a/b\\\\c.txt", "c.txt"),
    ("....//x", "x"),
    ("..&#x2F;x.txt", "x.txt"),
    ("&sol;etc&sol;x", "x"),
    ("&lt;b&gt;.txt", "<b>.txt"),
    ("a&#0;b", "a\u{fffd}b"),
    ("a\tb.txt", "ab.txt"),
    ("\u{202e}gpj.exe", "gpj.exe"),
    ("a\u{200b}.txt", "a.txt"),
    ("é.txt", "é.txt"),
    (".htaccess", ".htaccess"),
    ("CON", "CON"),
    ("a;b.txt", "a;b.txt"),
    ("a%2Fb.txt", "a%2Fb.txt"),
    ("%2e%2e", "%2e%2e"),
];

#[tokio::test]
async fn name_of_a_file_is_what_django_makes_of_it() {
    let mut site = Site::start().await;
    let long = format!("{}.txt", "x".repeat(300));
    let cut = format!("{}.txt", "x".repeat(251));
    for (claimed, name) in NAMES.iter().copied().chain([(long.as_str(), cut.as_str())]) {
        let reply = site
            .post("/paper", &[title(), file("paper", claimed, TEXT)])
            .await;
        assert_eq!(reply.text(), "kept The safe", "{claimed:?}");
        let noted = site.noted().pop().unwrap();
        assert_eq!(noted.file_name, name, "{claimed:?}");
        assert_eq!(noted.name.to_string().len(), 32);
    }
    assert_eq!(
        site.files().len(),
        NAMES.len() + 1,
        "each under a name of its own"
    );
}

#[tokio::test]
async fn name_in_the_way_of_mails_is_never_a_path() {
    let mut site = Site::start().await;
    // RFC 7578, 4.2 forbids it in forms, and no browser sends it.
    let alone = with_headers("name=\"paper\"; filename*=UTF-8''..%2F..%2Fevil.txt", TEXT);
    let reply = site.post("/paper", &[title(), alone]).await;
    assert!(
        reply.text().contains("This field is required."),
        "{}",
        reply.text()
    );
    let both = "name=\"paper\"; filename=\"a.txt\"; filename*=UTF-8''..%2F..%2Fevil.txt";
    let reply = site.post("/paper", &[title(), with_headers(both, TEXT)]).await;
    assert_eq!(reply.text(), "kept The safe");
    assert_eq!(site.noted()[0].file_name, "a.txt");
}
