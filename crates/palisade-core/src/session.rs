//! Session data and its signed encoding: what stands in `django_session.session_data`.
//!
//! A request usually reads one or two keys of a session and changes none. [`SessionData`] therefore keeps the JSON text
//! it was decoded from and only knows where each value stands; a value is parsed when it is asked for, and one that
//! nobody touches is written back byte for byte, whether Rust has a type for it or not. [`SessionCodec`] turns data into
//! Django's signed text and back (`signing.dumps`, salt `django.contrib.sessions.SessionStore`, which
//! the back ends `db`, `cached_db` and `file` share).
//!
//! # Example
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use palisade_core::session::{SessionCodec, SessionData};
//! use palisade_core::{KeyRing, SecretKey};
//!
//! let codec = SessionCodec::new(&KeyRing::new(SecretKey::new("secret")));
//! let mut data = SessionData::new();
//! data.insert("_auth_user_id", "1")?;
//! data.insert("x", &1)?;
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
//! let text = codec.encode(&data, now);
//! assert_eq!(text, "eyJfYXV0aF91c2VyX2lkIjoiMSIsIngiOjF9:1r31eq:fQq5lu1A1lLTyPXE7cTrJo4-2kvmuFTFZtLsTyXh5hc");
//! assert_eq!(codec.decode(&text)?.get::<u8>("x").transpose()?, Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use self::codec::SessionCodec;
pub use self::data::{InvalidValue, SessionData};
pub use self::expiry::{Age, EXPIRY_KEY, Expiry, SessionExpiry, StoredExpiry, expiry};
pub use self::login::SessionAuthHasher;
pub use self::plan::{KeyAction, LoginPlan, LoginProof, StoredLogin, update_login_hash};
pub use crate::signing::DecodeError;

mod codec;
mod data;
mod expiry;
mod login;
mod plan;

/// The session key that holds the user's primary key, as text.
pub const AUTH_USER_ID: &str = "_auth_user_id";
/// The session key that holds the dotted path of the back end that knew the user.
pub const AUTH_USER_BACKEND: &str = "_auth_user_backend";
/// The session key that holds the hash of the login: see [`SessionAuthHasher`].
pub const AUTH_USER_HASH: &str = "_auth_user_hash";

/// The salt of sessions that a cookie holds whole: Django's back end `signed_cookies`.
pub const SIGNED_COOKIES_SALT: &str = "django.contrib.sessions.backends.signed_cookies";

/// How many characters a new session key has, of [`Alphabet::Base36`](crate::token::Alphabet::Base36).
pub const SESSION_KEY_LENGTH: usize = 32;
