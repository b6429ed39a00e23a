//! What pages promise: who may see, keep and frame them, and that nothing goes wrong without a word.

use crate::site::{PASSWORD, Shown, Site};

const CLOSED: [&str; 5] = [
    "/secret/",
    "/secret/shown/",
    "/profile/",
    "/password/",
    "/sessions/",
];

#[tokio::test]
async fn stranger_is_sent_to_the_login_and_back() {
    let site = Site::open();
    site.member("anna").await;
    for path in CLOSED {
        let page = site.visitor().open(path).await;
        assert_eq!(
            (page.status.as_u16(), page.header("location")),
            (302, &*format!("/login/?next={path}"))
        );
    }
    let fields = [("username", "anna"), ("password", PASSWORD)];
    site.visitor()
        .submit("/login/?next=/profile/", &fields)
        .await
        .leads_to("/profile/");
    site.visitor()
        .submit("/login/?next=https://evil.example/", &fields)
        .await
        .leads_to("/");
}

#[tokio::test]
async fn page_made_for_one_visitor_is_kept_by_nobody() {
    let mut anna = Site::open().member("anna").await;
    for path in CLOSED.into_iter().chain(["/"]) {
        let page = anna.open(path).await;
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        page.says("<span class=\"who\" data-user>anna</span>")
            .says("<form id=\"logout\" method=\"post\"");
    }
}

#[tokio::test]
async fn main_button_comes_first_and_every_form_has_its_token() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    for (visitor, paths) in [
        (&mut anna, &["/secret/", "/profile/", "/password/"][..]),
        (&mut site.visitor(), &["/signup/", "/login/"]),
    ] {
        for path in paths {
            let page = visitor.open(path).await;
            let (_, main) = page.text.split_once("<main").unwrap();
            assert_eq!(main.matches("<button type=\"submit\">").count(), 1, "{path}");
            assert_eq!(
                page.text.matches("method=\"post\"").count(),
                page.text.matches("name=\"csrfmiddlewaretoken\"").count(),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn strict_policy_lets_the_style_sheet_in_and_no_script() {
    let mut visitor = Site::open().visitor();
    let page = visitor.open("/").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("style-src 'self'"),
        "{policy}"
    );
    page.hides("<script").hides("<style").hides(" style=");
    let (_, rest) = page.text.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
    let style = visitor.open(rest.split_once('"').unwrap().0).await;
    assert_eq!(style.status, 200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(style.header("set-cookie"), "");
}

#[tokio::test]
async fn logout_ends_the_session_and_a_link_does_not() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let stolen = anna.clone();
    anna.open("/logout/").await.leads_to("/");
    let token = anna.open("/").await.says("data-user").token();
    anna.post("/logout/", &[], &token).await.leads_to("/logout/");
    anna.open("/logout/")
        .await
        .says("You are logged out")
        .hides("data-user");
    stolen.clone().open("/").await.hides("data-user");
}

#[tokio::test]
async fn sessions_are_listed_without_their_keys_and_the_others_end_at_once() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut elsewhere = site.visitor();
    elsewhere
        .submit("/login/", &[("username", "anna"), ("password", PASSWORD)])
        .await
        .leads_to("/");
    let page = anna.open("/sessions/").await;
    page.says("Firefox on Linux")
        .says("127.0.0.1")
        .says("this session")
        .says("Log out everywhere else");
    assert_eq!(page.text.matches("<dt>From</dt>").count(), 2);
    for visitor in [&anna, &elsewhere] {
        page.hides(&visitor.session());
    }
    anna.submit("/sessions/", &[]).await.leads_to("/sessions/");
    anna.open("/sessions/")
        .await
        .says("One other session has ended.")
        .says("You are logged in nowhere else.");
    assert_eq!(elsewhere.open("/profile/").await.status, 302);
}

#[tokio::test]
async fn widget_is_framed_by_whom_the_start_names_and_other_pages_by_nobody() {
    let widget = Site::open().visitor().open("/widget/").await;
    assert!(
        widget
            .header("content-security-policy")
            .contains("frame-ancestors *")
    );
    assert_eq!(widget.header("x-frame-options"), "");
    widget.hides("<button").hides("<form");
    assert_eq!(widget.header("set-cookie"), "");

    let mut visitor = Site::framed_by(&["https://partner.example"]).visitor();
    let widget = visitor.open("/widget/").await;
    assert!(
        widget
            .header("content-security-policy")
            .contains("frame-ancestors https://partner.example")
    );
    for path in ["/", "/login/", "/secret/shown/", "/nowhere/"] {
        let page = visitor.open(path).await;
        assert!(
            page.header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(page.header("x-frame-options"), "DENY");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_has_a_page_with_a_way_on_and_a_number() {
    let mut visitor = Site::open().visitor();
    let missing = visitor.open("/nowhere/").await;
    assert_eq!(missing.status, 404);
    missing
        .says("There is nothing here")
        .says("href=\"/\"")
        .says(missing.header("x-request-id"))
        .hides("no route");

    let forged = visitor
        .post("/login/", &[("username", "a"), ("password", "b")], "no token")
        .await;
    assert_eq!(forged.status, 403);
    forged
        .says("That was not let through")
        .says(forged.header("x-request-id"));

    let exposed = visitor.open("/login/?password=hunter2").await;
    assert_eq!(exposed.status, 400);
    exposed
        .says("Secrets must not stand in an address.")
        .hides("hunter2");
}

#[tokio::test]
async fn one_session_ends_by_itself_and_only_its_owners() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let fields = [("username", "anna"), ("password", PASSWORD)];
    let (mut second, mut third) = (site.visitor(), site.visitor());
    second.submit("/login/", &fields).await.leads_to("/");
    third.submit("/login/", &fields).await.leads_to("/");

    let page = anna.open("/sessions/").await;
    page.says("5.0 (X11; Linux x86_64; rv:140.0)")
        .says("All times are UTC.");
    let buttons: Vec<String> = page
        .text
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .filter(|(action, _)| action.starts_with("/sessions/") && action.ends_with("/end/"))
        .map(|(action, _)| action.to_owned())
        .collect();
    assert_eq!(buttons.len(), 2, "{}", page.text);

    // Newest first: the first button is that of the third visitor.
    let mut bob = site.member("bob").await;
    let token = bob.open("/").await.token();
    bob.post(&buttons[0], &[], &token).await.leads_to("/sessions/");
    bob.open("/sessions/")
        .await
        .says("There is no such session any more.");
    anna.open(&buttons[0]).await.leads_to("/sessions/");
    third.open("/").await.says("data-user");

    let token = anna.open("/sessions/").await.token();
    anna.post(&buttons[0], &[], &token).await.leads_to("/sessions/");
    anna.open("/sessions/").await.says("That session has ended.");
    third.open("/").await.hides("data-user");
    second.open("/").await.says("data-user");
    anna.open("/").await.says("data-user");
}

#[tokio::test]
async fn login_says_why_one_is_there_and_sign_up_goes_on_to_the_same_place() {
    let mut visitor = Site::open().visitor();
    visitor.open("/login/").await.hides("Log in to go on.");
    let page = visitor.open("/login/?next=/secret/%3Fa%3Db").await;
    page.says("Log in to go on.");
    let leads = |page: &Shown, place: &str| page.text.replace("&#x2f;", "/").matches(place).count();
    assert_eq!(leads(&page, "href=\"/signup/?next=/secret/%3Fa%3Db\""), 2);
    let page = visitor.open("/signup/?next=/profile/").await;
    assert_eq!(leads(&page, "href=\"/login/?next=/profile/\""), 2);
    let evil = visitor.open("/login/?next=https://evil.example/").await;
    evil.hides("evil.example");
    let fields = [
        ("username", "anna"),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    visitor
        .submit("/signup/?next=/profile/", &fields)
        .await
        .leads_to("/profile/");
}

#[tokio::test]
async fn page_that_shows_a_note_once_claims_nothing_of_who_never_wrote_one() {
    let mut anna = Site::open().member("anna").await;
    anna.open("/secret/shown/")
        .await
        .says("Nothing to show")
        .hides("Yours is safe");
}
