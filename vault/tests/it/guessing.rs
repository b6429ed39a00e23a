//! Wrong passwords: who has to wait, who does not, and what staff sees of it.

use std::time::{Duration, SystemTime};

use palisade::clock::Clock;

use crate::site::{PASSWORD, Site};

const WRONG: [(&str, &str); 2] = [("username", "anna"), ("password", "wrong")];
const RIGHT: [(&str, &str); 2] = [("username", "anna"), ("password", PASSWORD)];

async fn hammer(site: &Site, username: &str) {
    let mut stranger = site.visitor();
    for _ in 0..8 {
        let fields = [("username", username), ("password", "wrong")];
        stranger.submit("/login/", &fields).await;
    }
}

#[tokio::test]
async fn sixth_try_is_told_on_the_login_page_when_to_come_back() {
    let site = Site::open();
    site.member("anna").await;
    let mut stranger = site.visitor();
    for _ in 0..5 {
        let answer = stranger.submit("/login/", &WRONG).await;
        assert_eq!(answer.status, 422);
    }
    let answer = stranger.submit("/login/", &RIGHT).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
    answer
        .says("Too many tries. Please try again in a second.")
        .says("name=\"username\" value=\"anna\"")
        .hides(PASSWORD)
        .hides("data-user");
}

#[tokio::test]
async fn person_on_a_known_device_logs_in_while_a_stranger_hammers_the_account() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let token = anna.open("/").await.token();
    anna.post("/logout/", &[], &token).await.leads_to("/logout/");
    hammer(&site, "anna").await;
    let elsewhere = site.visitor().submit("/login/", &RIGHT).await;
    assert_eq!(elsewhere.status, 429);
    anna.submit("/login/", &RIGHT).await.leads_to("/");
    anna.open("/").await.says("data-user>anna");
}

#[tokio::test]
async fn known_and_unknown_names_wait_alike() {
    let site = Site::open();
    site.member("anna").await;
    let mut told = Vec::new();
    for username in ["anna", "nobody"] {
        hammer(&site, username).await;
        let fields = [("username", username), ("password", "wrong")];
        let answer = site.visitor().submit("/login/", &fields).await;
        let (_, main) = answer.text.split_once("<main").unwrap();
        let (before, rest) = main.split_once("csrfmiddlewaretoken").unwrap();
        let (_, after) = rest.split_once('>').unwrap();
        let same = format!("{before}{after}").replace(username, "(name)");
        told.push((answer.status, answer.header("retry-after").to_owned(), same));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].0, 429);
}

#[tokio::test]
async fn old_password_is_not_guessed_at_the_change_of_the_password() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let fields = [
        ("old_password", "wrong"),
        ("new_password1", "quite another sentence"),
        ("new_password2", "quite another sentence"),
    ];
    for _ in 0..5 {
        anna.submit("/password/", &fields)
            .await
            .refuses("old_password", "Your old password was entered incorrectly");
    }
    let answer = anna.submit("/password/", &fields).await;
    assert_eq!(answer.status, 429);
    answer.says("Too many tries. Please try again in");
}

#[tokio::test]
async fn staff_sees_who_waits_looks_a_name_up_and_lets_them_try_again() {
    let site = Site::open();
    site.member("anna").await;
    let mut berta = site.staff("berta").await;
    berta.open("/staff/").await.says("href=\"/staff/throttle/\"");
    berta.open("/staff/throttle/").await.says("Nobody has to wait");
    hammer(&site, "anna").await;
    berta
        .open("/staff/throttle/?whom=anna")
        .await
        .says("Counted for anna")
        .says("logging in</td>")
        .says("name=\"whom\" value=\"anna\"");
    berta
        .open("/staff/throttle/?whom=127.0.0.1")
        .await
        .says("<th scope=\"row\">127.0.0.1/32</th>");
    berta
        .open("/staff/throttle/?whom=%3Cb%3E")
        .await
        .says("Nothing is counted for &lt;b&gt;");
    let token = berta.open("/staff/throttle/").await.token();
    let whom = [("whom", "anna")];
    berta
        .post("/staff/throttle/clear/", &whom, &token)
        .await
        .leads_to("/staff/throttle/");
    berta
        .open("/staff/throttle/")
        .await
        .says("Cleared: they may try again at once.");
    site.visitor().submit("/login/", &RIGHT).await.leads_to("/");
}

#[tokio::test]
async fn staff_lets_a_known_device_try_again_that_no_name_leads_to() {
    let site = Site::with(|settings| settings.login_throttle_base_delay = Duration::from_mins(5));
    let mut anna = site.member("anna").await;
    let token = anna.open("/").await.token();
    anna.post("/logout/", &[], &token).await.leads_to("/logout/");
    for _ in 0..5 {
        anna.submit("/login/", &WRONG).await;
    }
    assert_eq!(anna.submit("/login/", &RIGHT).await.status, 429);
    let mut berta = site.staff("berta").await;
    let page = berta.open("/staff/throttle/").await;
    page.says("<th scope=\"row\">a known device</th>");
    let place = page.text.split("name=\"whom\" value=\"").nth(1).unwrap();
    let (place, _) = place.split_once('"').unwrap();
    let place = place.replace("&#x2f;", "/");
    assert!(place.starts_with("login/device/"), "{place}");
    berta
        .post("/staff/throttle/clear/", &[("whom", &place)], &page.token())
        .await
        .leads_to("/staff/throttle/");
    berta.open("/staff/throttle/").await.says("Nobody has to wait");
    anna.submit("/login/", &RIGHT).await.leads_to("/");
}

#[tokio::test]
async fn stolen_session_of_staff_lets_nobody_try_again() {
    let clock = Clock::fixed(SystemTime::now());
    let site = Site::timed(&clock);
    site.member("anna").await;
    let mut berta = site.staff("berta").await;
    clock.advance(Duration::from_mins(16));
    hammer(&site, "anna").await;
    let whom = [("whom", "anna")];
    let mut thief = berta.clone();
    let token = thief.open("/staff/throttle/").await.token();
    for path in ["/staff/throttle/clear/", "/staff/csp/clear/"] {
        let page = thief.post(path, &whom, &token).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (302, format!("/login/confirm/?next={path}").as_str())
        );
    }
    let counted = "logging in</td>";
    thief.open("/staff/throttle/?whom=anna").await.says(counted);
    assert_eq!(site.visitor().submit("/login/", &RIGHT).await.status, 429);

    berta
        .submit(
            "/login/confirm/?next=/staff/throttle/clear/",
            &[("password", PASSWORD)],
        )
        .await
        .leads_to("/staff/throttle/clear/");
    berta
        .open("/staff/throttle/clear/")
        .await
        .leads_to("/staff/throttle/");
    let page = berta.open("/staff/throttle/?whom=anna").await;
    page.says(counted);
    berta
        .post("/staff/throttle/clear/", &whom, &page.token())
        .await
        .leads_to("/staff/throttle/");
    site.visitor().submit("/login/", &RIGHT).await.leads_to("/");
}

#[tokio::test]
async fn nobody_but_staff_sees_who_waits_or_lets_them_try_again() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    assert_eq!(anna.open("/staff/throttle/").await.status, 403);
    let token = anna.open("/profile/").await.token();
    let cleared = anna
        .post("/staff/throttle/clear/", &[("whom", "anna")], &token)
        .await;
    assert_eq!(cleared.status, 403);
}
