//! What must stand once in the tree of dependencies, read off the lock file.

use std::path::Path;

/// The packages of the lock file: name, version, and whether it is one of ours.
fn packages() -> Vec<(String, String, bool)> {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let field = |entry: &str, name: &str| {
        let line = entry
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")))?;
        Some(line.split('"').nth(1)?.to_owned())
    };
    lock.split("[[package]]")
        .skip(1)
        .map(|entry| {
            let ours = field(entry, "source").is_none();
            (
                field(entry, "name").unwrap(),
                field(entry, "version").unwrap(),
                ours,
            )
        })
        .collect()
}

/// Defect D12 of peers: crates of one family at versions that do not fit each other, so that nothing compiles together.
#[test]
fn d12_all_our_crates_have_one_version() {
    let ours: Vec<_> = packages().into_iter().filter(|(.., ours)| *ours).collect();
    assert!(ours.len() >= 4, "{ours:?}");
    assert!(
        ours.iter().all(|(_, version, _)| *version == ours[0].1),
        "{ours:?}"
    );
}

#[test]
fn there_is_one_crypto_provider_one_runtime_and_one_of_each_protocol() {
    let packages = packages();
    let versions = |name: &str| packages.iter().filter(|(other, ..)| other == name).count();
    for name in ["aws-lc-rs", "rustls", "tokio", "hyper", "axum", "libsqlite3-sys"] {
        assert_eq!(versions(name), 1, "{name}");
    }
    for name in ["openssl", "openssl-sys", "native-tls", "async-std", "smol"] {
        assert_eq!(versions(name), 0, "{name}");
    }
}

/// The lock file names every optional dependency; what counts is what is built.
#[test]
fn the_second_crypto_provider_is_not_built() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--all-features",
            "--edges",
            "all",
            "--prefix",
            "none",
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("aws-lc-rs v")));
    assert!(!tree.lines().any(|line| line.starts_with("ring v")));
}
