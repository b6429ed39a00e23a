//! Folders that are refused, and what of them is left alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Barrier;
use std::thread;

use super::super::spool::Spool;
use crate::media::Media;

#[test]
fn link_is_no_folder_of_media_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("public");
    Media::on_disk(&path).unwrap();
    symlink(&path, folder.path().join("media")).unwrap();
    for name in ["media", "media/", "media/.", "./media//", "media/./"] {
        let opened = Media::on_disk(folder.path().join(name));
        let error = opened.map(|_| name).unwrap_err().to_string();
        assert!(error.contains("name the folder itself"), "{name}: {error}");
    }
}

#[test]
fn file_in_place_of_the_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("media");
    fs::write(&path, "").unwrap();
    let error = Media::on_disk(&path).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("media"), "{error}");
    assert!(path.is_file());
}

#[test]
fn spool_that_others_look_into_or_that_is_a_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    drop(Media::on_disk(&media).unwrap());
    let spool = media.join("spool");
    for mode in [0o755, 0o770, 0o701] {
        fs::set_permissions(&spool, fs::Permissions::from_mode(mode)).unwrap();
        assert!(Media::on_disk(&media).is_err(), "{mode:o}");
    }
    fs::remove_dir_all(&spool).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&elsewhere, &spool).unwrap();
    assert!(Media::on_disk(&media).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn folder_that_is_no_spool_of_a_process_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let other = folder.path().join("letters");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.txt"), "somebody's only copy").unwrap();
    let spool = Spool::open(folder.path(), 100).unwrap();
    drop(spool);
    assert!(other.join("a.txt").exists());
}

#[test]
fn processes_that_start_and_end_at_the_same_time_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (path, begin) = (folder.path().join("spool"), Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begin.wait();
                for _ in 0..100 {
                    drop(Spool::open(&path, 100).unwrap());
                }
            });
        }
    });
    let left = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(left.filter(|path| path.is_dir()).count(), 0);
}
