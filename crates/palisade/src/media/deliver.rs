//! Sends a stored file to somebody who was let in, so that it is kept or shown and never run.
//!
//! 1. What the row says is held against what the store has: another size is a fault (500), never another file.
//! 2. `If-Match`, `If-None-Match`, `If-Range` and `Range` are answered as RFC 9110 says, by the digest of the bytes.
//! 3. The answer is an attachment under the client's name (RFC 6266), of the type that the bytes have, with a policy that gives
//!    it no script, no origin and no frame (`Content-Security-Policy: sandbox`). Pictures may be shown in place when asked.
//! 4. Nobody keeps it (`Cache-Control: no-store`), unless the handler lets browsers keep it and ask each time.
//!
//! # Security
//!
//! Who may have the file is not asked here: a handler gets its [`StoredFile`] from a row that asked.

use axum::body::Body;
use axum::extract::FromRequestParts;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, request};
use palisade_core::header::{EntityTag, RangeAnswer, byte_range, content_disposition};

use super::{Media, MediaError, StoredFile};
use crate::rejection::Rejection;
use crate::stack::StackContext;

/// Runs nothing, loads nothing, is framed by nobody, and has an origin of its own.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
);
/// Nobody keeps it.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The browser of who was let in may keep it, and asks each time whether it still may show it.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Where nginx finds the file that it sends itself.
const X_ACCEL_REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");

/// Sends stored files: an extractor of what the request says about ranges and about what the client has.
///
/// # Example
///
/// ```
/// use palisade::Rejection;
/// use palisade::axum::body::Body;
/// use palisade::axum::http::Response;
/// use palisade::media::{Delivery, FileDigest, MediaName, MediaType, StoredFile};
/// use palisade::rows::Owned;
///
/// #[derive(Owned)]
/// #[owned(table = "document", id = "id", owner = "owner", name = "document")]
/// struct Document {
///     id: i64,
///     media: MediaName,
///     file_name: String,
///     media_type: MediaType,
///     size: i64,
///     digest: FileDigest,
/// }
///
/// impl Document {
///     fn file(&self) -> StoredFile {
///         StoredFile {
///             name: self.media,
///             file_name: self.file_name.clone(),
///             media_type: self.media_type,
///             size: self.size.unsigned_abs(),
///             digest: self.digest,
///         }
///     }
/// }
///
/// async fn download(document: Owned<Document>, delivery: Delivery) -> Result<Response<Body>, Rejection> {
///     delivery.attachment(&document.file()).await
/// }
/// # let _: palisade::axum::Router = palisade::axum::Router::new().route("/{id}/", palisade::axum::routing::get(download));
/// ```
///
/// # Errors
///
/// 404 where the store has no such file, 412 and 416 as the RFC says, 503 where the store cannot answer, 500 where it has something
/// else than the row says.
#[derive(Debug)]
pub struct Delivery {
    media: Media,
    method: Method,
    asked: Asked,
    kept_by_browser: bool,
}

/// What a request says about ranges and about what the client has.
#[derive(Debug, Default)]
struct Asked {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_range: Option<String>,
    range: Option<String>,
}

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        // A list may come in several fields, which are one (RFC 9110, 5.3).
        let joined = |name: &HeaderName| {
            let fields: Vec<&str> = headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .collect();
            (!fields.is_empty()).then(|| fields.join(", "))
        };
        let single = |name: &HeaderName| {
            let mut fields = headers.get_all(name).iter();
            let field = fields.next().filter(|_| fields.next().is_none())?;
            field.to_str().ok().map(str::to_owned)
        };
        Self {
            if_match: joined(&IF_MATCH),
            if_none_match: joined(&IF_NONE_MATCH),
            if_range: single(&IF_RANGE),
            range: single(&RANGE),
        }
    }

    /// What is to be sent, in the order of RFC 9110, section 13.2.2. Of a `HEAD` no range is heard (14.2).
    fn answer(&self, tag: &EntityTag, size: u64, is_get: bool) -> Answer {
        if self
            .if_match
            .as_ref()
            .is_some_and(|list| !tag.is_in_if_match(list))
        {
            return Answer::Other;
        }
        if self
            .if_none_match
            .as_ref()
            .is_some_and(|list| tag.is_in_if_none_match(list))
        {
            return Answer::Same;
        }
        let Some(range) = self.range.as_ref().filter(|_| is_get) else {
            return Answer::Whole;
        };
        if self.if_range.as_ref().is_some_and(|has| !tag.is_if_range(has)) {
            return Answer::Whole;
        }
        match byte_range(range, size) {
            RangeAnswer::Whole => Answer::Whole,
            RangeAnswer::Part(part) => Answer::Part(part),
            RangeAnswer::Unsatisfiable => Answer::Beyond,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Whole,
    Part(std::ops::Range<u64>),
    /// 304: the client has it.
    Same,
    /// 412: the client means something else.
    Other,
    /// 416: there are no such bytes.
    Beyond,
}

impl<S: Sync> FromRequestParts<S> for Delivery {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Self, Rejection> {
        let media = StackContext::of(&parts.extensions)?.media()?.clone();
        Ok(Self {
            media,
            method: parts.method.clone(),
            asked: Asked::of(&parts.headers),
            kept_by_browser: false,
        })
    }
}

impl Delivery {
    /// Lets the browser of who was let in keep the file, and ask each time whether it may still show it (`private, no-cache`).
    ///
    /// # Security
    ///
    /// Whoever sits down at that browser later finds it on its disk.
    #[must_use]
    pub fn kept_by_browser(mut self) -> Self {
        self.kept_by_browser = true;
        self
    }

    /// Sends the file to be saved.
    ///
    /// # Errors
    ///
    /// As [`Delivery`] says.
    pub async fn attachment(self, file: &StoredFile) -> Result<Response<Body>, Rejection> {
        self.send(file, true).await
    }

    /// Sends the file to be shown in place, if it is a picture; anything else is sent to be saved.
    ///
    /// # Errors
    ///
    /// As [`Delivery`] says.
    pub async fn inline(self, file: &StoredFile) -> Result<Response<Body>, Rejection> {
        self.send(file, !file.media_type.shows_inline()).await
    }

    async fn send(self, file: &StoredFile, as_attachment: bool) -> Result<Response<Body>, Rejection> {
        let tag = EntityTag::strong(file.digest.to_string())
            .ok_or_else(|| Rejection::internal("a digest is no entity tag"))?;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(ETAG, value(tag.to_string())?);
        let cache = if self.kept_by_browser {
            REVALIDATE
        } else {
            NO_STORE
        };
        headers.insert(CACHE_CONTROL, cache);
        headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
        let answer = self.asked.answer(&tag, file.size, self.method == Method::GET);
        if answer == Answer::Same {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        match answer {
            Answer::Other => {
                return Err(Rejection::new(
                    StatusCode::PRECONDITION_FAILED,
                    "If-Match names another version of the file",
                ));
            }
            Answer::Beyond => {
                return Err(
                    Rejection::new(StatusCode::RANGE_NOT_SATISFIABLE, "Range lies beyond the file")
                        .with_header(CONTENT_RANGE, value(format!("bytes */{}", file.size))?),
                );
            }
            Answer::Whole | Answer::Part(_) | Answer::Same => {}
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type.mime()));
        if let Some(disposition) =
            content_disposition(as_attachment, Some(&file.media_type.saved_as(&file.file_name)))
        {
            headers.insert(CONTENT_DISPOSITION, value(disposition)?);
        }
        if let Some(place) = self.media.accelerated(&file.name) {
            // The server in front reads the file and answers ranges; the path is no part of what anybody sent.
            headers.insert(X_ACCEL_REDIRECT, value(place)?);
            return Ok(response);
        }
        let range = match answer {
            Answer::Part(range) => {
                let (first, last) = (range.start, range.end.saturating_sub(1));
                headers.insert(
                    CONTENT_RANGE,
                    value(format!("bytes {first}-{last}/{}", file.size))?,
                );
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                range
            }
            _ => 0..file.size,
        };
        let length = range.end.saturating_sub(range.start);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        let opened = self.media.open(&file.name).await?;
        if opened.size() != file.size {
            let differs = format!("{} has {} bytes and not {}", file.name, opened.size(), file.size);
            return Err(MediaError::Damaged(differs).into());
        }
        if self.method != Method::HEAD {
            let (body, told) = opened.told_body(range);
            if let Some(told) = told {
                response.extensions_mut().insert(told);
            }
            *response.body_mut() = body;
        }
        Ok(response)
    }
}

fn value(text: String) -> Result<HeaderValue, Rejection> {
    HeaderValue::try_from(text)
        .map_err(|error| Rejection::internal("a header cannot be written").caused_by(&error))
}
