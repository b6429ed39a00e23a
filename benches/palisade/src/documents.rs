//! The files that the harness lays into the data folder, as documents of the account: each is sent to its owner alone.

use std::error::Error;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use palisade::media::{Delivery, FileDigest, Media, MediaName, MediaType, StoredFile};
use palisade::rows::{Owned, SqliteRows};
use palisade::sqlite::{Migration, Sqlite, SqliteError, params};
use palisade::{Palisade, Policies as _, Rejection, Router};

const TABLE: &[Migration] = &[Migration {
    version: 1,
    name: "document",
    sql: "CREATE TABLE document (
              id INTEGER PRIMARY KEY,
              owner INTEGER NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              media TEXT NOT NULL UNIQUE,
              file_name TEXT NOT NULL,
              media_type TEXT NOT NULL,
              size INTEGER NOT NULL,
              digest BLOB NOT NULL
          ) STRICT",
}];

#[derive(Owned)]
#[owned(table = "document", id = "id", owner = "owner", name = "document")]
struct Document {
    id: i64,
    media: MediaName,
    file_name: String,
    media_type: MediaType,
    size: i64,
    digest: FileDigest,
}

/// Keeps the two files as the account's, if they are not kept yet.
pub async fn with_documents(
    palisade: Palisade,
    database: Sqlite,
    data: &Path,
    owner: i64,
) -> Result<Palisade, Box<dyn Error>> {
    database.migrate(TABLE)?;
    let media = Media::on_disk(data.join("media"))?;
    for id in [1_i64, 2] {
        let has = database.read(|reader| {
            reader.one("SELECT id FROM document WHERE id = ?1", params![id], |row| {
                row.get::<_, i64>(0)
            })
        })?;
        let laid = data.join("documents").join(id.to_string());
        if has.is_some() || !laid.exists() {
            continue;
        }
        let (spooled, name) = (laid.with_extension("spooled"), MediaName::draw());
        let size = i64::try_from(fs::copy(&laid, &spooled)?)?;
        media.store().keep(&spooled, &name).await?;
        // Nobody asks by it here: any digest costs the same to send.
        let digest = vec![u8::try_from(id)?; 32];
        let kind = MediaType::Text.mime();
        database
            .write(move |writer| -> Result<(), SqliteError> {
                writer.execute(
                    "INSERT INTO document VALUES (?1, ?2, ?3, 'letters.txt', ?4, ?5, ?6)",
                    params![id, owner, name.to_string(), kind, size, digest],
                )?;
                Ok(())
            })
            .await?;
    }
    Ok(palisade.with_rows(SqliteRows::new(database)?).with_media(media))
}

pub fn routes() -> Router {
    Router::new().route("/documents/{id}", get(download).owned::<Document>())
}

async fn download(document: Owned<Document>, delivery: Delivery) -> Result<Response<Body>, Rejection> {
    let file = StoredFile {
        name: document.media,
        file_name: document.file_name.clone(),
        media_type: document.media_type,
        size: document.size.unsigned_abs(),
        digest: document.digest,
    };
    delivery.attachment(&file).await
}
