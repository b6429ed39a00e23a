//! What a start refuses, and what the check says: all at once, each with what to do, and nothing that Django finds without an answer.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::routing::get;
use palisade::check::{ANSWERS, Answer, Level, Report};
use palisade::load::load_settings_over;
use palisade::serve::ServeError;
use palisade::{Palisade, Policies as _, Router, SecretKey, Settings};

use crate::client::KEY;

/// An index of git that tracks `config/palisade.toml`.
const INDEX: &[u8] = include_bytes!("../../../palisade-core/src/git_index/version2.index");

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn toml(more: &str) -> String {
    format!("secret_key = \"{KEY}\"\nallowed_hosts = [\"example.com\"]\n{more}")
}

/// A folder of a site, with its settings in `config/palisade.toml`.
struct Place(tempfile::TempDir);

impl Place {
    fn new(text: &str, mode: u32) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        write(&place.settings(), text, mode);
        place
    }

    fn settings(&self) -> PathBuf {
        self.0.path().join("config/palisade.toml")
    }

    fn commit(&self) {
        fs::create_dir(self.0.path().join(".git")).unwrap();
        fs::write(self.0.path().join(".git/index"), INDEX).unwrap();
    }

    fn start(&self) -> Result<Settings, String> {
        let defaults = Settings::new(SecretKey::new(""), [""; 0]);
        load_settings_over(defaults, self.settings(), []).map_err(|error| error.to_string())
    }

    fn check(&self) -> Report {
        Report::read(Settings::new(SecretKey::new(""), [""; 0]), self.settings(), []).unwrap()
    }
}

#[test]
fn settings_with_a_key_that_others_may_read_stop_the_start() {
    let place = Place::new(&toml(""), 0o600);
    assert!(place.start().is_ok());
    assert!(!place.check().has(Level::Error), "{}", place.check());
    for mode in [0o644, 0o604, 0o620] {
        fs::set_permissions(place.settings(), fs::Permissions::from_mode(mode)).unwrap();
        let told = place.start().unwrap_err();
        assert!(
            told.contains("open to other users of this machine") && told.contains("chmod 600"),
            "{told}"
        );
    }
    for allowed in ["dangerous_readable_secrets = true", "debug = true"] {
        assert!(Place::new(&toml(allowed), 0o644).start().is_ok(), "{allowed}");
    }
    let without = "allowed_hosts = [\"example.com\"]";
    let told = Place::new(without, 0o644).start().unwrap_err();
    assert!(
        !told.contains("open to other users"),
        "no secret stands in it: {told}"
    );
}

#[test]
fn settings_with_a_key_that_are_committed_stop_the_start() {
    let place = Place::new(&toml(""), 0o600);
    place.commit();
    let told = place.start().unwrap_err();
    assert!(
        told.contains("is committed in the git repository") && told.contains("make a new secret"),
        "{told}"
    );
    assert!(!told.contains(KEY));
    let allowed = Place::new(&toml("dangerous_committed_secrets = true"), 0o600);
    allowed.commit();
    assert!(allowed.start().is_ok());
    // What holds no secret may be committed.
    let place = Place::new("allowed_hosts = [\"example.com\"]\nsecret = 1", 0o644);
    place.commit();
    assert!(!place.start().unwrap_err().contains("is committed"));
}

#[test]
fn key_in_a_committed_env_file_stops_the_start() {
    let place = Place::new("allowed_hosts = [\"example.com\"]", 0o644);
    // The index says `config/palisade.toml`: the same place under another name.
    let folder = place.0.path().join("config");
    write(
        &folder.join(".env"),
        &format!("PALISADE_SECRET_KEY={KEY}\n"),
        0o644,
    );
    let variables = [("PALISADE_SECRET_KEY".to_owned(), KEY.to_owned())];
    let defaults = || Settings::new(SecretKey::new(""), [""; 0]);
    let told = load_settings_over(defaults(), place.settings(), variables.clone())
        .unwrap_err()
        .to_string();
    assert!(told.contains(".env is open to other users"), "{told}");
    write(&folder.join(".env"), "PALISADE_SECRET_KEY=another\n", 0o644);
    assert!(load_settings_over(defaults(), place.settings(), variables).is_ok());
}

#[test]
fn everything_that_stops_a_start_is_told_at_once_with_what_to_do() {
    let text = "secret_key = \"short\"\nallowed_hosts = [\"*\"]\nsession_cookie_secure = false\ncsrf_cookie_secure = false\n\
                secure_referrer_policy = \"none-of-them\"\nsecure_hsts_seconds = 0\nsecure_hsts_preload = false\n\
                session_seal_keys = \"nowhere\"";
    let place = Place::new(text, 0o644);
    place.commit();
    let told = place.start().unwrap_err();
    let report = place.check();
    for (says, id) in [
        ("fewer than 50 characters", "palisade.secret_key"),
        ("has `*` in it", "palisade.allowed_hosts"),
        (
            "dangerous_insecure_cookies = true (security.W012)",
            "palisade.session_cookie_secure",
        ),
        (
            "dangerous_insecure_cookies = true (security.W016)",
            "palisade.csrf_cookie_secure",
        ),
        ("secure_referrer_policy", "palisade.secure_referrer_policy"),
        ("cannot use the keys at", "palisade.session_seal_keys"),
        ("is open to other users", "palisade.secret_key"),
        ("is committed in", "palisade.secret_key"),
    ] {
        assert!(told.contains(says), "{says} is not in {told}");
        let found = report
            .findings()
            .iter()
            .any(|finding| finding.id == id && finding.level == Level::Error);
        assert!(found, "{id} is not in {report}");
    }
    for finding in report.findings() {
        assert!(!finding.advice.is_empty(), "{finding}");
    }
    let json = report.to_json();
    let hsts = json
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["django"] == "security.W004")
        .unwrap();
    assert_eq!(
        (&hsts["level"], &hsts["id"]),
        (&"WARNING".into(), &"palisade.secure_hsts_seconds".into())
    );
    assert_eq!(hsts["threat"], "insecure-transport");
    assert!(report.to_string().contains("errors, with which no site starts"));
}

#[tokio::test]
async fn site_in_debug_does_not_listen_where_other_machines_reach_it() {
    let bind = async |settings: Settings| {
        let router = Router::new().route("/", get(async || "hello").public());
        let site = Palisade::new(settings).protect(router).unwrap();
        palisade::serve(site, palisade::serve::Listen::plain_behind_proxy("0.0.0.0:0"))
            .bind()
            .await
            .map(drop)
    };
    let mut settings = Settings::for_development(SecretKey::new(KEY));
    settings.secure_ssl_redirect = false;
    let refused = bind(settings.clone()).await;
    assert!(
        matches!(refused, Err(ServeError::DebugExposed { .. })),
        "{refused:?}"
    );
    settings.dangerous_expose_debug = true;
    assert!(bind(settings.clone()).await.is_ok());
    settings.dangerous_expose_debug = false;
    settings.debug = false;
    assert!(bind(settings).await.is_ok());
}

/// The settings here that are what Django finds fault with there.
fn equivalent(id: &str) -> Option<&'static str> {
    Some(match id {
        "security.W004" => "secure_hsts_seconds = 0",
        "security.W005" => "secure_hsts_include_subdomains = false\nsecure_hsts_preload = false",
        "security.W006" => "secure_content_type_nosniff = false",
        "security.W008" => "secure_ssl_redirect = false",
        "security.W009" => "secret_key = \"django-insecure-x\"",
        "security.W012" => "session_cookie_secure = false",
        "security.W015" => "session_cookie_httponly = false",
        "security.W016" => "csrf_cookie_secure = false",
        "security.W018" => "debug = true",
        "security.W019" => "x_frame_options = \"SAMEORIGIN\"",
        "security.W020" => "allowed_hosts = []",
        "security.W021" => "secure_hsts_preload = false",
        "security.W022" => "secure_referrer_policy = \"none\"",
        "security.E023" => "secure_referrer_policy = \"unknown\"",
        "security.E024" => "secure_cross_origin_opener_policy = \"unknown\"",
        "security.W025" => "secret_key_fallbacks = [\"short\"]",
        "4_0.E001" => "csrf_trusted_origins = [\"example.com\"]",
        _ => return None,
    })
}

#[test]
fn everything_that_djangos_check_can_find_is_found_here_or_cannot_happen() {
    for (id, answer) in ANSWERS {
        match (answer, equivalent(id)) {
            (Answer::Setting(setting), Some(text)) => {
                let name = text.split(' ').next().unwrap();
                let base: String = toml("")
                    .lines()
                    .filter(|line| !line.starts_with(&format!("{name} =")))
                    .collect::<Vec<_>>()
                    .join("\n");
                let report = Place::new(&format!("{base}\n{text}"), 0o600).check();
                let found = report
                    .findings()
                    .iter()
                    .find(|finding| finding.django == Some(id));
                assert!(
                    found.is_some_and(|finding| finding.id == format!("palisade.{setting}")),
                    "{id}: {report}"
                );
            }
            (Answer::Impossible(why), None) => assert!(!why.is_empty()),
            other => panic!("{id}: {other:?}"),
        }
    }
    let ids: BTreeSet<&str> = ANSWERS.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), ANSWERS.len());
}

#[test]
fn finding_says_where_it_stands_and_what_it_is_called_there() {
    let told = |text: &str| Place::new(text, 0o600).check().to_string();
    let said = told(&toml("secure_hsts_seconds = \"a lot\"\nsesion_cookie_age = 3\n"));
    for line in [
        "line 3: secure_hsts_seconds: is a text, not a whole number",
        "line 4: sesion_cookie_age: there is no such setting; did you mean `session_cookie_age`?",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    let said = told(&toml("x = [\n"));
    assert!(said.contains("line 3: is not TOML"), "{said}");

    let place = Place::new("django_settings = \"dump.json\"\n", 0o600);
    let dump = place.settings().with_file_name("dump.json");
    write(
        &dump,
        "{\"SECRET_KEY\": \"short\", \"ALLOWED_HOSTS\": \"x\"}",
        0o600,
    );
    let said = place.check().to_string();
    assert!(
        said.contains("dump.json: ALLOWED_HOSTS: is a text, not a list"),
        "{said}"
    );
}
