//! Every mistake that a person can make in a form is told where it was made, and costs them nothing that they typed.

use crate::site::{PASSWORD, Site};

#[tokio::test]
async fn sign_up_names_each_mistake_at_its_field_and_keeps_what_was_typed() {
    let mut visitor = Site::open().visitor();
    let fields = [
        ("username", "anna lee"),
        ("email", "anna@"),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    let page = visitor.submit("/signup/", &fields).await;
    page.refuses("username", "Enter a valid username.")
        .refuses("email", "Enter a valid email address.");
    page.says("value=\"anna lee\"")
        .says("value=\"anna@\"")
        .hides(PASSWORD);
    page.says("<title>Not right yet: ");
}

#[tokio::test]
async fn sign_up_asks_for_what_is_missing() {
    let page = Site::open().visitor().submit("/signup/", &[]).await;
    for field in ["username", "password1", "password2"] {
        page.refuses(field, "This field is required.");
    }
    page.hides("id=\"id_email_error\"");
}

#[tokio::test]
async fn sign_up_refuses_two_different_passwords_and_shows_neither() {
    let fields = [
        ("username", "anna"),
        ("password1", PASSWORD),
        ("password2", "a boat in a red bottle"),
    ];
    let page = Site::open().visitor().submit("/signup/", &fields).await;
    page.refuses("password2", "The two password fields didn’t match.")
        .says("value=\"anna\"")
        .hides("bottle");
}

#[tokio::test]
async fn sign_up_says_each_way_in_which_a_password_is_weak() {
    let fields = [
        ("username", "anna"),
        ("password1", "1234567"),
        ("password2", "1234567"),
    ];
    let page = Site::open().visitor().submit("/signup/", &fields).await;
    page.refuses(
        "password1",
        "This password is too short. It must contain at least 8 characters.",
    );
    page.refuses("password1", "This password is too common.")
        .refuses("password1", "This password is entirely numeric.");
    let fields = [
        ("username", "annabella"),
        ("password1", "annabella1"),
        ("password2", "annabella1"),
    ];
    let page = Site::open().visitor().submit("/signup/", &fields).await;
    page.refuses("password1", "The password is too similar to the username.")
        .hides("annabella1");
}

#[tokio::test]
async fn sign_up_with_a_name_that_is_taken_says_so() {
    let site = Site::open();
    site.member("anna").await;
    let fields = [
        ("username", "anna"),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    let page = site.visitor().submit("/signup/", &fields).await;
    page.refuses("username", "A user with that username already exists.")
        .says("value=\"anna\"");
}

#[tokio::test]
async fn login_does_not_say_whether_the_name_or_the_password_was_wrong() {
    let site = Site::open();
    site.member("anna").await;
    let mut said = Vec::new();
    for username in ["anna", "nobody"] {
        let page = site
            .visitor()
            .submit("/login/", &[("username", username), ("password", "wrong")])
            .await;
        assert_eq!(page.status, 422);
        page.says("Please enter a correct username and password.")
            .says(&format!("value=\"{username}\""))
            .hides("wrong\"");
        let (_, summary) = page.text.split_once("role=\"alert\"").unwrap();
        said.push(summary.split_once("</div>").unwrap().0.to_owned());
    }
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn login_asks_for_what_is_missing() {
    let page = Site::open().visitor().submit("/login/", &[]).await;
    page.refuses("username", "This field is required.")
        .refuses("password", "This field is required.");
}

#[tokio::test]
async fn note_without_a_title_keeps_its_secret_in_the_form() {
    let mut anna = Site::open().member("anna").await;
    let page = anna
        .submit("/secret/", &[("title", " "), ("body", "under the <third> stone")])
        .await;
    page.refuses("title", "This field is required.")
        .says("under the &lt;third&gt; stone</textarea>");
    let page = anna
        .submit("/secret/", &[("title", &"x".repeat(201)), ("body", "")])
        .await;
    page.refuses(
        "title",
        "Ensure this value has at most 200 characters (it has 201).",
    );
    page.refuses("body", "This field is required.");
}

#[tokio::test]
async fn profile_refuses_what_is_no_address_and_keeps_it_in_the_form() {
    let mut anna = Site::open().member("anna").await;
    let page = anna
        .submit(
            "/profile/",
            &[("first_name", "Anna"), ("email", "not an address")],
        )
        .await;
    page.refuses("email", "Enter a valid email address.")
        .says("value=\"Anna\"")
        .says("value=\"not an address\"");
    let page = anna.submit("/profile/", &[("last_name", &"x".repeat(151))]).await;
    page.refuses(
        "last_name",
        "Ensure this value has at most 150 characters (it has 151).",
    );
}

#[tokio::test]
async fn profile_is_saved_and_says_so_once() {
    let mut anna = Site::open().member("anna").await;
    let fields = [
        ("first_name", "Anna"),
        ("last_name", "Lee"),
        ("email", "anna@example.com"),
        ("isAdmin", "true"),
    ];
    anna.submit("/profile/", &fields).await.leads_to("/profile/");
    let page = anna.open("/profile/").await;
    page.says("Your profile is saved.")
        .says("value=\"Lee\"")
        .says("value=\"anna@example.com\"");
    anna.open("/profile/").await.hides("Your profile is saved.");
    anna.submit("/profile/", &fields).await.leads_to("/profile/");
    anna.open("/profile/").await.says("Nothing has changed.");
}

#[tokio::test]
async fn password_change_names_each_mistake() {
    let mut anna = Site::open().member("anna").await;
    let new = "a boat in a red bottle";
    let page = anna
        .submit(
            "/password/",
            &[
                ("old_password", "wrong"),
                ("new_password1", new),
                ("new_password2", new),
            ],
        )
        .await;
    page.refuses(
        "old_password",
        "Your old password was entered incorrectly. Please enter it again.",
    )
    .hides("bottle");
    let page = anna
        .submit(
            "/password/",
            &[
                ("old_password", PASSWORD),
                ("new_password1", new),
                ("new_password2", PASSWORD),
            ],
        )
        .await;
    page.refuses("new_password2", "The two password fields didn’t match.");
    let page = anna
        .submit(
            "/password/",
            &[
                ("old_password", PASSWORD),
                ("new_password1", "12345678"),
                ("new_password2", "12345678"),
            ],
        )
        .await;
    page.refuses("new_password1", "This password is too common.");
    page.refuses("new_password1", "This password is entirely numeric.")
        .hides("12345678");
}

#[tokio::test]
async fn password_change_ends_the_other_sessions_and_keeps_this_one() {
    let site = Site::open();
    let mut anna = site.member("anna").await;
    let mut elsewhere = site.visitor();
    elsewhere
        .submit("/login/", &[("username", "anna"), ("password", PASSWORD)])
        .await
        .leads_to("/");
    let new = "a boat in a red bottle";
    let fields = [
        ("old_password", PASSWORD),
        ("new_password1", new),
        ("new_password2", new),
    ];
    anna.submit("/password/", &fields).await.leads_to("/profile/");
    anna.open("/profile/").await.says("Your password is changed.");
    assert_eq!(elsewhere.open("/profile/").await.status, 302);
    elsewhere
        .submit("/login/", &[("username", "anna"), ("password", new)])
        .await
        .leads_to("/");
}

#[tokio::test]
async fn password_help_says_the_length_that_the_settings_ask_for() {
    let site = Site::with(|settings| settings.password_min_length = 12);
    let page = site.visitor().open("/signup/").await;
    page.says("At least 12 characters.");
    let mut anna = site.member("anna").await;
    anna.open("/password/").await.says("At least 12 characters.");
    let short = "sail boat 1";
    let fields = [("username", "bob"), ("password1", short), ("password2", short)];
    let page = site.visitor().submit("/signup/", &fields).await;
    page.refuses("password1", "It must contain at least 12 characters.");
}

#[tokio::test]
async fn domain_of_an_address_is_kept_in_lower_case() {
    let mut anna = Site::open().member("anna").await;
    anna.submit("/profile/", &[("email", "Anna@Example.COM")])
        .await
        .leads_to("/profile/");
    anna.open("/profile/").await.says("value=\"Anna@example.com\"");
    let mut carol = Site::open().visitor();
    let fields = [
        ("username", "carol"),
        ("email", "Carol@Example.COM"),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    carol.submit("/signup/", &fields).await.leads_to("/");
    carol.open("/profile/").await.says("value=\"Carol@example.com\"");
}
