//! What is logged: `--log` read strictly, since a word that is mistyped in a filter silences what it was to show.

use std::io::{self, IsTerminal as _};

use anyhow::{Result, anyhow, ensure};
use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The crates that may log: ours, and those that carry requests. Whatever else is written before a `=` is a slip.
const CRATES: [&str; 9] = [
    "palisade",
    "vault",
    "axum",
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
    "tokio",
    "tower",
];

/// What Palisade logs under: each of its modules, those that are features too, and the names that it gives its lines itself.
const PARTS: [&str; 31] = [
    "access",
    "csp",
    "error",
    "load",
    "mysql",
    "postgres",
    "redis",
    "settings",
    "auth",
    "clock",
    "csrf",
    "errors",
    "form",
    "gate",
    "guard",
    "headers",
    "host",
    "mail",
    "media",
    "password",
    "redact",
    "rejection",
    "report",
    "router",
    "rows",
    "serve",
    "session",
    "sqlite",
    "stack",
    "transport",
    "throttle",
];

/// Opens the log, on the error stream.
pub(crate) fn open(filter: &str) -> Result<()> {
    let filter = read(filter)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        .map_err(|error| anyhow!("the log cannot be opened: {error}"))
}

fn read(text: &str) -> Result<EnvFilter> {
    let slip = |what: String| anyhow!("--log {text:?} is no filter: {what}");
    for piece in text.split(',') {
        let (target, level) = match piece.split_once('=') {
            Some((target, level)) => (Some(target), level),
            None => (None, piece),
        };
        if let Some(target) = target {
            known(target).map_err(|error| slip(error.to_string()))?;
        }
        if !LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
            return Err(slip(format!(
                "{level:?} is no level, which are {}; one part is written such as palisade::access=warn",
                LEVELS.join(", ")
            )));
        }
    }
    EnvFilter::try_new(text).map_err(|error| slip(error.to_string()))
}

/// Refuses the name of what logs nothing.
fn known(target: &str) -> Result<()> {
    let mut path = target.split("::");
    let krate = path.next().unwrap_or_default();
    ensure!(
        CRATES.contains(&krate),
        "{target:?} is no part that logs, which begin with one of {}",
        CRATES.join(", ")
    );
    if let ("palisade", Some(part)) = (krate, path.next()) {
        ensure!(
            PARTS.contains(&part),
            "palisade has no part {part:?} that logs, but {}",
            PARTS.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn filter_is_levels_and_parts_with_levels() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,palisade::access=warn",
            "vault=debug,palisade=trace,hyper=info",
            "palisade::serve::tls=debug",
            "palisade::settings=off",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn slip_that_would_silence_everything_is_refused() {
        for (bad, what) in [
            ("loud", "\"loud\" is no level"),
            ("", "\"\" is no level"),
            ("info,", "\"\" is no level"),
            ("palisade", "\"palisade\" is no level"),
            ("palisade=loud", "\"loud\" is no level"),
            ("palisade::acess=debug", "has no part \"acess\" that logs"),
            ("palisad=debug", "\"palisad\" is no part that logs"),
            ("=debug", "\"\" is no part that logs"),
        ] {
            let error = read(bad).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--log {bad:?} is no filter: ")),
                "{error}"
            );
            assert!(error.contains(what), "{error}");
        }
    }

    /// The modules that write no line of their own.
    const SILENT: [&str; 16] = [
        "certificate",
        "check",
        "cookies",
        "endpoint",
        "escape",
        "html",
        "key_files",
        "peer",
        "promise",
        "seal",
        "sent_file",
        "sql",
        "templates",
        "testing",
        "text_table",
        "turn",
    ];

    #[test]
    fn every_module_of_palisade_may_be_named() {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/palisade/src/lib.rs");
        let library = fs::read_to_string(library).unwrap();
        let modules = library.lines().filter_map(|line| {
            line.trim_start_matches("pub ")
                .strip_prefix("mod ")?
                .strip_suffix(';')
        });
        for module in modules {
            let logs = PARTS.contains(&module) || SILENT.contains(&module);
            assert!(logs, "log.rs does not know the module {module}");
        }
    }
}
