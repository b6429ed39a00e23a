//! `exposed-media`: documents are guessed, fetched by others, replaced, and made into pages and bombs.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use testkit::Visitor;
use testkit::visitor::{BOUNDARY, Reply, Upload, multipart};

use super::{Outcome, member};
use crate::Target;

/// What the owner's document holds, and what it is called.
pub(super) const SECRET: &str = "insurance number 4711-0815\n";
const NAME: &str = "insurance.txt";
/// A photo of eight by eight points that says where it was taken.
const PHOTO: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/4QA+RXhpZgAATU0AKgAAAAgAAQEOAAIAAAAbAAAAGgAAAAA0OC44NTgzNzAsMi4yOTQ0ODEgYXQgaG9tZQAA/9sAQwBQNzxGPDJQRkFGWlVQX3jIgnhubnj1r7mRyP///////////////////////////////////////////////////8AACwgACAAIAQERAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAAgBAQAAPwAr/9k=";
const PLACE: &[u8] = b"48.858370,2.294481";
/// Points on a side of the bomb: no page is as wide, and no memory as large.
const SIDE: u32 = 60_000;

/// A site on which Valerie keeps a document, and somebody else is logged in.
pub(super) struct Scene {
    pub(super) owner: Visitor,
    pub(super) thief: Visitor,
    pub(super) stranger: Visitor,
    pub(super) document: String,
}

impl Scene {
    pub(super) async fn on(target: &Target) -> Result<Scene> {
        Scene::with(target, NAME, "text/plain", SECRET.as_bytes()).await
    }

    async fn with(target: &Target, name: &str, content_type: &str, content: &[u8]) -> Result<Scene> {
        let mut owner = member(target, "valerie").await?;
        let thief = member(target, "mallory").await?;
        let kept = keep(&mut owner, name, content_type, content).await?;
        let document =
            place(&kept).with_context(|| format!("the document was answered with {}", kept.status))?;
        Ok(Scene {
            owner,
            thief,
            stranger: target.visitor()?,
            document,
        })
    }

    pub(super) fn at(&self, room: &str) -> String {
        format!("{}{room}/", self.document)
    }

    /// As the owner, fetches the document, to be sure that it is there.
    async fn fetched(&mut self) -> Result<Reply> {
        let file = self.at("file");
        let reply = self.owner.open(&file).await?;
        ensure!(
            reply.status.is_success(),
            "the owner's own document was answered with {}",
            reply.status
        );
        Ok(reply)
    }

    /// As the owner, shares the document with the thief, who then sees it.
    async fn share(&mut self) -> Result<()> {
        let share = self.at("share");
        let fields = [("username", "mallory"), ("until", "")];
        let reply = self.owner.submit(&share, &fields).await?;
        ensure!(
            reply.status.is_redirection(),
            "sharing was answered with {}",
            reply.status
        );
        let file = self.at("file");
        let reply = self.thief.open(&file).await?;
        ensure!(
            reply.status.is_success(),
            "what is shared was answered with {}",
            reply.status
        );
        Ok(())
    }
}

/// Sends a file to be kept.
pub(super) async fn keep(
    visitor: &mut Visitor,
    name: &str,
    content_type: &str,
    content: &[u8],
) -> Result<Reply> {
    let file = Upload {
        field: "document",
        name,
        content_type,
        content,
    };
    visitor
        .upload("/documents/new/", &[("title", "a document")], &file)
        .await
}

/// Where the document is that was just kept, if it was.
pub(super) fn place(kept: &Reply) -> Option<String> {
    let location = kept.headers.get(header::LOCATION)?.to_str().ok()?;
    let is_one = kept.status.is_redirection()
        && location
            .strip_prefix("/documents/")
            .is_some_and(|id| id.trim_end_matches('/').parse::<u64>().is_ok());
    is_one.then(|| location.to_owned())
}

/// Asks each address for the secret.
pub(super) async fn tell(visitor: &mut Visitor, addresses: &[String], secret: &[u8]) -> Result<Outcome> {
    let mut seen = Vec::new();
    for address in addresses {
        let reply = visitor.open(address).await?;
        let evidence = format!("{address} was answered with {}", reply.status);
        if holds(&reply.body, secret) {
            return Ok(Outcome::new(true, evidence));
        }
        seen.push(evidence);
    }
    Ok(Outcome::new(false, seen.join("; ")))
}

pub(super) fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// Guesses under which address a web server would serve the upload of somebody else.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn document_guessed_by_its_name(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.fetched().await?;
    let folders = [
        "/media",
        "/media/documents",
        "/uploads",
        "/files",
        "/static",
        "/documents",
        "/data/media",
    ];
    let addresses: Vec<String> = folders.map(|folder| format!("{folder}/{NAME}")).into();
    tell(&mut scene.stranger, &addresses, SECRET.as_bytes()).await
}

/// Counts through the numbers of documents while logged in as somebody else.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn document_fetched_by_its_number(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.fetched().await?;
    let addresses = [scene.at("file"), scene.at("picture"), scene.document.clone()];
    tell(&mut scene.thief, &addresses, SECRET.as_bytes()).await
}

/// Goes on fetching a document after it was no longer shared, from the addresses that were seen while it was.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn document_fetched_after_it_was_taken_back(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    scene.share().await?;
    let revoke = scene.at("revoke");
    let share = scene.at("share");
    let token = scene.owner.open(&share).await?.field("csrfmiddlewaretoken");
    let token = token.unwrap_or_default();
    let origin = scene.owner.origin();
    let request = scene
        .owner
        .request(http::Method::POST, &revoke)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, &origin);
    let fields = [("username", "mallory"), ("csrfmiddlewaretoken", token.as_str())];
    let taken = scene
        .owner
        .send(request, testkit::visitor::form(&fields).into())
        .await?;
    ensure!(
        taken.status.is_redirection(),
        "taking back was answered with {}",
        taken.status
    );
    let addresses = [scene.at("file"), scene.at("picture")];
    tell(&mut scene.thief, &addresses, SECRET.as_bytes()).await
}

/// Uploads files called like somebody else's, and like a way to it, to take its place.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn document_replaced_by_one_of_its_name(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let words = b"pay to mallory\n";
    for name in [
        NAME.to_owned(),
        format!("../{NAME}"),
        format!("..\\\\{NAME}"),
        format!("&#46;&#46;&#47;{NAME}"),
        format!("/media/{NAME}"),
    ] {
        keep(&mut scene.thief, &name, "text/plain", words).await?;
        let fetched = scene.fetched().await?;
        if holds(&fetched.body, words) {
            return Ok(Outcome::new(true, format!("{name} took the place of {NAME}")));
        }
    }
    Ok(Outcome::new(false, "the owner's document is what it was"))
}

/// Whether a browser would run what is sent, as a page or a script of the site.
fn would_run(headers: &HeaderMap) -> bool {
    let header = |name: header::HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let content_type = header(header::CONTENT_TYPE);
    let is_active = ["html", "svg", "xml", "javascript"]
        .iter()
        .any(|kind| content_type.contains(kind));
    let is_sniffed = header(header::X_CONTENT_TYPE_OPTIONS) != "nosniff";
    let is_confined = header(header::CONTENT_SECURITY_POLICY).contains("sandbox")
        || header(header::CONTENT_DISPOSITION).starts_with("attachment");
    (is_active || is_sniffed) && !is_confined
}

/// Uploads a file and looks whether the site would run it for a visitor.
async fn run_from_the_site(
    target: &Target,
    name: &str,
    content_type: &str,
    content: &[u8],
) -> Result<Outcome> {
    let mut thief = member(target, "mallory").await?;
    keep_one(&mut thief).await?;
    let kept = keep(&mut thief, name, content_type, content).await?;
    let Some(document) = place(&kept) else {
        return refused(&kept);
    };
    for room in ["file", "picture"] {
        let sent = thief.open(&format!("{document}{room}/")).await?;
        if sent.status.is_success() && holds(&sent.body, content) && would_run(&sent.headers) {
            let as_what = sent.headers.get(header::CONTENT_TYPE);
            return Ok(Outcome::new(true, format!("{name} is served as {as_what:?}")));
        }
    }
    Ok(Outcome::new(false, format!("{name} was kept and is not run")))
}

/// Uploads a page with script in it that is called a picture.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn page_called_a_picture(target: &Target) -> Result<Outcome> {
    let page = b"<!doctype html><script>document.title = document.cookie</script>";
    run_from_the_site(target, "holiday.png", "image/png", page).await
}

/// Uploads a page and a good file under one name, in either order, for the form to look at one and keep the other.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn page_beside_a_good_file(target: &Target) -> Result<Outcome> {
    let page = Upload {
        field: "document",
        name: "holiday.html",
        content_type: "text/html",
        content: b"<!doctype html><script>document.title = document.cookie</script>",
    };
    let good = Upload {
        name: NAME,
        content_type: "text/plain",
        content: SECRET.as_bytes(),
        ..page
    };
    let mut thief = member(target, "mallory").await?;
    keep_one(&mut thief).await?;
    let mut seen = Vec::new();
    for (first, second) in [(page, good), (good, page)] {
        let kept = keep_both(&mut thief, &first, &second).await?;
        seen.push(format!("{} and {}: {}", first.name, second.name, kept.status));
        let Some(document) = place(&kept) else { continue };
        let sent = thief.open(&format!("{document}file/")).await?;
        if holds(&sent.body, page.content) && would_run(&sent.headers) {
            return Ok(Outcome::new(true, format!("{} is served", page.name)));
        }
    }
    Ok(Outcome::new(false, seen.join("; ")))
}

/// Sends two files under one name, as a field of several does.
async fn keep_both(visitor: &mut Visitor, first: &Upload<'_>, second: &Upload<'_>) -> Result<Reply> {
    let both = [multipart(&[], first), multipart(&[], second)].map(|parts| without_end(&parts));
    keep_parts(visitor, &both.concat()).await
}

/// The parts of a form without what ends it, for more to follow.
fn without_end(parts: &[u8]) -> Vec<u8> {
    let end = format!("--{BOUNDARY}--\r\n");
    parts.strip_suffix(end.as_bytes()).unwrap_or(parts).to_vec()
}

/// Sends a document's form with these parts, which are not ended.
async fn keep_parts(visitor: &mut Visitor, parts: &[u8]) -> Result<Reply> {
    let token = visitor
        .open("/documents/new/")
        .await?
        .field("csrfmiddlewaretoken");
    let token = token.unwrap_or_default();
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nparts\r\n"
    );
    let end = format!("--{BOUNDARY}--\r\n");
    let request = visitor
        .request(http::Method::POST, "/documents/new/")
        .header(
            header::CONTENT_TYPE,
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .header(header::ORIGIN, visitor.origin());
    let body = [head.as_bytes(), parts, end.as_bytes()].concat();
    visitor.send(request, body.into()).await
}

/// The form was shown again, with what is wrong with the file.
fn refused(reply: &Reply) -> Result<Outcome> {
    ensure!(
        reply.status == StatusCode::UNPROCESSABLE_ENTITY,
        "the file was answered with {}",
        reply.status
    );
    Ok(Outcome::new(false, "the form is shown again".to_owned()))
}

/// Sends one good file, to be sure that it is not the form that is refused.
async fn keep_one(visitor: &mut Visitor) -> Result<()> {
    let file = Upload {
        field: "document",
        name: NAME,
        content_type: "text/plain",
        content: SECRET.as_bytes(),
    };
    let kept = keep_parts(visitor, &without_end(&multipart(&[], &file))).await?;
    ensure!(
        place(&kept).is_some(),
        "one good file was answered with {}",
        kept.status
    );
    Ok(())
}

/// Sends a thousand and one files with one form.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn form_of_a_thousand_files(target: &Target) -> Result<Outcome> {
    let mut thief = member(target, "mallory").await?;
    let file = Upload {
        field: "document",
        name: NAME,
        content_type: "text/plain",
        content: SECRET.as_bytes(),
    };
    keep_one(&mut thief).await?;
    let files = without_end(&multipart(&[], &file)).repeat(1_001);
    let kept = keep_parts(&mut thief, &files).await?;
    if place(&kept).is_some() {
        return Ok(Outcome::new(true, "the files were taken".to_owned()));
    }
    // Not the form with a sentence: the files were not even read.
    ensure!(
        kept.status == StatusCode::BAD_REQUEST,
        "the files were answered with {}",
        kept.status
    );
    Ok(Outcome::new(false, "they were counted".to_owned()))
}

/// Sends files in base64: one that is cut off within a letter, and one of nothing but white space, which is read to find any.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn file_that_is_encoded(target: &Target) -> Result<Outcome> {
    let mut thief = member(target, "mallory").await?;
    keep_one(&mut thief).await?;
    let mut seen = Vec::new();
    for content in ["aGVsbG8gd29ybG".to_owned(), " \r\n\t ".repeat(1_000_000)] {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"document\"; filename=\"{NAME}\"\r\n\
             Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{content}\r\n"
        );
        let kept = keep_parts(&mut thief, part.as_bytes()).await?;
        if place(&kept).is_some() {
            return Ok(Outcome::new(
                true,
                format!("{} bytes of base64 were kept", content.len()),
            ));
        }
        seen.push(format!("{} bytes: {}", content.len(), kept.status));
    }
    Ok(Outcome::new(false, seen.join("; ")))
}

/// Uploads a drawing (SVG) that holds a script.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn script_in_a_drawing(target: &Target) -> Result<Outcome> {
    let drawing = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.domain)</script></svg>"#;
    run_from_the_site(target, "logo.svg", "image/svg+xml", drawing).await
}

/// Uploads a file that is a picture for who looks at its beginning, and a script for who runs it.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn picture_that_is_a_script(target: &Target) -> Result<Outcome> {
    let mut thief = member(target, "mallory").await?;
    // Of a size that nobody hides a script in, it is a good picture.
    let kept = keep(&mut thief, "small.gif", "image/gif", &gif([8, 0, 8, 0])).await?;
    ensure!(
        place(&kept).is_some(),
        "the picture itself was answered with {}",
        kept.status
    );
    // The first line ends in the table of colours, and the script begins behind it.
    let kept = keep(&mut thief, "both.gif", "image/gif", &gif(*b";//\0")).await?;
    if place(&kept).is_some() {
        return Ok(Outcome::new(true, "the script was kept as a picture".to_owned()));
    }
    refused(&kept)
}

/// A GIF of one point on a screen of this size, whose two colours are the second line of a script.
fn gif(screen: [u8; 4]) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend_from_slice(&screen);
    gif.extend_from_slice(&[0x80, 0, 0]);
    gif.extend_from_slice(b"\na()//");
    gif.extend_from_slice(&[0x2c, 0, 0, 0, 0, 1, 0, 1, 0]);
    gif.extend_from_slice(&[0, 2, 2, 0x44, 0x01, 0, 0x3b]);
    gif
}

/// Uploads an archive behind a picture, for who opens it from its end.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn archive_behind_a_picture(target: &Target) -> Result<Outcome> {
    let archive = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let both = [STANDARD.decode(PHOTO)?, archive.clone()].concat();
    let mut thief = member(target, "mallory").await?;
    let kept = keep(&mut thief, "photo.jpg", "image/jpeg", &both).await?;
    let Some(document) = place(&kept) else {
        return Ok(Outcome::new(
            false,
            format!("the picture was refused with {}", kept.status),
        ));
    };
    // What stands behind a photograph may be cut off instead.
    let sent = thief.open(&format!("{document}file/")).await?;
    ensure!(
        sent.status.is_success(),
        "the picture is answered with {}",
        sent.status
    );
    let is_there = holds(&sent.body, &archive);
    Ok(Outcome::new(
        is_there,
        format!("the archive is there: {is_there}"),
    ))
}

/// Uploads a picture of a few bytes that says of itself to have billions of points.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn picture_of_billions_of_points(target: &Target) -> Result<Outcome> {
    let mut thief = member(target, "mallory").await?;
    keep_one(&mut thief).await?;
    let kept = keep(&mut thief, "bomb.gif", "image/gif", &bomb()).await?;
    if place(&kept).is_some() {
        return Ok(Outcome::new(true, "the bomb was kept".to_owned()));
    }
    refused(&kept)
}

/// A GIF whose every part is there, of [`SIDE`] by [`SIDE`] points.
fn bomb() -> Vec<u8> {
    let side = u16::try_from(SIDE).unwrap_or(u16::MAX).to_le_bytes();
    let mut gif = b"GIF89a".to_vec();
    gif.extend_from_slice(&[side, side].concat());
    gif.extend_from_slice(&[0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
    gif.extend_from_slice(&[0x2c, 0, 0, 0, 0]);
    gif.extend_from_slice(&[side, side].concat());
    gif.extend_from_slice(&[0, 2, 2, 0x44, 0x01, 0, 0x3b]);
    gif
}

/// Reads out of a shared photo where its owner lives.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn place_in_a_shared_photo(target: &Target) -> Result<Outcome> {
    let photo = STANDARD.decode(PHOTO)?;
    let mut scene = Scene::with(target, "photo.jpg", "image/jpeg", &photo).await?;
    scene.share().await?;
    let addresses = [scene.at("file"), scene.at("picture")];
    tell(&mut scene.thief, &addresses, PLACE).await
}

/// Reads somebody's document out of a cache that several people share.
///
/// # Errors
/// When the attack could not be carried out.
pub async fn document_in_a_shared_cache(target: &Target) -> Result<Outcome> {
    let mut scene = Scene::on(target).await?;
    let reply = scene.fetched().await?;
    let control = reply.headers.get(header::CACHE_CONTROL);
    let control = control.and_then(|value| value.to_str().ok()).unwrap_or_default();
    // RFC 9111: a cache may keep what nobody forbids it to.
    let kept = !["no-store", "private"].iter().any(|word| control.contains(word));
    Ok(Outcome::new(kept, format!("Cache-Control: {control}")))
}
