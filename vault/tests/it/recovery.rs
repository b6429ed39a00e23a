//! The ways back into an account, the second factor, and the password once more, as a person meets them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::site::{PASSWORD, Shown, Site, Visitor};

const NEW: &str = "a kite over a green hill";

/// The code that an authenticator shows so many seconds from now.
fn code(secret: &str, ahead: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(ahead);
    testkit::authenticator::code(&secret.replace(' ', ""), now.as_secs()).unwrap()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

/// Somebody with an account and an address, logged in.
async fn member(site: &Site, username: &str) -> Visitor {
    let mut visitor = site.member(username).await;
    let email = format!("{username}@example.com");
    let fields = [("first_name", ""), ("last_name", ""), ("email", email.as_str())];
    visitor.submit("/profile/", &fields).await.leads_to("/profile/");
    visitor
}

/// The path of the link in the last mail.
async fn link(site: &Site) -> String {
    site.mailer.sent().await;
    let mails = site.mailer.outbox().unwrap().sent();
    let text = mails.last().expect("a mail").text().to_owned();
    let link = text
        .lines()
        .find(|line| line.contains("/reset/"))
        .expect("a link");
    link.trim()
        .strip_prefix("https://localhost")
        .expect("of this site")
        .to_owned()
}

async fn log_in(visitor: &mut Visitor, username: &str, password: &str) -> Shown {
    visitor
        .submit("/login/", &[("username", username), ("password", password)])
        .await
}

/// Adds a second factor and gives its secret and the recovery codes.
async fn add_second_factor(visitor: &mut Visitor) -> (String, Vec<String>) {
    visitor
        .submit("/second-factor/", &[])
        .await
        .leads_to("/second-factor/");
    let page = visitor.open("/second-factor/").await;
    let secret = between(&page.text, "data-totp>", "<").to_owned();
    let page = visitor
        .post(
            "/second-factor/confirm/",
            &[("code", &code(&secret, 0))],
            &page.token(),
        )
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    let codes: Vec<String> = page
        .text
        .split("data-code>")
        .skip(1)
        .map(|rest| rest[..17].to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

#[tokio::test]
async fn forgotten_password_is_set_anew_through_a_mail() {
    let site = Site::open();
    let mut elsewhere = member(&site, "anna").await;
    let mut visitor = site.visitor();
    visitor.open("/login/").await.says("href=\"/forgot/\"");
    visitor
        .submit("/forgot/", &[("email", "Anna@example.com")])
        .await
        .leads_to("/forgot/sent/");
    visitor
        .open("/forgot/sent/")
        .await
        .says("Look into your mail")
        .hides("anna");
    let link = link(&site).await;
    let page = visitor.open(&link).await;
    let form = page.header("location").to_owned();
    page.leads_to(&form);
    assert!(form.ends_with("/set-password/"));
    let page = visitor.open(&form).await;
    page.says("<strong>anna</strong>")
        .hides(link.split('/').nth(3).unwrap());
    let token = page.token();
    let two = |one, other| [("new_password1", one), ("new_password2", other)];
    let page = visitor.post(&form, &two(NEW, "another"), &token).await;
    page.refuses("new_password2", "The two password fields didn’t match.")
        .hides("kite");
    let page = visitor.post(&form, &two("1234567", "1234567"), &token).await;
    page.refuses("new_password1", "This password is too short.");
    visitor
        .post(&form, &two(NEW, NEW), &token)
        .await
        .leads_to("/reset/done/");
    visitor.open("/reset/done/").await.says("Your password is set");
    elsewhere.open("/profile/").await.hides("anna");
    let page = visitor.open(&link).await;
    assert_eq!(page.status, 422);
    page.says("That link does not work");
    assert_eq!(log_in(&mut visitor, "anna", PASSWORD).await.status, 422);
    log_in(&mut visitor, "anna", NEW).await.leads_to("/");
}

#[tokio::test]
async fn page_for_a_forgotten_password_tells_nobody_who_has_an_account() {
    let site = Site::open();
    member(&site, "anna").await;
    let mut visitor = site.visitor();
    for email in ["anna@example.com", "nobody@example.com"] {
        visitor
            .submit("/forgot/", &[("email", email)])
            .await
            .leads_to("/forgot/sent/");
    }
    visitor
        .submit("/forgot/", &[("email", "anna@")])
        .await
        .refuses("email", "Enter a valid email address.");
    site.mailer.sent().await;
    let resets = site.mailer.outbox().unwrap().sent();
    assert_eq!(
        resets
            .iter()
            .filter(|mail| mail.text().contains("/reset/"))
            .count(),
        1
    );
}

#[tokio::test]
async fn second_factor_is_added_with_a_picture_asked_for_and_removed() {
    let site = Site::open();
    let mut anna = member(&site, "anna").await;
    anna.open("/profile/").await.says("href=\"/second-factor/\"");
    anna.open("/second-factor/").await.says("Add a second factor");
    anna.submit("/second-factor/", &[])
        .await
        .leads_to("/second-factor/");
    let page = anna.open("/second-factor/").await;
    page.says("<svg xmlns")
        .says("autocomplete=\"one-time-code\"")
        .hides("&lt;svg");
    assert!(page.header("cache-control").contains("no-store"));
    let wrong = anna
        .post("/second-factor/confirm/", &[("code", "12345")], &page.token())
        .await;
    wrong.refuses("code", "That is not the code that your authenticator shows now.");
    let (secret, codes) = add_second_factor(&mut anna).await;
    anna.open("/second-factor/")
        .await
        .says("You have 10 left.")
        .hides(&secret)
        .hides(&codes[0]);

    let mut visitor = site.visitor();
    let page = visitor
        .submit(
            "/login/?next=/profile/",
            &[("username", "anna"), ("password", PASSWORD)],
        )
        .await;
    page.leads_to("/login/second/?next=/profile/");
    visitor
        .open("/login/second/?next=/profile/")
        .await
        .says("<strong>anna</strong>");
    visitor.open("/sessions/").await.hides("Where you are logged in");
    let second = "/login/second/?next=/profile/";
    visitor
        .submit(second, &[("code", "abc")])
        .await
        .refuses("code", "That code is wrong");
    visitor
        .submit(second, &[("code", &code(&secret, 30))])
        .await
        .leads_to("/profile/");
    visitor.open("/sessions/").await.says("Where you are logged in");

    let mut other = site.visitor();
    log_in(&mut other, "anna", PASSWORD)
        .await
        .leads_to("/login/second/");
    other
        .submit("/login/second/", &[("code", &codes[0].to_uppercase())])
        .await
        .leads_to("/");
    let token = anna
        .open("/second-factor/")
        .await
        .says("You have 9 left.")
        .token();
    let page = anna.post("/second-factor/codes/", &[], &token).await;
    page.says("The older codes no longer work.").hides(&codes[1]);
    anna.open("/second-factor/codes/")
        .await
        .leads_to("/second-factor/");
    anna.post("/second-factor/remove/", &[], &token)
        .await
        .leads_to("/second-factor/");
    anna.open("/second-factor/")
        .await
        .says("Nothing but your password is asked for");
    log_in(&mut site.visitor(), "anna", PASSWORD).await.leads_to("/");
    site.mailer.sent().await;
    let told: Vec<_> = site
        .mailer
        .outbox()
        .unwrap()
        .sent()
        .into_iter()
        .map(|mail| mail.text().to_owned())
        .collect();
    for event in [
        "is asked for from now on",
        "recovery code was used",
        "New recovery codes",
        "was removed",
    ] {
        assert!(told.iter().any(|text| text.contains(event)), "{event}: {told:?}");
    }
}

#[tokio::test]
async fn half_login_that_has_ended_says_so_and_leads_to_the_login() {
    let site = Site::open();
    let mut anna = member(&site, "anna").await;
    let (_, codes) = add_second_factor(&mut anna).await;
    let mut visitor = site.visitor();
    visitor.open("/login/second/").await.leads_to("/login/");
    log_in(&mut visitor, "anna", PASSWORD)
        .await
        .leads_to("/login/second/");
    let token = visitor.open("/login/second/").await.token();
    for _ in 0..4 {
        visitor
            .post("/login/second/", &[("code", "aaaaa-aaaaa-aaaaa")], &token)
            .await
            .says("That code is wrong");
    }
    visitor
        .post("/login/second/", &[("code", "aaaaa-aaaaa-aaaaa")], &token)
        .await
        .says("Please log in anew");
    visitor.open("/login/second/").await.leads_to("/login/");
    visitor
        .post("/login/second/", &[("code", &codes[0])], &token)
        .await
        .leads_to("/login/");
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_for_the_password_once_more() {
    let site = Site::with(|settings| settings.reauthenticate_after = Duration::from_secs(1));
    let mut anna = site.member("anna").await;
    let token = anna.open("/sessions/").await.token();
    // The site's clock is the machine's: it is asked until the second is over.
    while anna.open("/second-factor/").await.status == 200 {
        tokio::task::yield_now().await;
    }
    for path in ["/profile/", "/second-factor/"] {
        let page = anna.open(path).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (302, format!("/login/confirm/?next={path}").as_str())
        );
    }
    for path in [
        "/sessions/",
        "/second-factor/remove/",
        "/second-factor/codes/",
        "/profile/",
    ] {
        let page = anna.post(path, &[], &token).await;
        assert_eq!(page.status, 302, "{path}");
    }
    let before = anna.session();
    let confirm = "/login/confirm/?next=/second-factor/";
    anna.submit(confirm, &[("password", "not it")])
        .await
        .refuses("password", "That is not your password.");
    anna.submit(confirm, &[("password", PASSWORD)])
        .await
        .leads_to("/second-factor/");
    assert_ne!(anna.session(), before);
    for away in ["//evil.example/", "https://evil.example/"] {
        anna.submit(&format!("/login/confirm/?next={away}"), &[("password", PASSWORD)])
            .await
            .leads_to("/");
    }
}

#[tokio::test]
async fn change_of_address_is_told_to_the_older_one() {
    let site = Site::open();
    let mut anna = member(&site, "anna").await;
    let fields = [
        ("first_name", ""),
        ("last_name", ""),
        ("email", "eve@example.com"),
    ];
    anna.submit("/profile/", &fields).await.leads_to("/profile/");
    site.mailer.sent().await;
    let mails = site.mailer.outbox().unwrap().sent();
    let last = mails.last().unwrap();
    assert_eq!(last.to(), "anna@example.com");
    assert!(
        last.text().contains("address of your account was changed"),
        "{}",
        last.text()
    );
}
