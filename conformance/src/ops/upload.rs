//! `upload.*`: limits on bodies, and multipart bodies.

use palisade_core::upload::{MultipartHeader, UploadError, UploadLimits, UploadedPart, parse_multipart};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("upload.check_body_size", check_body_size),
    ("upload.check_multipart_header", check_multipart_header),
    ("upload.parse_multipart", multipart),
];

fn limits(settings: &Settings) -> Result<UploadLimits, Failure> {
    Ok(UploadLimits {
        max_memory_size: settings.get("DATA_UPLOAD_MAX_MEMORY_SIZE")?,
        max_number_fields: settings.get("DATA_UPLOAD_MAX_NUMBER_FIELDS")?,
        max_number_files: settings.get("DATA_UPLOAD_MAX_NUMBER_FILES")?,
    })
}

fn check_body_size(call: &mut Call) -> Result<Answer, Failure> {
    let length: i64 = call.args.get("length")?;
    let checked = limits(&call.settings)?.check_body_size(u64::try_from(length).unwrap_or_default());
    Ok(checked.map_err(refused)?.into())
}

fn check_multipart_header(call: &mut Call) -> Result<Answer, Failure> {
    let content_type: Option<String> = call.args.get("content_type")?;
    let content_length: Option<String> = call.args.get("content_length")?;
    let header = MultipartHeader::parse(&content_type.unwrap_or_default(), content_length.as_deref());
    let header = header.map_err(refused)?;
    Ok(object([
        ("boundary", header.boundary.into()),
        ("content_length", header.content_length.into()),
    ]))
}

fn multipart(call: &mut Call) -> Result<Answer, Failure> {
    let body = call.args.bytes("body")?;
    let read =
        parse_multipart(&call.args.text("boundary")?, &body, limits(&call.settings)?).map_err(refused)?;
    let field = |(name, value): (String, String)| [name, value].into_iter().collect::<Answer>();
    Ok(object([
        ("fields", read.fields.into_iter().map(field).collect()),
        ("files", read.files.into_iter().map(file).collect()),
    ]))
}

fn file(part: UploadedPart) -> Answer {
    let charset = part.charset().map(str::to_owned);
    let extra = part
        .parameters
        .into_iter()
        .map(|(name, value)| (name, value.into()));
    object([
        ("field", part.field.into()),
        ("file_name", part.file_name.into()),
        ("content_type", part.content_type.into()),
        ("charset", charset.into()),
        ("extra", Answer::Object(extra.collect())),
        ("content", part.content.into()),
    ])
}

fn refused(error: UploadError) -> Failure {
    let kind = match error {
        UploadError::TooManyFields => "TooManyFieldsSent",
        UploadError::TooManyFiles => "TooManyFilesSent",
        UploadError::TooBig => "RequestDataTooBig",
        _ => "MultiPartParserError",
    };
    Failure::new(kind, error)
}
