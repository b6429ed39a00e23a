//! What is noted of a document; the file itself lies in the store of media.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use palisade::media::{FileDigest, Media, MediaName, MediaType, StoredFile};
use palisade::rows::{Owned, Seconds};
use palisade::sqlite::{Migration, Sqlite};
use rusqlite::params;

/// How many documents one person may have.
pub(super) const MOST_DOCUMENTS: u32 = 200;

/// The table of documents. Ids are never used again: a link that somebody noted must not lead to another document.
pub(crate) const DOCUMENTS: &[Migration] = &[Migration {
    version: 1,
    name: "vault_document",
    sql: "CREATE TABLE vault_document (
              id INTEGER PRIMARY KEY AUTOINCREMENT,
              owner INTEGER NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
              title TEXT NOT NULL,
              media TEXT NOT NULL UNIQUE,
              file_name TEXT NOT NULL,
              media_type TEXT NOT NULL,
              size INTEGER NOT NULL,
              digest BLOB NOT NULL,
              kept INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX vault_document_owner ON vault_document (owner, id);",
}];

/// A document, without its bytes.
#[derive(Debug, Owned)]
#[owned(table = "vault_document", id = "id", owner = "owner", name = "document", new = NewDocument)]
pub(crate) struct Document {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) media: MediaName,
    pub(super) file_name: String,
    pub(super) media_type: MediaType,
    pub(super) size: i64,
    pub(super) digest: FileDigest,
    pub(super) kept: Seconds,
}

impl Document {
    /// The file that belongs to it.
    pub(super) fn file(&self) -> StoredFile {
        StoredFile {
            name: self.media,
            file_name: self.file_name.clone(),
            media_type: self.media_type,
            size: self.size.unsigned_abs(),
            digest: self.digest,
        }
    }
}

/// Opens the store of documents, and sweeps away what a process left there that ended between keeping a file and noting it.
pub(crate) async fn media(folder: &Path, database: &Sqlite) -> Result<Media> {
    let media = Media::on_disk(folder)?;
    database.migrate(DOCUMENTS)?;
    let named: Vec<String> = database
        .read(|reader| reader.all("SELECT media FROM vault_document", params![], |row| row.get(0)))?;
    let named = named.iter().filter_map(|name| name.parse().ok()).collect();
    match media.sweep(&named, SystemTime::now()).await {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "files were deleted that belong to no document"),
        // Nobody has lost anything by what is left.
        Err(error) => tracing::error!(%error, "files that belong to no document are left"),
    }
    Ok(media)
}
