//! Names for uploaded files that nobody can guess and no user has chosen (threat `exposed-media`).
//!
//! The idea is django-random-filestorage's: 60 random characters and the last extension; the user's own name is dropped. Here the
//! characters are drawn evenly, and the extension is kept only if it is one: short, ASCII, letters and digits.

use crate::token::{Alphabet, random_string};

/// How many random characters: more than 300 bits.
const STEM_LENGTH: usize = 60;
/// The longest extension that is kept.
const LONGEST_EXTENSION: usize = 10;

/// Draws a name for a file that a user called `original`. If it is taken, draw another.
///
/// # Example
///
/// ```
/// use palisade_core::file_name::random_file_name;
///
/// let name = random_file_name("My tax return.PDF");
/// assert!(name.ends_with(".pdf") && !name.contains("tax"));
/// assert_eq!(name.len(), 64);
/// ```
///
/// # Security
///
/// An address that cannot be guessed is a secret of everybody who has seen it: it stands in histories and logs, and goes on
/// in the Referer of what is linked from the file. Check who asks, too.
///
/// # Panics
///
/// Where the system gives no randomness.
pub fn random_file_name(original: &str) -> String {
    let stem = random_string(STEM_LENGTH, Alphabet::Base36);
    match extension(original) {
        Some(extension) => format!("{stem}.{extension}"),
        None => stem,
    }
}

/// The last extension, in lower case. Dots at the beginning make a hidden file and no extension.
fn extension(original: &str) -> Option<String> {
    let base = original.rsplit(['/', '\\']).next()?;
    let (_, extension) = base.trim_start_matches('.').rsplit_once('.')?;
    let is_one = (1..=LONGEST_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_is_kept_only_if_it_is_one() {
        for (original, expected) in [
            ("a.pdf", Some("pdf")),
            ("A.B.TAR", Some("tar")),
            ("../../etc/a.sh", Some("sh")),
            ("C:\\x.y\\a.Jpg", Some("jpg")),
            ("a", None),
            (".bashrc", None),
            ("..pdf", None),
            ("dir.d/a", None),
            ("a.", None),
            ("a.p\u{e4}f", None),
            ("a.ph p", None),
            ("a.php\0", None),
            ("a.pdf/", None),
            ("a.abcdefghijk", None),
            ("", None),
        ] {
            assert_eq!(extension(original).as_deref(), expected, "{original:?}");
        }
    }

    #[test]
    fn name_holds_nothing_of_the_users_and_is_never_the_same() {
        let (one, other) = (random_file_name("secret.txt"), random_file_name("secret.txt"));
        assert_ne!(one, other);
        let stem = one.strip_suffix(".txt").unwrap();
        assert_eq!(stem.len(), STEM_LENGTH);
        assert!(
            stem.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        );
    }
}
