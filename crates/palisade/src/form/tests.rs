//! Forms in requests, with the proof that only this crate can make.

use axum::body::Body;
use axum::extract::{FromRequest as _, FromRequestParts as _};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use palisade_core::secret::Sensitive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::csrf::Proof;

#[derive(Form)]
#[form(clean = passwords_agree, ignore("save"))]
struct SignUp {
    #[form(username)]
    username: String,
    #[form(email)]
    email: Option<String>,
    #[form(min_length = 2, validate = not_secret)]
    password1: Sensitive<String>,
    password2: Sensitive<String>,
    #[form(min = 18)]
    age: Option<u8>,
    tags: Option<Vec<String>>,
}

fn passwords_agree(form: &mut SignUp, errors: &mut FormErrors) {
    if form.password1.expose() != form.password2.expose() {
        errors.add("password2", "The two password fields didn’t match.");
    }
}

fn not_secret(password: &Sensitive<String>) -> Result<(), Vec<&'static str>> {
    if password.expose() == "secret" {
        Err(vec!["Too plain.", "Too short."])
    } else {
        Ok(())
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=X";

fn post(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/")
        .header("content-type", content_type)
        .extension(Proof::passed())
        .body(body.into())
        .unwrap()
}

async fn extract(request: Request<Body>) -> Result<Checked<SignUp>, FormRejection> {
    Checked::from_request(request, &()).await
}

fn with(policy: FormPolicy, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Arc::new(policy));
    request
}

fn part(name: &str, value: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(name: &str, file: &str, value: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n{value}\r\n")
}

#[tokio::test]
async fn form_without_the_csrf_check_is_a_fault_that_names_itself() {
    let request = Request::post("/")
        .header("content-type", URLENCODED)
        .body(Body::from("username=a"))
        .unwrap();
    let rejection = extract(request).await.unwrap_err();
    assert!(rejection.to_string().contains("CSRF"), "{rejection}");
    let response = rejection.into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(body, "500 Internal Server Error\n");
}

#[tokio::test]
async fn proof_of_a_safe_request_does_not_let_a_form_in() {
    let request = Request::get("/?username=a")
        .extension(Proof::passed())
        .body(Body::empty())
        .unwrap();
    assert_eq!(extract(request).await.unwrap_err(), FormRejection::SafeMethod);
}

#[tokio::test]
async fn valid_form_reads_as_the_struct() {
    let body = "username=kim&email=&password1=+pw+&password2=+pw+&age=18&tags=a&tags=&tags=b&save=1&next=/";
    let valid = extract(post(URLENCODED, body)).await.unwrap().validate().unwrap();
    assert_eq!(valid.username, "kim");
    assert_eq!(valid.email, None);
    assert_eq!(valid.password1.expose(), " pw ");
    assert_eq!(valid.age, Some(18));
    assert_eq!(valid.tags.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
    assert!(!format!("{valid:?}").contains("pw"));
}

#[tokio::test]
async fn form_that_goes_back_has_everything_but_the_secrets() {
    let body = "username=%3Cb%3E&email=nobody&password1=hunter2&password2=hunter3&age=17";
    let bound = extract(post(URLENCODED, body))
        .await
        .unwrap()
        .validate()
        .unwrap_err();
    let said = |name| {
        bound
            .errors()
            .field(name)
            .unwrap()
            .messages()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(said("email"), ["Enter a valid email address."]);
    assert_eq!(said("age"), ["Ensure this value is greater than or equal to 18."]);
    assert_eq!(bound.value("username"), Some("<b>"));
    let json = serde_json::to_string(&bound).unwrap();
    let html = bound.html();
    assert!(
        !json.contains("hunter") && !html.contains("hunter"),
        "{json}{html}"
    );
    assert!(html.contains("value=\"&lt;b&gt;\""), "{html}");
}

#[tokio::test]
async fn whole_form_is_looked_at_once_its_fields_are_valid() {
    let bound = extract(post(URLENCODED, "username=kim&password1=ab&password2=cd"))
        .await
        .unwrap()
        .validate()
        .unwrap_err();
    let said: Vec<_> = bound.errors().field("password2").unwrap().messages().collect();
    assert_eq!(said, ["The two password fields didn’t match."]);
    let bound = extract(post(URLENCODED, "username=&password1=ab&password2=cd"))
        .await
        .unwrap()
        .validate()
        .unwrap_err();
    assert!(bound.errors().field("password2").unwrap().is_empty());
}

#[tokio::test]
async fn validator_may_have_much_to_say() {
    let bound = extract(post(URLENCODED, "username=kim&password1=secret&password2=secret"))
        .await
        .unwrap()
        .validate()
        .unwrap_err();
    let said: Vec<_> = bound.errors().field("password1").unwrap().messages().collect();
    assert_eq!(said, ["Too plain.", "Too short."]);
}

#[tokio::test]
async fn handler_can_refuse_what_was_valid() {
    let valid = extract(post(URLENCODED, "username=kim&password1=ab&password2=ab"))
        .await
        .unwrap()
        .validate()
        .unwrap();
    let bound = valid.refuse("username", "A user with that username already exists.");
    assert_eq!(bound.value("username"), Some("kim"));
    assert!(bound.html().contains("A user with that username already exists."));
    let bound = SignUp::from_pairs([("username", "kim"), ("password1", "ab"), ("password2", "ab")]).unwrap();
    let bound = bound.refuse_form("Sign-up is closed.");
    assert_eq!(bound.view().non_field_errors, ["Sign-up is closed."]);
}

#[tokio::test]
async fn field_that_the_form_never_offered_is_refused_where_the_site_is_strict() {
    let policy = FormPolicy::default().with_unknown_fields(UnknownFields::Refuse);
    let request = with(
        policy,
        post(URLENCODED, "username=kim&isAdmin=true&csrfmiddlewaretoken=x"),
    );
    assert_eq!(
        extract(request).await.unwrap_err(),
        FormRejection::UnknownFields("isAdmin".into())
    );
}

#[tokio::test]
async fn body_one_byte_too_large_is_refused_whatever_it_claims() {
    let policy = || FormPolicy::default().with_limits(FormLimits::default().with_max_memory_size(Some(10)));
    assert!(
        extract(with(policy(), post(URLENCODED, "username=k")))
            .await
            .is_ok()
    );
    let rejection = extract(with(policy(), post(URLENCODED, "username=ki")))
        .await
        .unwrap_err();
    assert_eq!(rejection, FormRejection::RequestDataTooBig);
    assert_eq!(rejection.status(), StatusCode::BAD_REQUEST);
    let mut lying = post(URLENCODED, "a=1");
    lying
        .headers_mut()
        .insert("content-length", http::HeaderValue::from_static("11"));
    assert_eq!(
        extract(with(policy(), lying)).await.unwrap_err(),
        FormRejection::RequestDataTooBig
    );
}

#[tokio::test]
async fn body_that_is_not_utf8_is_refused() {
    assert_eq!(
        extract(post(URLENCODED, &b"username=\xff"[..]))
            .await
            .unwrap_err(),
        FormRejection::NotUtf8
    );
    let latin = "application/x-www-form-urlencoded; charset=latin-1";
    assert_eq!(
        extract(post(latin, "username=a")).await.unwrap_err(),
        FormRejection::NotUtf8
    );
    let named = "Application/X-WWW-Form-Urlencoded; charset=\"UTF-8\"";
    assert!(extract(post(named, "username=a")).await.is_ok());
}

#[tokio::test]
async fn body_that_is_no_form_is_refused() {
    assert!(matches!(
        extract(post("application/json", "{}")).await,
        Err(FormRejection::NotAForm(_))
    ));
    assert!(matches!(
        extract(post("", "username=a")).await,
        Err(FormRejection::NotAForm(_))
    ));
    assert!(extract(post("", "")).await.is_ok());
}

#[tokio::test]
async fn multipart_fields_are_read() {
    let empty_file = file("photo", "", "");
    let body = [
        part("username", "kim"),
        part("password1", "pw"),
        part("password2", "pw"),
        part("age", "20"),
    ]
    .concat();
    let valid = extract(post(MULTIPART, format!("{body}{empty_file}--X--\r\n")))
        .await
        .unwrap()
        .validate()
        .unwrap();
    assert_eq!((valid.username.as_str(), valid.age), ("kim", Some(20)));
}

#[tokio::test]
async fn multipart_base64_is_decoded_and_kept_where_it_is_none() {
    let encoded = |value: &str| {
        format!(
            "--X\r\nContent-Disposition: form-data; name=\"username\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{value}\r\n--X--\r\n"
        )
    };
    let named = async |value: &str| {
        let checked = extract(post(MULTIPART, encoded(value))).await.unwrap();
        checked
            .validate()
            .unwrap_err()
            .value("username")
            .map(str::to_owned)
    };
    assert_eq!(named("a2lt").await.as_deref(), Some("kim"));
    assert_eq!(named("a!2\r\nlt").await.as_deref(), Some("kim"));
    assert_eq!(named("a2l").await.as_deref(), Some("a2l"));
    assert_eq!(named("!kim!").await.as_deref(), Some("!kim!"));
}

#[tokio::test]
async fn files_are_refused_skipped_and_counted() {
    let body = format!(
        "{}{}--X--\r\n",
        file("photo", "a.png", "bytes"),
        part("username", "kim")
    );
    let rejection = extract(post(MULTIPART, body.clone())).await.unwrap_err();
    assert_eq!(rejection, FormRejection::UnexpectedFile("photo".into()));
    let skip = FormPolicy::default().with_files(FileParts::Skip);
    let bound = extract(with(skip.clone(), post(MULTIPART, body.clone())))
        .await
        .unwrap()
        .validate()
        .unwrap_err();
    assert_eq!(bound.value("username"), Some("kim"));
    let few = skip.with_limits(FormLimits::default().with_max_number_files(Some(0)));
    let rejection = extract(with(few, post(MULTIPART, body))).await.unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "The number of files exceeded settings.DATA_UPLOAD_MAX_NUMBER_FILES."
    );
}

#[tokio::test]
async fn multipart_limits_are_those_of_django() {
    let fields = |count: usize| format!("{}--X--\r\n", part("username", "k").repeat(count));
    let few = |limits| FormPolicy::default().with_limits(limits);
    let limits = FormLimits::default().with_max_number_fields(Some(1));
    assert!(
        extract(with(few(limits.clone()), post(MULTIPART, fields(3))))
            .await
            .is_ok()
    );
    let rejection = extract(with(few(limits), post(MULTIPART, fields(4))))
        .await
        .unwrap_err();
    assert_eq!(rejection, FormRejection::TooManyFieldsSent);
    // "username" and "k" and two more a field.
    let limits = FormLimits::default().with_max_memory_size(Some(22));
    assert!(
        extract(with(few(limits.clone()), post(MULTIPART, fields(2))))
            .await
            .is_ok()
    );
    let rejection = extract(with(few(limits), post(MULTIPART, fields(3))))
        .await
        .unwrap_err();
    assert_eq!(rejection, FormRejection::RequestDataTooBig);
}

#[tokio::test]
async fn broken_multipart_is_refused() {
    for (content_type, body) in [
        (
            MULTIPART,
            "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
        ),
        (MULTIPART, "nothing at all"),
        ("multipart/form-data", "--X--\r\n"),
        ("multipart/form-data; boundary=\"\"", "----\r\n"),
    ] {
        let rejection = extract(post(content_type, body)).await.unwrap_err();
        assert!(
            matches!(rejection, FormRejection::MalformedMultipart(_)),
            "{body}: {rejection:?}"
        );
    }
}

#[derive(Form)]
struct Search {
    #[form(optional)]
    q: String,
    #[expect(dead_code, reason = "its errors are what is looked at")]
    page: Option<u32>,
}

#[tokio::test]
async fn query_is_read_as_a_form() {
    let (mut parts, ()) = Request::get("/?q=a+b&page=x").body(()).unwrap().into_parts();
    let form = QueryForm::<Search>::from_request_parts(&mut parts, &())
        .await
        .unwrap();
    assert!(!form.is_absent());
    let bound = form.validate().unwrap_err();
    assert_eq!(bound.value("q"), Some("a b"));
    assert_eq!(
        bound
            .errors()
            .field("page")
            .unwrap()
            .messages()
            .collect::<Vec<_>>(),
        ["Enter a whole number."]
    );
    let (mut parts, ()) = Request::get("/").body(()).unwrap().into_parts();
    let form = QueryForm::<Search>::from_request_parts(&mut parts, &())
        .await
        .unwrap();
    assert!(form.is_absent());
    assert_eq!(form.validate().unwrap().q, "");
}

/// Endless bytes, one frame after the other.
fn endless(frame: &'static str) -> Body {
    Body::from_stream(futures_util::stream::repeat_with(move || {
        Ok::<_, std::io::Error>(frame)
    }))
}

#[tokio::test]
async fn endless_body_is_cut_off() {
    assert_eq!(
        extract(post(URLENCODED, endless("username=k")))
            .await
            .unwrap_err(),
        FormRejection::RequestDataTooBig
    );
    assert_eq!(
        extract(post(MULTIPART, endless("no boundary")))
            .await
            .unwrap_err(),
        FormRejection::MalformedMultipart("a part is not begun, or its headers are too long".into())
    );
    let part = "--X\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nkim\r\n";
    assert_eq!(
        extract(post(MULTIPART, endless(part))).await.unwrap_err(),
        FormRejection::RequestDataTooBig
    );
}

/// A part whose head does not end, and a body whose first part does not begin.
#[tokio::test]
async fn head_without_an_end_is_not_gathered() {
    for begins in [
        "--X\r\nContent-Disposition: form-data; name=\"name\"\r\nX-Y: ",
        "--Y",
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let frames = Arc::clone(&asked);
        let endless = futures_util::stream::repeat_with(move || {
            frames.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'y'; 64 * 1024]))
        });
        let first = futures_util::stream::iter([Ok(Bytes::from_static(begins.as_bytes()))]);
        let body = Body::from_stream(first.chain(endless));
        let refused = extract(post(MULTIPART, body)).await;
        assert!(
            matches!(refused, Err(FormRejection::MalformedMultipart(_))),
            "{refused:?}"
        );
        let bytes = asked.load(Ordering::Relaxed) * 64 * 1024;
        assert!(bytes < 1_000_000, "{bytes} bytes were asked for");
    }
}

#[tokio::test]
async fn part_with_long_headers_is_refused() {
    let long = "x".repeat(1024);
    let body = format!("--X\r\nContent-Disposition: form-data; name=\"{long}\"\r\n\r\nkim\r\n--X--\r\n");
    assert!(matches!(
        extract(post(MULTIPART, body)).await,
        Err(FormRejection::MalformedMultipart(_))
    ));
}

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn field_that_the_form_never_offered_is_dropped_and_told() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let body = "username=kim&password1=pw&password2=pw&isAdmin=t0psecret&%0Aevil=1&csrfmiddlewaretoken=x";
    let checked = extract(post(URLENCODED, body)).await.unwrap();
    drop(guard);
    assert!(checked.validate().is_ok());
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("palisade::rejection"), "{told}");
    assert!(told.contains("threat=\"mass-assignment\""), "{told}");
    assert!(
        told.contains("isAdmin") && !told.contains("t0psecret") && !told.contains("csrfmiddlewaretoken"),
        "{told}"
    );
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
}

proptest::proptest! {
    #[test]
    fn body_that_was_encoded_is_read_back(pairs in proptest::collection::vec((".{1,8}", ".{0,8}"), 0..5)) {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let encoded: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let read = Submission::urlencoded(&encoded.join("&"), &FormLimits::default()).unwrap();
        for (name, _) in &pairs {
            let sent: Vec<&str> = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
            proptest::prop_assert_eq!(read.with(name, |input| input.all().join("\0")), sent.join("\0"));
        }
    }

    #[test]
    fn no_value_breaks_out_of_its_html(value in ".{0,20}") {
        let bound = Everything::blank().with_initial("text", [value.clone()]).with_initial("long", [value]);
        let html = bound.html();
        proptest::prop_assert_eq!(html.matches('<').count(), Everything::blank().html().matches('<').count());
        proptest::prop_assert!(!html.contains('\''));
    }
}

#[derive(Form)]
struct Everything {
    #[form(optional)]
    #[expect(dead_code, reason = "looked at as HTML")]
    text: String,
    #[form(optional, widget = textarea)]
    #[expect(dead_code, reason = "looked at as HTML")]
    long: String,
}
