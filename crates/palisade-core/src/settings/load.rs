//! Reading settings from a Django's, from a TOML text and from the environment.
//!
//! Reading goes on after a fault, since the person who mends the first would like to know of the second. What was given
//! is remembered with its place, so that a rule broken by two settings can name the line of one.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::django::PASSWORD_HASHERS;
use super::django_key::DjangoKey;
use super::raw::Raw;
use super::registry::REGISTRY;
use super::setting::Setting;
use super::unshareable::unshareable;
use super::{
    DJANGO_SETTINGS, DjangoSettings, PREFIX, PasswordRule, Place, Problem, Settings, SettingsErrors,
    hasher_name, rules,
};

/// What else is wrong with settings, as only somebody who can open files may know: the setting, and what is wrong.
pub(super) type Examine<'e> = dyn Fn(&Settings) -> Vec<(&'static str, String)> + 'e;

/// What somebody does whose key is the one that Django's `startproject` wrote.
const CHANGE_AT_DJANGO: &str =
    "; change it at Django, with the old one in SECRET_KEY_FALLBACKS there, and dump anew";

pub(super) fn load(
    defaults: Settings,
    django: Option<DjangoSettings<'_>>,
    toml: Option<&str>,
    env: impl IntoIterator<Item = (String, String)>,
    examine: &Examine<'_>,
) -> Result<Settings, SettingsErrors> {
    let mut loading = Loading {
        settings: defaults,
        given: BTreeMap::new(),
        problems: Vec::new(),
        django: django.map(|django| django.file),
        django_key: None,
    };
    let dumped = django.is_none_or(|django| loading.read_django(django.json));
    let readable = toml.is_none_or(|text| loading.read_toml(text)) && dumped;
    for (variable, value) in env {
        if variable.starts_with(PREFIX) {
            let setting = REGISTRY.iter().find(|setting| setting.variable() == variable);
            loading.take(setting, &variable, &Raw::Text(&value), Place::Variable);
        }
    }
    if readable {
        loading.settle();
        for (setting, what) in examine(&loading.settings) {
            loading.problem(setting, loading.place(setting), what);
        }
    }
    SettingsErrors::refuse(loading.problems)?;
    Ok(loading.settings)
}

/// Where a setting was given, and whether its value could be read.
#[derive(Clone, Copy)]
struct Given {
    place: Place,
    readable: bool,
}

struct Loading<'f> {
    settings: Settings,
    given: BTreeMap<&'static str, Given>,
    problems: Vec<Problem>,
    /// The file that Django's settings were read from, if they were.
    django: Option<&'f str>,
    /// The keys of Django, if its dump names them and they can be compared.
    django_key: Option<DjangoKey>,
}

impl Loading<'_> {
    /// Reads the dump of a Django's settings; says whether it is one at all. Most of what Django can be told is none of ours.
    fn read_django(&mut self, text: &str) -> bool {
        let dump: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(text) {
            Ok(dump) => dump,
            Err(fault) => {
                // Where it is, and nothing of what stands there: it may be the key.
                let what = format!(
                    "is not a JSON object of settings (line {}, column {}): dump them anew",
                    fault.line(),
                    fault.column()
                );
                self.problem("", Place::Django, what);
                return false;
            }
        };
        for (setting, what) in unshareable(&dump) {
            self.problem(setting, Place::Django, what);
        }
        // Django then hashes in its own order, and may not be able to load the first hash of ours.
        if !dump.contains_key(PASSWORD_HASHERS) && self.settings.password_hashers == hasher_name::DEFAULT {
            self.settings.password_hashers = hasher_name::OF_DJANGO.to_vec();
        }
        self.django_key = DjangoKey::of(&dump);
        for (name, value) in &dump {
            let setting = Setting::of_django(name);
            if setting.is_some() {
                self.take(setting, name, &Raw::Json(value), Place::Django);
            }
        }
        true
    }

    /// Reads the file; says whether it is TOML at all.
    fn read_toml(&mut self, text: &str) -> bool {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let (table, faults) = DeTable::parse_recoverable(text);
        for fault in &faults {
            // The message only: the whole error would quote the line, and on it may be the key.
            let place = fault
                .span()
                .map_or(Place::Nowhere, |span| Place::Line(line(span.start)));
            self.problem("", place, format!("is not TOML: {}", fault.message()));
        }
        for (key, value) in table.get_ref() {
            let place = Place::Line(line(key.span().start));
            if key.get_ref() == DJANGO_SETTINGS {
                if self.django.is_none() {
                    let what = "names a file that this program does not read: load the settings with \
                                `palisade::load_settings`";
                    self.problem(DJANGO_SETTINGS, place, what.to_owned());
                }
                continue;
            }
            match value.get_ref() {
                DeValue::Table(_) if !faults.is_empty() => {}
                value => self.take(
                    Setting::find(key.get_ref()),
                    key.get_ref(),
                    &Raw::Toml(value),
                    place,
                ),
            }
        }
        faults.is_empty()
    }

    fn take(&mut self, setting: Option<&'static Setting>, name: &str, raw: &Raw<'_>, place: Place) {
        let Some(setting) = setting else {
            self.problem(name, place, unknown(name, place));
            return;
        };
        let outcome = (setting.slot)(&mut self.settings).read(raw);
        self.given.insert(
            setting.name(),
            Given {
                place,
                readable: outcome.is_ok(),
            },
        );
        if let Err(what) = outcome {
            self.problem(setting.name(), place, what);
        }
    }

    /// Refuses a key that Django does not know, and says what a key of Django's that is refused needs there.
    fn settle_key(&mut self) {
        let place = self.place("secret_key");
        let is_readable = self.given.get("secret_key").is_some_and(|given| given.readable);
        let Some(django) = self.django_key.as_ref().filter(|_| is_readable) else {
            return;
        };
        if place != Place::Django && !django.knows(&self.settings.secret_key) {
            let what = format!(
                "is not the SECRET_KEY of {}, nor one of its fallbacks: no session of one side is known at the other; remove it \
                 here, or give the same to both",
                self.django.unwrap_or_default()
            );
            self.problem("secret_key", place, what);
        }
    }

    /// Fills in what depends on other settings, and holds the whole against the rules.
    fn settle(&mut self) {
        let settings = &mut self.settings;
        if !self.given.contains_key("secure_hsts_preload") {
            settings.secure_hsts_preload =
                settings.secure_hsts_include_subdomains && settings.secure_hsts_seconds >= rules::HSTS_YEAR;
        }
        if settings.email_use_ssl {
            if !self.given.contains_key("email_use_tls") {
                settings.email_use_tls = false;
            }
            if !self.given.contains_key("email_port") {
                settings.email_port = rules::SUBMISSIONS_PORT;
            }
        }
        let own_length = settings
            .auth_password_validators
            .iter_mut()
            .filter_map(|rule| match rule {
                PasswordRule::MinimumLength { min_length } => min_length.take(),
                _ => None,
            });
        if let Some(length) = own_length.max() {
            let (rules, number) = ("auth_password_validators", "password_min_length");
            match (self.given.get(rules), self.given.get(number)) {
                (Some(rules), Some(number)) if same_source(rules.place, number.place) => {
                    if length != settings.password_min_length {
                        let what = format!(
                            "says another length than min_length = {length} in {rules_name}: say it once",
                            rules_name = "auth_password_validators"
                        );
                        let place = number.place;
                        self.problem("password_min_length", place, what);
                    }
                }
                (_, Some(number)) if number.place != Place::Django => {}
                _ => settings.password_min_length = length,
            }
        }
        let settings = &mut self.settings;
        settings.allowed_hosts = std::mem::take(&mut settings.allowed_hosts).with_debug(settings.debug);
        if settings.csrf_use_sessions {
            let cookie: Vec<_> = self
                .given
                .keys()
                // Django takes both, and its `check --deploy` even asks for them.
                .filter(|name| name.starts_with("csrf_cookie_") && self.place(name) != Place::Django)
                .copied()
                .collect();
            for name in cookie {
                let what = "has no effect while csrf_use_sessions is on, since there is no CSRF cookie: \
                            remove one of them";
                self.problem(name, self.place(name), what.to_owned());
            }
        }
        self.settle_key();
        let is_of_startproject = self.settings.secret_key.expose().starts_with(b"django-insecure-");
        for broken in rules::broken(&self.settings) {
            let names = broken.settings;
            // A value that could not be read has been named already, and the default in its place proves nothing.
            if names
                .iter()
                .all(|name| self.given.get(name).is_none_or(|given| given.readable))
            {
                // The text is about the first name; the others are why it is wrong.
                let place = names.first().map_or(Place::Nowhere, |name| self.place(name));
                let mut problem = broken.into_problem();
                if place == Place::Django && names.first() == Some(&"secret_key") && is_of_startproject {
                    problem.what.push_str(CHANGE_AT_DJANGO);
                }
                problem.place = place;
                problem.file = self.file_of(place);
                self.problems.push(problem);
            }
        }
    }

    fn place(&self, name: &str) -> Place {
        self.given.get(name).map_or(Place::Nowhere, |given| given.place)
    }

    fn problem(&mut self, setting: &str, place: Place, what: String) {
        self.problems.push(Problem {
            setting: setting.to_owned(),
            place,
            file: self.file_of(place),
            what,
        });
    }

    fn file_of(&self, place: Place) -> String {
        match place {
            Place::Django => self.django.unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }
}

/// Whether two settings stand in the same file, or are both variables.
fn same_source(one: Place, other: Place) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// Says that there is no such setting, and which one is nearest.
fn unknown(name: &str, place: Place) -> String {
    let wanted = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let distance = |setting: &&Setting| strsim::damerau_levenshtein(&wanted, setting.name());
    match REGISTRY.iter().min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= 2.max(wanted.len() / 4) => {
            let nearest = match place {
                Place::Variable => nearest.variable(),
                _ => nearest.name().to_owned(),
            };
            format!("there is no such setting; did you mean `{nearest}`?")
        }
        _ => "there is no such setting".to_owned(),
    }
}
