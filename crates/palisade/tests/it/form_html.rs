//! Fields as HTML: the elements, attributes and their order that Django 5.2 writes for the same form and input.

use palisade::core::secret::Sensitive;
use palisade::form::{Bound, Form};

const LEVELS: &[(&str, &str)] = &[("low", "Low"), ("high", "High & dry")];

#[derive(Form)]
#[expect(dead_code, reason = "the fields are looked at as HTML")]
struct Everything {
    #[form(max_length = 5, min_length = 2, help = "Short & sweet")]
    title: String,
    #[form(optional, widget = textarea)]
    body: String,
    #[form(email)]
    email: String,
    #[form(min = 0, max = 120)]
    age: i32,
    #[form(max = 9.5)]
    score: f64,
    #[form(required)]
    agree: bool,
    #[form(choices = LEVELS)]
    level: String,
    #[form(choices = ["a", "b"])]
    tags: Vec<String>,
    #[form(label = "Really?", autocomplete = "off")]
    pin: Sensitive<String>,
    #[form(username)]
    user_name: String,
    #[form(name = "q-1", initial = "x", regex = r"^\d+$")]
    q: String,
    #[form(widget = hidden)]
    next_step: Option<String>,
}

#[derive(Form)]
#[expect(dead_code, reason = "the fields are looked at as HTML")]
struct OnAPhone {
    #[form(max_length = 150, autocomplete = "username", autocapitalize = "none")]
    username: String,
    #[form(widget = text, autocomplete = "one-time-code", inputmode = "numeric")]
    code: Sensitive<String>,
    #[form(optional, widget = date, max_length = 10)]
    until: String,
}

#[test]
fn phone_is_told_which_keys_to_show_and_what_not_to_write_with_a_capital() {
    let form = OnAPhone::blank();
    for (field, input) in [
        (
            "username",
            "<input type=\"text\" name=\"username\" maxlength=\"150\" autocapitalize=\"none\" autocomplete=\"username\" \
             required id=\"id_username\">",
        ),
        (
            "code",
            "<input type=\"text\" name=\"code\" autocomplete=\"one-time-code\" inputmode=\"numeric\" required id=\"id_code\">",
        ),
        ("until", "<input type=\"date\" name=\"until\" id=\"id_until\">"),
    ] {
        assert_eq!(form.field(field).unwrap().input, input);
    }
}

#[expect(clippy::unwrap_used, reason = "part of a test")]
fn sent() -> Bound<Everything> {
    let pairs = [
        ("title", " abcdefg"),
        ("body", "\n<x>"),
        ("email", "a@b"),
        ("age", "121"),
        ("score", "1e999"),
        ("agree", "on"),
        ("level", "nope"),
        ("tags", "a"),
        ("tags", "c"),
        ("pin", "hunter2"),
        ("q-1", "\"'<>&"),
        ("next_step", "\"2\""),
    ];
    Everything::from_pairs(pairs).err().unwrap()
}

#[expect(clippy::unwrap_used, reason = "part of a test")]
fn shows(field: &str, html: &str) {
    assert_eq!(sent().field(field).unwrap().html, html);
}

#[test]
fn text_is_shown_again_with_what_is_wrong() {
    shows(
        "title",
        "<label for=\"id_title\">Title:</label>\n\
         <div class=\"helptext\" id=\"id_title_helptext\">Short &amp; sweet</div>\n\
         <ul class=\"errorlist\" id=\"id_title_error\"><li>Ensure this value has at most 5 characters (it has 7).</li></ul>\n\
         <input type=\"text\" name=\"title\" value=\" abcdefg\" maxlength=\"5\" minlength=\"2\" required \
         aria-invalid=\"true\" aria-describedby=\"id_title_helptext id_title_error\" id=\"id_title\">",
    );
    shows(
        "body",
        "<label for=\"id_body\">Body:</label>\n\
         <textarea name=\"body\" cols=\"40\" rows=\"10\" id=\"id_body\">\n\n&lt;x&gt;</textarea>",
    );
    shows(
        "email",
        "<label for=\"id_email\">Email:</label>\n\
         <ul class=\"errorlist\" id=\"id_email_error\"><li>Enter a valid email address.</li></ul>\n\
         <input type=\"email\" name=\"email\" value=\"a@b\" maxlength=\"320\" required aria-invalid=\"true\" \
         aria-describedby=\"id_email_error\" id=\"id_email\">",
    );
}

#[test]
fn numbers_are_shown_with_their_limits() {
    shows(
        "age",
        "<label for=\"id_age\">Age:</label>\n\
         <ul class=\"errorlist\" id=\"id_age_error\"><li>Ensure this value is less than or equal to 120.</li></ul>\n\
         <input type=\"number\" name=\"age\" value=\"121\" min=\"0\" max=\"120\" required aria-invalid=\"true\" \
         aria-describedby=\"id_age_error\" id=\"id_age\">",
    );
    shows(
        "score",
        "<label for=\"id_score\">Score:</label>\n\
         <ul class=\"errorlist\" id=\"id_score_error\"><li>Enter a number.</li></ul>\n\
         <input type=\"number\" name=\"score\" value=\"1e999\" max=\"9.5\" step=\"any\" required aria-invalid=\"true\" \
         aria-describedby=\"id_score_error\" id=\"id_score\">",
    );
}

#[test]
fn choices_are_shown_with_the_chosen_one() {
    shows(
        "agree",
        "<label for=\"id_agree\">Agree:</label>\n\
         <input type=\"checkbox\" name=\"agree\" required id=\"id_agree\" checked>",
    );
    shows(
        "level",
        "<label for=\"id_level\">Level:</label>\n\
         <ul class=\"errorlist\" id=\"id_level_error\"><li>Select a valid choice. nope is not one of the available \
         choices.</li></ul>\n\
         <select name=\"level\" required aria-invalid=\"true\" aria-describedby=\"id_level_error\" id=\"id_level\">\n\
         <option value=\"\" selected>---------</option>\n\
         <option value=\"low\">Low</option>\n\
         <option value=\"high\">High &amp; dry</option>\n\
         </select>",
    );
    shows(
        "tags",
        "<label for=\"id_tags\">Tags:</label>\n\
         <ul class=\"errorlist\" id=\"id_tags_error\"><li>Select a valid choice. c is not one of the available \
         choices.</li></ul>\n\
         <select name=\"tags\" required aria-invalid=\"true\" aria-describedby=\"id_tags_error\" id=\"id_tags\" multiple>\n\
         <option value=\"a\" selected>a</option>\n\
         <option value=\"b\">b</option>\n\
         </select>",
    );
}

#[test]
fn secret_is_never_shown_again() {
    shows(
        "pin",
        "<label for=\"id_pin\">Really?</label>\n\
         <input type=\"password\" name=\"pin\" autocomplete=\"off\" required id=\"id_pin\">",
    );
    assert!(!serde_json::to_string(&sent()).unwrap().contains("hunter2"));
}

#[test]
fn user_s_text_stays_text() {
    shows(
        "q-1",
        "<label for=\"id_q-1\">Q-1:</label>\n\
         <ul class=\"errorlist\" id=\"id_q-1_error\"><li>Enter a valid value.</li></ul>\n\
         <input type=\"text\" name=\"q-1\" value=\"&quot;&#x27;&lt;&gt;&amp;\" required aria-invalid=\"true\" \
         aria-describedby=\"id_q-1_error\" id=\"id_q-1\">",
    );
    shows(
        "next_step",
        "<input type=\"hidden\" name=\"next_step\" value=\"&quot;2&quot;\" id=\"id_next_step\">",
    );
    let form = Everything::from_pairs([("level", "<script>")]).err().unwrap();
    assert!(!form.html().contains("<script>"));
}

#[test]
fn empty_form_complains_about_nothing() {
    let view = Everything::blank().view();
    assert!(!view.is_bound);
    assert!(view.fields.iter().all(|field| field.errors.is_empty()));
    assert_eq!(view.field["q-1"].value, "x");
    let user = "<label for=\"id_user_name\">User name:</label>\n\
         <input type=\"text\" name=\"user_name\" maxlength=\"150\" autocapitalize=\"none\" autocomplete=\"username\" \
         required id=\"id_user_name\">";
    assert_eq!(view.field["user_name"].html, user);
    assert!(!view.html.contains("errorlist"));
}
