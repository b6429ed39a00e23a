//! Settings written out: as a commented reference of all of them, and as the ones in use.

use std::fmt::Write;

use super::Settings;
use super::registry::REGISTRY;
use crate::SecretKey;

/// How wide the comments are.
const WIDTH: usize = 100;

/// Writes a commented TOML file of all settings with their defaults, for people to start from.
///
/// # Example
/// ```
/// let reference = palisade_core::settings::reference_toml();
/// assert!(reference.contains("# secure_hsts_seconds = 31_536_000\n"));
/// ```
pub fn reference_toml() -> String {
    let defaults = Settings::new(SecretKey::new(""), [""; 0]);
    let mut written = String::from(
        "# Every setting with its default. An environment variable, such as PALISADE_DEBUG, overrides the file.\n",
    );
    write_all(&mut written, &defaults, true);
    written
}

/// Writes the settings in use.
pub(super) fn toml(settings: &Settings) -> String {
    let mut written = String::new();
    write_all(&mut written, settings, false);
    written
}

fn write_all(written: &mut String, settings: &Settings, commented: bool) {
    let mut settings = settings.clone();
    for setting in REGISTRY {
        let value = (setting.slot)(&mut settings).show();
        if commented {
            written.push('\n');
            write_comment(written, setting.about());
        }
        let mark = if commented { "# " } else { "" };
        // Writing into a String cannot fail.
        let _ = writeln!(written, "{mark}{} = {value}", setting.name());
    }
}

fn write_comment(written: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        if width == 0 || width + 1 + word.len() > WIDTH {
            if width > 0 {
                written.push('\n');
            }
            written.push('#');
            width = 1;
        }
        written.push(' ');
        written.push_str(word);
        width += 1 + word.len();
    }
    written.push('\n');
}
