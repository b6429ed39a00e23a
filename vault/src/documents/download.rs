//! Sending a document to whom its row lets in.

use axum::body::Body;
use axum::http::Response;
use palisade::Rejection;
use palisade::media::Delivery;
use palisade::rows::Reach;

use super::store::Document;

/// To be saved, under the name it came with.
pub(super) async fn attachment(
    document: Reach<Document>,
    delivery: Delivery,
) -> Result<Response<Body>, Rejection> {
    delivery.attachment(&document.file()).await
}

/// To be shown on its page, if it is a picture.
pub(super) async fn picture(
    document: Reach<Document>,
    delivery: Delivery,
) -> Result<Response<Body>, Rejection> {
    delivery.inline(&document.file()).await
}
