//! Stored files on their way out: what their headers say, which part is sent, and what is not.

use axum::body::Body;
use http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderName, Method, Request, StatusCode};
use palisade::media::{Delivery, FileDigest, Media, MediaName, MediaType, StoredFile};
use palisade::{Palisade, Protected, Router, Settings};
use tempfile::TempDir;

use crate::client::{Answer, Client, settings};

/// What the file holds.
const CONTENT: &str = "0123456789";
/// Its tag: the digest that the row notes.
const TAG: &str = "\"0707070707070707070707070707070707070707070707070707070707070707\"";

/// A site that sends one file to everybody: who may have it is asked elsewhere.
struct Site {
    client: Client,
    _folder: TempDir,
}

impl Site {
    async fn sending(file_name: &str, media_type: MediaType) -> Self {
        Self::with(settings(), |file| StoredFile {
            file_name: file_name.to_owned(),
            media_type,
            ..file
        })
        .await
    }

    async fn with(settings: Settings, noted: impl Fn(StoredFile) -> StoredFile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let file = noted(keep(&media, folder.path(), CONTENT).await);
        Self {
            client: Client::new(&site(settings, media, file)),
            _folder: folder,
        }
    }

    async fn ask(&self, method: Method, headers: &[(HeaderName, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri("/file");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        self.client.send(request.body(Body::empty()).unwrap()).await
    }

    async fn get(&self, headers: &[(HeaderName, &str)]) -> Answer {
        self.ask(Method::GET, headers).await
    }
}

/// Keeps a text, and says what a row would note of it.
pub(crate) async fn keep(media: &Media, folder: &std::path::Path, content: &str) -> StoredFile {
    let (spooled, name) = (folder.join("spooled"), MediaName::draw());
    std::fs::write(&spooled, content).unwrap();
    media.store().keep(&spooled, &name).await.unwrap();
    StoredFile {
        name,
        file_name: "a file.txt".to_owned(),
        media_type: MediaType::Text,
        size: content.len() as u64,
        digest: FileDigest([7; 32]),
    }
}

fn site(settings: Settings, media: Media, file: StoredFile) -> Protected {
    let (saved, shown, kept) = (file.clone(), file.clone(), file);
    let routes = Router::new()
        .route(
            "/file",
            axum::routing::get(async move |delivery: Delivery| delivery.attachment(&saved).await),
        )
        .route(
            "/shown",
            axum::routing::get(async move |delivery: Delivery| delivery.inline(&shown).await),
        )
        .route(
            "/kept",
            axum::routing::get(async move |delivery: Delivery| {
                delivery.kept_by_browser().attachment(&kept).await
            }),
        );
    Palisade::new(settings)
        .with_media(media)
        .protect(routes.public())
        .unwrap()
}

#[tokio::test]
async fn file_is_an_attachment_that_runs_nothing_and_nobody_keeps() {
    let site = Site::sending("a file.txt", MediaType::Text).await;
    let answer = site.get(&[]).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, CONTENT));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "10"),
        ("content-disposition", "attachment; filename=\"a file.txt\""),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("accept-ranges", "bytes"),
        ("etag", TAG),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox") && !policy.contains("allow-"),
        "{policy}"
    );
    let kept = site.client.get("/kept").await;
    assert_eq!(kept.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn pictures_alone_are_shown_in_place() {
    let picture = Site::sending("a.png", MediaType::Png).await;
    let shown = picture.client.get("/shown").await;
    assert_eq!(shown.header("content-disposition"), "inline; filename=\"a.png\"");
    assert_eq!(shown.header("content-type"), "image/png");
    let text = Site::sending("a.txt", MediaType::Text).await;
    let saved = text.client.get("/shown").await;
    assert_eq!(
        saved.header("content-disposition"),
        "attachment; filename=\"a.txt\""
    );
}

#[tokio::test]
async fn name_is_written_so_that_it_cannot_become_another_header_or_another_name() {
    for (name, disposition) in [
        ("Ärger.pdf", "attachment; filename*=utf-8''%C3%84rger.pdf.txt"),
        ("a\".exe", "attachment; filename=\"a\\\".exe.txt\""),
        (
            "a\r\nSet-Cookie: b=c",
            "attachment; filename*=utf-8''a%0D%0ASet-Cookie%3A%20b%3Dc.txt",
        ),
        (
            "写真.png",
            "attachment; filename*=utf-8''%E5%86%99%E7%9C%9F.png.txt",
        ),
    ] {
        let site = Site::sending(name, MediaType::Text).await;
        let answer = site.get(&[]).await;
        assert_eq!(answer.header("content-disposition"), disposition);
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn part_of_a_file_is_sent_to_who_asks_for_it() {
    let site = Site::sending("a.txt", MediaType::Text).await;
    for (range, status, text, content_range) in [
        ("bytes=0-0", 206, "0", "bytes 0-0/10"),
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=0-3,2-5", 206, "012345", "bytes 0-5/10"),
        ("bytes=0-0,-1", 200, CONTENT, ""),
        ("bytes=4-2", 200, CONTENT, ""),
        ("chapters=1", 200, CONTENT, ""),
    ] {
        let answer = site.get(&[(RANGE, range)]).await;
        assert_eq!(answer.status.as_u16(), status, "{range}");
        assert_eq!(answer.text, text, "{range}");
        assert_eq!(answer.header("content-range"), content_range, "{range}");
        assert_eq!(answer.header("content-length"), text.len().to_string(), "{range}");
    }
    let beyond = site.get(&[(RANGE, "bytes=10-")]).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */10");
    assert!(!beyond.text.contains(CONTENT));
}

#[tokio::test]
async fn download_goes_on_only_with_the_same_file() {
    let site = Site::sending("a.txt", MediaType::Text).await;
    let range = (RANGE, "bytes=5-");
    for (condition, status) in [
        ((IF_RANGE, TAG), 206),
        ((IF_RANGE, "\"another\""), 200),
        ((IF_RANGE, "Mon, 23 Nov 2026 00:00:00 GMT"), 200),
        ((IF_MATCH, TAG), 206),
        ((IF_MATCH, "*"), 206),
        ((IF_MATCH, "\"another\""), 412),
        ((IF_NONE_MATCH, TAG), 304),
        ((IF_NONE_MATCH, "\"another\""), 206),
    ] {
        let answer = site.get(&[range.clone(), condition.clone()]).await;
        assert_eq!(answer.status.as_u16(), status, "{condition:?}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let site = Site::sending("a.txt", MediaType::Text).await;
    let weak = format!("\"older\", W/{TAG}");
    for tags in [TAG, weak.as_str(), "*"] {
        let answer = site.get(&[(IF_NONE_MATCH, tags)]).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::NOT_MODIFIED, "")
        );
        assert_eq!(answer.header("etag"), TAG);
    }
}

#[tokio::test]
async fn head_says_the_same_without_the_file() {
    let site = Site::sending("a.txt", MediaType::Text).await;
    let head = site.ask(Method::HEAD, &[]).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.header("content-length"), "10");
    assert_eq!(head.header("etag"), TAG);
}

#[tokio::test]
async fn file_that_is_not_what_was_noted_is_a_fault_and_never_sent() {
    let larger = Site::with(settings(), |file| StoredFile { size: 9, ..file }).await;
    let answer = larger.get(&[]).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.text.contains("01234"));
    let missing = Site::with(settings(), |file| StoredFile {
        name: MediaName::draw(),
        ..file
    })
    .await;
    assert_eq!(missing.get(&[]).await.status, StatusCode::NOT_FOUND);
}
