//! `auth.*` and `token.*`: what a login does to a session, and tokens to reset a password.

use std::time::Duration;

use palisade::redact::is_credential_name;
use palisade_core::login_url::{self, InvalidLoginUrl};
use palisade_core::moment::Moment;
use palisade_core::password::{ResetSubject, ResetTokens};
use palisade_core::session::{
    KeyAction, LoginPlan, LoginProof, SessionAuthHasher, StoredLogin, update_login_hash,
};
use palisade_core::{KeyRing, SecretKey};

use super::session::read_data;
use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;
use crate::object::{Bytes, Object};

pub(crate) const OPS: &[(&str, Op)] = &[
    ("auth.session_hash", session_hash),
    ("auth.login", login),
    ("auth.verify_session", verify_session),
    ("auth.update_session_hash", update_session_hash),
    ("auth.clean_credentials", clean_credentials),
    ("auth.login_next", login_next),
    ("auth.login_redirect", login_redirect),
    ("token.make", make),
    ("token.check", check),
];

fn session_hash(call: &mut Call) -> Result<Answer, Failure> {
    let keys = KeyRing::new(key(call.args.get("secret")?));
    Ok(SessionAuthHasher::new(&keys)
        .hash(&call.args.text("password")?)
        .into())
}

/// What the session holds of a login.
fn stored(call: &Call) -> Result<StoredLogin, Failure> {
    let session = read_data(call.args.raw("stored").unwrap_or("{}"))?;
    Ok(StoredLogin::of(&session))
}

fn login(call: &mut Call) -> Result<Answer, Failure> {
    let user = call.args.object("user")?;
    let backend: Option<String> = call.args.get("backend")?;
    let hash = user.get::<Option<String>>("session_hash")?.unwrap_or_default();
    let plan = stored(call)?.login(&user.text("id")?, &hash, &backend.unwrap_or_default());
    Ok(answer(plan, Some(("rotate_csrf", true))))
}

fn verify_session(call: &mut Call) -> Result<Answer, Failure> {
    let user = match call.args.raw("user") {
        None | Some("null") => None,
        Some(_) => Some(call.args.object("user")?),
    };
    let mut known: (Option<String>, Vec<String>) = Default::default();
    if let Some(user) = &user {
        let fallbacks: Option<Vec<String>> = user.get("fallback_hashes")?;
        known = (user.get("session_hash")?, fallbacks.unwrap_or_default());
    }
    let proof = user.map(|_| LoginProof {
        hash: known.0.as_deref(),
        fallback_hashes: &known.1,
    });
    let (plan, authenticated) = stored(call)?.verify(proof);
    Ok(answer(plan, Some(("authenticated", authenticated))))
}

fn update_session_hash(call: &mut Call) -> Result<Answer, Failure> {
    let hash: Option<String> = call.args.get("session_hash")?;
    Ok(answer(
        update_login_hash(call.args.get("same_user")?, hash.as_deref()),
        None,
    ))
}

fn answer(plan: LoginPlan, and: Option<(&str, bool)>) -> Answer {
    let action = match plan.action {
        KeyAction::Keep => "keep",
        KeyAction::Cycle => "cycle",
        KeyAction::Flush => "flush",
    };
    let set = plan
        .set
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    let mut members = vec![
        ("action".to_owned(), action.into()),
        ("set".to_owned(), Answer::Object(set.collect())),
    ];
    members.extend(and.map(|(name, value)| (name.to_owned(), value.into())));
    Answer::Object(members)
}

fn clean_credentials(call: &mut Call) -> Result<Answer, Failure> {
    let names: Vec<String> = call.args.get("names")?;
    Ok(names
        .into_iter()
        .filter(|name| is_credential_name(name))
        .collect())
}

fn login_next(call: &mut Call) -> Result<Answer, Failure> {
    let (absolute, path) = (call.args.text("absolute_uri")?, call.args.text("full_path")?);
    let next = login_url::next_for(&absolute, &path, &call.args.text("login_url")?);
    Ok(next.map_err(|error| Failure::new("ValueError", error))?.into())
}

fn login_redirect(call: &mut Call) -> Result<Answer, Failure> {
    let field: Option<String> = call.args.get("field")?;
    let most = call.settings.get("DATA_UPLOAD_MAX_NUMBER_FIELDS")?;
    let (login_url, next) = (call.args.text("login_url")?, call.args.text("next")?);
    let url = login_url::with_next(&login_url, &next, field.as_deref(), most);
    Ok(url.map_err(no_login_url)?.into())
}

fn no_login_url(error: InvalidLoginUrl) -> Failure {
    let kind = match error {
        InvalidLoginUrl::TooManyFields(_) => "TooManyFieldsSent",
        _ => "ValueError",
    };
    Failure::new(kind, error)
}

/// The columns a token depends on.
struct User {
    id: String,
    password: String,
    last_login: Option<Moment>,
    email: String,
}

impl User {
    fn read(user: &Object) -> Result<Self, Failure> {
        let last_login: Option<String> = user.get("last_login")?;
        Ok(Self {
            id: user.text("pk")?,
            password: user.text("password")?,
            last_login: last_login.map(|text| moment(&text)).transpose()?,
            email: user.get::<Option<String>>("email")?.unwrap_or_default(),
        })
    }

    fn subject(&self) -> ResetSubject<'_> {
        ResetSubject {
            user_id: &self.id,
            password: &self.password,
            // Django drops the offset without converting.
            last_login: self.last_login.map(|time| time.wall_clock().system_time()),
            email: &self.email,
        }
    }
}

fn tokens(call: &Call, fallbacks: Vec<Bytes>) -> Result<ResetTokens, Failure> {
    let primary = key(call.args.get("secret")?);
    let keys = KeyRing::new(primary).with_fallbacks(fallbacks.into_iter().map(key).collect());
    let algorithm = call.args.text("algorithm")?.parse();
    let algorithm = algorithm.map_err(|error| Failure::new("InvalidAlgorithm", error))?;
    let timeout: f64 = call.settings.get("PASSWORD_RESET_TIMEOUT")?;
    let timeout = Duration::try_from_secs_f64(timeout).unwrap_or_default();
    Ok(ResetTokens::new(&keys)
        .with_salt(&keys, &call.args.text("key_salt")?, algorithm)
        .with_timeout(timeout))
}

fn make(call: &mut Call) -> Result<Answer, Failure> {
    let user = User::read(&call.args.object("user")?)?;
    let now = moment(&call.args.text("now")?)?;
    let token = tokens(call, Vec::new())?.make_at(&user.subject(), now.wall_clock().system_time());
    Ok(token.into())
}

fn check(call: &mut Call) -> Result<Answer, Failure> {
    let token: Option<String> = call.args.get("token")?;
    let (Some(token), true) = (token, call.args.raw("user").is_some_and(|user| user != "null")) else {
        return Ok(false.into());
    };
    let user = User::read(&call.args.object("user")?)?;
    let now = moment(&call.args.text("now")?)?;
    let fallbacks = call.args.get::<Option<Vec<Bytes>>>("secret_fallbacks")?;
    let tokens = tokens(call, fallbacks.unwrap_or_default())?;
    Ok(tokens
        .check_at(&user.subject(), &token, now.wall_clock().system_time())
        .into())
}

fn moment(text: &str) -> Result<Moment, Failure> {
    text.parse().map_err(Failure::internal)
}

fn key(bytes: Bytes) -> SecretKey {
    SecretKey::new(bytes.0)
}
