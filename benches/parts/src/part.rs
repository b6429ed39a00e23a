//! Password hashes, the text of sessions, CSRF tokens: what both sides can do with the same input.
//!
//! Everything goes through the library's public functions. What is timed passes through `black_box` on its way in and
//! out, so that nothing is done once for all times, or not at all.

use std::error::Error;
use std::hint::black_box;
use std::time::SystemTime;

use palisade::SecretKey;
use palisade::core::csrf::CsrfSecret;
use palisade::core::session::{AUTH_USER_BACKEND, AUTH_USER_HASH, AUTH_USER_ID, SessionCodec, SessionData};
use palisade::core::signing::Algorithm;
use palisade::core::{KeyRing, Settings};
use palisade::password::hasher::{Hasher, Scheme};

use crate::given;
use crate::watch::Watch;

/// The parts, and the input of each.
pub struct Parts {
    pbkdf2: Hasher,
    argon2: Hasher,
    password: String,
    salt: String,
    codec: SessionCodec,
    json: String,
    data: SessionData,
    encoded: String,
    secret: CsrfSecret,
    token: String,
}

impl Parts {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let iterations = given("BENCH_PBKDF2_ITERATIONS")?.parse()?;
        let keys = keys(&given("BENCH_SECRET_KEY")?);
        let codec = SessionCodec::new(&keys);
        let json = given("BENCH_SESSION")?;
        let data = SessionData::from_json(json.clone())?;
        let secret = CsrfSecret::parse(&given("BENCH_CSRF_SECRET")?)?;
        Ok(Self {
            pbkdf2: Hasher::new(
                "pbkdf2_sha256",
                Scheme::Pbkdf2 {
                    digest: Algorithm::Sha256,
                    iterations,
                },
            ),
            argon2: Hasher::new(
                "argon2",
                Scheme::Argon2 {
                    time_cost: 2,
                    memory_cost: 102_400,
                    parallelism: 8,
                },
            ),
            password: given("BENCH_PASSWORD")?,
            salt: given("BENCH_SALT")?,
            encoded: codec.encode(&data, SystemTime::now()),
            codec,
            json,
            data,
            token: secret.mask(),
            secret,
        })
    }

    pub fn make(&self, part: &str) -> Result<String, Box<dyn Error>> {
        Ok(match part {
            "pbkdf2" => self.hash(&self.pbkdf2)?,
            "argon2" => self.hash(&self.argon2)?,
            "encode" | "decode" => self.codec.encode(&self.data, SystemTime::now()),
            "mask" | "match" => self.secret.mask(),
            _ => return Err(unknown(part)),
        })
    }

    pub fn check(&self, part: &str, text: &str) -> Result<bool, Box<dyn Error>> {
        Ok(match part {
            "pbkdf2" => self.hash(&self.pbkdf2)? == text,
            "argon2" => self.hash(&self.argon2)? == text,
            "encode" | "decode" => self
                .codec
                .decode(text)
                .is_ok_and(|data| *data.to_json() == self.json),
            "mask" | "match" => CsrfSecret::parse(text).is_ok_and(|secret| secret == self.secret),
            _ => return Err(unknown(part)),
        })
    }

    pub fn give(&mut self, part: &str, text: &str) -> Result<String, Box<dyn Error>> {
        match part {
            "decode" => text.clone_into(&mut self.encoded),
            "match" => text.clone_into(&mut self.token),
            _ => return Err(unknown(part)),
        }
        Ok("given".to_owned())
    }

    pub fn time(&self, part: &str, times: u32) -> Result<String, Box<dyn Error>> {
        let work: Box<dyn Fn() -> Result<(), Box<dyn Error>>> = match part {
            "pbkdf2" => Box::new(|| Ok(drop(black_box(self.hash(&self.pbkdf2)?)))),
            "argon2" => Box::new(|| Ok(drop(black_box(self.hash(&self.argon2)?)))),
            "encode" => Box::new(|| {
                let now = black_box(SystemTime::now());
                black_box(self.codec.encode(black_box(&self.data), now));
                Ok(())
            }),
            // What a request does next is part of it: values are parsed when they are asked for.
            "decode" => Box::new(|| {
                let data = self.codec.decode(black_box(&self.encoded))?;
                for key in [AUTH_USER_ID, AUTH_USER_BACKEND, AUTH_USER_HASH] {
                    black_box(data.get::<String>(key).transpose()?);
                }
                black_box(data);
                Ok(())
            }),
            "mask" => Box::new(|| Ok(drop(black_box(black_box(&self.secret).mask())))),
            "match" => Box::new(|| {
                let matches = CsrfSecret::parse(black_box(&self.token))? == *black_box(&self.secret);
                if black_box(matches) {
                    Ok(())
                } else {
                    Err("the token does not match".into())
                }
            }),
            _ => return Err(unknown(part)),
        };
        let watch = Watch::start();
        for _ in 0..times {
            work()?;
        }
        Ok(watch.read())
    }

    fn hash(&self, hasher: &Hasher) -> Result<String, Box<dyn Error>> {
        Ok(hasher.encode(black_box(self.password.as_bytes()), black_box(&self.salt))?)
    }
}

fn keys(key: &str) -> KeyRing {
    Settings::for_development(SecretKey::new(key)).key_ring()
}

fn unknown(part: &str) -> Box<dyn Error> {
    format!("there is no part {part}").into()
}
