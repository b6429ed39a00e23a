//! What the database promises, kept by tests.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::*;

const NOTES: &[Migration] = &[Migration {
    version: 1,
    name: "notes",
    sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT",
}];

fn notes() -> Sqlite {
    let db = Sqlite::in_memory().unwrap();
    db.migrate(NOTES).unwrap();
    db
}

fn insert(writer: &Writer<'_>, body: &str) -> Result<i64, SqliteError> {
    writer.execute("INSERT INTO note (body) VALUES (?1)", params![body])?;
    Ok(writer.last_insert_id())
}

fn bodies(db: &Sqlite) -> Vec<String> {
    db.read(|reader| reader.all("SELECT body FROM note ORDER BY body", [], |row| row.get(0)))
        .unwrap()
}

/// Occupies the writer until the answer is dropped, so that what follows queues up behind it.
async fn hold(db: &Sqlite) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    tokio::spawn(db.write(move |_| -> Result<(), SqliteError> {
        started.send(()).unwrap();
        held.recv().unwrap_err();
        Ok(())
    }));
    has_started.await.unwrap();
    release
}

#[tokio::test]
async fn committed_write_is_seen_by_every_reader() {
    let db = notes();
    let id = db.write(|writer| insert(writer, "a")).await.unwrap();
    assert_eq!(id, 1);
    assert_eq!(bodies(&db), ["a"]);
    let other = db.clone();
    assert_eq!(std::thread::spawn(move || bodies(&other)).join().unwrap(), ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_and_panicking_work_is_undone_alone_within_a_shared_commit() {
    let db = notes();
    db.write(|writer| insert(writer, "taken")).await.unwrap();
    let release = hold(&db).await;
    let written: Vec<_> = (0..30)
        .map(|n| {
            tokio::spawn(db.write(move |writer| {
                insert(writer, &format!("{n:02}"))?;
                match n % 3 {
                    0 => Ok(()),
                    1 => insert(writer, "taken").map(drop),
                    _ => panic!("a test's own panic"),
                }
            }))
        })
        .collect();
    tokio::task::yield_now().await;
    drop(release);
    for (n, written) in join_all(written).await.into_iter().enumerate() {
        let answer = written.unwrap();
        match n % 3 {
            0 => answer.unwrap(),
            1 => assert!(answer.unwrap_err().is_unique_violation()),
            _ => assert!(matches!(answer, Err(SqliteError::Panicked))),
        }
    }
    let kept = (0..10)
        .map(|n| format!("{:02}", n * 3))
        .chain(["taken".to_owned()]);
    assert_eq!(bodies(&db), kept.collect::<Vec<_>>());
}

#[tokio::test]
async fn domain_error_of_the_work_comes_back_as_it_is() {
    #[derive(Debug)]
    enum Refused {
        Full,
        Database,
    }
    impl From<SqliteError> for Refused {
        fn from(_: SqliteError) -> Self {
            Self::Database
        }
    }
    let db = notes();
    let refused = db
        .write(|writer| {
            insert(writer, "gone")?;
            Err::<(), _>(Refused::Full)
        })
        .await;
    assert!(matches!(refused, Err(Refused::Full)));
    assert!(bodies(&db).is_empty());
    db.close().await.unwrap();
    assert!(matches!(
        db.write(|_| Ok::<_, Refused>(())).await,
        Err(Refused::Database)
    ));
}

#[tokio::test]
async fn work_past_its_deadline_is_refused_and_never_runs() {
    let db = SqliteOptions::new()
        .with_deadline(Duration::from_millis(400))
        .open_temporary()
        .unwrap();
    db.migrate(NOTES).unwrap();
    let release = hold(&db).await;
    let late = db.write(|writer| insert(writer, "late")).await;
    assert!(matches!(late, Err(SqliteError::Overloaded)));
    drop(release);
    db.close().await.unwrap();
    assert!(bodies(&db).is_empty());
}

#[tokio::test]
async fn full_queue_refuses_after_the_deadline() {
    let options = SqliteOptions::new()
        .with_deadline(Duration::from_millis(400))
        .with_queue(1);
    let db = options.open_temporary().unwrap();
    let release = hold(&db).await;
    let answers = join_all((0..5).map(|_| db.write(|_| Ok::<_, SqliteError>(())))).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(SqliteError::Overloaded)))
    );
    drop(release);
}

#[tokio::test]
async fn work_that_does_not_end_is_reported_as_unanswered() {
    let db = SqliteOptions::new()
        .with_deadline(Duration::from_millis(400))
        .open_temporary()
        .unwrap();
    let (release, held) = mpsc::channel::<()>();
    let endless = db.write(move |_| {
        held.recv().unwrap_err();
        Ok::<_, SqliteError>(())
    });
    assert!(matches!(endless.await, Err(SqliteError::Unanswered)));
    drop(release);
}

#[tokio::test]
async fn abandoned_future_is_written_all_the_same() {
    let db = notes();
    let release = hold(&db).await;
    let mut hung_up = Box::pin(db.write(|writer| insert(writer, "logout")));
    assert!((&mut hung_up).now_or_never().is_none());
    drop(hung_up);
    drop(release);
    db.close().await.unwrap();
    assert_eq!(bodies(&db), ["logout"]);
}

#[tokio::test]
async fn closing_drains_the_queue_and_then_refuses() {
    let db = notes();
    let release = hold(&db).await;
    let queued: Vec<_> = (0..20)
        .map(|n| tokio::spawn(db.write(move |w| insert(w, &n.to_string()))))
        .collect();
    tokio::task::yield_now().await;
    let closer = db.clone();
    let closing = tokio::spawn(async move { closer.close().await });
    tokio::task::yield_now().await;
    drop(release);
    closing.await.unwrap().unwrap();
    assert!(
        join_all(queued)
            .await
            .into_iter()
            .all(|answer| answer.unwrap().is_ok())
    );
    assert_eq!(bodies(&db).len(), 20);
    assert!(matches!(
        db.write(|w| insert(w, "late")).await,
        Err(SqliteError::Closed)
    ));
    assert!(matches!(db.close().await, Err(SqliteError::Closed)));
}

#[tokio::test]
async fn dropping_the_last_handle_commits_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let db = Sqlite::open(&path).unwrap();
    db.migrate(NOTES).unwrap();
    let written = tokio::spawn(db.write(|writer| insert(writer, "kept")));
    drop(db);
    written.await.unwrap().unwrap();
    assert_eq!(bodies(&Sqlite::open(&path).unwrap()), ["kept"]);
}

#[tokio::test]
async fn work_may_hold_the_last_handle() {
    let db = notes();
    let (release, held) = mpsc::channel::<()>();
    let inner = db.clone();
    let mut work = Box::pin(db.write(move |_| {
        held.recv().unwrap_err();
        drop(inner);
        Ok::<_, SqliteError>(())
    }));
    assert!((&mut work).now_or_never().is_none());
    drop(db);
    drop(release);
    work.await.unwrap();
}

#[tokio::test]
async fn work_that_ends_the_transaction_by_itself_is_told_that_it_is_lost() {
    let db = notes();
    let lost = db
        .write(|writer| -> Result<(), SqliteError> {
            insert(writer, "x")?;
            writer.execute("ROLLBACK", [])?;
            Ok(())
        })
        .await;
    assert!(matches!(lost, Err(SqliteError::NotCommitted(_))));
    db.write(|writer| insert(writer, "next")).await.unwrap();
    assert_eq!(bodies(&db), ["next"]);
}

#[test]
fn reader_cannot_write() {
    let db = notes();
    let refused = db.read(|reader| {
        reader.one(
            "INSERT INTO note (body) VALUES ('x') RETURNING id",
            [],
            |_| Ok(()),
        )
    });
    assert!(refused.is_err());
    assert!(bodies(&db).is_empty());
}

#[test]
fn read_within_a_read_gets_its_own_connection() {
    let db = notes();
    let both = db.read(|outer| {
        let inner = db.read(|reader| reader.exists("SELECT 1", []))?;
        Ok(inner && outer.exists("SELECT 1", [])?)
    });
    assert!(both.unwrap());
    assert_eq!(db.0.seats().open_connections(), 1);
}

#[test]
fn panicking_read_gives_its_connection_back() {
    let db = notes();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.read(|reader| {
            reader.one("SELECT 1", [], |_| -> rusqlite::Result<()> {
                panic!("a test's own panic")
            })
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(db.0.seats().open_connections(), 1);
    assert!(bodies(&db).is_empty());
}

#[test]
fn connections_end_with_their_thread_and_with_their_database() {
    let db = notes();
    let other = db.clone();
    std::thread::spawn(move || {
        bodies(&other);
        assert_eq!(other.0.seats().open_connections(), 1);
    })
    .join()
    .unwrap();
    assert_eq!(db.0.seats().open_connections(), 0);
    let folder = db.path().parent().unwrap().to_owned();
    bodies(&db);
    assert!(folder.exists());
    drop(db);
    assert!(!folder.exists());
    let left = std::fs::read_dir("/proc/self/fd").unwrap();
    assert!(
        !left
            .flatten()
            .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.starts_with(&folder)))
    );
}

#[test]
fn thread_keeps_connections_to_a_few_databases_only() {
    let all: Vec<_> = (0..12).map(|_| notes()).collect();
    for db in &all {
        bodies(db);
    }
    let open = |db: &Sqlite| db.0.seats().open_connections();
    assert_eq!(all.iter().map(open).sum::<usize>(), 8);
    bodies(&all[4]);
    bodies(&all[0]);
    assert_eq!((open(&all[4]), open(&all[5]), open(&all[0])), (1, 0, 1));
}

#[test]
fn migration_is_applied_once_and_failing_one_names_itself() {
    const MORE: &[Migration] = &[
        NOTES[0],
        Migration {
            version: 2,
            name: "broken",
            sql: "CREATE TABLE half (a); CREATE TABLE note (a);",
        },
    ];
    const UNORDERED: &[Migration] = &[Migration {
        version: 0,
        name: "zero",
        sql: "",
    }];
    let db = notes();
    db.migrate(NOTES).unwrap();
    let error = db.migrate(MORE).unwrap_err();
    assert!(error.to_string().contains("\"broken\""), "{error}");
    let half = db.read(|r| r.exists("SELECT 1 FROM sqlite_schema WHERE name = 'half'", []));
    assert!(!half.unwrap());
    assert!(db.migrate(UNORDERED).is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn database_and_its_log_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let db = Sqlite::open(folder.path().join("notes.db")).unwrap();
    db.migrate(NOTES).unwrap();
    bodies(&db);
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
        files += 1;
    }
    assert_eq!(files, 3);
}

#[test]
fn damaged_or_foreign_file_is_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    std::fs::write(
        &path,
        "Not a database, but a text that is long enough to have a header. ".repeat(50),
    )
    .unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(&error, SqliteError::Damaged { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("the database {} is damaged", path.display()))
    );
}

#[tokio::test]
async fn flipped_page_is_found_when_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let db = Sqlite::open(&path).unwrap();
    db.migrate(NOTES).unwrap();
    db.write(|w| insert(w, &"x".repeat(20_000))).await.unwrap();
    drop(db);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..4196].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(&error, SqliteError::Damaged { .. }), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn unwritable_place_is_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/x.db");
    let error = Sqlite::open(&missing).unwrap_err();
    assert!(matches!(&error, SqliteError::Unopenable { .. }), "{error}");
    let error = Sqlite::open(folder.path()).unwrap_err();
    assert!(matches!(&error, SqliteError::Unopenable { .. }), "{error}");
}

#[test]
fn name_that_looks_like_a_uri_is_a_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:x.db?mode=memory");
    drop(Sqlite::open(&path).unwrap());
    assert!(path.exists());
}

#[test]
fn existing_database_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    Sqlite::open(&path).unwrap().migrate(NOTES).unwrap();
    let db = SqliteOptions::new()
        .with_durability(Durability::Full)
        .open(&path)
        .unwrap();
    assert!(bodies(&db).is_empty());
}

#[tokio::test]
async fn closed_database_is_whole_in_its_one_file_although_readers_linger() {
    let db = notes();
    db.write(|writer| insert(writer, "kept")).await.unwrap();
    assert_eq!(bodies(&db), ["kept"]);
    db.close().await.unwrap();
    let mut log = db.path().as_os_str().to_owned();
    log.push("-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
}
