//! Hashing and verifying, beside Django's answers.

use std::sync::mpsc;

use futures_util::FutureExt;
use palisade_core::password::{identify, unusable};
use proptest::prelude::*;

use super::super::derive::SPENT;
use super::Algorithm::{Argon2, Bcrypt, BcryptSha256, Md5, Pbkdf2Sha1, Pbkdf2Sha256, Scrypt};
use super::*;

const ENABLED: [Algorithm; 7] = [
    Argon2,
    Pbkdf2Sha256,
    Pbkdf2Sha1,
    BcryptSha256,
    Bcrypt,
    Scrypt,
    Md5,
];

/// Django's hashers with the cheap parameters that the table was made with.
fn scheme(preferred: Algorithm) -> Scheme {
    let cheap = Hashers::dangerous_cheap().scheme.parameters;
    Scheme {
        preferred,
        accepted: ENABLED.to_vec(),
        parameters: cheap,
        keyed: None,
    }
}

fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

#[test]
fn answers_are_those_of_django() {
    for (password, stored, preferred, correct, must_update) in DJANGO {
        let verified = scheme(*preferred).verify(password, Some(stored)).unwrap();
        let expected = Verified {
            correct: *correct,
            must_update: *must_update,
        };
        assert_eq!(verified, expected, "{password:?} {stored} {preferred}");
    }
}

#[test]
fn hashes_at_djangos_own_parameters_are_verified() {
    let scheme = Scheme {
        parameters: Parameters::default(),
        ..scheme(Argon2)
    };
    for stored in KNOWN {
        assert!(
            scheme.verify("lètmein", Some(stored)).unwrap().correct,
            "{stored}"
        );
    }
}

#[test]
fn new_hash_is_verified_needs_no_update_and_has_a_salt_of_its_own() {
    for algorithm in ENABLED {
        let scheme = scheme(algorithm);
        let (one, other) = (scheme.hash("lètmein").unwrap(), scheme.hash("lètmein").unwrap());
        assert_ne!(one, other);
        assert!(one.len() <= 128, "{one}");
        assert_eq!(identify(&one).unwrap(), algorithm);
        let verified = scheme.verify("lètmein", Some(&one)).unwrap();
        assert_eq!(
            verified,
            Verified {
                correct: true,
                must_update: false
            },
            "{one}"
        );
        assert!(!scheme.verify("letmein", Some(&one)).unwrap().correct);
    }
}

#[test]
fn default_is_argon2id_at_djangos_parameters() {
    let stored = Hashers::default().scheme.hash("x").unwrap();
    assert!(
        stored.starts_with("argon2$argon2id$v=19$m=102400,t=2,p=8$"),
        "{stored}"
    );
}

/// The rounds that a failed verification takes.
fn rounds_spent(scheme: &Scheme, stored: Option<&str>) -> u64 {
    let before = SPENT.get();
    assert!(!scheme.verify("wrong", stored).unwrap().correct);
    SPENT.get() - before
}

#[test]
fn nobody_and_nobodys_password_take_the_time_of_a_hash() {
    for (algorithm, rounds) in [(Pbkdf2Sha256, 1000), (BcryptSha256, 64)] {
        let cheap = Hashers::dangerous_cheap().scheme.parameters;
        let dear = Parameters {
            pbkdf2_iterations: 1000,
            bcrypt_work_factor: 6,
            ..cheap
        };
        let dear = Scheme {
            parameters: dear,
            ..scheme(algorithm)
        };
        let stored = dear.hash("right").unwrap();
        assert_eq!(rounds_spent(&dear, Some(&stored)), rounds);
        for nobody in [
            "!",
            &unusable(),
            "",
            "plain",
            "nosuch$1$2$3",
            "pbkdf2_sha256",
            "bcrypt$$2b$31$",
        ] {
            assert_eq!(
                rounds_spent(&dear, Some(nobody)),
                rounds,
                "{algorithm} {nobody:?}"
            );
        }
        assert_eq!(rounds_spent(&dear, None), rounds);
        // What was stored at a lower cost is made up for.
        let old = scheme(algorithm).hash("right").unwrap();
        assert_eq!(rounds_spent(&dear, Some(&old)), rounds);
    }
}

#[test]
fn malformed_or_ruinous_stored_text_is_nobodys_password() {
    for stored in [
        "pbkdf2_sha256",
        "pbkdf2_sha256$4000000000$salt$oFBnS0DdLmFhnhApv97DLGS/HGVbO6eXjBRz1P/XX8Q=",
        "argon2$argon2id$v=19$m=4000000000,t=1,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
        "argon2$argon2id$v=19$m=8,t=4000000000,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
        "argon2$argon2id$v=18$m=8,t=1,p=1$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
        "argon2$argon2id$v=19$m=8,t=1,p=1$c2U$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
        "scrypt$1073741824$seasalt1$8$1$AAAA",
        "scrypt$3$seasalt1$8$1$AAAA",
        "scrypt$2$seasalt1$4000000000$4000000000$AAAA",
        "bcrypt$$2b$31$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
        "bcrypt$$2b$03$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
        "bcrypt$$2b$04$abcdefghijklmnopqrstuzanVo7Xut1CH8VGIGlz1JovQh9GJbbtG",
    ] {
        let verified = scheme(Pbkdf2Sha256).verify("lètmein", Some(stored)).unwrap();
        assert_eq!(
            verified,
            Verified {
                correct: false,
                must_update: false
            },
            "{stored}"
        );
    }
    let long = scheme(Bcrypt)
        .verify(&"x".repeat(80), Some("bcrypt$damaged"))
        .unwrap();
    assert!(!long.correct, "an error would tell the account from others");
    let empty = scheme(Pbkdf2Sha256).verify("lètmein", Some("md5$salt$")).unwrap();
    assert!(!empty.correct);
}

#[test]
fn algorithm_that_is_not_enabled_verifies_nothing() {
    let hashers = Hashers::new([Pbkdf2Sha256]).unwrap();
    let stored = "md5$seasalt1$dddc94d790e6dde53c090307844536f5";
    let cheap = Hashers::dangerous_cheap().scheme.parameters;
    let verified = hashers
        .with_parameters(cheap)
        .scheme
        .verify("lètmein", Some(stored))
        .unwrap();
    assert!(!verified.correct);
}

#[test]
fn list_without_a_hasher_for_new_passwords_is_refused() {
    assert!(matches!(Hashers::new([]), Err(HashError::Unsupported(_))));
    assert!(matches!(
        Hashers::new([Md5, Argon2]),
        Err(HashError::Unsupported(_))
    ));
    assert!(matches!(
        Hashers::new([Argon2, Algorithm::UnsaltedMd5]),
        Err(HashError::Unsupported(_))
    ));
    assert_eq!(Hashers::new([Scrypt, Md5]).unwrap().preferred(), Scrypt);
}

#[tokio::test]
async fn password_beyond_the_limit_is_refused_before_hashing() {
    let hashers = Hashers::dangerous_cheap();
    let longest = secret(&"é".repeat(MAX_PASSWORD_BYTES / 2));
    let stored = hashers.hash(&longest).await.unwrap();
    assert!(hashers.verify(&longest, Some(&stored)).await.unwrap().correct);
    let longer = secret(&"x".repeat(MAX_PASSWORD_BYTES + 1));
    assert_eq!(
        hashers.hash(&longer).await,
        Err(HashError::TooLong { max_bytes: 4096 })
    );
    assert_eq!(
        hashers.verify(&longer, Some(&stored)).await,
        Err(HashError::TooLong { max_bytes: 4096 })
    );
}

#[tokio::test]
async fn plain_bcrypt_never_drops_the_end_of_a_new_password() {
    let hashers = Hashers {
        scheme: Arc::new(scheme(Bcrypt)),
        pool: Pool::default(),
    };
    let refused = hashers.hash(&secret(&"x".repeat(73))).await;
    assert_eq!(refused, Err(HashError::TooLong { max_bytes: 72 }));
    // Those who once stored one still get in, and nobody learns by an error that there is no such user.
    assert!(hashers.verify(&secret(&"x".repeat(73)), None).await.is_ok());
}

#[tokio::test]
async fn flood_of_logins_is_told_to_come_back() {
    let hashers = Hashers::dangerous_cheap().with_limits(1, 0);
    let (release, held) = mpsc::channel::<()>();
    let mut busy = Box::pin(hashers.pool.run(move || held.recv().unwrap_err()));
    assert!((&mut busy).now_or_never().is_none());
    let refused = hashers.verify(&secret("x"), None).await.unwrap_err();
    assert!(matches!(refused, HashError::Busy { retry_after } if retry_after >= Duration::from_secs(1)));
    drop(release);
    busy.await.unwrap();
    assert!(!hashers.verify(&secret("x"), None).await.unwrap().correct);
}

#[test]
fn nothing_of_a_password_is_printed() {
    let shown = format!("{:?} {:?}", Hashers::default(), secret("hunter2"));
    assert!(!shown.contains("hunter2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_password_is_verified_and_no_other(password in ".{0,80}", other in ".{0,80}", which in 0..ENABLED.len()) {
        let scheme = scheme(ENABLED[which]);
        if ENABLED[which] == Bcrypt && password.len() > BCRYPT_BYTES {
            prop_assert!(scheme.hash(&password).is_err());
            return Ok(());
        }
        let stored = scheme.hash(&password).unwrap();
        prop_assert!(scheme.verify(&password, Some(&stored)).unwrap().correct);
        let bytes = |text: &str| text.as_bytes().iter().copied().take(72).collect::<Vec<_>>();
        let alike = ENABLED[which] == Bcrypt && bytes(&password) == bytes(&other);
        if password != other && !alike {
            prop_assert!(!scheme.verify(&other, Some(&stored)).unwrap().correct);
        }
    }

    #[test]
    fn any_stored_text_is_answered(stored in "\\PC{0,60}", rest in "[$0-9a-z=,./+]{0,60}", which in 0..ENABLED.len()) {
        let scheme = scheme(Pbkdf2Sha256);
        prop_assert!(!scheme.verify("x", Some(&stored)).unwrap().correct);
        let named = format!("{}${rest}", ENABLED[which]);
        prop_assert!(!scheme.verify("x", Some(&named)).unwrap().correct);
    }
}

/// `lètmein` as Django stores it at its own parameters; those of PBKDF2 and MD5 are from its test-suite.
const KNOWN: [&str; 7] = [
    "pbkdf2_sha256$1000$seasalt1$oFBnS0DdLmFhnhApv97DLGS/HGVbO6eXjBRz1P/XX8Q=",
    "pbkdf2_sha1$1000$seasalt1$2nWS+QIlITbWYXJWJaeHzsWRSwo=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI",
    "scrypt$16384$seasalt1$8$5$/MlTuTBYKY3YXCACnaatdGlVdOyQ9d6QrwFbPS+1Oo1EhEtqViqzcDVOMgVGjOQFwXYHtPTK9/lkeINun4xHgw==",
    "md5$seasalt1$dddc94d790e6dde53c090307844536f5",
    "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuVrQ4zCyEDfwKOXCre954in7jn/y/.ua",
    "bcrypt$$2b$12$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
];

const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Password, stored text, preferred algorithm, and what Django 5.2.19's `verify_password` answers: correct, must update. A stored text
/// that makes Django raise an error (a known algorithm without its fields) is not among them: here it is nobody's password.
#[rustfmt::skip]
const DJANGO: &[(&str, &str, Algorithm, bool, bool)] = &[
    ("lètmein", "pbkdf2_sha256$2$abcdefghijklmnopqrstuv$v+UHg+aUUZlj/Fm3zyx/g7qiGV1ibMTTt+/yobMZjsk=", Pbkdf2Sha256, true, false),
    ("wrong", "pbkdf2_sha256$2$abcdefghijklmnopqrstuv$v+UHg+aUUZlj/Fm3zyx/g7qiGV1ibMTTt+/yobMZjsk=", Pbkdf2Sha256, false, false),
    ("lètmein", "pbkdf2_sha256$2$abcdefghijklmnopqrstuv$v+UHg+aUUZlj/Fm3zyx/g7qiGV1ibMTTt+/yobMZjsk=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha256$3$abcdefghijklmnopqrstuv$MoFbgcc+SapYdYY1YQRIdZApHp8IIUNj7mkRMxpcwu4=", Pbkdf2Sha256, true, true),
    ("wrong", "pbkdf2_sha256$3$abcdefghijklmnopqrstuv$MoFbgcc+SapYdYY1YQRIdZApHp8IIUNj7mkRMxpcwu4=", Pbkdf2Sha256, false, true),
    ("lètmein", "pbkdf2_sha256$3$abcdefghijklmnopqrstuv$MoFbgcc+SapYdYY1YQRIdZApHp8IIUNj7mkRMxpcwu4=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha256$1$abcdefghijklmnopqrstuv$5cQ3W43AVtt+AArNfcweCGi4DXVFEwsqiccBSxQEo3A=", Pbkdf2Sha256, true, true),
    ("wrong", "pbkdf2_sha256$1$abcdefghijklmnopqrstuv$5cQ3W43AVtt+AArNfcweCGi4DXVFEwsqiccBSxQEo3A=", Pbkdf2Sha256, false, true),
    ("lètmein", "pbkdf2_sha256$1$abcdefghijklmnopqrstuv$5cQ3W43AVtt+AArNfcweCGi4DXVFEwsqiccBSxQEo3A=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha256$2$seasalt1$VZz9g+yRYGyl3L4RlHSaM7s9rLWx1TqcPNoQUNxcdyg=", Pbkdf2Sha256, true, true),
    ("wrong", "pbkdf2_sha256$2$seasalt1$VZz9g+yRYGyl3L4RlHSaM7s9rLWx1TqcPNoQUNxcdyg=", Pbkdf2Sha256, false, true),
    ("lètmein", "pbkdf2_sha256$2$seasalt1$VZz9g+yRYGyl3L4RlHSaM7s9rLWx1TqcPNoQUNxcdyg=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha1$2$abcdefghijklmnopqrstuv$x+IxMKpv26xCAAZy2Ad3clqurbI=", Pbkdf2Sha1, true, false),
    ("wrong", "pbkdf2_sha1$2$abcdefghijklmnopqrstuv$x+IxMKpv26xCAAZy2Ad3clqurbI=", Pbkdf2Sha1, false, false),
    ("lètmein", "pbkdf2_sha1$2$abcdefghijklmnopqrstuv$x+IxMKpv26xCAAZy2Ad3clqurbI=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha1$3$abcdefghijklmnopqrstuv$cQBx6w9wuQE7YN3HbZVvyTIq/0E=", Pbkdf2Sha1, true, true),
    ("wrong", "pbkdf2_sha1$3$abcdefghijklmnopqrstuv$cQBx6w9wuQE7YN3HbZVvyTIq/0E=", Pbkdf2Sha1, false, true),
    ("lètmein", "pbkdf2_sha1$3$abcdefghijklmnopqrstuv$cQBx6w9wuQE7YN3HbZVvyTIq/0E=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha1$1$abcdefghijklmnopqrstuv$OtOOoJeH6hEFfF0uE7D3HFIMkec=", Pbkdf2Sha1, true, true),
    ("wrong", "pbkdf2_sha1$1$abcdefghijklmnopqrstuv$OtOOoJeH6hEFfF0uE7D3HFIMkec=", Pbkdf2Sha1, false, true),
    ("lètmein", "pbkdf2_sha1$1$abcdefghijklmnopqrstuv$OtOOoJeH6hEFfF0uE7D3HFIMkec=", Argon2, true, true),
    ("lètmein", "pbkdf2_sha1$2$seasalt1$/IIeuoFGROPNmlyP5LgO2waVddQ=", Pbkdf2Sha1, true, true),
    ("wrong", "pbkdf2_sha1$2$seasalt1$/IIeuoFGROPNmlyP5LgO2waVddQ=", Pbkdf2Sha1, false, true),
    ("lètmein", "pbkdf2_sha1$2$seasalt1$/IIeuoFGROPNmlyP5LgO2waVddQ=", Argon2, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$NuAbEpZTuH/+vtZ6l/wHN7RyJtUU2U7y7/AAvIkjP8Q", Argon2, true, false),
    ("wrong", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$NuAbEpZTuH/+vtZ6l/wHN7RyJtUU2U7y7/AAvIkjP8Q", Argon2, false, false),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$NuAbEpZTuH/+vtZ6l/wHN7RyJtUU2U7y7/AAvIkjP8Q", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=2,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$qOCGzT8rRx18wwt/gVVg9HHzgNIPso+rUX9GvqfDRnY", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=19$m=8,t=2,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$qOCGzT8rRx18wwt/gVVg9HHzgNIPso+rUX9GvqfDRnY", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=2,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$qOCGzT8rRx18wwt/gVVg9HHzgNIPso+rUX9GvqfDRnY", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=16,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$TbdvSw4JZwBF6XQxkl0UrXxThDSxp2h8xalgi+SHEVE", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=19$m=16,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$TbdvSw4JZwBF6XQxkl0UrXxThDSxp2h8xalgi+SHEVE", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=19$m=16,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$TbdvSw4JZwBF6XQxkl0UrXxThDSxp2h8xalgi+SHEVE", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=16,t=1,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$umlZSt+0j76XfPMa23o6BdaZcA1ukHGs5ITn7xRRuh8", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=19$m=16,t=1,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$umlZSt+0j76XfPMa23o6BdaZcA1ukHGs5ITn7xRRuh8", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=19$m=16,t=1,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$umlZSt+0j76XfPMa23o6BdaZcA1ukHGs5ITn7xRRuh8", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$doAYdlORbQEWNVZZmYIphw", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$doAYdlORbQEWNVZZmYIphw", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$doAYdlORbQEWNVZZmYIphw", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc2FsdDE$7R7FvEzYaElrP2bqSeFWSEcHVhQoId47J6J29ZpMILo", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc2FsdDE$7R7FvEzYaElrP2bqSeFWSEcHVhQoId47J6J29ZpMILo", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=19$m=8,t=1,p=1$c2Vhc2FsdDE$7R7FvEzYaElrP2bqSeFWSEcHVhQoId47J6J29ZpMILo", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$LtRrgxD2GsGd8ehnvDIZM0oaTNiJlw1dfRvyVka2kKI", Argon2, true, true),
    ("wrong", "argon2$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$LtRrgxD2GsGd8ehnvDIZM0oaTNiJlw1dfRvyVka2kKI", Argon2, false, true),
    ("lètmein", "argon2$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$LtRrgxD2GsGd8ehnvDIZM0oaTNiJlw1dfRvyVka2kKI", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2d$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$co8OpfZjYIDf0iS5EaO6vploWyGxv3YiAlI2Fu2KqWE", Argon2, true, true),
    ("wrong", "argon2$argon2d$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$co8OpfZjYIDf0iS5EaO6vploWyGxv3YiAlI2Fu2KqWE", Argon2, false, true),
    ("lètmein", "argon2$argon2d$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$co8OpfZjYIDf0iS5EaO6vploWyGxv3YiAlI2Fu2KqWE", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$v=16$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Argon2, true, true),
    ("wrong", "argon2$argon2id$v=16$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Argon2, false, true),
    ("lètmein", "argon2$argon2id$v=16$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Pbkdf2Sha256, true, true),
    ("lètmein", "argon2$argon2id$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Argon2, true, true),
    ("wrong", "argon2$argon2id$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Argon2, false, true),
    ("lètmein", "argon2$argon2id$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$FmTdmrurmD6awD+10gTsV4AxsT9WfOZrGJBtrEEVPuw", Pbkdf2Sha256, true, true),
    ("lètmein", "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", BcryptSha256, true, false),
    ("wrong", "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", BcryptSha256, false, false),
    ("lètmein", "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", Argon2, true, true),
    ("lètmein", "bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuaQz6CVhbgRiZmnmiNLc9bv5cauhFkti", BcryptSha256, true, true),
    ("wrong", "bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuaQz6CVhbgRiZmnmiNLc9bv5cauhFkti", BcryptSha256, false, true),
    ("lètmein", "bcrypt_sha256$$2b$05$abcdefghijklmnopqrstuuaQz6CVhbgRiZmnmiNLc9bv5cauhFkti", Argon2, true, true),
    ("lètmein", "bcrypt_sha256$$2a$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", BcryptSha256, true, false),
    ("wrong", "bcrypt_sha256$$2a$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", BcryptSha256, false, false),
    ("lètmein", "bcrypt_sha256$$2a$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S", Argon2, true, true),
    ("lètmein", "bcrypt$$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Bcrypt, true, false),
    ("wrong", "bcrypt$$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Bcrypt, false, false),
    ("lètmein", "bcrypt$$2b$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Argon2, true, true),
    ("lètmein", "bcrypt$$2b$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve", Bcrypt, true, true),
    ("wrong", "bcrypt$$2b$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve", Bcrypt, false, true),
    ("lètmein", "bcrypt$$2b$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve", Argon2, true, true),
    ("lètmein", "bcrypt$$2a$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Bcrypt, true, false),
    ("wrong", "bcrypt$$2a$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Bcrypt, false, false),
    ("lètmein", "bcrypt$$2a$04$abcdefghijklmnopqrstuuanVo7Xut1CH8VGIGlz1JovQh9GJbbtG", Argon2, true, true),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$8$1$zDXgP2drJSW6/UGGuvSZomf3tdprxTMZ3xnJ1ekQcONsQULMaAfEP5Vgz7yzFgB7bnkTZyB+nFh1fOlrYGsYRw==", Scrypt, true, false),
    ("wrong", "scrypt$2$abcdefghijklmnopqrstuv$8$1$zDXgP2drJSW6/UGGuvSZomf3tdprxTMZ3xnJ1ekQcONsQULMaAfEP5Vgz7yzFgB7bnkTZyB+nFh1fOlrYGsYRw==", Scrypt, false, false),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$8$1$zDXgP2drJSW6/UGGuvSZomf3tdprxTMZ3xnJ1ekQcONsQULMaAfEP5Vgz7yzFgB7bnkTZyB+nFh1fOlrYGsYRw==", Argon2, true, true),
    ("lètmein", "scrypt$4$abcdefghijklmnopqrstuv$8$1$Nao8XN6AzTsgF/4qVnP8tsUvfQIGsgZnQ5pVJ3BB502EyHhC2DZ++Wq8wa+0aTtffLURco1exhsKR1uOanxzcg==", Scrypt, true, true),
    ("wrong", "scrypt$4$abcdefghijklmnopqrstuv$8$1$Nao8XN6AzTsgF/4qVnP8tsUvfQIGsgZnQ5pVJ3BB502EyHhC2DZ++Wq8wa+0aTtffLURco1exhsKR1uOanxzcg==", Scrypt, false, true),
    ("lètmein", "scrypt$4$abcdefghijklmnopqrstuv$8$1$Nao8XN6AzTsgF/4qVnP8tsUvfQIGsgZnQ5pVJ3BB502EyHhC2DZ++Wq8wa+0aTtffLURco1exhsKR1uOanxzcg==", Argon2, true, true),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$4$1$AO5KdNk6KOnjEzqdEXr7oN9x+RCpf403Uxyv2RqkHhZtnCne1/4ORM6+w+c2Q+8GlIfxQANArlRl7Pk/C4QzBQ==", Scrypt, true, true),
    ("wrong", "scrypt$2$abcdefghijklmnopqrstuv$4$1$AO5KdNk6KOnjEzqdEXr7oN9x+RCpf403Uxyv2RqkHhZtnCne1/4ORM6+w+c2Q+8GlIfxQANArlRl7Pk/C4QzBQ==", Scrypt, false, true),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$4$1$AO5KdNk6KOnjEzqdEXr7oN9x+RCpf403Uxyv2RqkHhZtnCne1/4ORM6+w+c2Q+8GlIfxQANArlRl7Pk/C4QzBQ==", Argon2, true, true),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$8$2$c836xJs6ugnIzTUSFUNM3KsM1qvsa1RmGTUNS9s4lFvnKU0qZLuy0oNPG12AesIyC2WjX5rNUXsoY+1QsfDv6A==", Scrypt, true, true),
    ("wrong", "scrypt$2$abcdefghijklmnopqrstuv$8$2$c836xJs6ugnIzTUSFUNM3KsM1qvsa1RmGTUNS9s4lFvnKU0qZLuy0oNPG12AesIyC2WjX5rNUXsoY+1QsfDv6A==", Scrypt, false, true),
    ("lètmein", "scrypt$2$abcdefghijklmnopqrstuv$8$2$c836xJs6ugnIzTUSFUNM3KsM1qvsa1RmGTUNS9s4lFvnKU0qZLuy0oNPG12AesIyC2WjX5rNUXsoY+1QsfDv6A==", Argon2, true, true),
    ("lètmein", "scrypt$2$seasalt1$8$1$OO8XyROwHbv0Ts67rTGNh5ICoRaUm8cj54NUeZIjifYeussxSvZE2306Yr9nYa9qfUGmExlfURN69s+4TcWnDA==", Scrypt, true, false),
    ("wrong", "scrypt$2$seasalt1$8$1$OO8XyROwHbv0Ts67rTGNh5ICoRaUm8cj54NUeZIjifYeussxSvZE2306Yr9nYa9qfUGmExlfURN69s+4TcWnDA==", Scrypt, false, false),
    ("lètmein", "scrypt$2$seasalt1$8$1$OO8XyROwHbv0Ts67rTGNh5ICoRaUm8cj54NUeZIjifYeussxSvZE2306Yr9nYa9qfUGmExlfURN69s+4TcWnDA==", Argon2, true, true),
    ("lètmein", "md5$abcdefghijklmnopqrstuv$1bbd48610b26095c29bc4284f4bb0c52", Md5, true, false),
    ("wrong", "md5$abcdefghijklmnopqrstuv$1bbd48610b26095c29bc4284f4bb0c52", Md5, false, false),
    ("lètmein", "md5$abcdefghijklmnopqrstuv$1bbd48610b26095c29bc4284f4bb0c52", Argon2, true, true),
    ("lètmein", "md5$seasalt1$dddc94d790e6dde53c090307844536f5", Md5, true, true),
    ("wrong", "md5$seasalt1$dddc94d790e6dde53c090307844536f5", Md5, false, true),
    ("lètmein", "md5$seasalt1$dddc94d790e6dde53c090307844536f5", Argon2, true, true),
    ("lètmein", "!", Argon2, false, false),
    ("lètmein", "!abc", Argon2, false, false),
    ("lètmein", "", Argon2, false, false),
    ("lètmein", "plain", Argon2, false, false),
    ("lètmein", "nosuch$1$2$3", Argon2, false, false),
    ("lètmein", "sha1$seasalt1$cff36ea83f5706ce9aa7454e63e431fc726b2dc8", Argon2, false, false),
    ("lètmein", "md5$$dddc94d790e6dde53c090307844536f5", Argon2, false, false),
    ("lètmein", "88a434c88cca4e900f7874cd98123f43", Argon2, false, false),
    ("lètmein", "sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b", Argon2, false, false),
    ("", "pbkdf2_sha256$2$abcdefghijklmnopqrstuv$cWibf0P/Xf1/IleMfSD6vDjySLZ76vkFT60Ht04U+zA=", Pbkdf2Sha256, true, false),
    (LONG, "pbkdf2_sha256$2$abcdefghijklmnopqrstuv$XYvhHsi7i73L9+T5rtyGHEH+RMjBFvaYfxuQUwc+ytk=", Pbkdf2Sha256, true, false),
    (LONG, "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuVhCdabErqLo/XBOf43h9aszmq1NitAS", BcryptSha256, true, false),
    ("a\u{0}b", "bcrypt$$2b$04$abcdefghijklmnopqrstuusjHI0zQHpOe3SFDK1IriYv6N79Gzr32", Bcrypt, true, false),
    ("a", "bcrypt$$2b$04$abcdefghijklmnopqrstuusjHI0zQHpOe3SFDK1IriYv6N79Gzr32", Bcrypt, false, false),
];

fn keys(ids: &[&str]) -> PasswordKeys {
    let key = |id: &&str| {
        PasswordKey::parse(id, &format!("secret = \"a rather long secret, that of {id}\"")).unwrap()
    };
    PasswordKeys::new(ids.iter().map(key))
}

#[tokio::test]
async fn keyed_hash_is_made_with_the_newest_key_and_replaced_when_there_is_a_newer_one() {
    let with = |ids| Hashers::dangerous_cheap().with_keys(keys(ids), Clock::system());
    let (old, both, new) = (
        with(&["2025-11-01"]),
        with(&["2026-11-01", "2025-11-01"]),
        with(&["2026-11-01"]),
    );
    let password = secret("a boat");
    let stored = old.hash(&password).await.unwrap();
    assert!(stored.starts_with("keyed$2025-11-01$argon2id$"), "{stored}");
    for (hashers, correct, must_update) in [(&old, true, false), (&both, true, true), (&new, false, false)] {
        let verified = hashers.verify(&password, Some(&stored)).await.unwrap();
        assert_eq!((verified.correct, verified.must_update), (correct, must_update));
    }
    assert!(
        !old.verify(&secret("a ship"), Some(&stored))
            .await
            .unwrap()
            .correct
    );
    assert!(
        both.hash(&password)
            .await
            .unwrap()
            .starts_with("keyed$2026-11-01$")
    );
    // Without keys at all, the table alone is worth nothing.
    let without = Hashers::dangerous_cheap();
    assert!(!without.verify(&password, Some(&stored)).await.unwrap().correct);
    // And what was stored before there were keys is replaced.
    let unkeyed = without.hash(&password).await.unwrap();
    let verified = both.verify(&password, Some(&unkeyed)).await.unwrap();
    assert!(verified.correct && verified.must_update);
}

#[tokio::test]
async fn old_hash_is_wrapped_once_and_opens_for_its_password() {
    let hashers = Hashers::dangerous_cheap().with_keys(keys(&["2026-11-01"]), Clock::system());
    let old = secret(
        "sha256$7a49025f024ad3dcacad$aaff1abe5377ffeab6ccc68709d94c1950edf11f02d8acb83c75d8fcac1ebeb1",
    );
    let wrapped = hashers.wrap(&old).await.unwrap().unwrap();
    let verified = hashers
        .verify(&secret("123"), Some(wrapped.expose()))
        .await
        .unwrap();
    assert!(verified.correct && verified.must_update);
    assert!(hashers.wrap(&wrapped).await.unwrap().is_none());
    assert!(Hashers::dangerous_cheap().wrap(&old).await.is_err());
}

#[tokio::test]
async fn nothing_is_hashed_when_every_key_has_expired() {
    let expired = PasswordKey::parse(
        "1990-01-01",
        "secret = \"0123456789abcdef0123456789abcdef\"\nexpires = \"1991-01-01\"",
    )
    .unwrap();
    let hashers = Hashers::dangerous_cheap().with_keys(PasswordKeys::new([expired]), Clock::system());
    assert!(matches!(
        hashers.hash(&secret("a")).await,
        Err(HashError::Unsupported(_))
    ));
}

#[test]
fn under_keys_nobody_takes_the_time_of_a_keyed_hash_whether_or_not_one_is_in_force() {
    let text = "secret = \"0123456789abcdef0123456789abcdef\"\nexpires = ";
    let key = |expires: &str| PasswordKey::parse("2026-11-01", &format!("{text}\"{expires}\"")).unwrap();
    let with = |key: PasswordKey, algorithm| Scheme {
        keyed: Some(Keyed {
            keys: PasswordKeys::new([key]),
            clock: Clock::system(),
        }),
        ..scheme(algorithm)
    };
    for algorithm in [Argon2, Pbkdf2Sha256] {
        let (in_force, expired) = (
            with(key("9000-01-01"), algorithm),
            with(key("2026-11-02"), algorithm),
        );
        let stored = in_force.hash("right").unwrap();
        let rounds = rounds_spent(&in_force, Some(&stored));
        assert!(rounds > 0);
        for nobodys in [None, Some("!"), Some("nosuch$1$2$3"), Some("argon2$damaged")] {
            assert_eq!(rounds_spent(&in_force, nobodys), rounds, "{nobodys:?}");
            assert_eq!(rounds_spent(&expired, nobodys), rounds, "{nobodys:?}");
        }
        assert_eq!(
            rounds_spent(&expired, Some(&stored)),
            rounds,
            "hashed under the key that has expired"
        );
    }
}
