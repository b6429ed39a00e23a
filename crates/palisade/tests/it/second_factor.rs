//! A second factor is asked for before anybody is logged in, and each code works once.

use std::time::Duration;

use futures_util::future::join_all;
use palisade::auth::{MemorySecondFactors, SecondFactorStore, SqliteSecondFactors, StoredFactor};
use palisade::core::settings::OnOutage;
use palisade::session::SessionStore;
use palisade::sqlite::Sqlite;
use palisade::throttle::Scope;

use crate::client::Client;
use crate::log::Log;
use crate::recovery_site::{Site, code_at, mail_settings, with_second_factor};
use crate::throttle_stores::Down;

async fn give(client: &Client, code: &str) -> String {
    client.post("/login/second/", &format!("code={code}")).await.text
}

/// A code that is wrong now.
fn wrong(secret: &str, site: &Site) -> String {
    let right: Vec<String> = [-30, 0, 30]
        .map(|seconds: i64| {
            let now = site.clock.now();
            code_at(
                secret,
                if seconds < 0 {
                    now - Duration::from_secs(30)
                } else {
                    now + Duration::from_secs(seconds.unsigned_abs())
                },
            )
        })
        .into();
    (0..1000)
        .map(|n| format!("{n:06}"))
        .find(|code| !right.contains(code))
        .unwrap()
}

/// Everything that the trait of stores promises.
pub(crate) async fn keeps_second_factors(store: &impl SecondFactorStore) {
    let site = Site::new();
    let (_, _, _) = with_second_factor(&site, "ada").await;
    let ada = site.user("ada").await.id;
    let factor = site.factors.find(ada).await.unwrap().unwrap();
    assert_eq!(store.find(7).await.unwrap(), None);
    assert!(
        !store.swap(7, factor.revision, factor.clone()).await.unwrap(),
        "there is none"
    );
    assert!(store.insert(7, factor.clone()).await.unwrap());
    assert!(!store.insert(7, factor.clone()).await.unwrap(), "there is one");
    assert!(store.insert(8, factor.clone()).await.unwrap());
    assert_eq!(store.find(7).await.unwrap(), Some(factor.clone()));
    let mut next = factor.clone();
    next.confirmed = !next.confirmed;
    next.last_step = i64::from(u32::MAX) * 2;
    next.recovery = String::new();
    next.revision += 1;
    assert!(
        !store.swap(7, factor.revision + 1, next.clone()).await.unwrap(),
        "another came first"
    );
    assert!(
        !store.swap(9, factor.revision, next.clone()).await.unwrap(),
        "nobody"
    );
    let both = join_all((0..8).map(|_| store.swap(7, factor.revision, next.clone()))).await;
    assert_eq!(
        both.into_iter()
            .filter(|swapped| *swapped.as_ref().unwrap())
            .count(),
        1,
        "one wins"
    );
    assert_eq!(store.find(7).await.unwrap(), Some(next));
    assert_eq!(
        store.find(8).await.unwrap(),
        Some(factor),
        "nobody else is changed"
    );
    assert!(store.remove(7).await.unwrap() && !store.remove(7).await.unwrap());
    assert_eq!(store.find(7).await.unwrap(), None);
    assert!(store.find(8).await.unwrap().is_some());
}

#[tokio::test]
async fn sqlite_and_memory_keep_second_factors() {
    let sqlite = SqliteSecondFactors::new(Sqlite::in_memory().unwrap()).unwrap();
    keeps_second_factors(&sqlite).await;
    keeps_second_factors(&MemorySecondFactors::default()).await;
}

#[tokio::test]
async fn password_alone_logs_nobody_in_who_has_a_second_factor() {
    let site = Site::new();
    let (_, secret, _) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(1));
    let (client, answer) = site.log_in("ada").await;
    assert_eq!(answer, "and the code");
    assert_eq!(
        client.get("/who/").await.text,
        "nobody",
        "a half login is no login"
    );
    assert_eq!(client.get("/login/half/").await.text, "ada");
    assert_eq!(client.post("/factor/remove/", "").await.status, 401);
    // Django's key is not in the session: a Django beside sees nobody.
    let key = palisade::session::SessionKey::parse(&client.cookie("sessionid").unwrap()).unwrap();
    let stored = site.sessions.load(&key, site.clock.now()).await.unwrap().unwrap();
    assert!(!stored.data.contains("_auth_user_id"));
    let before = client.cookie("sessionid");
    assert_eq!(
        give(&client, &code_at(&secret, site.clock.now())).await,
        "in as ada"
    );
    assert_ne!(client.cookie("sessionid"), before, "under a new key");
    assert_eq!(client.get("/who/").await.text, "ada");
    assert_eq!(client.get("/recent/").await.text, "ada", "and that was recent");
    assert_eq!(client.get("/login/half/").await.text, "");
}

#[tokio::test]
async fn login_as_somebody_with_a_second_factor_ends_the_login_that_was_there() {
    let site = Site::new();
    with_second_factor(&site, "ada").await;
    let client = site.member("eve").await;
    let answer = client
        .post(
            "/login/",
            &crate::recovery_site::login("ada", crate::recovery_site::PASSWORD),
        )
        .await;
    assert_eq!(answer.text, "and the code");
    assert_eq!(client.get("/who/").await.text, "nobody");
}

#[tokio::test]
async fn code_is_accepted_once_also_from_two_at_the_same_time() {
    let site = Site::new();
    let (_, secret, _) = with_second_factor(&site, "ada").await;
    let used = code_at(&secret, site.clock.now());
    let (client, _) = site.log_in("ada").await;
    assert_eq!(
        give(&client, &used).await,
        "wrong code",
        "it has confirmed the second factor"
    );
    site.clock.advance(Duration::from_secs(30));
    let code = code_at(&secret, site.clock.now());
    let clients = join_all((0..4).map(|_| site.log_in("ada"))).await;
    let answers = join_all(clients.iter().map(|(client, _)| give(client, &code))).await;
    assert_eq!(
        answers.iter().filter(|answer| *answer == "in as ada").count(),
        1,
        "{answers:?}"
    );
    let (client, _) = site.log_in("ada").await;
    assert_eq!(give(&client, &code).await, "wrong code", "replayed");
    // The one before it is older than the last that was used.
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(give(&client, &used).await, "wrong code");
}

#[tokio::test]
async fn ten_thousand_parallel_guesses_get_five_looks() {
    let site = Site::new();
    let (_, secret, _) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(1));
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(site.log_in("ada").await.0);
    }
    let guess = wrong(&secret, &site);
    let guesses = clients
        .iter()
        .flat_map(|client| (0..100).map(|_| give(client, &guess)).collect::<Vec<_>>());
    let answers = join_all(guesses).await;
    let looked = answers.iter().filter(|answer| *answer == "wrong code").count();
    assert_eq!(answers.len(), 10_000);
    assert!(looked <= 5, "{looked}");
    // The right one is not looked at either, until the wait is over.
    let code = code_at(&secret, site.clock.now());
    let (client, _) = site.log_in("ada").await;
    assert_eq!(give(&client, &code).await, "wait 1");
    site.clock.advance(Duration::from_secs(1));
    let code = code_at(&secret, site.clock.now());
    assert_eq!(give(&client, &code).await, "in as ada");
}

#[tokio::test]
async fn wait_grows_and_a_recovery_code_is_not_held_up_by_it() {
    let site = Site::new();
    let (_, secret, codes) = with_second_factor(&site, "ada").await;
    let mut waits = Vec::new();
    for _ in 0..5 + 2 * 7 {
        let (client, _) = site.log_in("ada").await;
        let answer = give(&client, &wrong(&secret, &site)).await;
        if let Some(seconds) = answer.strip_prefix("wait ") {
            let seconds: u64 = seconds.parse().unwrap();
            waits.push(seconds);
            site.clock.advance(Duration::from_secs(seconds));
        } else {
            assert_eq!(answer, "wrong code");
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64]);
    let (client, _) = site.log_in("ada").await;
    assert!(give(&client, "000000").await.starts_with("wait "));
    assert_eq!(give(&client, &codes[0].to_uppercase()).await, "in as ada");
}

/// Knows the password, and tries codes until the account is closed to strangers.
async fn hammer(site: &Site, secret: &str) {
    for _ in 0..2 {
        let (stranger, _) = site.log_in("ada").await;
        for _ in 0..4 {
            give(&stranger, &wrong(secret, site)).await;
        }
    }
    let (stranger, _) = site.log_in("ada").await;
    let right = code_at(secret, site.clock.now());
    assert!(give(&stranger, &right).await.starts_with("wait "));
}

#[tokio::test]
async fn who_knows_the_password_keeps_its_owner_waiting_at_no_browser_that_was_logged_in() {
    let site = Site::new();
    let (owner, secret, _) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(1));
    hammer(&site, &secret).await;
    let again = crate::recovery_site::login("ada", crate::recovery_site::PASSWORD);
    assert_eq!(owner.post("/login/", &again).await.text, "and the code");
    let code = code_at(&secret, site.clock.now());
    assert_eq!(give(&owner, &code).await, "in as ada");
    // And that opened the door to nobody else.
    site.clock.advance(Duration::from_millis(1));
    hammer(&site, &secret).await;
}

#[tokio::test]
async fn codes_are_counted_where_all_tries_are_and_staff_can_let_somebody_try_again() {
    let site = Site::new();
    let (_, secret, _) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(1));
    hammer(&site, &secret).await;
    let waiting = site.throttles.of_account_named("ada").await.unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(
        (waiting[0].scope, waiting[0].failures),
        (Scope::SecondFactor, 5),
        "{waiting:?}"
    );
    assert_eq!(site.throttles.clear_account("ada").await.unwrap(), 1);
    let (client, _) = site.log_in("ada").await;
    let code = code_at(&secret, site.clock.now());
    assert_eq!(give(&client, &code).await, "in as ada");
}

#[tokio::test]
async fn while_nobody_can_count_no_code_is_looked_at_whatever_the_setting() {
    let mut settings = mail_settings();
    settings.login_throttle_on_outage = OnOutage::Open;
    let site = Site::throttled_by(settings, Down);
    let (_, secret, codes) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(1));
    let (client, answer) = site.log_in("ada").await;
    assert_eq!(answer, "and the code", "passwords are let through uncounted");
    for code in [wrong(&secret, &site), code_at(&secret, site.clock.now())] {
        let answer = client.post("/login/second/", &format!("code={code}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"));
    }
    assert_eq!(client.get("/who/").await.text, "nobody");
    assert_eq!(give(&client, &codes[0]).await, "in as ada");
}

#[tokio::test]
async fn page_of_a_half_login_is_kept_by_nobody() {
    let site = Site::new();
    with_second_factor(&site, "ada").await;
    let stranger = site.visitor().await;
    assert_eq!(stranger.get("/login/half/").await.header("cache-control"), "");
    let (client, _) = site.log_in("ada").await;
    let half = client.get("/login/half/").await;
    assert_eq!(
        (half.text.as_str(), half.header("cache-control")),
        ("ada", "no-store")
    );
    let wrong = client.post("/login/second/", "code=1").await;
    assert_eq!(wrong.header("cache-control"), "no-store");
}

#[tokio::test]
async fn second_factor_that_was_begun_in_another_session_is_not_the_owners() {
    let site = Site::new();
    let owner = site.member("ada").await;
    // Knows the password for a while, and waits for the owner to confirm what is known here.
    let (thief, _) = site.log_in("ada").await;
    let seen = thief.post("/factor/", "").await.text;
    let own = owner.post("/factor/", "").await.text;
    assert_ne!(own, seen);
    assert_eq!(
        owner.post("/factor/", "").await.text,
        own,
        "the same until it is confirmed"
    );
    let confirm = async |client: &Client, secret: &str| {
        let code = code_at(secret, site.clock.now());
        client
            .post("/factor/confirm/", &format!("code={code}"))
            .await
            .text
    };
    for secret in [&seen, &own] {
        let refused = confirm(&thief, secret).await;
        assert!(refused.contains("begin anew"), "{refused}");
    }
    assert!(confirm(&owner, &seen).await.contains("not the code"));
    assert_eq!(confirm(&owner, &own).await.lines().count(), 10);
}

#[tokio::test]
async fn half_login_ends_after_ten_minutes_five_tries_or_with_the_password() {
    let site = Site::new();
    let (owner, secret, codes) = with_second_factor(&site, "ada").await;
    let (client, _) = site.log_in("ada").await;
    site.clock.advance(Duration::from_mins(10));
    assert_eq!(client.get("/login/half/").await.text, "ada");
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(
        give(&client, &code_at(&secret, site.clock.now())).await,
        "log in anew"
    );
    assert_eq!(give(&client, &codes[0]).await, "log in anew");

    let (client, _) = site.log_in("ada").await;
    for _ in 0..4 {
        assert_eq!(give(&client, "aaaaa-aaaaa-aaaaa").await, "wrong code");
    }
    assert_eq!(
        give(&client, "aaaaa-aaaaa-aaaaa").await,
        "log in anew",
        "the fifth"
    );
    assert_eq!(give(&client, &codes[0]).await, "log in anew");

    let (client, _) = site.log_in("ada").await;
    let changed = "old=a+fine+long+passphrase&new=another+fine+passphrase";
    assert_eq!(owner.post("/change/", changed).await.text, "changed");
    assert_eq!(
        give(&client, &codes[0]).await,
        "log in anew",
        "the password is another"
    );
}

#[tokio::test]
async fn recovery_code_works_once_and_its_owner_is_told() {
    let site = Site::new();
    let (owner, _, codes) = with_second_factor(&site, "ada").await;
    let clients = join_all((0..4).map(|_| site.log_in("ada"))).await;
    let answers = join_all(clients.iter().map(|(client, _)| give(client, &codes[3]))).await;
    assert_eq!(
        answers.iter().filter(|answer| *answer == "in as ada").count(),
        1,
        "{answers:?}"
    );
    let told = site.mails().await;
    assert!(
        told.iter()
            .any(|mail| mail.text().contains("recovery code was used")),
        "{told:?}"
    );
    let renewed = owner.post("/factor/codes/", "").await.text;
    let (client, _) = site.log_in("ada").await;
    assert_eq!(
        give(&client, &codes[4]).await,
        "wrong code",
        "the older ones are dead"
    );
    let first = renewed.lines().next().unwrap();
    assert_eq!(give(&client, first).await, "in as ada");
}

#[tokio::test]
async fn second_factor_is_confirmed_by_a_code_and_ends_other_sessions() {
    let site = Site::new();
    let client = site.member("ada").await;
    let (elsewhere, _) = site.log_in("ada").await;
    let secret = client.post("/factor/", "").await.text;
    assert_eq!(
        client.post("/factor/", "").await.text,
        secret,
        "the same until it is confirmed"
    );
    let (other, answer) = site.log_in("ada").await;
    assert_eq!(answer, "in", "not asked for before it is confirmed");
    drop(other);
    let refused = client
        .post("/factor/confirm/", &format!("code={}", wrong(&secret, &site)))
        .await;
    assert!(refused.text.contains("not the code"), "{}", refused.text);
    let code = code_at(&secret, site.clock.now());
    let codes = client
        .post("/factor/confirm/", &format!("code={}+{}", &code[..3], &code[3..]))
        .await
        .text;
    assert_eq!(codes.lines().count(), 10);
    assert_ne!(elsewhere.get("/who/").await.text, "ada");
    assert_eq!(client.get("/who/").await.text, "ada");
    assert_eq!(
        client.post("/factor/", "").await.text,
        "There is a second factor already."
    );
    assert_eq!(
        client
            .post("/factor/confirm/", &format!("code={code}"))
            .await
            .text,
        "There is a second factor already."
    );
}

#[tokio::test]
async fn second_factor_is_removed_only_by_who_has_just_proven_who_they_are() {
    let site = Site::new();
    let (client, _, _) = with_second_factor(&site, "ada").await;
    site.clock.advance(Duration::from_mins(16));
    for path in ["/factor/", "/factor/codes/", "/factor/remove/"] {
        assert_eq!(client.thief().post(path, "").await.status, 401, "{path}");
    }
    client
        .post("/login/confirm/", "password=a+fine+long+passphrase")
        .await;
    assert_eq!(client.post("/factor/remove/", "").await.text, "true");
    assert_eq!(site.log_in("ada").await.1, "in");
    let told = site.mails().await;
    assert!(told.last().unwrap().text().contains("was removed"), "{told:?}");
}

#[tokio::test]
async fn stolen_table_tells_no_secret_and_a_row_moved_to_another_user_opens_nothing() {
    let site = Site::new();
    let (_, secret, codes) = with_second_factor(&site, "ada").await;
    let ada = site.user("ada").await.id;
    let factor: StoredFactor = site.factors.find(ada).await.unwrap().unwrap();
    let row = format!("{} {}", factor.secret, factor.recovery);
    assert!(
        !row.contains(&secret.replace(' ', ""))
            && !row.contains(&codes[0])
            && factor.secret.starts_with("sealed1."),
        "{row}"
    );
    assert!(!format!("{factor:?}").contains(&factor.secret));
    site.member("eve").await;
    let eve = site.user("eve").await.id;
    assert!(site.factors.insert(eve, factor).await.unwrap());
    site.clock.advance(Duration::from_mins(1));
    let (client, _) = site.log_in("eve").await;
    let answer = client
        .post(
            "/login/second/",
            &format!("code={}", code_at(&secret, site.clock.now())),
        )
        .await;
    assert_eq!(answer.status, 500, "{}", answer.text);
    assert_eq!(client.get("/who/").await.text, "nobody");
    assert_eq!(
        give(&client, &codes[0]).await,
        "wrong code",
        "a recovery code is its user's"
    );
}

#[tokio::test]
async fn log_has_neither_codes_nor_secrets() {
    let (log, _guard) = Log::begin();
    let site = Site::new();
    let (_, secret, codes) = with_second_factor(&site, "ada").await;
    let (client, _) = site.log_in("ada").await;
    let guess = wrong(&secret, &site);
    give(&client, &guess).await;
    give(&client, &codes[0]).await;
    let text = log.text();
    assert!(
        text.contains("second factor failed") && text.contains("a second factor is asked for"),
        "{text}"
    );
    for hidden in [secret.as_str(), &secret.replace(' ', ""), &codes[0], &codes[1]] {
        assert!(!text.contains(hidden));
    }
    assert!(!text.contains(&format!("code={guess}")) && !text.contains(&format!("\"{guess}\"")));
}
