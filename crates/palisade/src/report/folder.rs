//! Reports as files: a folder for the service alone, in which the newest are kept.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use time::OffsetDateTime;
use time::macros::format_description;

use super::{ErrorDigest, ErrorReport, ReportSink, cut};

/// How many reports are kept, unless it is said.
const KEPT: usize = 200;
/// What ends the name of a report.
const ENDING: &str = ".report.txt";

/// Why reports cannot be kept in a folder.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ReportFolderError {
    /// It cannot be made or read.
    #[error("cannot keep error reports in {}: {reason}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Others than the service may look into it.
    #[error("other users of this machine may look into the error reports in {} (mode {mode:o}): run `chmod 700 {}`", path.display(), path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for ReportFolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keeps reports as files, `2026-11-22T20-26-00Z-0123456789abcdef.report.txt`, each readable by the service alone; and once an hour
/// what was seen again, `2026-11-22T21-26-00Z-digest.report.txt`.
///
/// # Security
///
/// It keeps the newest 200, each of 64 KiB at most, so that no fault fills the disk. They are cleansed, and tell more of the
/// site and its people than a log: treat them as the database is treated.
#[derive(Clone, Debug)]
pub struct ReportFolder {
    path: PathBuf,
    kept: usize,
}

impl ReportFolder {
    /// Opens the folder, making it for this user alone if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or others may look into it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReportFolderError> {
        let path = path.as_ref().to_owned();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        match made.and_then(|()| fs::metadata(&path)) {
            Err(reason) => Err(ReportFolderError::Unusable { path, reason }),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(ReportFolderError::Open {
                mode: found.permissions().mode() & 0o777,
                path,
            }),
            Ok(_) => Ok(Self { path, kept: KEPT }),
        }
    }

    /// Keeps so many reports, and at least one.
    #[must_use]
    pub fn with_most(mut self, reports: usize) -> Self {
        self.kept = reports.max(1);
        self
    }

    fn write(&self, time: SystemTime, id: &str, text: &str) -> io::Result<PathBuf> {
        let stamp = format_description!("[year]-[month]-[day]T[hour]-[minute]-[second]Z");
        let time = OffsetDateTime::from(time).format(&stamp).unwrap_or_default();
        let path = self.path.join(format!("{time}-{id}{ENDING}"));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(cut(text).as_bytes())?;
        Ok(path)
    }

    /// Takes the oldest away; their names are in the order of their times.
    fn tidy(&self) -> io::Result<()> {
        let mut reports = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(ENDING) {
                reports.push(path);
            }
        }
        reports.sort();
        let surplus = reports.len().saturating_sub(self.kept);
        for path in reports.iter().take(surplus) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn keep(&self, time: SystemTime, id: &str, text: &str) {
        let written = self.write(time, id, text);
        match written.and_then(|path| self.tidy().map(|()| path)) {
            Ok(path) => {
                tracing::error!(target: "palisade::report", id, path = %path.display(), "a fault was reported");
            }
            Err(error) => {
                let path = self.path.display();
                tracing::error!(target: "palisade::report", id, %path, %error, "a fault could not be reported");
            }
        }
    }
}

impl ReportSink for ReportFolder {
    fn take(&self, report: &ErrorReport) {
        self.keep(report.time, &report.id, &report.text);
    }

    fn sum_up(&self, digest: &ErrorDigest) {
        if !digest.is_empty() {
            let text = format!("{}\n\n{}", digest.subject(), digest.text());
            self.keep(digest.time, "digest", &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::super::LARGEST;
    use super::*;

    fn report(number: u64, text: &str) -> ErrorReport {
        ErrorReport {
            id: format!("{number:016x}"),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(number),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            subject: String::new(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn newest_reports_are_kept_each_cut_at_a_size_and_readable_by_the_service_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports");
        let reports = ReportFolder::open(&path).unwrap().with_most(3);
        fs::write(path.join("notes.txt"), "").unwrap();
        for number in 0..9 {
            reports.take(&report(number, &"é".repeat(LARGEST)));
        }
        let mut names: Vec<String> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(names[0], "1970-01-01T00-00-06Z-0000000000000006.report.txt");
        let newest = fs::metadata(path.join(&names[2])).unwrap();
        assert_eq!(newest.permissions().mode() & 0o777, 0o600);
        assert!(newest.len() < LARGEST as u64 + 100);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn folder_that_others_may_look_into_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let refused = ReportFolder::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("chmod 700"), "{refused}");
    }
}
