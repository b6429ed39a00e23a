//! A Django's settings, dumped by the README's command and read here: the same passwords are refused, the same cache is used,
//! and what cannot be done here is said.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use gauntlet::beside::python_with_django;
use palisade::core::settings::SessionEngine;
use palisade::password::{PasswordPolicy, UserAttributes};
use serde_json::Value;

const MANAGE: &str = include_str!("../../django_site/manage.py");
const README: &str = include_str!("../../../README.md");

/// A settings module as a site has one, with the tail that a test is about.
fn settings(tail: &str) -> String {
    format!(
        "SECRET_KEY = 'Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ'\n\
         ALLOWED_HOSTS = ['shop.test']\n\
         INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes']\n\
         DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}}}\n\
         P = 'django.contrib.auth.password_validation.'\n{tail}\n"
    )
}

/// The site of a settings module, in a folder of its own.
struct Site(tempfile::TempDir);

impl Site {
    fn new(tail: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("manage.py"), MANAGE)?;
        fs::create_dir(folder.path().join("shop"))?;
        fs::write(folder.path().join("shop/__init__.py"), "")?;
        fs::write(folder.path().join("shop/settings.py"), settings(tail))?;
        let site = Self(folder);
        let command = README.lines().find_map(|line| {
            line.strip_prefix("(umask 077; python manage.py shell -v 0 -c \"")?
                .split_once('"')
        });
        let (script, _) = command.context("the README has a command to dump Django's settings")?;
        let dump = site.path().join("settings.json");
        fs::write(&dump, site.ask(script)?)?;
        fs::set_permissions(&dump, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(site)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// What a script in Django's shell prints.
    fn ask(&self, script: &str) -> Result<String> {
        let output = Command::new(python_with_django()?)
            .current_dir(self.path())
            .args(["manage.py", "shell", "-v", "0", "-c", script])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DJANGO_SETTINGS_MODULE", "shop.settings")
            .stdin(Stdio::null())
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "Django: {told}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn load(&self, toml: &str) -> Result<palisade::Settings, String> {
        let path = self.path().join("palisade.toml");
        fs::write(&path, format!("django_settings = \"settings.json\"\n{toml}")).unwrap();
        palisade::load_settings(path, []).map_err(|error| error.to_string())
    }
}

/// The codes with which Django refuses each of the passwords.
fn refused_by_django(site: &Site, passwords: &[&str]) -> Result<Vec<Vec<String>>> {
    let passwords = serde_json::to_string(passwords)?;
    let answer = site.ask(&format!(
        "
import json
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
user = User(username='lovelace', first_name='Augusta', last_name='Byron', email='countess@analytical.test')
def codes(password):
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [fault.code for fault in error.error_list]
    return []
print(json.dumps([codes(password) for password in json.loads('''{passwords}''')]))"
    ))?;
    Ok(serde_json::from_str(&answer)?)
}

fn refused_here(settings: &palisade::Settings, passwords: &[&str]) -> Vec<Vec<String>> {
    let policy = PasswordPolicy::from_settings(settings).unwrap();
    let user = UserAttributes {
        username: "lovelace",
        first_name: "Augusta",
        last_name: "Byron",
        email: "countess@analytical.test",
    };
    let codes = |password: &&str| match policy.validate(password, &user) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.code().to_owned()).collect(),
    };
    passwords.iter().map(codes).collect()
}

const PASSWORDS: [&str; 14] = [
    "",
    "lovelace",
    "lovelace1815",
    "augusta-1815",
    "countess@analytical",
    "byron",
    "password",
    "sesame",
    "open-sesame-please",
    "12345678",
    "20261122",
    "elevenchars",
    "twelve chars",
    "a boat in a blue bottle",
];

#[test]
fn rules_for_new_passwords_are_those_of_django_with_their_options() -> Result<()> {
    let list = tempfile::NamedTempFile::new()?;
    fs::write(list.path(), "sesame\nopen-sesame-please\n")?;
    let own_list = format!(
        "AUTH_PASSWORD_VALIDATORS = [{{'NAME': P + 'CommonPasswordValidator', 'OPTIONS': {{'password_list_path': '{}'}}}}]",
        list.path().display()
    );
    for tail in [
        "AUTH_PASSWORD_VALIDATORS = [{'NAME': P + n + 'Validator'} for n in
            ('UserAttributeSimilarity', 'MinimumLength', 'CommonPassword', 'NumericPassword')]",
        "AUTH_PASSWORD_VALIDATORS = [
            {'NAME': P + 'NumericPasswordValidator'},
            {'NAME': P + 'MinimumLengthValidator', 'OPTIONS': {'min_length': 12}},
            {'NAME': P + 'UserAttributeSimilarityValidator',
             'OPTIONS': {'max_similarity': 0.9, 'user_attributes': ('first_name', 'email')}}]",
        "AUTH_PASSWORD_VALIDATORS = [{'NAME': P + 'MinimumLengthValidator', 'OPTIONS': {'min_length': 5}}]",
        "AUTH_PASSWORD_VALIDATORS = []",
        &own_list,
    ] {
        let site = Site::new(tail)?;
        let settings = site.load("").map_err(anyhow::Error::msg)?;
        assert_eq!(
            refused_here(&settings, &PASSWORDS),
            refused_by_django(&site, &PASSWORDS)?,
            "{tail}"
        );
    }
    Ok(())
}

#[test]
fn a_validator_of_the_sites_own_stops_the_start_until_the_rules_are_said_here() -> Result<()> {
    let site = Site::new(
        "AUTH_PASSWORD_VALIDATORS = [{'NAME': P + 'MinimumLengthValidator'}, {'NAME': 'shop.rules.HasSymbol'},
            {'NAME': P + 'UserAttributeSimilarityValidator', 'OPTIONS': {'user_attributes': ['nickname']}}]",
    )?;
    let refused = site.load("").unwrap_err();
    for named in [
        "settings.json: AUTH_PASSWORD_VALIDATORS",
        "shop.rules.HasSymbol",
        "nickname",
    ] {
        assert!(refused.contains(named), "{refused}");
    }
    let settings = site.load("auth_password_validators = [\"MinimumLengthValidator\"]");
    settings.map_err(anyhow::Error::msg)?;
    Ok(())
}

#[test]
fn sessions_keys_and_links_are_where_and_as_long_as_django_has_them() -> Result<()> {
    let site = Site::new(
        "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'
SESSION_CACHE_ALIAS = 'sessions'
CACHES = {'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'},
          'sessions': {'BACKEND': 'django.core.cache.backends.redis.RedisCache', 'LOCATION': 'redis://:pw@127.0.0.1:6379/1',
                       'KEY_PREFIX': 'shop', 'VERSION': 3}}
CSRF_USE_SESSIONS = True
PASSWORD_RESET_TIMEOUT = 600
PASSWORD_HASHERS = ['django.contrib.auth.hashers.ScryptPasswordHasher', 'django.contrib.auth.hashers.PBKDF2PasswordHasher']
AUTHENTICATION_BACKENDS = ['shop.backends.Ldap']",
    )?;
    let settings = site.load("").map_err(anyhow::Error::msg)?;
    assert!(settings.csrf_use_sessions);
    assert_eq!(settings.password_reset_timeout.as_secs(), 600);
    let hashers: Vec<&str> = settings
        .password_hashers
        .iter()
        .map(|hasher| hasher.name())
        .collect();
    assert_eq!(hashers, ["scrypt", "pbkdf2_sha256"]);
    let django =
        palisade::load::load_django_site(site.path().join("palisade.toml"))?.context("there is a dump")?;
    assert_eq!(django.session_engine, SessionEngine::Cache);
    let cache = django.session_cache.map_err(anyhow::Error::msg)?;
    assert_eq!(cache.location.expose(), "redis://:pw@127.0.0.1:6379/1");
    let key = site.ask("from django.core.cache import caches; print(caches['sessions'].make_key('k'))")?;
    assert_eq!(key.trim(), format!("{}:{}:k", cache.key_prefix, cache.version));
    let over: Vec<&str> = django.passed_over.iter().map(|over| over.setting).collect();
    assert_eq!(over, ["SESSION_ENGINE", "AUTHENTICATION_BACKENDS"]);
    Ok(())
}

/// A Django without `argon2-cffi` cannot load a hash that is made in the order of our defaults.
#[test]
fn a_django_that_says_no_hashers_gets_hashes_in_its_own_order() -> Result<()> {
    let site = Site::new("")?;
    let theirs = site.ask(
        "
import json
from django.conf import settings
from django.utils.module_loading import import_string
print(json.dumps([import_string(path).algorithm for path in settings.PASSWORD_HASHERS]))",
    )?;
    let theirs: Vec<String> = serde_json::from_str(&theirs)?;
    let ours = || -> Result<Vec<String>> {
        let settings = site.load("").map_err(anyhow::Error::msg)?;
        let hashers = settings.password_hashers.iter();
        Ok(hashers.map(|hasher| hasher.name().to_owned()).collect())
    };
    let file = site.path().join("settings.json");
    let mut dump: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let names = dump.as_object_mut().context("the dump is an object")?;
    ensure!(names.contains_key("PASSWORD_HASHERS"), "not in the dump");
    assert_eq!(ours()?, theirs);
    // As an older command made it.
    names.remove("PASSWORD_HASHERS");
    fs::write(&file, dump.to_string())?;
    assert_eq!(ours()?, theirs);
    Ok(())
}

/// Every setting that Django itself documents for these defences is read here, or is said to have no effect.
#[test]
fn no_setting_of_a_defence_is_left_out_without_a_word() -> Result<()> {
    let site = Site::new("")?;
    let names = site.ask(
        "
import json
from django.conf import global_settings as g
families = ('SECURE_', 'SESSION_', 'CSRF_', 'USE_X_', 'X_FRAME', 'PASSWORD_', 'LOGIN_', 'LOGOUT_', 'AUTH', 'CACHES', 'DATA_UPLOAD_')
print(json.dumps([n for n in dir(g) if n.isupper() and n.startswith(families)]))",
    )?;
    let names: Vec<String> = serde_json::from_str(&names)?;
    assert!(names.len() > 40, "{names:?}");
    let elsewhere = [
        "SESSION_ENGINE",
        "SESSION_CACHE_ALIAS",
        "SESSION_FILE_PATH",
        "SESSION_SERIALIZER",
        "CACHES",
    ];
    for name in names {
        let known = palisade::core::settings::REGISTRY
            .iter()
            .any(|setting| setting.name().to_uppercase() == name);
        let dump = serde_json::json!({ &name: Value::from("shop.Own") }).to_string();
        let django = palisade::core::settings::DjangoSettings {
            file: "settings.json",
            json: &dump,
        };
        let said = !django.site().passed_over.is_empty();
        let looked_at = ["AUTHENTICATION_BACKENDS", "CACHE_MIDDLEWARE_ALIAS"].contains(&name.as_str());
        assert!(
            known || said || looked_at || elsewhere.contains(&name.as_str()),
            "{name}"
        );
    }
    Ok(())
}

/// With such a Django nothing can be shared: its times are those of another place, or its key is not the one that is written.
#[test]
fn a_django_of_local_times_or_of_a_key_of_bytes_is_refused() -> Result<()> {
    for (tail, setting) in [
        ("USE_TZ = False\nTIME_ZONE = 'Asia/Tokyo'", "USE_TZ"),
        ("SECRET_KEY = SECRET_KEY.encode()", "SECRET_KEY"),
    ] {
        let refused = Site::new(tail)?.load("").err().context("taken as any other")?;
        let named = format!("settings.json: {setting}: is ");
        assert!(refused.contains(&named), "{refused}");
    }
    Ok(())
}
