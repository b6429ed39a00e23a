//! What happens to the development certificate over the years.

use super::*;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}

fn file(data: &Path, name: &str) -> Vec<u8> {
    fs::read(data.join(FOLDER).join(name)).unwrap()
}

fn reason(result: Result<CertifiedKey, ServeError>) -> String {
    let text = result.unwrap_err().to_string();
    assert!(text.contains("remove that folder"), "says what to do: {text}");
    text
}

#[test]
fn a_second_start_keeps_everything() {
    let data = tempfile::tempdir().unwrap();
    let first = open(data.path(), &[], now()).unwrap();
    let second = open(data.path(), &[], now() + days(300)).unwrap();
    assert_eq!(first.cert, second.cert);
}

#[test]
fn keys_are_for_the_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &[], now()).unwrap();
    let mode = |name: &str| {
        fs::metadata(data.path().join(FOLDER).join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (mode(AUTHORITY_KEY), mode(SERVER), mode("")),
        (0o600, 0o600, 0o700)
    );
    let key = data.path().join(FOLDER).join(AUTHORITY_KEY);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    open(data.path(), &[], now()).unwrap();
    assert_eq!(mode(AUTHORITY_KEY), 0o600);
}

#[test]
fn an_old_server_certificate_is_signed_anew_by_the_same_authority() {
    let data = tempfile::tempdir().unwrap();
    let first = open(data.path(), &[], now()).unwrap();
    let authority = file(data.path(), AUTHORITY);
    let renewed = open(data.path(), &[], now() + days(395)).unwrap();
    assert_ne!(first.cert, renewed.cert);
    assert_eq!(authority, file(data.path(), AUTHORITY));
    let kept = open(data.path(), &[], now() + days(396)).unwrap();
    assert_eq!(renewed.cert, kept.cert);
}

#[test]
fn an_expired_authority_is_an_error_and_not_replaced() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &[], now()).unwrap();
    let before = file(data.path(), AUTHORITY);
    assert!(reason(open(data.path(), &[], now() + days(3651))).contains("expired"));
    assert_eq!(before, file(data.path(), AUTHORITY));
}

#[test]
fn a_missing_or_damaged_half_is_an_error_and_not_replaced() {
    for name in [AUTHORITY, AUTHORITY_KEY, SERVER] {
        let data = tempfile::tempdir().unwrap();
        open(data.path(), &[], now()).unwrap();
        let path = data.path().join(FOLDER).join(name);
        fs::write(&path, "no PEM").unwrap();
        assert!(reason(open(data.path(), &[], now())).contains(name));
        fs::remove_file(&path).unwrap();
        assert!(reason(open(data.path(), &[], now())).contains("is missing"));
        assert!(!path.exists());
    }
}

#[test]
fn the_halves_of_two_authorities_do_not_fit() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(one.path(), &[], now()).unwrap();
    open(other.path(), &[], now()).unwrap();
    let key = one.path().join(FOLDER).join(AUTHORITY_KEY);
    fs::write(&key, file(other.path(), AUTHORITY_KEY)).unwrap();
    assert!(reason(open(one.path(), &[], now())).contains("is not the key"));
}

#[test]
fn the_authority_signs_for_this_machine_only() {
    let data = tempfile::tempdir().unwrap();
    open(data.path(), &["vault.test".into()], now()).unwrap();
    open(data.path(), &["vault.test".into(), "127.0.0.2".into()], now()).unwrap();
    let refused = reason(open(data.path(), &["bank.example".into()], now()));
    assert!(refused.contains("bank.example"), "{refused}");
    let refused = reason(open(data.path(), &["192.0.2.1".into()], now()));
    assert!(refused.contains("192.0.2.1"), "{refused}");
}

#[test]
fn an_unwritable_folder_is_one_sentence() {
    let data = tempfile::tempdir().unwrap();
    let blocked = data.path().join("a-file");
    fs::write(&blocked, "").unwrap();
    let text = open(&blocked, &[], now()).unwrap_err().to_string();
    assert!(text.starts_with("cannot write to "), "{text}");
}
