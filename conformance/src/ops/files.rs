//! `files.*`: names of files.

use palisade_core::file_name::{self, SuspiciousFileName, Unavailable};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("files.get_valid_filename", |call| named(call, file_name::valid)),
    ("files.validate_file_name", validate_file_name),
    ("files.sanitize_upload_name", |call| {
        Ok(file_name::from_upload(&call.args.text("name")?).into())
    }),
    ("files.upload_basename", |call| {
        named(call, file_name::upload_base_name)
    }),
    ("files.generate_filename", |call| named(call, file_name::generate)),
    ("files.available_name", available_name),
    ("files.safe_join", safe_join),
];

fn named(call: &Call, make: fn(&str) -> Result<String, SuspiciousFileName>) -> Result<Answer, Failure> {
    Ok(make(&call.args.text("name")?).map_err(suspicious)?.into())
}

fn validate_file_name(call: &mut Call) -> Result<Answer, Failure> {
    let relative = call
        .args
        .get::<Option<bool>>("allow_relative_path")?
        .unwrap_or_default();
    file_name::validate(&call.args.text("name")?, relative).map_err(suspicious)?;
    Ok(Answer::Null)
}

fn available_name(call: &mut Call) -> Result<Answer, Failure> {
    let is_free = |name: &str| {
        let answer = call
            .host
            .call("storage.is_available", object([("name", name.into())]))?;
        Ok::<_, Failure>(answer == "true")
    };
    match file_name::available(&call.args.text("name")?, call.args.get("max_length")?, is_free) {
        Ok(name) => Ok(name.into()),
        Err(Unavailable::Suspicious(error)) => Err(suspicious(error)),
        Err(Unavailable::Storage(failure)) => Err(failure),
    }
}

fn safe_join(call: &mut Call) -> Result<Answer, Failure> {
    let current = std::env::current_dir().map_err(Failure::internal)?;
    let paths: Vec<String> = call.args.get("paths")?;
    let paths = paths.iter().map(String::as_str);
    let joined = file_name::safe_join(&current.to_string_lossy(), &call.args.text("base")?, paths);
    Ok(joined.map_err(suspicious)?.into())
}

fn suspicious(error: SuspiciousFileName) -> Failure {
    Failure::new("SuspiciousFileOperation", error)
}
