//! The table of settings, the struct and what is printed agree.

use super::{KEY, env};
use crate::SecretKey;
use crate::origin::TrustedOrigins;
use crate::secret::CLEANSED;
use crate::settings::{ExemptPaths, ProxyHeader, REGISTRY, Setting, Settings, reference_toml};

#[test]
fn every_field_is_in_the_table_and_documented() {
    let settings = Settings::for_tests(SecretKey::new(KEY));
    let debug = format!("{settings:#?}");
    let fields: Vec<_> = debug
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split(':').next())
        .collect();
    let names: Vec<_> = REGISTRY.iter().map(Setting::name).collect();
    assert_eq!(
        fields, names,
        "the fields and the table have the same names in the same order"
    );
    for setting in REGISTRY {
        let about = setting.about();
        assert!(
            about.len() > 20 && about.ends_with('.') && !about.contains("  "),
            "{}: {about}",
            setting.name()
        );
        assert_eq!(
            setting.variable(),
            format!("PALISADE_{}", setting.name().to_uppercase())
        );
        assert_eq!(
            setting.is_secret(),
            (setting.name().contains("secret") && !setting.name().starts_with("dangerous_"))
                || setting.name() == "email_host_password",
            "{}",
            setting.name()
        );
    }
}

#[test]
fn every_setting_reads_back_what_it_shows() {
    let mut settings = Settings::for_tests(SecretKey::new(KEY));
    settings.secure_redirect_exempt = ExemptPaths::new([r#"^a\.b"c'd$"#]).unwrap();
    settings.secure_proxy_ssl_header = Some(ProxyHeader {
        name: "X-Forwarded-Proto".parse().unwrap(),
        value: "on".to_owned(),
    });
    settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    settings.csrf_trusted_origins = TrustedOrigins::parse(["https://*.b.example"]).unwrap();
    let shown = settings.to_toml();
    let toml = shown.replace(CLEANSED, KEY);
    let read = Settings::load(Some(&toml), []).unwrap();
    assert_eq!(format!("{read:#?}"), format!("{settings:#?}"));
    // And each value by itself, as a variable.
    for line in shown.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        let value = value
            .trim_matches('"')
            .replace(CLEANSED, KEY)
            .replace("\\\\", "\\");
        let value = if value.starts_with('[') {
            line.split_once(" = ").unwrap().1.to_owned()
        } else {
            value
        };
        let given = env(&[(&format!("PALISADE_{}", name.to_uppercase()), &value)]);
        if let Err(errors) = Settings::load(Some(&toml), given) {
            panic!("{line}: {errors}");
        }
    }
}

#[test]
fn the_reference_names_every_setting_with_its_default() {
    let reference = reference_toml();
    for line in reference.lines() {
        assert!(line.is_empty() || line.starts_with('#'), "{line}");
    }
    let is_setting = |line: &&str| {
        REGISTRY
            .iter()
            .any(|setting| line.starts_with(&format!("{} = ", setting.name())))
    };
    let lines: Vec<_> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(is_setting)
        .collect();
    assert_eq!(lines.len(), REGISTRY.len());
    let toml = lines
        .join("\n")
        .replace(CLEANSED, KEY)
        .replace("allowed_hosts = []", "allowed_hosts = [\"a.example\"]");
    let settings = Settings::load(Some(&toml), []).unwrap();
    assert_eq!(settings.weaknesses(), []);
}
