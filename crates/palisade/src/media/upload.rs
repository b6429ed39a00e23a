//! A file that came with a form: known for what it is, and not kept yet.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::spool::{Spooled, Spooling};
use super::{
    FileDigest, ImageHandling, InspectLimits, Media, MediaError, MediaName, MediaType, StoredFile,
    Unacceptable, inspect,
};

/// A file that came with a form, as the value of a field.
///
/// It has been looked into: it is of one of the kinds that the field accepts, and within its size. It waits in the spool, and is gone
/// when this is dropped; [`Upload::keep`] keeps it.
///
/// # Example
///
/// ```
/// use palisade::Rejection;
/// use palisade::form::{Checked, Form};
/// use palisade::media::{MediaType, Upload};
///
/// #[derive(Form)]
/// struct DocumentForm {
///     #[form(max_length = 200)]
///     title: String,
///     #[form(accept = [Pdf, Png, Jpeg], max_size = 10_000_000)]
///     document: Upload,
/// }
///
/// async fn take(form: Checked<DocumentForm>) -> Result<String, Rejection> {
///     let form = match form.validate() {
///         Ok(form) => form.into_form(),
///         Err(form) => return Ok(form.html()), // what came is gone
///     };
///     let kept = form.document.keep().await?;
///     // … write the row that names `kept.file()`; where that fails, the file is deleted again …
///     let file = kept.noted();
///     Ok(format!("{} has {} bytes", file.file_name, file.size))
/// }
/// ```
#[derive(Debug)]
pub struct Upload {
    media: Media,
    spooled: Spooled,
    file_name: String,
    media_type: MediaType,
}

impl Upload {
    /// What the client called it, after Django's sanitising. It is a caption, and never part of a path.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// What it is, told from its bytes.
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.spooled.size()
    }

    /// What its bytes are.
    pub fn digest(&self) -> FileDigest {
        self.spooled.digest()
    }

    /// Keeps it under a new random name. When this returns, a loss of power would not lose it.
    ///
    /// # Errors
    ///
    /// When the store is full or cannot answer; nothing is kept then.
    pub async fn keep(self) -> Result<Kept, MediaError> {
        // The guard is there before the file, so that a client that hangs up or a store that fails leaves nothing; and it is dropped
        // after what waits in the spool, without which nothing can be moved in any more.
        let kept = Kept {
            file: StoredFile {
                name: MediaName::draw(),
                file_name: self.file_name.clone(),
                media_type: self.media_type,
                size: self.size(),
                digest: self.digest(),
            },
            media: Some(self.media.clone()),
        };
        let Self { media, spooled, .. } = self;
        media.store().keep(spooled.path(), &kept.file.name).await?;
        Ok(kept)
    }
}

/// A file that is kept and that no row names yet. Dropped, it is deleted again; [`Kept::noted`] says that a row names it.
#[derive(Debug)]
#[must_use = "the file is deleted again unless it is noted"]
pub struct Kept {
    file: StoredFile,
    media: Option<Media>,
}

impl Kept {
    /// What is to be noted of it.
    pub fn file(&self) -> &StoredFile {
        &self.file
    }

    /// Says that a row names it: it stays.
    pub fn noted(mut self) -> StoredFile {
        self.media = None;
        self.file.clone()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let (Some(media), name) = (self.media.take(), self.file.name) else {
            return;
        };
        // Where no runtime is left, the next sweep finds it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = media.delete(&name).await {
                tracing::warn!(%error, "a file that no row names is left to the next sweep");
            }
        });
    }
}

/// What a field says of the files that it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Takes {
    pub(crate) accept: &'static [MediaType],
    pub(crate) max_size: u64,
    pub(crate) images: ImageHandling,
}

/// What came of a file that a form brought.
pub(crate) enum Came {
    /// It waits.
    Here(Box<Upload>),
    /// It has no bytes.
    Empty,
    /// It is larger than the field takes.
    TooLarge,
    /// There are more than the field takes; this one was read past.
    TooMany,
    /// It is not what the field takes.
    Unacceptable(String),
}

/// A file on its way in.
pub(crate) struct Incoming {
    media: Media,
    file_name: String,
    takes: Takes,
    /// Nothing once it is too large: the rest is read past.
    spooling: Option<Spooling>,
}

impl Incoming {
    pub(crate) async fn begin(media: &Media, file_name: String, takes: Takes) -> Result<Self, MediaError> {
        Ok(Self {
            media: media.clone(),
            file_name,
            takes,
            spooling: Some(media.spool().begin().await?),
        })
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), MediaError> {
        let Some(spooling) = self.spooling.take() else {
            return Ok(());
        };
        let size = spooling
            .size()
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if size <= self.takes.max_size {
            self.spooling = Some(spooling.write(bytes).await?);
        }
        Ok(())
    }

    /// Ends the file, and looks what it is.
    pub(crate) async fn finish(self) -> Result<Came, MediaError> {
        let Self {
            media,
            file_name,
            takes,
            spooling,
        } = self;
        let Some(spooled) = spooling.map(Spooling::finish) else {
            return Ok(Came::TooLarge);
        };
        if spooled.size() == 0 {
            return Ok(Came::Empty);
        }
        let limits = Arc::clone(media.limits());
        let place = media.place_to_look(takes.images).await?;
        let found = spawn_blocking(move || {
            let _place = place;
            looked_into(spooled, takes, &limits)
        })
        .await;
        Ok(
            match found.map_err(|error| MediaError::Unavailable(error.to_string()))? {
                Ok((spooled, media_type)) => Came::Here(Box::new(Upload {
                    media,
                    spooled,
                    file_name,
                    media_type,
                })),
                Err(Unacceptable::Unreadable(error)) => {
                    return Err(MediaError::Unavailable(error.to_string()));
                }
                Err(refused) => Came::Unacceptable(refused.to_string()),
            },
        )
    }
}

/// Says what a file is; a picture that is to be kept in another way is written anew.
fn looked_into(
    spooled: Spooled,
    takes: Takes,
    limits: &InspectLimits,
) -> Result<(Spooled, MediaType), Unacceptable> {
    let limits = takes.images.within(limits);
    let mut file = File::open(spooled.path())?;
    let media_type = inspect(&mut file, spooled.size(), takes.accept, &limits)?;
    let anew = spooled.made_anew(|to| takes.images.handle(media_type, &mut file, to, &limits))?;
    Ok((anew.unwrap_or(spooled), media_type))
}
