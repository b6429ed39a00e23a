//! Query text is a literal (CWE-89): what the types hold is not gone around.

use crate::files::{self, File, none};

/// Where text that is made at run time becomes a `&'static str`, each for what was written down at start.
const LEAKS: &[&str] = &[
    "crates/palisade/src/auth/statements.rs",
    "crates/palisade/src/headers.rs",
    "crates/palisade/src/rows/statements.rs",
    "crates/palisade/src/sql.rs",
];

/// Where statements are run without being prepared: settings of a connection, and steps of a schema.
const BATCHES: &[&str] = &[
    "crates/palisade/src/mysql/connection.rs",
    "crates/palisade/src/mysql/pool.rs",
    "crates/palisade/src/postgres/writer.rs",
    "crates/palisade/src/sqlite/keeper.rs",
    "crates/palisade/src/sqlite/migration.rs",
    "crates/palisade/src/sqlite/open.rs",
];

/// The weak twin has the hole on purpose, to be attacked; the rest are tests, which make databases of their own.
fn is_a_program(file: &File) -> bool {
    let is_test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
    let outside = ["testkit", "gauntlet", "benches", "fuzz", "xtask"];
    file.is_rust()
        && !file.path.components().any(|part| is_test(part.as_os_str()))
        && !outside.iter().any(|folder| file.is_below(folder.as_ref()))
}

fn in_programs(rule: &str, allowed: &[&str], broken: impl Fn(&str) -> bool) {
    let mut found = Vec::new();
    for file in files::all() {
        if !is_a_program(&file) || allowed.iter().any(|path| file.path.as_os_str() == *path) {
            continue;
        }
        // Tests within a file stand at its end.
        let program = file
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        // What is long begins on the line behind the bracket.
        let mut next = program.lines().skip(1).map(str::trim_start);
        let whole = program.lines().map(|line| {
            let next = next.next().unwrap_or_default();
            let line = line.trim_start();
            if line.ends_with('(') {
                format!("{line}{next}")
            } else {
                line.to_owned()
            }
        });
        let lines = whole
            .enumerate()
            .filter(|(_, line)| !line.starts_with("//") && broken(line));
        found.extend(lines.map(|(number, _)| format!("{}:{}", file.path.display(), number + 1)));
    }
    none(rule, &found);
}

#[test]
fn no_text_made_at_run_time_becomes_a_literal() {
    in_programs("leaks a text, which then passes for a literal", LEAKS, |line| {
        line.contains(concat!(".le", "ak()")) || line.contains(concat!("::le", "ak"))
    });
}

#[test]
fn no_query_is_put_together_by_format() {
    let verbs = [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "REPLACE INTO ",
    ];
    in_programs("puts a query together", LEAKS, |line| {
        line.contains("format!(") && verbs.iter().any(|verb| line.contains(&format!("\"{verb}")))
    });
}

#[test]
fn nothing_declares_a_text_safe_for_a_query() {
    in_programs("declares a text safe for a query", &[], |line| {
        line.contains(concat!("AssertSql", "Safe"))
    });
}

#[test]
fn unprepared_statements_stand_where_schemas_and_connections_are_set_up() {
    in_programs("runs statements unprepared", BATCHES, |line| {
        [
            "execute_batch(",
            "batch_execute(",
            ".query_drop(",
            ".simple_query(",
        ]
        .iter()
        .any(|call| line.contains(call))
    });
}
