//! `signing.*`: signers, signed objects, signed cookies.

use palisade_core::signing::{
    self, BadSignature, CookieSigner, DecodeError, Signer, TimestampSigner, UnsafeSeparator, base62,
};
use palisade_core::{KeyRing, SecretKey, json};

use super::crypto::algorithm;
use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::{Bytes, Object};

/// The operations.
pub(crate) const OPS: &[(&str, Op)] = &[
    ("signing.check_separator", check_separator),
    ("signing.signature", signature),
    ("signing.base64_hmac", base64_hmac),
    ("signing.sign", sign),
    ("signing.unsign", unsign),
    ("signing.dumps", dumps),
    ("signing.loads", loads),
    ("signing.b62_encode", b62_encode),
    ("signing.b62_decode", b62_decode),
    ("signing.cookie_sign", cookie_sign),
    ("signing.cookie_unsign", cookie_unsign),
];

/// A signer, as the arguments describe it.
enum Kind {
    Plain(Signer),
    Timed(TimestampSigner),
}

impl Kind {
    fn read(args: &Object) -> Result<Self, Failure> {
        let fallbacks: Option<Vec<Bytes>> = args.get("fallback_keys")?;
        let fallbacks = fallbacks
            .unwrap_or_default()
            .into_iter()
            .map(|key| SecretKey::new(key.0));
        let keys = KeyRing::new(SecretKey::new(args.bytes("key")?)).with_fallbacks(fallbacks.collect());
        let salt = String::from_utf8(args.bytes("salt")?).map_err(Failure::internal)?;
        let (separator, algorithm) = (args.text("sep")?, algorithm(args, "algorithm")?);
        Ok(if args.get("timestamp")? {
            let signer = TimestampSigner::with_algorithm(&keys, &salt, algorithm);
            Self::Timed(signer.separated_by(&separator).map_err(unsafe_separator)?)
        } else {
            let signer = Signer::with_algorithm(&keys, &salt, algorithm);
            Self::Plain(signer.separated_by(&separator).map_err(unsafe_separator)?)
        })
    }
}

fn unsafe_separator(error: UnsafeSeparator) -> Failure {
    Failure::new("ValueError", error)
}

fn bad_signature(error: BadSignature) -> Failure {
    let kind = match error {
        BadSignature::Expired { .. } => "SignatureExpired",
        BadSignature::Untimed => "ValueError",
        _ => "BadSignature",
    };
    Failure::new(kind, error)
}

fn undecodable(error: DecodeError) -> Failure {
    match error {
        DecodeError::BadSignature(error) => bad_signature(error),
        error => Failure::new("InvalidPayload", error),
    }
}

fn check_separator(call: &mut Call) -> Result<Answer, Failure> {
    let signer = Signer::new(&KeyRing::new(SecretKey::new("")), "");
    signer
        .separated_by(&call.args.text("sep")?)
        .map_err(unsafe_separator)?;
    Ok(Answer::Null)
}

fn signature(call: &mut Call) -> Result<Answer, Failure> {
    let value = call.args.bytes("value")?;
    Ok(match Kind::read(&call.args)? {
        Kind::Plain(signer) => signer.signature(value),
        Kind::Timed(signer) => signer.signature(value),
    }
    .into())
}

fn base64_hmac(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let key = SecretKey::new(args.bytes("key")?);
    let algorithm = algorithm(args, "algorithm")?;
    Ok(signing::base64_hmac(args.bytes("salt")?, args.bytes("value")?, &key, algorithm).into())
}

fn sign(call: &mut Call) -> Result<Answer, Failure> {
    let value = call.args.text("value")?;
    Ok(match Kind::read(&call.args)? {
        Kind::Plain(signer) => signer.sign(&value),
        Kind::Timed(signer) => signer.sign_at(&value, call.now),
    }
    .into())
}

fn unsign(call: &mut Call) -> Result<Answer, Failure> {
    let value = call.args.text("value")?;
    let max_age = call.args.get("max_age")?;
    match Kind::read(&call.args)? {
        Kind::Plain(signer) => signer.unsign(&value).map(Answer::from),
        Kind::Timed(signer) => signer.unsign_within(&value, max_age, call.now).map(Answer::from),
    }
    .map_err(bad_signature)
}

fn dumps(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let payload = match args.raw("obj") {
        Some(json) => json::compact(json).map_err(Failure::internal)?.into_bytes(),
        None => args.bytes("payload")?,
    };
    let compress = args.get("compress")?;
    Ok(match Kind::read(args)? {
        Kind::Plain(signer) => signer.sign_bytes(&payload, compress),
        Kind::Timed(signer) => signer.sign_bytes_at(&payload, compress, call.now),
    }
    .into())
}

fn loads(call: &mut Call) -> Result<Answer, Failure> {
    let value = call.args.text("value")?;
    let max_age = call.args.get("max_age")?;
    let payload = match Kind::read(&call.args)? {
        Kind::Plain(signer) => signer.unsign_bytes(&value),
        Kind::Timed(signer) => signer.unsign_bytes_within(&value, max_age, call.now),
    };
    let payload = payload.map_err(undecodable)?;
    if call.args.get("raw")? {
        return Ok(object([("payload", payload.into())]));
    }
    let text =
        json::compact(&signing::latin1(payload)).map_err(|error| Failure::new("InvalidPayload", error))?;
    Ok(object([("obj", Answer::Raw(text))]))
}

fn b62_encode(call: &mut Call) -> Result<Answer, Failure> {
    Ok(base62::encode(call.args.get("n")?).into())
}

fn b62_decode(call: &mut Call) -> Result<Answer, Failure> {
    let number = base62::decode(&call.args.text("s")?).map_err(|error| Failure::new("ValueError", error))?;
    Ok(number.into())
}

fn cookie_sign(call: &mut Call) -> Result<Answer, Failure> {
    let args = &call.args;
    let signer = CookieSigner::new(&call.settings.keys()?, &args.text("name")?, &args.text("salt")?);
    Ok(signer.sign_at(&args.text("value")?, call.now).into())
}

fn cookie_unsign(call: &mut Call) -> Result<Answer, Failure> {
    let (args, keys) = (&call.args, call.settings.keys()?);
    let (name, salt) = (args.text("name")?, args.text("salt")?);
    let mut signer = CookieSigner::new(&keys, &name, &salt);
    if call.settings.truthy("SIGNED_COOKIE_LEGACY_SALT_FALLBACK") {
        signer = signer.with_legacy_salt(&keys, &name, &salt);
    }
    let value = args.text("value")?;
    let value = signer.unsign_within(&value, args.get("max_age")?, call.now);
    Ok(value.map_err(bad_signature)?.into())
}
