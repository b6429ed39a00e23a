//! A small site that takes papers and albums over real HTTP and keeps them on a real disk.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::get;
use bytes::Bytes;
use http::Method;
use palisade::csrf::CsrfToken;
use palisade::form::{Checked, Form};
use palisade::media::{Kept, Media, StoredFile, Upload};
use palisade::serve::{self, Listen};
use palisade::{Palisade, Policies as _, Rejection, Router, Settings};
use tempfile::TempDir;
use testkit::Visitor;
use testkit::visitor::Reply;

/// What stands between the parts of a request.
pub(crate) const BOUNDARY: &str = "----a-boundary-4711";
/// The most bytes of one paper, of which a test sends one more.
pub(crate) const PAPER: usize = 4000;
/// The most bytes of a whole request.
pub(crate) const WHOLE: usize = 20_000;

#[derive(Form)]
struct PaperForm {
    #[form(max_length = 20)]
    title: String,
    #[form(accept = [Png, Text], max_size = 4000)]
    paper: Upload,
}

#[derive(Form)]
struct AlbumForm {
    #[form(accept = [Text], max_size = 4000, max_files = 3)]
    papers: Vec<Upload>,
}

/// The rows of this site: what it noted of each file.
type Noted = Arc<Mutex<Vec<StoredFile>>>;

pub(crate) struct Site {
    pub(crate) visitor: Visitor,
    pub(crate) address: SocketAddr,
    pub(crate) media: Media,
    noted: Noted,
    folder: TempDir,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(|media| media).await
    }

    pub(crate) async fn with(set: impl FnOnce(Media) -> Media) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let media = set(Media::on_disk(folder.path().join("media")).unwrap());
        let noted = Noted::default();
        let app = Palisade::new(behind_a_proxy())
            .with_media(media.clone())
            .protect(routes(&noted))
            .unwrap();
        let bound = serve::serve(app, Listen::plain_behind_proxy("127.0.0.1:0"))
            .bind()
            .await
            .unwrap();
        let address = bound.addresses()[0];
        tokio::spawn(bound.into_future());
        Self {
            visitor: Visitor::behind_proxy(address, "example.com"),
            address,
            media,
            noted,
            folder,
        }
    }

    /// Posts a form of these parts, after the token that the site's page shows.
    pub(crate) async fn post(&mut self, path: &str, parts: &[Vec<u8>]) -> Reply {
        let (head, body) = self.request(path, parts).await;
        self.visitor.send(head, body).await.unwrap()
    }

    pub(crate) async fn request(&mut self, path: &str, parts: &[Vec<u8>]) -> (http::request::Builder, Bytes) {
        let page = self.visitor.open(path).await.unwrap();
        let token = page.field("csrfmiddlewaretoken").unwrap();
        let all = [&[field("csrfmiddlewaretoken", &token)], parts].concat();
        (self.head(path), body(&all))
    }

    /// The head of what a page of this site sends.
    pub(crate) fn head(&self, path: &str) -> http::request::Builder {
        self.visitor
            .request(Method::POST, path)
            .header(
                "Content-Type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header("Origin", self.visitor.origin())
    }

    pub(crate) fn noted(&self) -> Vec<StoredFile> {
        self.noted.lock().unwrap().clone()
    }

    /// Every file in the spool and in the store.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files_below(self.folder.path(), &mut found);
        found
    }

    /// Waits until so many files are there: what goes with a request goes when the server sees that it is over.
    pub(crate) async fn comes_to(&self, files: usize) {
        let there = async {
            while self.files().len() != files {
                tokio::task::yield_now().await;
            }
        };
        let came = tokio::time::timeout(Duration::from_mins(1), there).await;
        came.unwrap_or_else(|_| panic!("{:?}", self.files()));
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    // A folder may go while it is looked into.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.file_name().is_some_and(|name| name != "lock") {
            found.push(path);
        }
    }
}

fn behind_a_proxy() -> Settings {
    let toml = r#"
        allowed_hosts = ["example.com"]
        secure_proxy_ssl_header = ["X-Forwarded-Proto", "https"]
        trusted_proxies = ["127.0.0.0/8"]
    "#;
    let key = ("PALISADE_SECRET_KEY".to_owned(), crate::client::KEY.to_owned());
    Settings::load(Some(toml), [key]).unwrap()
}

async fn page(csrf: CsrfToken) -> axum::response::Html<String> {
    axum::response::Html(format!(
        "<form><input name=\"csrfmiddlewaretoken\" value=\"{}\">",
        csrf.masked()
    ))
}

async fn paper(form: Checked<PaperForm>) -> Result<Result<(String, Kept), String>, Rejection> {
    match form.validate() {
        Ok(form) => {
            let form = form.into_form();
            Ok(Ok((form.title, form.paper.keep().await?)))
        }
        Err(form) => Ok(Err(form.html())),
    }
}

fn routes(noted: &Noted) -> Router {
    let (papers, albums) = (Arc::clone(noted), Arc::clone(noted));
    let note = async move |form: Checked<PaperForm>| -> Result<String, Rejection> {
        let (title, kept) = match paper(form).await? {
            Ok(kept) => kept,
            Err(page) => return Ok(page),
        };
        papers.lock().unwrap().push(kept.file().clone());
        kept.noted();
        Ok(format!("kept {title}"))
    };
    let forget = async |form: Checked<PaperForm>| -> Result<String, Rejection> {
        Ok(match paper(form).await? {
            Ok((_, kept)) => format!("forgotten {}", kept.file().name),
            Err(page) => page,
        })
    };
    let album = async move |form: Checked<AlbumForm>| -> Result<String, Rejection> {
        let form = match form.validate() {
            Ok(form) => form.into_form(),
            Err(form) => return Ok(form.html()),
        };
        for upload in form.papers {
            let file = upload.keep().await?.noted();
            albums.lock().unwrap().push(file);
        }
        Ok("kept".to_owned())
    };
    Router::new()
        .route("/paper", get(page).post(note).body_limit(WHOLE))
        .route("/forget", get(page).post(forget).body_limit(10 * WHOLE))
        .route("/album", get(page).post(album).body_limit(WHOLE))
        .public()
}

/// A field, as a browser writes it.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}").into_bytes()
}

/// A file, as a browser writes it; the name stands between the quotes as it is.
pub(crate) fn file(field: &str, name: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    with_headers(
        &format!("name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: image/png"),
        content,
    )
}

/// A part, of what stands in its headers after `form-data`.
pub(crate) fn with_headers(headers: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut part = format!("Content-Disposition: form-data; {headers}\r\n\r\n").into_bytes();
    part.extend_from_slice(content.as_ref());
    part
}

/// The body of a request.
pub(crate) fn body(parts: &[Vec<u8>]) -> Bytes {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body.into()
}
