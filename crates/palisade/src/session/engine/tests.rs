//! Histories that a running Django went through with the same outcome, step by step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use palisade_core::SecretKey;

use super::*;

/// Rows and cache entries of a test, seen by it and by its session.
#[derive(Clone, Debug, Default)]
struct World(Rc<RefCell<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    rows: BTreeMap<String, Row>,
    cache: BTreeMap<String, SessionData>,
    cache_is_down: bool,
}

impl Storage for World {
    fn load(&mut self, key: &str) -> Result<Option<Row>, StorageError> {
        Ok(self.0.borrow().rows.get(key).cloned())
    }

    fn exists(&mut self, key: &str) -> Result<bool, StorageError> {
        Ok(self.0.borrow().rows.contains_key(key))
    }

    fn insert(&mut self, key: &str, row: &Row) -> Result<(), StorageError> {
        match self.0.borrow_mut().rows.insert(key.to_owned(), row.clone()) {
            None => Ok(()),
            Some(_) => Err(StorageError::Taken),
        }
    }

    fn update(&mut self, key: &str, row: &Row) -> Result<(), StorageError> {
        match self.0.borrow_mut().rows.get_mut(key) {
            None => Err(StorageError::Missing),
            Some(kept) => {
                *kept = row.clone();
                Ok(())
            }
        }
    }

    fn delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.0.borrow_mut().rows.remove(key);
        Ok(())
    }

    fn delete_expired(&mut self, now: Moment) -> Result<(), StorageError> {
        self.0
            .borrow_mut()
            .rows
            .retain(|_, row| row.expires.micros_since(now) >= 0);
        Ok(())
    }

    fn cache_get(&mut self, key: &str) -> Result<Option<SessionData>, StorageError> {
        Ok(self.0.borrow().cache.get(key).cloned())
    }

    fn cache_set(&mut self, key: &str, data: &SessionData, _: Age) -> Result<(), StorageError> {
        if self.0.borrow().cache_is_down {
            return Err(StorageError::Failed("down".to_owned()));
        }
        self.0.borrow_mut().cache.insert(key.to_owned(), data.clone());
        Ok(())
    }

    fn cache_add(&mut self, key: &str, data: &SessionData, age: Age) -> Result<bool, StorageError> {
        let is_free = !self.0.borrow().cache.contains_key(key);
        if is_free {
            self.cache_set(key, data, age)?;
        }
        Ok(is_free)
    }

    fn cache_delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.0.borrow_mut().cache.remove(key);
        Ok(())
    }

    fn cache_has(&mut self, key: &str) -> Result<bool, StorageError> {
        Ok(self.0.borrow().cache.contains_key(key))
    }
}

fn keys() -> KeyRing {
    KeyRing::new(SecretKey::new("secret"))
}

fn at(seconds: u64) -> Deployment {
    Deployment::new(&keys(), SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn engines(folder: &tempfile::TempDir) -> Vec<Engine> {
    let files = FileSessions::new(Some(folder.path().to_owned()), "sessionid").unwrap();
    vec![
        Engine::Db,
        Engine::Cache,
        Engine::CachedDb,
        Engine::File(files),
        Engine::SignedCookies,
    ]
}

fn saved(engine: &Engine, deployment: &Deployment, world: &World) -> String {
    let mut session = EngineSession::new(engine.clone(), None, deployment, world.clone());
    session.set("x", "1".to_owned()).unwrap();
    session.save(false).unwrap();
    session.key().unwrap().to_owned()
}

#[test]
fn what_is_saved_is_read_again_on_every_back_end() {
    let folder = tempfile::tempdir().unwrap();
    let django = at(1_700_000_000);
    for engine in engines(&folder) {
        let world = World::default();
        let key = saved(&engine, &django, &world);
        let mut session = EngineSession::new(engine.clone(), Some(key.clone()), &django, world.clone());
        assert_eq!(session.get("x").unwrap().as_deref(), Some("1"), "{engine:?}");
        assert!(session.is_accessed() && !session.is_modified());
        session.cycle_key().unwrap();
        assert!(session.key().is_some());
        if engine != Engine::SignedCookies {
            assert_ne!(session.key(), Some(key.as_str()));
            assert!(!session.exists(Some(&key)).unwrap());
        }
        session.flush().unwrap();
        assert!(session.key().is_none() && session.is_empty());
    }
}

#[test]
fn unknown_key_is_dropped_and_never_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let django = at(1_700_000_000);
    for engine in engines(&folder) {
        let planted = Some("k".repeat(32));
        let mut session = EngineSession::new(engine.clone(), planted, &django, World::default());
        assert!(session.items().unwrap().is_empty());
        // A cookie that holds the session itself is replaced by the response.
        assert_eq!(
            session.key().is_none(),
            engine != Engine::SignedCookies,
            "{engine:?}"
        );
        assert_eq!(session.is_modified(), engine == Engine::SignedCookies);
    }
}

#[test]
fn logged_out_session_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let django = at(1_700_000_000);
    for engine in engines(&folder)
        .into_iter()
        .filter(|engine| *engine != Engine::SignedCookies)
    {
        let world = World::default();
        let key = saved(&engine, &django, &world);
        let open = || EngineSession::new(engine.clone(), Some(key.clone()), &django, world.clone());
        let (mut slow, mut quick) = (open(), open());
        slow.set("y", "2".to_owned()).unwrap();
        quick.flush().unwrap();
        assert!(
            matches!(slow.finish(true, false, 200), Err(EngineError::Interrupted)),
            "{engine:?}"
        );
        assert!(open().items().unwrap().is_empty());
    }
}

#[test]
fn ended_session_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::default();
    let key = saved(&Engine::Db, &at(1_700_000_000), &world);
    let later = at(1_700_000_000 + 1_209_600);
    let mut session = EngineSession::new(Engine::Db, Some(key), &later, world.clone());
    assert!(session.load().unwrap().is_empty());
    assert!(session.key().is_none());
    let after = at(1_700_000_000 + 1_209_601);
    EngineSession::new(Engine::Db, None, &after, world.clone())
        .clear_expired()
        .unwrap();
    assert!(world.0.borrow().rows.is_empty());

    let files = Engine::File(FileSessions::new(Some(folder.path().to_owned()), "sessionid").unwrap());
    let real = Deployment::new(&keys(), SystemTime::now());
    let key = saved(&files, &real, &world);
    let count = || folder.path().read_dir().unwrap().count();
    let future = Deployment::new(&keys(), SystemTime::now() + Duration::from_secs(1_209_700));
    let mut session = EngineSession::new(files.clone(), Some(key.clone()), &future, world.clone());
    assert!(session.load().unwrap().is_empty());
    assert!(session.key().is_some_and(|fresh| fresh != key) && count() == 1);
    let clear = |deployment| {
        let mut session = EngineSession::new(files.clone(), None, deployment, NoStorage);
        session.clear_expired().unwrap();
        count()
    };
    assert_eq!(clear(&real), 1);
    assert_eq!(clear(&future), 0);
}

#[test]
fn corrupted_row_is_no_data_and_noted() {
    let django = at(1_700_000_000);
    let world = World::default();
    let key = saved(&Engine::Db, &django, &world);
    for row in world.0.borrow_mut().rows.values_mut() {
        row.data = "e30:1r31eq:forged".to_owned();
    }
    let mut session = EngineSession::new(Engine::Db, Some(key.clone()), &django, world);
    assert!(session.items().unwrap().is_empty());
    assert_eq!(session.key(), Some(key.as_str()));
    assert_eq!(session.notices(), [Notice::Corrupted]);
}

#[test]
fn cache_that_is_down_does_not_lose_a_row() {
    let django = at(1_700_000_000);
    let world = World::default();
    world.0.borrow_mut().cache_is_down = true;
    let mut session = EngineSession::new(Engine::CachedDb, None, &django, world.clone());
    session.set("x", "1".to_owned()).unwrap();
    session.save(false).unwrap();
    assert!(session.notices().contains(&Notice::CacheNotWritten));
    assert_eq!(world.0.borrow().rows.len(), 1);
}

#[test]
fn key_in_a_file_name_cannot_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileSessions::new(Some(folder.path().to_owned()), "sessionid").unwrap();
    assert!(matches!(files.path_of("../../etc"), Err(EngineError::InvalidKey)));
    let django = at(1_700_000_000);
    let mut session = EngineSession::new(
        Engine::File(files),
        Some("../../passwd".to_owned()),
        &django,
        NoStorage,
    );
    assert!(session.load().unwrap().is_empty() && session.key().is_none());
    assert!(FileSessions::new(Some(folder.path().join("none")), "").is_err());
}

#[test]
fn response_decides_about_the_cookie() {
    let django = at(1_700_000_000);
    let open = || EngineSession::new(Engine::Db, None, &django, World::default());
    assert_eq!(
        open().finish(true, false, 200).unwrap(),
        (CookieChange::Delete, true)
    );
    assert_eq!(
        open().finish(false, true, 200).unwrap(),
        (CookieChange::Keep, false)
    );
    let with = |expiry| {
        let mut session = open();
        session
            .set_expiry(&StoredExpiry::Seconds(Age::Whole(expiry)))
            .unwrap();
        session
    };
    let (two_weeks, minute) = (Age::Whole(1_209_600), Age::Whole(60));
    assert_eq!(
        with(60).finish(false, false, 200).unwrap(),
        (CookieChange::Set(Some(minute)), true)
    );
    assert_eq!(
        with(0).finish(false, false, 200).unwrap(),
        (CookieChange::Set(None), true)
    );
    assert_eq!(with(60).finish(false, false, 500).unwrap().0, CookieChange::Keep);
    assert_eq!(with(0).expiry_age(None, None).unwrap(), two_weeks);
}

#[test]
fn times_are_written_as_the_deployment_writes_them() {
    let local: Moment = "2023-11-14T23:13:20".parse().unwrap();
    let django = at(1_700_000_000).with_time_written_as(local);
    let world = World::default();
    let mut session = EngineSession::new(Engine::Db, None, &django, world.clone());
    session.set_expiry_in(Age::Fractional(0.5)).unwrap();
    assert_eq!(
        session.get("_session_expiry").unwrap().as_deref(),
        Some("\"2023-11-14T23:13:20.500000\"")
    );
    session.save(false).unwrap();
    let expires: Vec<_> = world
        .0
        .borrow()
        .rows
        .values()
        .map(|row| row.expires.to_string())
        .collect();
    assert_eq!(expires, ["2023-11-14T23:13:20.500000"]);
    assert_eq!(session.expiry_age(None, None).unwrap(), Age::Whole(0));
}
