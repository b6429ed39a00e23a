//! The attack: somebody has the database, the dump, the backup, the folder. Plain stores give them data and live sessions; sealed ones
//! under hashed keys give neither.

use std::path::Path;

use palisade::Settings;
use palisade::session::{FileSessions, SessionStore, SqliteSessions};
use palisade::sqlite::Sqlite;
use sha2::{Digest as _, Sha256};

use crate::client::{Client, settings};
use crate::sealed_sessions::sealing;
use crate::session_site::site_on;

/// What a session holds that nobody else is to read: not a word of it may be found.
const SECRET: &str = "thepinisfourseveneleven";

/// What the store is given in the key's place, computed anew.
pub(crate) fn hash_of(key: &str) -> String {
    let hash = Sha256::digest(format!("palisade session key\0{key}"));
    let bits: Vec<_> = hash.iter().take(25).map(|byte| format!("{byte:08b}")).collect();
    let bits = bits.concat();
    let letters = "abcdefghijklmnopqrstuvwxyz234567".as_bytes();
    bits.as_bytes()
        .chunks(5)
        .map(|five| {
            let five = std::str::from_utf8(five).unwrap();
            char::from(letters[usize::from_str_radix(five, 2).unwrap()])
        })
        .collect()
}

/// What a thief makes of the bytes of a store: the keys that open sessions, and whether the secret can be read in any form that
/// Django's signed data has.
fn loot(stolen: &[u8]) -> (Vec<String>, bool) {
    let text = String::from_utf8_lossy(stolen);
    let is_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut keys: Vec<String> = Vec::new();
    for word in text.as_bytes().split(|byte| !is_key(*byte)) {
        for length in [32, 40] {
            // In a page of SQLite one value follows another without anything between.
            for window in word.windows(length) {
                keys.push(String::from_utf8(window.to_vec()).unwrap());
            }
        }
    }
    let encoded = |offset: usize| {
        use base64::Engine as _;
        let padded = format!("{}{SECRET}", "x".repeat(offset));
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(padded);
        // The middle of it, which does not depend on what stands around it.
        text[4..text.len() - 4].to_owned()
    };
    let reads = text.contains(SECRET) || (0..3).any(|offset| text.contains(&encoded(offset)));
    (keys, reads)
}

/// Whether the loot gives a live session, and whether it gives its data.
async fn rob(
    settings: Settings,
    store: impl SessionStore,
    steal: impl AsyncFnOnce() -> Vec<u8>,
) -> (bool, bool) {
    let site = site_on(settings, store);
    let victim = Client::new(&site.app);
    victim.get(&format!("/set/{SECRET}")).await;
    let (keys, reads) = loot(&steal().await);
    let mut lives = false;
    for key in keys {
        let thief = Client::new(&site.app);
        thief.plant("sessionid", &key);
        lives |= thief.get("/show").await.text == SECRET;
    }
    assert_eq!(victim.get("/show").await.text, SECRET, "its owner still has it");
    (lives, reads)
}

/// Every key that Redis has, with what lies there.
#[cfg(feature = "redis")]
fn dump_of_redis(server: &testkit::Redis) -> Vec<u8> {
    use std::io::{Read as _, Write as _};

    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = key \
                  if redis.call('TYPE', key).ok == 'string' then all[#all + 1] = redis.call('GET', key) end end return all";
    write!(stream, "EVAL \"{script}\" 0\r\nQUIT\r\n").unwrap();
    let mut dump = Vec::new();
    stream.read_to_end(&mut dump).unwrap();
    dump
}

/// All files of a folder, one after another.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            bytes.extend(path.file_name().unwrap().as_encoded_bytes());
            bytes.extend(std::fs::read(&path).unwrap());
            bytes.push(b'\n');
        }
    }
    bytes
}

#[tokio::test]
async fn stolen_file_of_sqlite_gives_neither_data_nor_a_live_session() {
    let robbed = async |settings: Settings| {
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::open(folder.path().join("site.sqlite3")).unwrap();
        let store = SqliteSessions::new(database.clone()).unwrap();
        rob(settings, store, async || bytes_of(folder.path())).await
    };
    assert_eq!(
        robbed(settings()).await,
        (true, true),
        "the attack works on a plain table"
    );
    let (_folder, sealed) = sealing(&[18_000]);
    assert_eq!(robbed(sealed).await, (false, false));
}

#[tokio::test]
async fn stolen_folder_of_session_files_gives_neither_data_nor_a_live_session() {
    let robbed = async |settings: Settings| {
        let folder = tempfile::tempdir().unwrap();
        let store = FileSessions::new(folder.path(), &settings).unwrap();
        rob(settings, store, async || {
            // A file's name is `sessionid` and the key.
            String::from_utf8_lossy(&bytes_of(folder.path()))
                .replace("sessionid", " ")
                .into_bytes()
        })
        .await
    };
    assert_eq!(
        robbed(settings()).await,
        (true, true),
        "the attack works on plain files"
    );
    let (_folder, sealed) = sealing(&[18_000]);
    assert_eq!(robbed(sealed).await, (false, false));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn stolen_dump_of_redis_gives_neither_data_nor_a_live_session() {
    use palisade::redis::Redis;
    use palisade::session::RedisSessions;

    let robbed = async |settings: Settings| {
        let server = testkit::Redis::start().unwrap();
        let store = RedisSessions::new(Redis::open(&server.url()).unwrap());
        rob(settings, store, async || dump_of_redis(&server)).await
    };
    assert_eq!(
        robbed(settings()).await,
        (true, true),
        "the attack works on plain entries"
    );
    let (_folder, sealed) = sealing(&[18_000]);
    assert_eq!(robbed(sealed).await, (false, false));
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
#[tokio::test]
async fn stolen_rows_of_postgres_give_neither_data_nor_a_live_session() {
    use crate::servers::{postgres, postgres_database};
    use palisade::session::PostgresSessions;

    let robbed = async |settings: Settings, name: &str| {
        let server = postgres();
        let database = postgres_database(&server, name).await;
        let store = PostgresSessions::new(database.clone()).await.unwrap();
        rob(settings, store, async || {
            let rows = database.all(
                "SELECT s::text FROM django_session s UNION ALL SELECT i::text FROM palisade_session_index i",
                &[],
                |row| row.try_get::<_, String>(0),
            );
            rows.await.unwrap().join("\n").into_bytes()
        })
        .await
    };
    let plain = robbed(settings(), "stolen_plain").await;
    assert_eq!(plain, (true, true), "the attack works on plain rows");
    let (_folder, sealed) = sealing(&[18_000]);
    assert_eq!(robbed(sealed, "stolen_sealed").await, (false, false));
}

/// The attack with more than reading: the sealed data of a victim's session, written into the row of one's own.
#[tokio::test]
async fn sealed_data_of_another_session_put_into_ones_own_row_opens_nothing() {
    let swapped = async |settings: Settings| {
        let database = Sqlite::in_memory().unwrap();
        let site = site_on(settings, SqliteSessions::new(database.clone()).unwrap());
        let (victim, thief) = (Client::new(&site.app), Client::new(&site.app));
        victim.get(&format!("/set/{SECRET}")).await;
        let before = all_keys(&database).await;
        thief.get("/set/nothing").await;
        database
            .write(move |writer| {
                writer.execute(
                    "UPDATE django_session SET session_data = (SELECT session_data FROM django_session WHERE session_key = ?1)",
                    palisade::sqlite::params![before],
                )
            })
            .await
            .unwrap();
        thief.get("/show").await.text
    };
    assert_eq!(
        swapped(settings()).await,
        SECRET,
        "the attack works on signed data"
    );
    let (_folder, sealed) = sealing(&[18_000]);
    assert_eq!(swapped(sealed).await, "");
}

async fn all_keys(database: &Sqlite) -> String {
    let key = database
        .write(|writer| {
            writer.one(
                "SELECT session_key FROM django_session",
                palisade::sqlite::params![],
                |row| row.get::<_, String>(0),
            )
        })
        .await
        .unwrap();
    key.unwrap()
}
