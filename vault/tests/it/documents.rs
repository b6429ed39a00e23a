//! Documents: kept, fetched, shared and deleted, and refused for what is wrong with them.

use std::fs;

use crate::site::{Site, Visitor};

const TEXT: &[u8] = b"the combination is 4711\n";
/// A picture of one grey point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDATx\x9cch\0\0\0\x82\0\x81\x77\xcdr\xb6\0\0\0\0IEND\xaeB`\x82";

/// Everything that lies in the store, with what it holds.
fn stored(site: &Site) -> Vec<Vec<u8>> {
    let mut folders = vec![site.folder.path().join("media")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(fs::read(path).unwrap());
            }
        }
    }
    found.retain(|content| !content.is_empty());
    found
}

async fn shared(owner: &mut Visitor, with: &str) {
    owner
        .submit("/documents/1/share/", &[("username", with), ("until", "")])
        .await
        .leads_to("/documents/1/share/");
}

#[tokio::test]
async fn document_is_kept_found_fetched_and_deleted() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.open("/documents/").await.says("Nothing here yet");
    anna.keep("The safe", "safe & code.txt", TEXT)
        .await
        .leads_to("/documents/1/");
    anna.open("/documents/1/")
        .await
        .says("The document is kept.")
        .says("The safe")
        .says("safe &amp; code.txt")
        .says("24 bytes")
        .hides("<img");
    anna.open("/documents/")
        .await
        .says("The safe")
        .says("Text, 24 bytes");
    let file = anna.open("/documents/1/file/").await;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, TEXT));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", "attachment; filename=\"safe & code.txt\""),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(file.header(name), value, "{name}");
    }
    assert!(file.header("content-security-policy").contains("sandbox"));
    assert_eq!(stored(&site).len(), 1);

    anna.open("/documents/1/delete/").await.leads_to("/documents/1/");
    let token = anna.open("/documents/1/").await.token();
    anna.post("/documents/1/delete/", &[], &token)
        .await
        .leads_to("/documents/");
    assert_eq!(anna.open("/documents/1/file/").await.status, 404);
    assert!(stored(&site).is_empty(), "the file is gone, too");
}

#[tokio::test]
async fn document_without_a_title_is_called_as_its_file() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.keep("", "../../etc/passwd", TEXT)
        .await
        .leads_to("/documents/1/");
    anna.open("/documents/1/").await.says("<h1>passwd</h1>");
}

#[tokio::test]
async fn picture_is_shown_on_its_page() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.keep("A point", "point.png", PNG)
        .await
        .leads_to("/documents/1/");
    anna.open("/documents/1/")
        .await
        .says("<img src=\"/documents/1/picture/\" alt=\"A point\">");
    let picture = anna.open("/documents/1/picture/").await;
    assert_eq!(picture.header("content-type"), "image/png");
    assert!(picture.header("content-disposition").starts_with("inline"));
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_and_nothing_is_kept() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    anna.keep("x", "", b"").await.refuses("document", "");
    anna.keep("x", "empty.txt", b"")
        .await
        .refuses("document", "The submitted file is empty.");
    for (name, content) in [
        ("page.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("program", b"\x7fELF\x02\x01\x01"),
        ("picture.png", &PNG[..40]),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ] {
        anna.keep("x", name, content).await.refuses("document", "");
    }
    let large = vec![b'a'; 11 * 1024 * 1024];
    anna.keep("x", "large.txt", &large).await.refuses("document", "");
    anna.open("/documents/").await.says("Nothing here yet");
    assert!(stored(&site).is_empty());
}

#[tokio::test]
async fn document_is_its_owners_until_it_is_shared_and_when_it_was_taken_back() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    anna.keep("The safe", "safe.txt", TEXT).await;
    let places = [
        "/documents/1/",
        "/documents/1/file/",
        "/documents/1/picture/",
        "/documents/1/share/",
        "/documents/1/delete/",
    ];
    for path in places {
        assert_eq!(bob.open(path).await.status, 404, "{path}");
        let stranger = site.visitor().open(path).await;
        assert_eq!(stranger.status, 302, "{path}");
        stranger.hides("4711");
    }
    bob.open("/documents/").await.hides("The safe");

    shared(&mut anna, "bob").await;
    bob.open("/documents/")
        .await
        .says("Shared with you")
        .says("The safe")
        .says("from anna");
    bob.open("/documents/1/")
        .await
        .says("by anna, who shares it with you")
        .hides("/share/")
        .hides("/delete/");
    assert_eq!(&bob.open("/documents/1/file/").await.body[..], TEXT);
    for path in ["/documents/1/share/", "/documents/1/delete/"] {
        assert_eq!(bob.open(path).await.status, 404, "{path}");
    }

    let token = anna.open("/documents/1/share/").await.token();
    anna.post("/documents/1/revoke/", &[("username", "bob")], &token)
        .await
        .leads_to("/documents/1/share/");
    assert_eq!(bob.open("/documents/1/file/").await.status, 404);
    bob.open("/documents/").await.hides("The safe");
}

#[tokio::test]
async fn who_shares_may_be_given_up() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut bob = site.member("bob").await;
    anna.keep("The safe", "safe.txt", TEXT).await;
    shared(&mut anna, "bob").await;
    let token = bob.open("/documents/1/").await.token();
    bob.post("/documents/1/leave/", &[], &token)
        .await
        .leads_to("/documents/");
    assert_eq!(bob.open("/documents/1/").await.status, 404);
    assert_eq!(anna.open("/documents/1/").await.status, 200);
}
