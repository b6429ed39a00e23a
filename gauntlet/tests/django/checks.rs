//! What a real Django's `check --deploy` can find is found here, too, or cannot happen.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use gauntlet::beside::python_with_django;
use palisade::check::{ANSWERS, Answer, Report};
use palisade::{SecretKey, Settings};

/// A Django with whose settings nearly everything is found.
const AT_DJANGO: &str = r#"
SECRET_KEY = "django-insecure-x"
SECRET_KEY_FALLBACKS = ["short"]
DEBUG = True
ALLOWED_HOSTS = []
INSTALLED_APPS = ["django.contrib.sessions"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
X_FRAME_OPTIONS = "SAMEORIGIN"
SESSION_COOKIE_HTTPONLY = False
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_REFERRER_POLICY = "nonsense"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "nonsense"
CSRF_TRUSTED_ORIGINS = ["example.com"]
ROOT_URLCONF = "bad"
urlpatterns = []
"#;

/// The same here.
const HERE: &str = r#"
secret_key = "django-insecure-x"
secret_key_fallbacks = ["short"]
allowed_hosts = []
x_frame_options = "SAMEORIGIN"
session_cookie_secure = false
session_cookie_httponly = false
csrf_cookie_secure = false
secure_ssl_redirect = false
secure_hsts_seconds = 0
secure_hsts_preload = false
secure_content_type_nosniff = false
secure_referrer_policy = "nonsense"
secure_cross_origin_opener_policy = "nonsense"
csrf_trusted_origins = ["example.com"]
"#;

/// Every identifier in the source of Django's deployment checks.
const ALL: &str = "import pathlib, re, django.core.checks as c
folder = pathlib.Path(c.__file__).parent
files = [folder / 'caches.py', folder / 'files.py', *folder.glob('security/*.py'), folder / 'compatibility/django_4_0.py']
print(*sorted({i for f in files for i in re.findall(r'(?:security|caches|files|4_0)[.][WE][0-9]{3}', f.read_text())}))";

fn python(arguments: &[&str], folder: &std::path::Path) -> Result<String> {
    let output = Command::new(python_with_django()?)
        .args(arguments)
        .current_dir(folder)
        .env("DJANGO_SETTINGS_MODULE", "bad")
        .env("PYTHONPATH", folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8(said)?)
}

#[test]
fn every_id_of_djangos_deployment_checks_has_an_answer() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let said = python(&["-c", ALL], folder.path())?;
    let known: BTreeSet<&str> = ANSWERS.iter().map(|(id, _)| *id).collect();
    let theirs: BTreeSet<&str> = said.split_whitespace().collect();
    ensure!(theirs.len() > 25, "Django said {said}");
    // Retired, and left in a comment.
    let retired = ["security.W007", "security.W017"];
    let without: Vec<_> = theirs
        .difference(&known)
        .filter(|id| !retired.contains(id))
        .collect();
    assert!(without.is_empty(), "no answer to {without:?}");
    Ok(())
}

#[test]
fn what_a_real_django_finds_in_bad_settings_is_found_here() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("bad.py"), AT_DJANGO)?;
    let said = python(&["-m", "django", "check", "--deploy"], folder.path())?;
    fs::write(folder.path().join("palisade.toml"), HERE)?;
    let defaults = Settings::new(SecretKey::new(""), [""; 0]);
    let report = Report::read(defaults, folder.path().join("palisade.toml"), [])?;
    let ours: BTreeSet<&str> = report
        .findings()
        .iter()
        .filter_map(|finding| finding.django)
        .collect();
    let mut compared = 0;
    for (id, answer) in ANSWERS.iter().filter(|(id, _)| said.contains(&format!("({id})"))) {
        compared += 1;
        // A developer's settings are not those of a site: debug is a finding by itself.
        let found = ours.contains(id) || *id == "security.W018" || matches!(answer, Answer::Impossible(_));
        assert!(found, "{id} is not in {report}");
    }
    ensure!(compared >= 12, "Django found {said}");
    Ok(())
}
