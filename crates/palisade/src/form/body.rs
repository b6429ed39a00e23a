//! Reads the body of a request into a [`Submission`].
//!
//! What is counted is what arrives, not what `Content-Length` claims (CVE-2026-33034); the claim can only refuse a
//! request sooner.

use std::sync::Arc;
use std::task::{Poll, ready};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use zeroize::Zeroizing;

use super::held::{Held, PIECE};
use super::multipart::{self, FileFields};
use super::submission::Submission;
use super::{FormPolicy, FormRejection};
use crate::csrf::Room;

/// The most that is set aside for a body before its bytes arrive.
const FIRST_BYTES: usize = 16 * 1024;

/// Reads a form of either encoding.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    policy: &FormPolicy,
    files: Option<&FileFields>,
    room: Option<Room>,
) -> Result<Submission, FormRejection> {
    let claimed = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let content_type = match headers.get(CONTENT_TYPE).map(|value| value.to_str()) {
        Some(Ok(content_type)) => content_type,
        Some(Err(_)) => return Err(FormRejection::NotAForm("the content type is not ASCII".into())),
        None => "",
    };
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let essence = essence.trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        refuse_other_charsets(parameters)?;
        let limit = policy.limits.max_memory_size;
        if over(limit, claimed) {
            return Err(FormRejection::RequestDataTooBig);
        }
        let body = whole(body, limit, claimed).await?;
        let text = std::str::from_utf8(&body).map_err(|_| FormRejection::NotUtf8)?;
        return Submission::urlencoded(text, &policy.limits);
    }
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        // Without the layer nobody shares it: then it bounds this one form.
        let room = room.unwrap_or_else(|| Room::for_forms_of(policy.limits.max_memory_size.unwrap_or(0)));
        let held = Held::within(room);
        let pieces = in_pieces(body, Arc::clone(&held));
        return multipart::read(content_type, pieces, policy, files, &held).await;
    }
    if essence.is_empty() {
        // A browser that submits nothing may name no type.
        return if whole(body, Some(0), None).await.is_ok_and(|body| body.is_empty()) {
            Ok(Submission::default())
        } else {
            Err(FormRejection::NotAForm("there is no content type".into()))
        };
    }
    Err(FormRejection::NotAForm(
        crate::redact::printable(essence, 100).into_owned(),
    ))
}

fn over(limit: Option<usize>, claimed: Option<u64>) -> bool {
    let limit = limit.and_then(|limit| u64::try_from(limit).ok());
    limit.zip(claimed).is_some_and(|(limit, claimed)| claimed > limit)
}

fn refuse_other_charsets(parameters: &str) -> Result<(), FormRejection> {
    let named = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='));
    let charset = named
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value)
        .next();
    let charset = charset.map(|value| value.trim().trim_matches('"'));
    match charset {
        Some(name)
            if !["utf-8", "utf8", ""]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Err(FormRejection::NotUtf8)
        }
        _ => Ok(()),
    }
}

/// Collects the body, up to its limit. The copy is wiped afterwards, which takes as long as what was set aside is large.
async fn whole(
    mut body: Body,
    limit: Option<usize>,
    claimed: Option<u64>,
) -> Result<Zeroizing<Vec<u8>>, FormRejection> {
    let claimed = claimed.map_or(FIRST_BYTES, |claimed| {
        usize::try_from(claimed).unwrap_or(FIRST_BYTES)
    });
    let set_aside = FIRST_BYTES.min(claimed).min(limit.unwrap_or(FIRST_BYTES));
    let mut collected = Zeroizing::new(Vec::with_capacity(set_aside));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| FormRejection::unread(&error))?;
        if let Ok(data) = frame.into_data() {
            if limit.is_some_and(|limit| collected.len().saturating_add(data.len()) > limit) {
                return Err(FormRejection::RequestDataTooBig);
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected)
}

/// Hands out the body in pieces of [`PIECE`] bytes, one each time it is asked.
///
/// The multipart reader goes on asking until it is told to wait, and holds what it was given: without a wait after each piece that would be
/// the whole of a body that comes faster than it is written to a disk.
///
/// The multipart reader searches all that it holds each time something arrives: a body of many tiny frames would cost it
/// the square of its length.
fn in_pieces(body: Body, held: Arc<Held>) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send + 'static {
    let mut frames = body.into_data_stream();
    let mut gathered = BytesMut::new();
    let (mut ended, mut given) = (false, false);
    stream::poll_fn(move |context| {
        if std::mem::take(&mut given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while !ended && gathered.len() < PIECE {
            match ready!(frames.poll_next_unpin(context)) {
                Some(Ok(frame)) => {
                    held.arrive(frame.len()).map_err(axum::Error::new)?;
                    gathered.extend_from_slice(&frame);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => ended = true,
            }
        }
        if gathered.is_empty() {
            return Poll::Ready(None);
        }
        given = true;
        held.give(gathered.len()).map_err(axum::Error::new)?;
        Poll::Ready(Some(Ok(gathered.split().freeze())))
    })
}
