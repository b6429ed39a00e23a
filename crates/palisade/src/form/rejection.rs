//! Why a request never became a form.
//!
//! A value that does not fit is no such reason: it goes back to the user with its message. What stands here is a request
//! that no browser makes from the page that was served, or a server that is not put together.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use palisade_core::Threat;
use palisade_core::query::TooManyFieldsSent;

use super::held::Refused;
use crate::csrf::is_length_limit;
use crate::media::MediaError;
use crate::redact::printable;
use crate::rejection::Rejection;

/// Says why a request never became a form. The client learns the status only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormRejection {
    /// No CSRF check has vouched for the request: the route is outside the stack.
    #[error("a form was read on a route without the CSRF guard: no `palisade::csrf::Proof` in the request")]
    MissingCsrfGuard,
    /// The form came by a safe method, for which there is no CSRF check to pass.
    #[error("a form of a safe method is read with `QueryForm`, not with `Checked`")]
    SafeMethod,
    /// The body is neither `application/x-www-form-urlencoded` nor `multipart/form-data`.
    #[error("the body is not a form: {0}")]
    NotAForm(String),
    /// The body is not UTF-8.
    #[error("HTTP requests with the 'application/x-www-form-urlencoded' content type must be UTF-8 encoded.")]
    NotUtf8,
    /// The body is larger than `data_upload_max_memory_size`.
    #[error("Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")]
    RequestDataTooBig,
    /// There are more fields than `data_upload_max_number_fields`.
    #[error("The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.")]
    TooManyFieldsSent,
    /// There are more files than `data_upload_max_number_files`.
    #[error("The number of files exceeded settings.DATA_UPLOAD_MAX_NUMBER_FILES.")]
    TooManyFilesSent,
    /// One value is larger than `max_field_size`.
    #[error("the value of the form field '{}' is too large", printable(.0, 100))]
    FieldTooBig(String),
    /// There is a file where none was asked for.
    #[error("the form takes no files, but one came as '{}'", printable(.0, 100))]
    UnexpectedFile(String),
    /// There are fields that the form does not declare, and the policy is to refuse them.
    #[error("the form does not have these fields: {0}")]
    UnknownFields(String),
    /// The multipart body is broken.
    #[error("the multipart body is broken: {}", printable(.0, 200))]
    MalformedMultipart(String),
    /// The forms that are being read take all the memory they may.
    #[error("the forms that are being read take all the memory they may")]
    NoRoom,
    /// The store of media is full, or too many uploads are under way.
    #[error("an upload could not be taken: {0}")]
    MediaFull(String),
    /// The store of media cannot answer.
    #[error("an upload could not be taken: {0}")]
    MediaUnavailable(String),
    /// The form takes files, and nobody has said where they are kept.
    #[error("the form takes files, and there is no store of media: give Palisade one with with_media")]
    NoMedia,
    /// The body ended early.
    #[error("the body could not be read: {}", printable(.0, 200))]
    Unreadable(String),
}

impl FormRejection {
    /// Why a body was not read to its end: it is longer than the route's limit and did not say so before, or it broke off.
    pub(super) fn unread(error: &(dyn std::error::Error + 'static)) -> Self {
        if let Some(refused) = Refused::of(error) {
            refused.into()
        } else if is_length_limit(error) {
            Self::RequestDataTooBig
        } else {
            Self::Unreadable(error.to_string())
        }
    }

    /// Gives the status for the client.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingCsrfGuard | Self::NoMedia => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MediaFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::MediaUnavailable(_) | Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::SafeMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAForm(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Names the threat that was met.
    pub fn threat(&self) -> Option<Threat> {
        match self {
            Self::MissingCsrfGuard | Self::SafeMethod => Some(Threat::InertDefence),
            Self::RequestDataTooBig
            | Self::TooManyFieldsSent
            | Self::TooManyFilesSent
            | Self::FieldTooBig(_)
            | Self::NoRoom
            | Self::MediaFull(_) => Some(Threat::ResourceExhaustion),
            Self::UnknownFields(_) => Some(Threat::MassAssignment),
            _ => None,
        }
    }
}

impl From<MediaError> for FormRejection {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Full(why) => Self::MediaFull(why),
            other => Self::MediaUnavailable(other.to_string()),
        }
    }
}

impl From<TooManyFieldsSent> for FormRejection {
    fn from(_: TooManyFieldsSent) -> Self {
        Self::TooManyFieldsSent
    }
}

impl From<FormRejection> for Rejection {
    fn from(error: FormRejection) -> Self {
        if error == FormRejection::NoRoom {
            return crate::csrf::full();
        }
        let rejection = Self::new(error.status(), error.to_string());
        match error.threat() {
            Some(threat) => rejection.with_threat(threat),
            None => rejection,
        }
    }
}

impl IntoResponse for FormRejection {
    fn into_response(self) -> Response {
        Rejection::from(self).into_response()
    }
}
