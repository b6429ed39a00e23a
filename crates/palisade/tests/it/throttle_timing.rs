//! Whether the time of an answer tells who has an account, by a permutation test; and that the test sees a leak.

use std::time::Duration;

use axum::routing::{get, post};
use palisade::auth::{Auth, SqliteUsers};
use palisade::core::password::{Algorithm, Parameters};
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Protected, Rejection, Router};
use testkit::Pairs;

use crate::client::{Client, settings};
use crate::login_site::{Fields, PASSWORD, field, form, log_in, sign_up};

/// One in ten thousand: who is told apart by chance so often breaks a test run in years.
const ALPHA: f64 = 1e-4;
const PAIRS: usize = 150;
/// An account that is made is written to the disk; a hash more or less is far beyond.
const A_WRITE: Duration = Duration::from_micros(500);
const SEED: u64 = 20_040_719;

/// A login as it is often written: what is not there need not be hashed.
async fn log_in_without_a_dummy_hash(auth: Auth, fields: Fields) -> Result<&'static str, Rejection> {
    let name = fields.0.get("username").cloned().unwrap_or_default();
    if auth.users().store().by_username(&name).await.unwrap().is_none() {
        return Ok("wrong name or password");
    }
    log_in_known(auth, &name, &fields).await
}

/// A sign-up as it is often written: a name that is taken need not be hashed for.
async fn sign_up_unless_taken(auth: Auth, fields: Fields) -> Result<String, Rejection> {
    let name = fields.0.get("username").cloned().unwrap_or_default();
    if auth.users().store().by_username(&name).await.unwrap().is_some() {
        return Ok("A user with that username already exists.".to_owned());
    }
    sign_up(auth, fields).await
}

async fn log_in_known(auth: Auth, name: &str, fields: &Fields) -> Result<&'static str, Rejection> {
    match auth.authenticate(name, &field(fields, "password")).await? {
        Some(_) => Ok("in"),
        None => Ok("wrong name or password"),
    }
}

/// A site with as many tries as a test takes, whose hash takes about a millisecond.
async fn site() -> (Protected, Client) {
    let mut settings = settings();
    settings.login_throttle_free_attempts = 1_000_000;
    settings.login_throttle_network_free_attempts = 1_000_000;
    let hashers = Hashers::new([Algorithm::Pbkdf2Sha256])
        .unwrap()
        .with_parameters(Parameters {
            pbkdf2_iterations: 2000,
            ..Parameters::default()
        });
    let palisade = Palisade::new(settings)
        .with_sessions(MemorySessions::new())
        .with_users_and(
            SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap(),
            hashers,
            PasswordPolicy::default(),
        );
    let router = Router::new()
        .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
        .route("/leaky/", post(log_in_without_a_dummy_hash))
        .route("/sign-up/", post(sign_up))
        .route("/leaky-sign-up/", post(sign_up_unless_taken));
    let app = palisade.protect(router.public()).unwrap();
    let client = Client::new(&app);
    client.get("/login/").await;
    for name in ["ada", "bob"] {
        assert_eq!(client.post("/sign-up/", &form(name, PASSWORD)).await.text, "made");
    }
    (app, client)
}

async fn known_and_unknown(client: &Client, path: &str) -> Pairs {
    let try_as = async |name: &str| {
        let answer = client.post(path, &form(name, "wrong")).await;
        assert_eq!(answer.text, "wrong name or password");
    };
    Pairs::time(
        PAIRS,
        SEED,
        async || try_as("ada").await,
        async || try_as("eve").await,
    )
    .await
}

#[tokio::test]
async fn time_of_a_login_does_not_tell_who_has_an_account() {
    let (_app, client) = site().await;
    let pairs = known_and_unknown(&client, "/login/").await;
    // A row that is found is read, which takes microseconds that drown in any network.
    let p_value = pairs.forgiving(Duration::from_micros(50)).p_value(SEED);
    assert!(
        p_value >= ALPHA,
        "known and unknown names are told apart by {:.6} s (p = {p_value})",
        pairs.median_difference()
    );
}

#[tokio::test]
async fn the_same_test_sees_a_login_without_a_dummy_hash() {
    let (_app, client) = site().await;
    let pairs = known_and_unknown(&client, "/leaky/").await;
    let p_value = pairs.forgiving(Duration::from_micros(50)).p_value(SEED);
    assert!(p_value < ALPHA, "the leak was not seen (p = {p_value})");
}

#[tokio::test]
async fn time_of_a_sign_up_is_the_same_for_a_name_that_is_taken_and_one_that_is_not() {
    let pairs = taken_and_free("/sign-up/").await;
    let p_value = pairs.forgiving(A_WRITE).p_value(SEED);
    assert!(
        p_value >= ALPHA,
        "{:.6} s (p = {p_value})",
        pairs.median_difference()
    );
}

#[tokio::test]
async fn the_same_test_sees_a_sign_up_that_looks_before_it_hashes() {
    let pairs = taken_and_free("/leaky-sign-up/").await;
    let p_value = pairs.forgiving(A_WRITE).p_value(SEED);
    assert!(p_value < ALPHA, "the leak was not seen (p = {p_value})");
}

async fn taken_and_free(path: &str) -> Pairs {
    let (_app, client) = site().await;
    let mut nth = 0;
    Pairs::time(
        60,
        SEED,
        async || {
            let answer = client.post(path, &form("ada", PASSWORD)).await;
            assert_eq!(answer.text, "A user with that username already exists.");
        },
        async || {
            nth += 1;
            let answer = client.post(path, &form(&format!("new{nth}"), PASSWORD)).await;
            assert_eq!(answer.text, "made");
        },
    )
    .await
}
