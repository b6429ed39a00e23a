//! `hasher.*` and `password.*`: passwords hashed as Django hashes them.

use palisade::password::hasher::{
    Field, Hasher, HasherError, Scheme, Work, identify_among, make_password, verify_password,
};
use palisade_core::password::is_usable;

use super::crypto::algorithm;
use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::{Bytes, Object};

pub(crate) const OPS: &[(&str, Op)] = &[
    ("hasher.encode", encode),
    ("hasher.decode", decode),
    ("hasher.verify", verify),
    ("hasher.must_update", must_update),
    ("hasher.safe_summary", safe_summary),
    ("hasher.salt", salt),
    ("hasher.harden_plan", harden_plan),
    ("password.is_usable", usable),
    ("password.identify", identify),
    ("password.make", make),
    ("password.verify", verify_any),
];

fn encode(call: &mut Call) -> Result<Answer, Failure> {
    let password = password(call)?.ok_or(HasherError::NoPassword).map_err(raised)?;
    let salt: Option<String> = call.args.get("salt")?;
    let encoded = hasher(&call.args, "hasher")?.encode(&password, &salt.unwrap_or_default());
    Ok(encoded.map_err(raised)?.into())
}

fn decode(call: &mut Call) -> Result<Answer, Failure> {
    let decoded = hasher(&call.args, "hasher")?.decode(&call.args.text("encoded")?);
    Ok(fields(decoded.map_err(raised)?.fields()))
}

fn verify(call: &mut Call) -> Result<Answer, Failure> {
    let password = password(call)?.ok_or(HasherError::NoPassword).map_err(raised)?;
    let correct = hasher(&call.args, "hasher")?.verify(&password, &call.args.text("encoded")?);
    Ok(correct.map_err(raised)?.into())
}

fn must_update(call: &mut Call) -> Result<Answer, Failure> {
    let must = hasher(&call.args, "hasher")?.must_update(&call.args.text("encoded")?);
    Ok(must.map_err(raised)?.into())
}

fn safe_summary(call: &mut Call) -> Result<Answer, Failure> {
    let summary = hasher(&call.args, "hasher")?.safe_summary(&call.args.text("encoded")?);
    Ok(fields(&summary.map_err(raised)?))
}

fn salt(call: &mut Call) -> Result<Answer, Failure> {
    Ok(hasher(&call.args, "hasher")?.salt().into())
}

fn harden_plan(call: &mut Call) -> Result<Answer, Failure> {
    let hardening = hasher(&call.args, "hasher")?.hardening(&call.args.text("encoded")?);
    let mut runs = Vec::new();
    if let Some(hardening) = hardening.map_err(raised)? {
        for _ in 0..hardening.runs {
            runs.push(object([
                ("salt", hardening.salt.as_str().into()),
                ("iterations", hardening.iterations.map(i64::from).into()),
            ]));
        }
    }
    Ok(Answer::List(runs))
}

fn usable(call: &mut Call) -> Result<Answer, Failure> {
    let encoded: Option<String> = call.args.get("encoded")?;
    Ok(encoded.is_none_or(|encoded| is_usable(&encoded)).into())
}

fn identify(call: &mut Call) -> Result<Answer, Failure> {
    let algorithms: Vec<String> = call.args.get("algorithms")?;
    let name = identify_among(&call.args.text("encoded")?, algorithms.iter().map(String::as_str));
    Ok(name.map_err(raised)?.into())
}

fn make(call: &mut Call) -> Result<Answer, Failure> {
    let salt: Option<String> = call.args.get("salt")?;
    let password = password(call)?;
    // Without a password no hasher is needed, and none is sent.
    let hasher = match password {
        None => Hasher::new("", Scheme::Md5),
        Some(_) => hasher(&call.args, "hasher")?,
    };
    Ok(make_password(password.as_deref(), salt.as_deref(), &hasher)
        .map_err(raised)?
        .into())
}

fn verify_any(call: &mut Call) -> Result<Answer, Failure> {
    let encoded: Option<String> = call.args.get("encoded")?;
    let listed: Vec<serde_json::Value> = call.args.get("hashers")?;
    let hashers = listed
        .iter()
        .map(|hasher| read_hasher(&Object::read(&hasher.to_string())?))
        .collect::<Result<Vec<_>, _>>()?;
    let preferred = hasher(&call.args, "preferred")?;
    let found = verify_password(
        password(call)?.as_deref(),
        encoded.as_deref(),
        &hashers,
        &preferred,
    );
    let found = found.map_err(raised)?;
    let work = found.work.into_iter().map(|work| match work {
        Work::Verify => "verify",
        Work::Harden => "harden",
        Work::Fake => "fake",
    });
    Ok(object([
        ("correct", found.correct.into()),
        ("must_update", found.must_update.into()),
        ("work", work.collect()),
    ]))
}

fn password(call: &Call) -> Result<Option<Vec<u8>>, Failure> {
    Ok(call.args.get::<Option<Bytes>>("password")?.map(|bytes| bytes.0))
}

fn hasher(args: &Object, name: &str) -> Result<Hasher, Failure> {
    read_hasher(&args.object(name)?)
}

fn read_hasher(hasher: &Object) -> Result<Hasher, Failure> {
    let number = |name| hasher.get::<u32>(name);
    let digest: Option<String> = hasher.get("digest")?;
    let scheme = match hasher.text("kind")?.as_str() {
        "pbkdf2" => Scheme::Pbkdf2 {
            digest: algorithm(hasher, "digest")?,
            iterations: number("iterations")?,
        },
        "argon2" => Scheme::Argon2 {
            time_cost: number("time_cost")?,
            memory_cost: number("memory_cost")?,
            parallelism: number("parallelism")?,
        },
        "bcrypt" => Scheme::Bcrypt {
            prehashed: digest.is_some(),
            rounds: number("rounds")?,
        },
        "scrypt" => Scheme::Scrypt {
            work_factor: number("work_factor")?,
            block_size: number("block_size")?,
            parallelism: number("parallelism")?,
        },
        "md5" => Scheme::Md5,
        other => return Err(Failure::internal(format!("no hasher of the kind {other}"))),
    };
    let made = Hasher::new(hasher.text("algorithm")?, scheme);
    Ok(match hasher.get::<Option<u32>>("salt_entropy")? {
        Some(bits) => made.with_salt_entropy(bits),
        None => made,
    })
}

fn fields(fields: &[(&'static str, Field)]) -> Answer {
    let value = |field: &Field| match field {
        Field::Text(text) => text.as_str().into(),
        Field::Number(number) => (*number).into(),
    };
    Answer::Object(
        fields
            .iter()
            .map(|(name, field)| ((*name).to_owned(), value(field)))
            .collect(),
    )
}

fn raised(error: HasherError) -> Failure {
    let kind = match error {
        HasherError::NoPassword => "TypeError",
        HasherError::OtherAlgorithm => "AssertionError",
        _ => "ValueError",
    };
    Failure::new(kind, error)
}
