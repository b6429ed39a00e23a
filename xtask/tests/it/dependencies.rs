//! Every dependency is used: one that is not is compiled, audited and trusted for nothing.

use std::path::Path;

use crate::files::{self, File, none};

#[test]
fn every_dependency_of_a_crate_is_used_in_it() {
    let files = files::all();
    let mut unused = Vec::new();
    // The servers that are measured against ask for features of what they do not name.
    let measured = Path::new("benches");
    for manifest in files
        .iter()
        .filter(|file| file.is_manifest() && !file.is_below(measured))
    {
        let folder = manifest.path.parent().unwrap();
        let code: Vec<&File> = files
            .iter()
            .filter(|file| file.is_rust() && file.is_below(folder))
            .collect();
        for name in dependencies(
            &manifest.text,
            &["[dependencies]", "[dev-dependencies]", "[build-dependencies]"],
        ) {
            if !code.iter().any(|file| uses(&file.text, &crate_name(&name))) {
                unused.push(format!("{}: {name}", manifest.path.display()));
            }
        }
    }
    none("depends on what it does not use", &unused);
}

#[test]
fn every_shared_version_is_asked_for_by_a_crate() {
    let files = files::all();
    let root = files
        .iter()
        .find(|file| file.path == Path::new("Cargo.toml"))
        .unwrap();
    let asked = |name: &str| {
        let manifests = files
            .iter()
            .filter(|file| file.is_manifest() && file.path != root.path);
        let sections = ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"];
        manifests.into_iter().any(|file| {
            dependencies(&file.text, &sections)
                .iter()
                .any(|other| other == name)
        })
    };
    let shared = dependencies(&root.text, &["[workspace.dependencies]"]);
    assert!(!shared.is_empty());
    none(
        "nobody asks for",
        &shared.into_iter().filter(|name| !asked(name)).collect::<Vec<_>>(),
    );
}

/// Lists the names in some sections of a manifest.
fn dependencies(manifest: &str, sections: &[&str]) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = sections.contains(&line);
        } else if inside && line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let name = line.split(['.', '=', ' ']).next().unwrap();
            names.push(name.to_owned());
        }
    }
    names
}

/// Says under which name code knows a package.
fn crate_name(package: &str) -> String {
    match package {
        "md-5" => "md5".to_owned(),
        _ => package.replace('-', "_"),
    }
}

/// Says whether code, and not only a comment, names a crate's path.
fn uses(text: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let whole = [
        format!("use {name};"),
        format!("use {name} as "),
        format!("extern crate {name}"),
    ];
    text.lines()
        .filter(|line| !line.trim_start().starts_with("// "))
        .any(|line| {
            let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
            line.match_indices(&path).any(|(at, _)| begins(at))
                || whole.iter().any(|whole| line.contains(whole.as_str()))
        })
}

#[test]
fn a_crate_named_in_a_longer_word_is_not_used() {
    assert!(uses("use time::Duration;", "time"));
    assert!(uses("    #[tokio::test]", "tokio"));
    assert!(!uses("use std::time::Duration;", "time"));
    assert!(!uses("use httpdate::parse;", "http"));
    assert!(!uses("// time::Duration would do", "time"));
}
