//! `crypto.*`: keyed digests, random text, comparison.

use std::fmt::Write as _;

use palisade_core::secret::constant_time_eq;
use palisade_core::signing::{self, Algorithm, InvalidAlgorithm};
use palisade_core::{SecretKey, token};

use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::Object;

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("crypto.salted_hmac", salted_hmac),
    ("crypto.random_string", random_string),
    ("crypto.constant_time_compare", constant_time_compare),
    ("crypto.pbkdf2", pbkdf2),
];

/// The longest text or bytes that are made on request.
const LONGEST: usize = 1 << 24;

/// Reads the name of a digest; none stands for the usual one.
pub(super) fn algorithm(args: &Object, name: &str) -> Result<Algorithm, Failure> {
    let named = args.get::<Option<String>>(name)?;
    named.map_or(Ok(Algorithm::default()), |named| {
        named
            .parse()
            .map_err(|error: InvalidAlgorithm| Failure::new("InvalidAlgorithm", error))
    })
}

fn salted_hmac(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let secret = SecretKey::new(args.bytes("secret")?);
    let algorithm = algorithm(args, "algorithm")?;
    let tag = signing::salted_hmac(args.bytes("key_salt")?, args.bytes("value")?, &secret, algorithm);
    let mut hex = String::with_capacity(2 * tag.len());
    for byte in tag {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex.into())
}

/// Refuses lengths that would take all of the memory.
fn bounded(length: usize) -> Result<usize, Failure> {
    if length > LONGEST {
        return Err(Failure::internal(format!("more than {LONGEST} is too long")));
    }
    Ok(length)
}

fn random_string(call: &mut Call) -> Result<Answer, Failure> {
    let length = bounded(call.args.get("length")?)?;
    let drawn = token::random_string_from(length, &call.args.text("allowed_chars")?);
    let drawn = drawn.ok_or_else(|| Failure::new("ValueError", "there are no characters to draw from"))?;
    Ok(drawn.into())
}

fn constant_time_compare(call: &mut Call) -> Result<Answer, Failure> {
    Ok(constant_time_eq(&call.args.bytes("a")?, &call.args.bytes("b")?).into())
}

fn pbkdf2(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let length = bounded(args.get::<Option<usize>>("dklen")?.unwrap_or_default())?;
    let digest = algorithm(args, "digest")?;
    let derived = signing::pbkdf2(
        args.bytes("password")?,
        args.bytes("salt")?,
        args.get("iterations")?,
        length,
        digest,
    );
    Ok(derived.into())
}
