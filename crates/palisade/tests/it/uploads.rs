//! Files that come with a form: which are taken, what the person is told of the others, and that nothing of these stays.

use std::path::{Path, PathBuf};

use axum::body::{Body, Bytes};
use axum::response::Html;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{Request, StatusCode};
use palisade::csrf::CsrfToken;
use palisade::form::{Checked, Form};
use palisade::media::contract::keeps_files;
use palisade::media::{Media, Upload};
use palisade::{Palisade, Policies as _, Rejection, Router};
use tempfile::TempDir;

use crate::client::{Answer, Client, settings};

/// A picture of one point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01\x48\xaf\xa4\x71\0\0\0\0IEND\xaeB`\x82";

#[derive(Form)]
struct Papers {
    #[form(max_length = 20)]
    title: String,
    #[form(accept = [Png, Text], max_size = 1000)]
    paper: Upload,
    #[form(optional, accept = [Text], max_size = 1000, max_files = 2)]
    others: Vec<Upload>,
    #[form(optional, accept = [Text], max_size = 1_000_000)]
    large: Option<Upload>,
}

struct Site {
    client: Client,
    folder: TempDir,
}

/// A part of a form: its name, what its headers say besides, and what it holds.
type Part<'p> = (&'p str, &'p str, &'p [u8]);

impl Site {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::on_disk(folder.path().join("media")).unwrap();
        let route = axum::routing::get(async |token: CsrfToken| Html(token.input()))
            .post(take)
            .body_limit(1_000_000);
        let app = Palisade::new(settings())
            .with_media(media)
            .protect(Router::new().route("/papers", route).public())
            .unwrap();
        let client = Client::new(&app);
        client.get("/papers").await;
        Self { client, folder }
    }

    fn request(&self, parts: &[Part<'_>]) -> Vec<u8> {
        let token = self.client.cookie("csrftoken").unwrap_or_default();
        let mut body = Vec::new();
        for (name, says, holds) in [("csrfmiddlewaretoken", "", token.as_bytes())]
            .iter()
            .chain(parts)
        {
            let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{says}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(holds);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        body
    }

    async fn post(&self, body: Body) -> Answer {
        let request = Request::post("/papers")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .header(ORIGIN, "https://example.com")
            .body(body);
        self.client.send(request.unwrap()).await
    }

    /// Sends a title and these parts.
    async fn send(&self, parts: &[Part<'_>]) -> Answer {
        let parts = [&[("title", "", &b"A paper"[..])], parts].concat();
        self.post(Body::from(self.request(&parts))).await
    }

    /// What a person is told who sends one file under this name.
    async fn told(&self, file_name: &str, content: &[u8]) -> String {
        let says = format!("; filename=\"{file_name}\"");
        let answer = self.send(&[("paper", &says, content)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.text
    }

    /// Every file below the folder that is no lock.
    fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "lock") {
            found.push(path);
        }
    }
    found
}

/// Keeps what came; by its title, a paper may be lost on the way to its row.
async fn take(form: Checked<Papers>) -> Result<String, Rejection> {
    let form = match form.validate() {
        Ok(form) => form.into_form(),
        Err(form) => return Ok(form.html()),
    };
    let mut said = Vec::new();
    let mut all = vec![form.paper];
    all.extend(form.others);
    all.extend(form.large);
    for upload in all {
        let kept = upload.keep().await?;
        assert_ne!(form.title, "Panic", "a handler that goes wrong");
        if form.title == "Lose" {
            return Err(Rejection::bad_request("there is no row for it"));
        }
        let file = kept.noted();
        said.push(format!(
            "{} is {} of {}",
            file.file_name,
            file.media_type.mime(),
            file.size
        ));
    }
    Ok(said.join("; "))
}

#[tokio::test]
async fn disk_keeps_what_every_store_of_files_must() {
    let folder = tempfile::tempdir().unwrap();
    let media = Media::on_disk(folder.path().join("media")).unwrap();
    keeps_files(media.store(), folder.path()).await;
}

#[tokio::test]
async fn file_is_kept_under_a_name_that_nobody_sent() {
    let site = Site::begin().await;
    assert_eq!(
        site.told("my plan.png", PNG).await,
        format!("my plan.png is image/png of {}", PNG.len())
    );
    let files = site.files();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(std::fs::read(file).unwrap(), PNG);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(!name.contains("plan") && !name.contains("png"), "{name}");
}

#[tokio::test]
async fn what_a_file_is_called_is_a_caption_as_django_cleans_it() {
    let site = Site::begin().await;
    for (called, caption) in [
        ("../../etc/passwd", "passwd"),
        (r"C:\\Users\\ann\\plan.txt", "plan.txt"),
        ("/etc/cron.d/x", "x"),
        ("a&lt;b&gt;.txt", "a<b>.txt"),
    ] {
        assert_eq!(
            site.told(called, b"abc").await,
            format!("{caption} is text/plain; charset=utf-8 of 3"),
            "{called}"
        );
    }
    // A name of which nothing is left is none, so that no file was chosen.
    for called in ["..", ".", "/", "a/.."] {
        assert!(
            site.told(called, b"abc")
                .await
                .contains("This field is required."),
            "{called}"
        );
    }
}

#[tokio::test]
async fn what_a_file_is_stands_in_its_bytes() {
    let site = Site::begin().await;
    for (called, content, says) in [
        (
            "page.png",
            &b"<!doctype html><script>alert(1)</script>"[..],
            "This is a web page",
        ),
        ("a.txt", b"%PDF-1.7\n1 0 obj\nendobj\n", "This is a PDF"),
        (
            "both.png",
            &[PNG, b"PK\x03\x04 and an archive"].concat(),
            "follow its end",
        ),
        ("cut.png", &PNG[..PNG.len() - 4], "cut off"),
    ] {
        let told = site.told(called, content).await;
        assert!(told.contains(says), "{called}: {told}");
    }
    assert_eq!(site.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn sizes_and_counts_are_told_at_the_field_and_nothing_stays() {
    let site = Site::begin().await;
    let (text, long) = ("; filename=\"a.txt\"", vec![b'a'; 1001]);
    assert!(
        site.told("a.txt", &long)
            .await
            .contains("This file is too large: it may have"),
        "one byte too many"
    );
    assert!(
        site.told("a.txt", b"")
            .await
            .contains("The submitted file is empty.")
    );
    assert!(site.told("", b"").await.contains("This field is required."));
    let twice = site
        .send(&[("paper", text, b"one"), ("paper", text, b"two")])
        .await;
    assert!(twice.text.contains("Choose one file at most."), "{}", twice.text);
    let three = [
        ("paper", text, &b"one"[..]),
        ("others", text, b"2"),
        ("others", text, b"3"),
        ("others", text, b"4"),
    ];
    assert!(site.send(&three).await.text.contains("Choose 2 files at most."));
    assert_eq!(site.files(), Vec::<PathBuf>::new());
    let answer = site.send(&three[..3]).await;
    assert_eq!(
        answer.text.matches("a.txt is text/plain").count(),
        3,
        "{}",
        answer.text
    );
    assert_eq!(site.files().len(), 3);
}

#[tokio::test]
async fn one_wrong_file_of_several_refuses_them_all() {
    let site = Site::begin().await;
    let text = "; filename=\"a.txt\"";
    let parts = [
        ("paper", text, &b"one"[..]),
        ("others", text, b"fine"),
        ("others", text, PNG),
    ];
    let answer = site.send(&parts).await;
    assert!(answer.text.contains("This is a PNG"), "{}", answer.text);
    assert_eq!(site.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn request_is_refused_that_no_form_sends() {
    let site = Site::begin().await;
    let text = "; filename=\"a.txt\"";
    let many: Vec<Part<'_>> = (0..101).map(|_| ("others", text, &b"a"[..])).collect();
    assert_eq!(site.send(&many).await.status, StatusCode::BAD_REQUEST);
    let unknown = site.send(&[("paper", text, b"a"), ("photo", text, b"a")]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "no field takes it");
    let large = vec![b'a'; 1_000_001];
    let answer = site.send(&[("paper", text, &large)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    for encoding in ["base64", "quoted-printable", "x-gzip"] {
        let says = format!("{text}\r\nContent-Transfer-Encoding: {encoding}");
        let answer = site.send(&[("paper", &says, b"YWJj")]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{encoding}");
    }
    assert_eq!(site.files(), Vec::<PathBuf>::new());
    for encoding in ["binary", "8bit", "7bit"] {
        let says = format!("{text}\r\nContent-Transfer-Encoding: {encoding}");
        assert!(
            site.send(&[("paper", &says, b"abc")]).await.text.contains("of 3"),
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn nothing_stays_of_a_file_whose_form_is_wrong_or_whose_row_is_not_written() {
    let site = Site::begin().await;
    let text = "; filename=\"a.txt\"";
    for (title, status) in [
        ("a title that is longer than twenty characters", StatusCode::OK),
        ("Lose", StatusCode::BAD_REQUEST),
        ("Panic", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let body = site.request(&[
            ("title", "", title.as_bytes()),
            ("paper", text, b"abc"),
            ("others", text, b"def"),
        ]);
        let answer = site.post(Body::from(body)).await;
        assert_eq!(answer.status, status, "{title}: {}", answer.text);
        gone(&site, title).await;
    }
}

#[tokio::test]
async fn nothing_stays_of_a_file_whose_sender_hangs_up() {
    let site = Site::begin().await;
    // More than is gathered before anything is looked at.
    let large = vec![b'a'; 600_000];
    let body = site.request(&[
        ("title", "", b"A paper"),
        ("large", "; filename=\"a.txt\"", &large),
    ]);
    for cut in [body.len() - 200_000, body.len() - 12] {
        let piece = || Ok::<_, std::io::Error>(Bytes::copy_from_slice(&body[..cut]));
        let broken = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let answer = site
            .post(Body::from_stream(stream::iter([piece(), broken])))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        gone(&site, "broken").await;
        // And of one that falls silent, until its request is given up.
        let silent = stream::iter([piece()]).chain(stream::pending());
        let waiting = site.post(Body::from_stream(silent));
        let waits = tokio::select! {
            _ = waiting => false,
            () = seen(&site) => true,
        };
        assert!(waits, "it was waiting for the rest");
        gone(&site, "silent").await;
    }
}

/// Waits until something of an upload lies on the disk.
async fn seen(site: &Site) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while site.files().is_empty() {
        assert!(std::time::Instant::now() < patience, "nothing was begun");
        tokio::task::yield_now().await;
    }
}

/// Waits until nothing is left: what is deleted behind a request is deleted by another thread.
async fn gone(site: &Site, what: &str) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !site.files().is_empty() {
        assert!(std::time::Instant::now() < patience, "{what}: {:?}", site.files());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn upload_with_a_forged_token_is_not_even_begun() {
    let site = Site::begin().await;
    let body = site.request(&[
        ("title", "", b"A paper"),
        ("paper", "; filename=\"a.txt\"", b"abc"),
    ]);
    let token = site.client.cookie("csrftoken").unwrap();
    let forged = String::from_utf8(body)
        .unwrap()
        .replace(&token, &"a".repeat(token.len()));
    let answer = site.post(Body::from(forged)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(site.files(), Vec::<PathBuf>::new());
}
