//! A forgotten password is reset through a mail, and through nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use palisade::Sensitive;
use palisade::auth::{Profile, UserStore};
use palisade::session::SessionStore;
use testkit::Pairs;

use crate::client::Client;
use crate::log::Log;
use crate::recovery_site::{PASSWORD, Site, code_at, login, mail_settings, with_second_factor};

const NEW: &str = "another+fine+passphrase";

async fn follow(client: &Client, link: &str) -> String {
    let page = client.get(link).await;
    assert_eq!(page.status, 303, "{}", page.text);
    page.header("location").to_owned()
}

#[tokio::test]
async fn forgotten_password_is_set_anew_through_the_link_and_all_sessions_end() {
    let site = Site::new();
    let elsewhere = site.member("ada").await;
    let visitor = site.visitor().await;
    visitor.post("/forgot/", "email=ADA@example.com").await;
    let mails = site.mails().await;
    assert_eq!(
        (mails.len(), mails[0].to()),
        (1, "ada@example.com"),
        "to the stored address"
    );
    let link = site.link().await;

    let page = follow(&visitor, &link).await;
    assert!(
        page.ends_with("/set-password/") && page.starts_with("/reset/"),
        "{page}"
    );
    assert_eq!(visitor.get(&page).await.text, "a new password for ada");
    assert_eq!(
        visitor.post(&page, "password=12345").await.text,
        "This password is too short. It must contain at least 8 characters."
    );
    assert_eq!(
        visitor.post(&page, &format!("password={NEW}")).await.text,
        "set for ada"
    );

    assert_eq!(
        visitor.get("/who/").await.text,
        "nobody",
        "nobody is logged in by it"
    );
    assert_ne!(
        elsewhere.get("/who/").await.text,
        "ada",
        "every session has ended"
    );
    let id = site.user("ada").await.id.to_string();
    assert!(
        site.sessions
            .list(&id, site.clock.now())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        visitor.post("/login/", &login("ada", PASSWORD)).await.text,
        "wrong name or password"
    );
    assert_eq!(
        visitor
            .post("/login/", &format!("username=ada&password={NEW}"))
            .await
            .text,
        "in"
    );

    let told = site.mails().await;
    assert!(
        told[1].text().contains("was reset") && told[1].to() == "ada@example.com",
        "{told:?}"
    );
}

#[tokio::test]
async fn pages_of_a_link_are_kept_by_nobody() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    let visitor = site.visitor().await;
    visitor.post("/forgot/", "email=ada@example.com").await;
    let moved = visitor.get(&site.link().await).await;
    assert_eq!(moved.header("cache-control"), "no-store");
    let page = moved.header("location").to_owned();
    let shown = visitor.get(&page).await;
    assert_eq!(shown.header("cache-control"), "no-store", "{}", shown.text);
    let refused = visitor.post(&page, "password=12345").await;
    assert_eq!(refused.header("cache-control"), "no-store", "{}", refused.text);
}

#[tokio::test]
async fn link_works_once_also_when_two_use_it_at_the_same_time() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    site.visitor()
        .await
        .post("/forgot/", "email=ada@example.com")
        .await;
    let link = site.link().await;
    let (mut clients, mut page) = (Vec::new(), String::new());
    for _ in 0..8 {
        let client = site.visitor().await;
        page = follow(&client, &link).await;
        clients.push(client);
    }
    let set = clients.iter().enumerate().map(|(n, client)| {
        let (page, fields) = (page.clone(), format!("password={NEW}+{n}"));
        async move { client.post(&page, &fields).await.text }
    });
    let answers = futures_util::future::join_all(set).await;
    let won = answers.iter().filter(|answer| *answer == "set for ada").count();
    assert_eq!(won, 1, "{answers:?}");
    assert_eq!(site.visitor().await.get(&link).await.text, "no good link", "used");
    assert_eq!(clients[0].get(&page).await.text, "no good link");
}

#[tokio::test]
async fn link_dies_with_a_login_a_change_of_password_or_address_and_in_time() {
    let site = Site::new();
    let ask = async |site: &Site| {
        site.visitor()
            .await
            .post("/forgot/", "email=ada@example.com")
            .await;
        site.link().await
    };
    site.account("ada", "ada@example.com").await;
    let link = ask(&site).await;
    site.clock.advance(Duration::from_hours(72));
    assert_eq!(site.visitor().await.get(&link).await.status, 303, "three days");
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(
        site.visitor().await.get(&link).await.text,
        "no good link",
        "and not a second more"
    );

    let link = ask(&site).await;
    let (member, _) = site.log_in("ada").await;
    assert_eq!(
        site.visitor().await.get(&link).await.text,
        "no good link",
        "a login"
    );

    let link = ask(&site).await;
    let opened = site.visitor().await;
    let page = follow(&opened, &link).await;
    let changed = format!("old={}&new={NEW}", PASSWORD.replace(' ', "+"));
    assert_eq!(member.post("/change/", &changed).await.text, "changed");
    assert_eq!(
        site.visitor().await.get(&link).await.text,
        "no good link",
        "a change of password"
    );
    assert_eq!(
        opened.post(&page, &format!("password={NEW}")).await.text,
        "no good link"
    );

    let link = ask(&site).await;
    let id = site.user("ada").await.id;
    let moved = Profile {
        email: "eve@example.com".to_owned(),
        ..Profile::default()
    };
    site.users.save_profile(id, moved).await.unwrap();
    assert_eq!(
        site.visitor().await.get(&link).await.text,
        "no good link",
        "a change of address"
    );
}

#[tokio::test]
async fn token_opens_nobody_elses_account() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    site.account("eve", "eve@example.com").await;
    site.visitor()
        .await
        .post("/forgot/", "email=eve@example.com")
        .await;
    let link = site.link().await;
    let eve = link.split('/').nth(2).unwrap().to_owned();
    let visitor = site.visitor().await;
    for uid in ["MQ", "MQ==", "LTE", "OTk5", "", "%00", "MQ%3D", "4pa9"] {
        if uid == eve {
            continue;
        }
        let forged = link.replacen(&eve, uid, 1);
        let answer = visitor.get(&forged).await;
        assert_ne!(answer.status, 303, "{forged}");
    }
    let page = follow(&visitor, &link).await;
    let adas = page.replacen(&eve, "MQ", 1);
    assert_ne!(adas, page);
    assert_eq!(
        visitor.post(&adas, &format!("password={NEW}")).await.text,
        "no good link"
    );
    assert_eq!(
        site.visitor().await.get(&page).await.text,
        "no good link",
        "without the session"
    );
}

#[tokio::test]
async fn session_that_somebody_planted_does_not_get_the_token() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    let eve = site.member("eve").await;
    eve.post("/forgot/", "email=ada@example.com").await;
    let link = site.link().await;
    // Ada opens her link in a browser into which Eve has put her own session.
    let ada = eve.thief();
    let page = follow(&ada, &link).await;
    assert_eq!(ada.get(&page).await.text, "a new password for ada");
    assert_ne!(eve.get(&page).await.text, "a new password for ada");
}

#[tokio::test]
async fn link_leads_to_the_site_whatever_the_request_calls_it() {
    let mut settings = mail_settings();
    settings.allowed_hosts = palisade::core::host::AllowedHosts::parse(["example.com", ".evil.example"]);
    settings.trusted_proxies = vec!["192.0.2.7/32".parse().unwrap()];
    settings.use_x_forwarded_host = true;
    let site = Site::with(settings);
    site.account("ada", "ada@example.com").await;
    let client = site.visitor().await;
    let token = client.cookie("csrftoken").unwrap();
    for (name, value) in [
        ("x-forwarded-host", "www.evil.example"),
        ("forwarded", "host=www.evil.example"),
    ] {
        let request = Request::post("/forgot/")
            .header(HOST, "www.evil.example")
            .header(name, value)
            .header(ORIGIN, "https://www.evil.example")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!(
                "csrfmiddlewaretoken={token}&email=ada@example.com"
            )));
        assert_eq!(client.send(request.unwrap()).await.status, 200);
        let mails = site.mails().await;
        let text = mails.last().unwrap().text();
        assert!(
            text.contains("https://example.com/reset/") && !text.contains("evil"),
            "{text}"
        );
    }
    assert_eq!(site.mails().await.len(), 2);
}

#[tokio::test]
async fn answer_is_the_same_whether_or_not_anybody_has_the_address() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    site.account("unusable", "unusable@example.com").await;
    let id = site.user("unusable").await;
    let none = Sensitive::new("!none".to_owned());
    assert!(
        site.users
            .replace_password(id.id, &id.password, none)
            .await
            .unwrap()
    );
    let client = site.visitor().await;
    let mut answers = BTreeSet::new();
    for email in [
        "ada@example.com",
        "nobody@example.com",
        "unusable@example.com",
        "",
        "x",
        "a@b\0",
        &"a".repeat(9000),
    ] {
        let answer = client.post("/forgot/", &format!("email={email}")).await;
        let mut headers: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        // The number of the request is another for each.
        headers.retain(|header| !header.starts_with("x-request-id"));
        answers.insert((answer.status.as_u16(), headers, answer.text));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(site.mails().await.len(), 1);
}

#[tokio::test]
async fn nobodys_mailbox_is_filled_and_one_request_too_many_tells_nothing() {
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    let client = site.visitor().await;
    let mut told = BTreeSet::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut answers = Vec::new();
        for spelt in [email, &email.to_uppercase()].into_iter().cycle().take(8) {
            let answer = client.post("/forgot/", &format!("email={spelt}")).await;
            answers.push((answer.status.as_u16(), answer.header("retry-after").to_owned()));
        }
        assert_eq!(answers[4].0, 200);
        assert!(answers[5..].iter().all(|answer| answer.0 == 429), "{answers:?}");
        told.insert(answers);
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(site.mails().await.len(), 5);
}

#[tokio::test]
async fn time_of_the_answer_does_not_tell_who_has_an_account() {
    let mut settings = mail_settings();
    // It is asked more often than anybody may ask.
    settings.login_throttle_free_attempts = 10_000;
    settings.login_throttle_network_free_attempts = 10_000;
    let site = Site::with(settings);
    for n in 0..20 {
        site.account(&format!("ada{n}"), "ada@example.com").await;
    }
    let client = site.visitor().await;
    let ask = async |email: &str| {
        assert_eq!(
            client.post("/forgot/", &format!("email={email}")).await.status,
            200
        );
    };
    let one = async || {
        ask("ada@example.com").await;
    };
    let other = async || {
        ask("ida@example.com").await;
    };
    // What is found out in the background is over before the next is timed: only the answer itself counts.
    let pairs = Pairs::time(200, 7, one, other)
        .await
        .forgiving(Duration::from_micros(100));
    let told = pairs.p_value(11);
    assert!(told > 1e-4, "p = {told}, {} s", pairs.median_difference());
}

#[tokio::test]
async fn site_that_looks_before_it_answers_is_caught_by_its_time() {
    let site = Site::new();
    for n in 0..20 {
        site.account(&format!("ada{n}"), "ada@example.com").await;
    }
    // The leaking twin: it looks the address up and writes the mails before it answers.
    let ask = async |email: &str| {
        for user in site.users.by_email(email).await.unwrap() {
            let text = format!("Hello {}", user.username).repeat(50);
            site.mailer
                .post(palisade::mail::Mail::new(&user.email, "Reset", text).unwrap())
                .unwrap();
        }
        site.mailer.sent().await;
    };
    let pairs = Pairs::time(
        200,
        7,
        async || ask("ada@example.com").await,
        async || ask("ida@example.com").await,
    )
    .await;
    let told = pairs.forgiving(Duration::from_micros(100)).p_value(11);
    assert!(told < 1e-4, "p = {told}, {} s", pairs.median_difference());
}

#[tokio::test]
async fn log_tells_neither_the_address_nor_the_token() {
    let (log, _guard) = Log::begin();
    let site = Site::new();
    site.account("ada", "ada@example.com").await;
    let visitor = site.visitor().await;
    visitor.post("/forgot/", "email=ada@example.com").await;
    let link = site.link().await;
    let page = follow(&visitor, &link).await;
    visitor.post(&page, &format!("password={NEW}")).await;
    let token = link.split('/').nth(3).unwrap();
    let text = log.text();
    assert!(
        text.contains("a password reset was asked for") && text.contains("password reset"),
        "{text}"
    );
    let own: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("palisade::auth") || line.contains("palisade::mail"))
        .collect();
    for line in own {
        assert!(
            !line.contains("ada@example.com") && !line.contains(token),
            "{line}"
        );
    }
}

#[tokio::test]
async fn reset_does_not_get_round_the_second_factor() {
    let site = Site::new();
    let (_, secret, _) = with_second_factor(&site, "ada").await;
    let eve = site.visitor().await;
    eve.post("/forgot/", "email=ada@example.com").await;
    let page = follow(&eve, &site.link().await).await;
    assert_eq!(
        eve.post(&page, &format!("password={NEW}")).await.text,
        "set for ada"
    );
    assert_eq!(
        eve.post("/login/", &format!("username=ada&password={NEW}"))
            .await
            .text,
        "and the code"
    );
    assert_eq!(eve.get("/who/").await.text, "nobody");
    site.clock.advance(Duration::from_secs(30));
    let code = code_at(&secret, site.clock.now());
    assert_eq!(
        eve.post("/login/second/", &format!("code={code}")).await.text,
        "in as ada"
    );
}
