//! Reads the settings of a site from its files: `palisade.toml`, and the dump of a Django's settings that it may name.

use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use palisade_core::settings::{
    DjangoSettings, DjangoSite, Folder, PassedOver, Problem, REGISTRY, SettingsErrors,
};
use palisade_core::{SecretKey, Settings};

use crate::check::{Exposed, committed, readable};
use crate::password::{KeyFileError, PasswordPolicy, PolicyError, read_keys};

/// Why the settings could not be loaded.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read the settings {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The dump of a Django's settings cannot be read.
    #[error("cannot read the settings {}, which django_settings of {} names: {reason}", path.display(), toml.display())]
    UnreadableDump {
        /// The dump.
        path: PathBuf,
        /// The TOML file.
        toml: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// What stands there cannot be used: all of it, one by one.
    #[error("{}: {problems}", path.display())]
    Refused {
        /// The TOML file.
        path: PathBuf,
        /// What is wrong.
        problems: SettingsErrors,
    },
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a TOML file, and the environment variables that override it.
///
/// If the file says `django_settings = "settings.json"`, the dump of a Django's settings at that place, seen from the TOML
/// file's folder, lies below both. It is made by one command at the Django site:
///
/// ```sh
/// (umask 077; python manage.py shell -v 0 -c "import json; from django.conf import settings as s; print(json.dumps({n: getattr(s, n) for n in dir(s) if n in ('USE_TZ', 'TIME_ZONE', 'SESSION_ENGINE', 'SESSION_SERIALIZER', 'PASSWORD_HASHERS') or n.isupper() and s.is_overridden(n) and n.startswith(('SECRET_KEY', 'ALLOWED_', 'AUTH', 'CACHES', 'SECURE_', 'SESSION_', 'CSRF_', 'USE_X_', 'X_FRAME', 'PASSWORD_', 'LOGIN_', 'LOGOUT_', 'DATA_UPLOAD_'))}, default=str))" > settings.json)
/// ```
///
/// # Example
///
/// ```no_run
/// let settings = palisade::load_settings("palisade.toml", std::env::vars())?;
/// # Ok::<(), palisade::load::LoadError>(())
/// ```
///
/// # Errors
///
/// When a file cannot be read; or everything that is wrong with the settings, at once, each with its place.
///
/// # Security
///
/// The dump holds the secret key: keep it as the key is kept, readable by the service alone.
pub fn load_settings(
    path: impl AsRef<Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, LoadError> {
    load_settings_over(Settings::new(SecretKey::new(""), [""; 0]), path, env)
}

/// Reads as [`load_settings`] does, over these settings in place of the defaults.
///
/// # Errors
///
/// As [`load_settings`].
pub fn load_settings_over(
    defaults: Settings,
    path: impl AsRef<Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, LoadError> {
    let path = path.as_ref();
    let text = Text::read(path)?;
    let env: Vec<_> = env.into_iter().collect();
    let loaded = text.over(defaults, &env, |settings| examine(settings, &text));
    let mut settings = loaded.map_err(|problems| LoadError::Refused {
        path: path.to_owned(),
        problems,
    })?;
    let (toml, dump, folder) = (&text.toml, &text.dump, text.folder());
    let django = text.django();
    let folders = [&mut settings.password_keys, &mut settings.session_seal_keys];
    for keys in folders.into_iter().flatten() {
        *keys = Folder::new(folder.join(keys.path()).to_string_lossy());
    }
    if let Some(django) = &django {
        warn_beside(django, &settings, toml, &env);
    }
    for over in django.iter().flat_map(|django| django.site().passed_over) {
        let PassedOver { setting, why } = over;
        tracing::warn!(target: "palisade::settings", file = dump.as_ref().map(|(file, _)| file.as_str()), "{setting} {why}");
    }
    Ok(settings)
}

/// Reads as [`load_settings_over`] does, and gives what is wrong beside the settings, as far as they could be read.
pub(crate) fn read_leniently(
    defaults: Settings,
    path: &Path,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<(Option<Settings>, Vec<Problem>), LoadError> {
    let text = Text::read(path)?;
    let env: Vec<_> = env.into_iter().collect();
    let seen = RefCell::new(None);
    let loaded = text.over(defaults, &env, |settings| {
        seen.replace(Some(settings.clone()));
        examine(settings, &text)
    });
    let problems = loaded.map_or_else(|refused| refused.problems().to_vec(), |_| Vec::new());
    Ok((seen.into_inner(), problems))
}

/// What stands in the files, before it is read.
struct Text<'p> {
    path: &'p Path,
    toml: String,
    /// The name of the dump of a Django's settings, and the dump.
    dump: Option<(String, String)>,
}

impl<'p> Text<'p> {
    fn read(path: &'p Path) -> Result<Self, LoadError> {
        let toml = read(path)?;
        let dump = dump(path, &toml)?;
        Ok(Self { path, toml, dump })
    }

    fn folder(&self) -> &'p Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn django(&self) -> Option<DjangoSettings<'_>> {
        let (file, json) = self.dump.as_ref()?;
        Some(DjangoSettings { file, json })
    }

    fn over(
        &self,
        defaults: Settings,
        env: &[(String, String)],
        examine: impl Fn(&Settings) -> Vec<(&'static str, String)>,
    ) -> Result<Settings, SettingsErrors> {
        defaults.overlaid_and_examined(self.django(), Some(&self.toml), env.iter().cloned(), examine)
    }

    /// The files here that hold secrets.
    fn secret_files(&self, settings: &Settings) -> Vec<PathBuf> {
        let is_secret = |line: &str| {
            let mut secrets = REGISTRY.iter().filter(|setting| setting.is_secret());
            // A key of TOML may stand in quotes.
            let line = line.trim_start_matches([' ', '\t', '"', '\'']);
            secrets.any(|setting| line.starts_with(setting.name()))
        };
        let mut files = Vec::new();
        let key = settings.secret_key.expose();
        let holds_the_key = |text: &[u8]| !key.is_empty() && text.windows(key.len()).any(|part| part == key);
        if self.toml.lines().any(is_secret) || holds_the_key(self.toml.as_bytes()) {
            files.push(self.path.to_owned());
        }
        if let Some((dump, _)) = &self.dump {
            files.push(self.folder().join(dump));
        }
        let variables = self.folder().join(".env");
        if fs::read(&variables).is_ok_and(|text| holds_the_key(&text)) {
            files.push(variables);
        }
        files
    }
}

/// Reads what the dump of a Django's settings says of its sessions, if the TOML file names a dump: `CacheSessions::of_django` and who
/// builds another store can take it from here.
///
/// # Errors
///
/// When a file cannot be read.
pub fn load_django_site(path: impl AsRef<Path>) -> Result<Option<DjangoSite>, LoadError> {
    let path = path.as_ref();
    let dump = dump(path, &read(path)?)?;
    Ok(dump.map(|(file, json)| {
        DjangoSettings {
            file: &file,
            json: &json,
        }
        .site()
    }))
}

/// The dump that a TOML text names: its name and what stands there.
fn dump(path: &Path, toml: &str) -> Result<Option<(String, String)>, LoadError> {
    let Some(file) = DjangoSettings::named_in(toml) else {
        return Ok(None);
    };
    let place = path.parent().unwrap_or(Path::new("")).join(&file);
    let json = fs::read_to_string(&place).map_err(|reason| LoadError::UnreadableDump {
        path: place.clone(),
        toml: path.to_owned(),
        reason,
    })?;
    Ok(Some((file, json)))
}

/// Says what works, and is not what somebody beside a Django would choose.
fn warn_beside(django: &DjangoSettings<'_>, settings: &Settings, toml: &str, env: &[(String, String)]) {
    if django.assumes_hashers(settings, toml, env) {
        tracing::warn!(
            target: "palisade::settings",
            file = django.file,
            "PASSWORD_HASHERS is not in the dump, which an older command made: passwords are hashed in Django's own order, PBKDF2 \
             first; dump anew. Argon2id is stronger: put Argon2PasswordHasher first at Django, with `argon2-cffi` installed there"
        );
    }
    if settings.password_keys.is_some() {
        tracing::warn!(
            target: "palisade::settings",
            "password_keys is set beside a Django, which cannot read keyed hashes: whoever logs in here cannot log in there any more"
        );
    }
}

/// Tries the files that the settings name.
fn examine(settings: &Settings, text: &Text<'_>) -> Vec<(&'static str, String)> {
    let (folder, beside_django) = (text.folder(), text.dump.is_some());
    let mut found = exposed(settings, text);
    for (name, keys) in [
        ("password_keys", &settings.password_keys),
        ("session_seal_keys", &settings.session_seal_keys),
    ] {
        let Some(keys) = keys else { continue };
        match read_keys(folder.join(keys.path()), SystemTime::now()) {
            Ok(_) => {}
            Err(KeyFileError::Several { faults }) => {
                found.extend(faults.iter().map(|fault| (name, fault.to_string())));
            }
            Err(fault) => found.push((name, fault.to_string())),
        }
    }
    let shared = "cannot be used beside a Django (django_settings), which would log out whoever logs in here, and the other way round: \
                  take it out until Django is gone";
    if beside_django && settings.session_seal_keys.is_some() {
        found.push(("session_seal_keys", shared.to_owned()));
    }
    if beside_django && settings.session_hashed_keys {
        found.push(("session_hashed_keys", shared.to_owned()));
    }
    if let Err(fault @ PolicyError::List { .. }) = PasswordPolicy::from_settings(settings) {
        found.push(("auth_password_validators", fault.to_string()));
    }
    found
}

/// Says which files with secrets in them others can read, on this machine or in a repository. A developer's machine is spared.
fn exposed(settings: &Settings, text: &Text<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if settings.debug {
        return found;
    }
    let files = text.secret_files(settings);
    if !settings.dangerous_readable_secrets {
        let faults = files.iter().filter_map(|file| readable(file));
        found.extend(faults.map(|fault| ("secret_key", fault.to_string())));
    }
    if settings.dangerous_committed_secrets {
        return found;
    }
    let files = files.into_iter().map(|file| ("secret_key", file));
    let folders = [
        ("password_keys", &settings.password_keys),
        ("session_seal_keys", &settings.session_seal_keys),
    ];
    let keys = folders.into_iter().flat_map(|(name, keys)| {
        let keys = keys
            .as_ref()
            .and_then(|keys| fs::read_dir(text.folder().join(keys.path())).ok());
        keys.into_iter()
            .flatten()
            .filter_map(move |entry| Some((name, entry.ok()?.path())))
    });
    for (name, file) in files.chain(keys) {
        match committed(&file) {
            None => {}
            Some(unknown @ Exposed::Unknown { .. }) => {
                tracing::warn!(target: "palisade::settings", "{unknown}");
            }
            Some(fault) => found.push((name, fault.to_string())),
        }
    }
    found
}

fn read(path: &Path) -> Result<String, LoadError> {
    fs::read_to_string(path).map_err(|reason| LoadError::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "Zq3!fT8v(0xk_7y^mW2s&Jb9+Ld5@nRc4*hGp6-uEa1=tYiOoQ";

    fn load(toml: &str, json: Option<&str>, env: &[(&str, &str)]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("palisade.toml");
        let write = |path: &Path, text: &str| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        write(&path, toml);
        if let Some(json) = json {
            write(&folder.path().join("settings.json"), json);
        }
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load_settings(path, env).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_override_the_file_and_the_file_overrides_django() {
        let json = format!(
            r#"{{"SECRET_KEY": "{KEY}", "ALLOWED_HOSTS": [".shop.example"], "SESSION_COOKIE_AGE": 1, "CSRF_COOKIE_AGE": 2,
                "LOGIN_URL": "/in/", "SESSION_COOKIE_DOMAIN": null, "DATABASES": {{}}, "DANGEROUS_ALLOW_ANY_HOST": true,
                "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"], "X_FRAME_OPTIONS": "SAMEORIGIN"}}"#
        );
        let toml = "django_settings = \"settings.json\"
            trusted_proxies = [\"10.0.0.1\"]
            session_cookie_age = 60
            csrf_cookie_age = 60";
        let settings = load(toml, Some(&json), &[("PALISADE_CSRF_COOKIE_AGE", "600")]).unwrap();
        assert_eq!(settings.session_cookie_age.as_secs(), 60);
        assert_eq!(settings.csrf_cookie_age.unwrap().as_secs(), 600);
        assert_eq!(settings.login_url, "/in/");
        assert_eq!(settings.secret_key.expose(), KEY.as_bytes());
        assert!(
            settings.session_cookie_secure && settings.csrf_cookie_httponly && settings.secure_ssl_redirect
        );
        assert!(!settings.dangerous_allow_any_host, "Django has no such setting");
    }

    #[test]
    fn what_is_wrong_on_either_side_is_told_at_once_with_its_file() {
        let json = r#"{"SECRET_KEY": "short", "ALLOWED_HOSTS": "shop.example", "SESSION_COOKIE_AGE": -1}"#;
        let toml = "django_settings = \"settings.json\"\nsesion_cookie_age = 60";
        let told = load(toml, Some(json), &[]).unwrap_err();
        for problem in [
            "palisade.toml: the settings have",
            "settings.json: ALLOWED_HOSTS: is a text, not a list",
            "settings.json: SESSION_COOKIE_AGE: is a number, not a whole number that fits",
            "settings.json: SECRET_KEY: ",
            "line 2: sesion_cookie_age: there is no such setting",
        ] {
            assert!(told.contains(problem), "{problem} is not in {told}");
        }
    }

    #[test]
    fn a_dump_that_is_none_stops_the_start_and_shows_nothing_of_it() {
        let toml = "django_settings = \"settings.json\"";
        let told = load(toml, Some("{\"SECRET_KEY\": hunter2}"), &[]).unwrap_err();
        assert!(
            told.contains("settings.json: is not a JSON object") && !told.contains("hunter2"),
            "{told}"
        );
        let told = load(toml, None, &[]).unwrap_err();
        assert!(
            told.contains("cannot read the settings") && told.contains("settings.json"),
            "{told}"
        );
    }

    #[test]
    fn a_program_that_reads_no_dump_does_not_pass_over_it() {
        let told = Settings::load(Some("django_settings = \"settings.json\""), []).unwrap_err();
        assert!(told.to_string().contains("palisade::load_settings"), "{told}");
    }
}
