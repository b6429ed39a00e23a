//! Guessing through the whole stack: how many tries reach a hash, who is told what, and who is not kept out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use palisade::Sensitive;
use palisade::core::password::{Algorithm, Parameters};
use palisade::core::settings::OnOutage;
use palisade::core::throttle::Tally;
use palisade::password::Hashers;
use palisade::sqlite::Sqlite;
use palisade::throttle::{
    Bucket, Counted, DEVICE_COOKIE, Kind, MemoryThrottle, Scope, SqliteThrottle, ThrottleStore,
    ThrottleStoreError,
};

use crate::client::{Answer, settings};
use crate::login_site::{PASSWORD, form};
use crate::throttle_site::{Site, from, send};
use crate::throttle_stores::{Crowded, Down};

const NEW: &str = "another fine passphrase";

async fn ten_thousand_at_once(site: &Site, tries: usize) -> (u64, usize) {
    let begun = site.hashers.begun();
    let visitor = site.visitor().await;
    let all = (0..tries).map(|nth| {
        let visitor = visitor.thief();
        tokio::spawn(async move {
            visitor
                .post("/login/", &form("ada", &format!("guess{nth}")))
                .await
        })
    });
    let answers = join_all(all).await;
    let refused = answers
        .into_iter()
        .filter(|answer| answer.as_ref().unwrap().status == 429)
        .count();
    (site.hashers.begun() - begun, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_wrong_logins_at_once_are_five_looks_at_the_password() {
    let site = Site::new();
    site.member("ada").await;
    assert_eq!(ten_thousand_at_once(&site, 10_000).await, (5, 9_995));
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(
        ten_thousand_at_once(&site, 1000).await,
        (1, 999),
        "and then one a wait"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_that_share_a_file_let_no_more_through_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let users = Sqlite::in_memory().unwrap();
    let open = || SqliteThrottle::new(Sqlite::open(folder.path().join("db")).unwrap()).unwrap();
    let (one, other) = (
        Site::over(settings(), open(), users.clone()),
        Site::over(settings(), open(), users),
    );
    one.member("ada").await;
    let (here, there) = tokio::join!(ten_thousand_at_once(&one, 500), ten_thousand_at_once(&other, 500));
    assert_eq!(here.0 + there.0, 5);
    assert_eq!(here.1 + there.1, 995);
}

#[tokio::test]
async fn who_is_told_to_wait_is_told_how_long_and_nothing_of_the_account() {
    let site = Site::new();
    site.member("ada").await;
    let mut told = Vec::new();
    for name in ["ada", "nobody", "ADA2"] {
        let visitor = site.visitor().await;
        let mut answers = Vec::new();
        for wait in [0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0] {
            site.clock.advance(Duration::from_secs(wait));
            let Answer {
                status,
                mut headers,
                text,
            } = visitor.post("/login/", &form(name, "wrong")).await;
            let id = headers.remove("x-request-id").unwrap();
            let text = text.replace(id.to_str().unwrap(), "(number)");
            answers.push((status, headers, text));
        }
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.0.as_u16()).collect();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 200, 429, 200, 429, 429]);
        assert_eq!(answers[5].1["retry-after"], "1");
        assert_eq!(answers[9].1["retry-after"], "4");
        assert!(answers[9].2.contains("429 Too Many Requests"), "{}", answers[9].2);
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

#[tokio::test]
async fn a_person_at_a_known_device_logs_in_while_strangers_hammer_the_account() {
    let site = Site::new();
    let ada = site.member("ada").await;
    assert_eq!(ada.post("/logout/", "").await.text, "out");
    ada.get("/login/").await;
    assert!(ada.cookie(DEVICE_COOKIE).is_some(), "it outlives the logout");
    site.hammer("ada").await;
    // From the network that hammers, too.
    let back = from(&ada, [203, 0, 113, 1].into(), &form("ada", PASSWORD)).await;
    assert_eq!(back.text, "in");
    site.hammer("ada").await;
    // And a mistyped password or two are no matter, and are forgotten with the right one.
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(ada.post("/login/", &form("ada", "wrong")).await.status, 200);
        }
        assert_eq!(ada.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    }
}

#[tokio::test]
async fn success_of_a_known_device_opens_the_door_to_no_stranger() {
    let site = Site::new();
    let ada = site.member("ada").await;
    site.hammer("ada").await;
    let begun = site.hashers.begun();
    assert_eq!(ada.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    site.hammer("ada").await;
    assert_eq!(site.hashers.begun() - begun, 1);
}

#[tokio::test]
async fn stolen_device_cookie_is_worth_no_more_guesses_than_anybody_has() {
    let site = Site::new();
    let ada = site.member("ada").await;
    let thief = ada.thief();
    let begun = site.hashers.begun();
    for nth in 0..200 {
        from(&thief, [198, 51, 100, nth].into(), &form("ada", "wrong")).await;
    }
    assert_eq!(site.hashers.begun() - begun, 5);
}

#[tokio::test]
async fn device_cookie_that_is_forged_foreign_or_old_gives_nothing() {
    let site = Site::new();
    let (ada, eve) = (site.member("ada").await, site.member("eve").await);
    let (adas, eves) = (
        ada.cookie(DEVICE_COOKIE).unwrap(),
        eve.cookie(DEVICE_COOKIE).unwrap(),
    );
    site.hammer("ada").await;
    let mut forged = adas.clone();
    forged.pop();
    let another_id = format!("x{}", &adas[1..]);
    for cookie in [eves.as_str(), &forged, &another_id, "", "~~~", "a.b:c:d"] {
        let stranger = site.visitor().await;
        stranger.plant(DEVICE_COOKIE, cookie);
        let answer = stranger.post("/login/", &form("ada", PASSWORD)).await;
        assert_eq!(answer.status, 429, "{cookie}");
    }
    let family = site.visitor().await;
    family.plant(DEVICE_COOKIE, &format!("{eves}~{adas}"));
    assert_eq!(family.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    site.clock.advance(Duration::from_hours(24 * 181));
    site.hammer("ada").await;
    let late = site.visitor().await;
    late.plant(DEVICE_COOKIE, &adas);
    assert_eq!(late.post("/login/", &form("ada", PASSWORD)).await.status, 429);
}

#[tokio::test]
async fn browser_of_a_family_is_known_to_each_of_them() {
    let site = Site::new();
    let browser = site.member("ada").await;
    for name in ["bob", "cleo"] {
        browser.post("/logout/", "").await;
        browser.get("/login/").await;
        browser.post("/sign-up/", &form(name, PASSWORD)).await;
        assert_eq!(browser.post("/login/", &form(name, PASSWORD)).await.text, "in");
    }
    for name in ["ada", "bob", "cleo"] {
        site.hammer(name).await;
        assert_eq!(
            browser.post("/login/", &form(name, PASSWORD)).await.text,
            "in",
            "{name}"
        );
    }
}

#[tokio::test]
async fn password_change_is_shown_by_each_device_once() {
    let site = Site::new();
    let here = site.member("ada").await;
    let there = site.visitor().await;
    assert_eq!(there.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    let fields = format!("old={}&new={}", PASSWORD.replace(' ', "+"), NEW.replace(' ', "+"));
    assert_eq!(here.post("/change/", &fields).await.text, "changed");
    site.hammer("ada").await;
    assert_eq!(here.post("/login/", &form("ada", NEW)).await.text, "in");
    assert_eq!(there.post("/login/", &form("ada", NEW)).await.status, 429);
    site.clock.advance(Duration::from_hours(1));
    assert_eq!(there.post("/login/", &form("ada", NEW)).await.text, "in");
    site.hammer("ada").await;
    assert_eq!(there.post("/login/", &form("ada", NEW)).await.text, "in");
}

#[tokio::test]
async fn device_cookie_is_out_of_the_reach_of_scripts_subdomains_and_other_sites() {
    let site = Site::new();
    let visitor = site.visitor().await;
    visitor.post("/sign-up/", &form("ada", PASSWORD)).await;
    let answer = visitor.post("/login/", &form("ada", PASSWORD)).await;
    let cookies = answer.headers.get_all("set-cookie").iter();
    let cookie = cookies
        .map(|cookie| cookie.to_str().unwrap())
        .find(|cookie| cookie.starts_with("__Host-device="))
        .unwrap();
    for attribute in [
        "; HttpOnly",
        "; Secure",
        "; SameSite=Lax",
        "; Path=/",
        "; Max-Age=15552000",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain") && !cookie.contains("ada"), "{cookie}");
    let wrong = visitor.post("/login/", &form("ada", "wrong")).await;
    let cookies: Vec<_> = wrong.headers.get_all("set-cookie").iter().collect();
    assert!(!format!("{cookies:?}").contains("device"), "{cookies:?}");
}

#[tokio::test]
async fn one_network_tries_many_accounts_at_its_own_pace() {
    let site = Site::new();
    let visitor = site.visitor().await;
    let guess = async |address: &str, name: &str| {
        let address = address.parse().unwrap();
        from(&visitor, address, &form(name, "wrong"))
            .await
            .status
            .as_u16()
    };
    for nth in 0..50 {
        assert_eq!(guess("192.0.2.1", &format!("a{nth}")).await, 200);
    }
    assert_eq!(guess("192.0.2.1", "a50").await, 429);
    assert_eq!(
        guess("::ffff:192.0.2.1", "a50").await,
        429,
        "the same address in other clothes"
    );
    assert_eq!(guess("192.0.2.2", "a50").await, 200, "a neighbour");
    for nth in 0..50 {
        assert_eq!(
            guess(&format!("2001:db8:1:2::{nth:x}"), &format!("b{nth}")).await,
            200
        );
    }
    assert_eq!(guess("2001:db8:1:2:ffff::1", "b50").await, 429, "one subscriber");
    assert_eq!(guess("2001:db8:1:3::1", "b50").await, 200, "another");
    site.clock.advance(Duration::from_mins(1));
    assert_eq!(guess("192.0.2.1", "a50").await, 200);
}

#[tokio::test]
async fn forwarded_address_counts_only_where_a_listed_proxy_says_it() {
    let proxied = || {
        let mut settings = settings();
        settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Site::with(settings, MemoryThrottle::new())
    };
    let guess = async |site: &Site, peer: [u8; 4], nth: usize, said: &str| {
        let visitor = site.visitor().await;
        let body = form(&format!("a{nth}"), "wrong");
        let headers = [("x-forwarded-for", said), ("x-real-ip", said)];
        send(&visitor, peer.into(), &body, &headers).await.status.as_u16()
    };
    let site = proxied();
    for nth in 0..50 {
        assert_eq!(
            guess(&site, [192, 0, 2, 1], nth, &format!("198.51.100.{nth}")).await,
            200
        );
    }
    assert_eq!(
        guess(&site, [192, 0, 2, 1], 50, "198.51.100.50").await,
        429,
        "a spoofed header"
    );
    let site = proxied();
    for nth in 0..60 {
        assert_eq!(
            guess(&site, [10, 0, 0, 1], nth, &format!("198.51.100.{nth}")).await,
            200
        );
    }
    for nth in 60..109 {
        let spoofed = format!("203.0.113.{nth}, 198.51.100.1");
        assert_eq!(guess(&site, [10, 0, 0, 1], nth, &spoofed).await, 200);
    }
    assert_eq!(
        guess(&site, [10, 0, 0, 1], 109, "203.0.113.9, 198.51.100.1").await,
        429,
        "what the client put before the proxy's word is not read"
    );
}

#[tokio::test]
async fn client_that_hangs_up_stays_counted() {
    let site = Site::new();
    let slow = Hashers::new([Algorithm::Pbkdf2Sha256]).unwrap();
    let slow = slow.with_parameters(Parameters {
        pbkdf2_iterations: 100_000,
        ..Parameters::default()
    });
    let stored = slow.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
    site.add("ada", stored).await;
    let visitor = site.visitor().await;
    let mut hung_up = 0;
    for nth in 0..5 {
        let guess = form("ada", &format!("guess{nth}"));
        hung_up += usize::from(visitor.post("/login/", &guess).now_or_never().is_none());
    }
    assert!(hung_up > 0, "all were answered at once");
    assert_eq!(visitor.post("/login/", &form("ada", PASSWORD)).await.status, 429);
}

#[tokio::test]
async fn old_password_is_guessed_no_faster_than_at_the_login() {
    let site = Site::new();
    let thief = site.member("ada").await.thief();
    thief.plant(DEVICE_COOKIE, "");
    let begun = site.hashers.begun();
    let new = NEW.replace(' ', "+");
    let mut statuses = Vec::new();
    for nth in 0..7 {
        let answer = thief.post("/change/", &format!("old=guess{nth}&new={new}")).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    assert_eq!(site.hashers.begun() - begun, 5);
    let owner = site.visitor().await;
    assert_eq!(
        owner.post("/login/", &form("ada", PASSWORD)).await.text,
        "in",
        "another scope"
    );
}

#[tokio::test]
async fn names_are_tried_at_the_sign_up_no_faster_than_a_network_may() {
    let site = Site::new();
    site.member("ada").await;
    let visitor = site.visitor().await;
    // What is refused for what it is tells nothing of others, and is not counted.
    for _ in 0..100 {
        assert_eq!(visitor.post("/sign-up/", &form("bob", "short")).await.status, 200);
    }
    for _ in 0..49 {
        let taken = visitor.post("/sign-up/", &form("ada", PASSWORD)).await;
        assert_eq!(taken.text, "A user with that username already exists.");
    }
    let begun = site.hashers.begun();
    for name in ["ada", "bob"] {
        assert_eq!(visitor.post("/sign-up/", &form(name, PASSWORD)).await.status, 429);
    }
    assert_eq!(site.hashers.begun(), begun);
}

#[tokio::test]
async fn while_nobody_can_say_how_many_tries_there_were_a_login_is_refused_or_let_through_as_the_setting_says()
 {
    let site = Site::with(settings(), Down);
    let answer = site.visitor().await.post("/login/", &form("ada", "wrong")).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"));
    assert_eq!(site.hashers.begun(), 0);
    let mut open = settings();
    assert!(open.weaknesses().is_empty());
    open.login_throttle_on_outage = OnOutage::Open;
    assert!(
        open.weaknesses()[0]
            .what
            .contains("login_throttle_on_outage is open")
    );
    let site = Site::with(open, Down);
    let ada = site.member("ada").await;
    assert_eq!(ada.get("/who").await.text, "ada");
}

#[tokio::test]
async fn whoever_crowds_a_count_is_let_through_by_no_setting() {
    for on_outage in [OnOutage::Open, OnOutage::Closed] {
        let mut settings = settings();
        settings.login_throttle_on_outage = on_outage;
        let site = Site::with(settings, Crowded);
        let answer = site.visitor().await.post("/login/", &form("ada", "wrong")).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
        assert_eq!(site.hashers.begun(), 0, "{on_outage:?}");
    }
}

#[tokio::test]
async fn staff_see_who_waits_and_let_them_try_again() {
    let site = Site::new();
    site.member("ada").await;
    let throttles = site.palisade.throttles().unwrap();
    assert_eq!(throttles.list(10).await.unwrap(), []);
    site.hammer("ada").await;
    let listed = throttles.list(10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].scope, listed[0].kind), (Scope::Login, Kind::Account));
    assert_eq!((listed[0].failures, listed[0].network), (5, None));
    assert_eq!(throttles.of_account_named(" Ada".trim()).await.unwrap(), listed);
    assert_eq!(throttles.clear_account("nobody").await.unwrap(), 0);
    assert_eq!(throttles.clear_account("ADA").await.unwrap(), 1);
    let visitor = site.visitor().await;
    assert_eq!(visitor.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    for nth in 0..60 {
        from(
            &visitor,
            [192, 0, 2, 9].into(),
            &form(&format!("a{nth}"), "wrong"),
        )
        .await;
    }
    let listed = throttles.list(10).await.unwrap();
    assert_eq!(listed[0].network, Some("192.0.2.9/32".parse().unwrap()));
    assert_eq!(throttles.of_address([192, 0, 2, 9].into()).await.unwrap(), listed);
    assert_eq!(throttles.clear_address([192, 0, 2, 9].into()).await.unwrap(), 1);
    assert_eq!(throttles.list(10).await.unwrap(), []);
}

#[tokio::test]
async fn staff_lets_a_known_device_try_again_that_the_name_does_not_lead_to() {
    let site = Site::new();
    let ada = site.member("ada").await;
    for _ in 0..6 {
        ada.post("/login/", &form("ada", "wrong")).await;
    }
    let throttles = site.palisade.throttles().unwrap();
    assert_eq!(throttles.clear_account("ada").await.unwrap(), 0);
    let listed = throttles.list(10).await.unwrap();
    assert_eq!((listed.len(), listed[0].kind), (1, Kind::Device));
    assert_eq!(ada.post("/login/", &form("ada", PASSWORD)).await.status, 429);
    assert!(throttles.clear(listed[0].bucket).await.unwrap());
    assert!(!throttles.clear(listed[0].bucket).await.unwrap());
    assert_eq!(ada.post("/login/", &form("ada", PASSWORD)).await.text, "in");
}

/// A store that counts how often it is asked.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<(MemoryThrottle, AtomicUsize)>);

impl ThrottleStore for Asked {
    fn load<'a>(&'a self, bucket: &'a Bucket) -> BoxFuture<'a, Result<Option<Counted>, ThrottleStoreError>> {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        self.0.0.load(bucket)
    }

    fn swap<'a>(
        &'a self,
        bucket: &'a Bucket,
        old: Option<Tally>,
        new: Option<Counted>,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<bool, ThrottleStoreError>> {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        self.0.0.swap(bucket, old, new, now)
    }

    fn list(
        &self,
        at_most: usize,
        now: SystemTime,
    ) -> BoxFuture<'_, Result<Vec<(Bucket, Counted)>, ThrottleStoreError>> {
        self.0.0.list(at_most, now)
    }
}

#[tokio::test]
async fn request_that_logs_nobody_in_asks_nothing_of_the_throttle() {
    let store = Asked::default();
    let site = Site::with(settings(), store.clone());
    let ada = site.member("ada").await;
    let asked = store.0.1.load(Ordering::SeqCst);
    for path in ["/login/", "/who", "/private", "/nothing"] {
        ada.get(path).await;
    }
    ada.post("/logout/", "").await;
    assert_eq!(store.0.1.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn right_logins_leave_nothing_in_the_store() {
    let store = Asked::default();
    let site = Site::with(settings(), store.clone());
    site.member("ada").await;
    let visitor = site.visitor().await;
    for _ in 0..100 {
        assert_eq!(visitor.post("/login/", &form("ada", PASSWORD)).await.text, "in");
        let new_device = site.visitor().await;
        assert_eq!(
            new_device.post("/login/", &form("ada", PASSWORD)).await.text,
            "in"
        );
    }
    assert_eq!(store.0.0.count(), 1, "but the one sign-up");
}

#[tokio::test]
async fn flood_of_names_and_addresses_pushes_nobodys_count_out_and_is_forgotten_itself() {
    let store = Asked::default();
    let site = Site::with(settings(), store.clone());
    site.member("ada").await;
    site.hammer("ada").await;
    let throttles = site.palisade.throttles().unwrap();
    let flood = async |from: u32, to: u32| {
        for nth in from..to {
            let name = format!("name{nth}");
            let attempt = palisade::throttle::Attempt::new(Scope::Login)
                .of_account(&name)
                .at_address(std::net::Ipv4Addr::from_bits(nth).into());
            // A few share a place with others.
            if let Ok(reservation) = throttles.reserve(&attempt).await {
                reservation.keep();
            }
        }
    };
    flood(0, 20_000).await;
    site.hammer("ada").await;
    assert!(store.0.0.count() > 39_000);
    site.clock.advance(Duration::from_hours(2));
    flood(20_000, 60_000).await;
    assert!(store.0.0.count() <= 90_000, "{}", store.0.0.count());
}
