//! What a running Django answered with the same hashers.

use super::*;

const PASSWORD: &[u8] = "lètmein".as_bytes();

fn pbkdf2(iterations: u32) -> Hasher {
    let digest = signing::Algorithm::Sha256;
    Hasher::new("pbkdf2_sha256", Scheme::Pbkdf2 { digest, iterations })
}

fn bcrypt_of(rounds: u32) -> Hasher {
    Hasher::new(
        "bcrypt_sha256",
        Scheme::Bcrypt {
            prehashed: true,
            rounds,
        },
    )
}

fn argon2_cheap() -> Hasher {
    let scheme = Scheme::Argon2 {
        time_cost: 1,
        memory_cost: 64,
        parallelism: 1,
    };
    Hasher::new("argon2", scheme)
}

fn scrypt_of(parallelism: u32) -> Hasher {
    let scheme = Scheme::Scrypt {
        work_factor: 16_384,
        block_size: 8,
        parallelism,
    };
    Hasher::new("scrypt", scheme)
}

#[test]
fn hashes_are_djangos_and_verify() {
    let sha1 = Scheme::Pbkdf2 {
        digest: signing::Algorithm::Sha1,
        iterations: 1000,
    };
    let plain = Scheme::Bcrypt {
        prehashed: false,
        rounds: 12,
    };
    for (hasher, salt, hash) in [
        (
            pbkdf2(1000),
            "seasalt1",
            "pbkdf2_sha256$1000$seasalt1$oFBnS0DdLmFhnhApv97DLGS/HGVbO6eXjBRz1P/XX8Q=",
        ),
        (
            Hasher::new("mine", sha1),
            "seasalt1",
            "mine$1000$seasalt1$2nWS+QIlITbWYXJWJaeHzsWRSwo=",
        ),
        (
            argon2_cheap(),
            "seasalt1",
            "argon2$argon2id$v=19$m=64,t=1,p=1$c2Vhc2FsdDE$1TVN/MYz6J8fe23qARG1tGQ1tVBMqfAcNQdXSj0dtQs",
        ),
        (
            bcrypt_of(12),
            "$2b$04$abcdefghijklmnopqrstuu",
            "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S",
        ),
        (
            Hasher::new("bcrypt", plain),
            "$2b$12$abcdefghijklmnopqrstuu",
            "bcrypt$$2b$12$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
        ),
        (
            scrypt_of(5),
            "seasalt1",
            "scrypt$16384$seasalt1$8$5$/MlTuTBYKY3YXCACnaatdGlVdOyQ9d6QrwFbPS+1Oo1EhEtqViqzcDVOMgVGjOQFwXYHtPTK9/lkeINun4xHgw==",
        ),
        (
            Hasher::new("md5", Scheme::Md5),
            "seasalt1",
            "md5$seasalt1$dddc94d790e6dde53c090307844536f5",
        ),
    ] {
        assert_eq!(hasher.encode(PASSWORD, salt).as_deref(), Ok(hash));
        assert_eq!(hasher.verify(PASSWORD, hash), Ok(true), "{hash}");
        assert_eq!(hasher.verify(b"letmein", hash), Ok(false), "{hash}");
        let other = format!("x{hash}");
        assert_eq!(hasher.verify(PASSWORD, &other), Err(HasherError::OtherAlgorithm));
    }
}

#[test]
fn salt_that_could_not_be_read_back_is_refused() {
    for salt in ["", "a$b"] {
        assert_eq!(pbkdf2(1).encode(PASSWORD, salt), Err(HasherError::Salt));
    }
    assert!(bcrypt_of(4).encode(PASSWORD, "salt").is_err());
}

#[test]
fn drawn_salts_are_strong_enough() {
    for hasher in [pbkdf2(1), bcrypt_of(4), argon2_cheap()] {
        let stored = hasher.encode(PASSWORD, &hasher.salt()).unwrap();
        assert_eq!(hasher.must_update(&stored), Ok(false), "{stored}");
        assert_eq!(hasher.verify(PASSWORD, &stored), Ok(true));
    }
    assert_eq!(pbkdf2(1).with_salt_entropy(256).salt().len(), 43);
    assert!(
        pbkdf2(2)
            .must_update(&pbkdf2(1).encode(PASSWORD, &pbkdf2(1).salt()).unwrap())
            .unwrap()
    );
}

#[test]
fn summary_masks_secrets() {
    let summary = Hasher::new("md5", Scheme::Md5)
        .safe_summary("md5$seasalt1$dddc94d790")
        .unwrap();
    let text = |text: &str| Field::Text(text.to_owned());
    assert_eq!(
        summary,
        [
            ("algorithm", text("md5")),
            ("salt", text("se******")),
            ("hash", text("dddc94****"))
        ]
    );
    let stored = bcrypt_of(4)
        .encode(PASSWORD, "$2b$04$abcdefghijklmnopqrstuu")
        .unwrap();
    let summary = bcrypt_of(4).safe_summary(&stored).unwrap();
    assert!(summary.contains(&("work factor", Field::Number(4))));
    assert!(!format!("{:?}", bcrypt_of(4).decode(&stored).unwrap()).contains("abcdef"));
}

#[test]
fn damaged_column_is_malformed() {
    for (hasher, stored) in [
        (pbkdf2(1), "pbkdf2_sha256$salt"),
        (pbkdf2(1), "pbkdf2_sha256$many$salt$hash"),
        (scrypt_of(1), "scrypt$1$2$3$4"),
        (argon2_cheap(), "argon2$argon2x$v=19$m=1,t=1,p=1$aaaa$aaaa"),
        (argon2_cheap(), "argon2$argon2id$v=19$m=1,t=1$aaaa$aaaa"),
        (bcrypt_of(4), "bcrypt_sha256$$2b$xx$abc"),
    ] {
        assert_eq!(hasher.decode(stored), Err(HasherError::Malformed), "{stored}");
    }
}

#[test]
fn cheap_hash_takes_as_long_to_fail_as_a_dear_one() {
    let stored = pbkdf2(400).encode(PASSWORD, "seasalt1").unwrap();
    let plan = pbkdf2(1000).hardening(&stored).unwrap().unwrap();
    assert_eq!(
        (plan.salt.as_str(), plan.iterations, plan.runs),
        ("seasalt1", Some(600), 1)
    );
    assert_eq!(pbkdf2(300).hardening(&stored), Ok(None));
    let stored = bcrypt_of(4)
        .encode(PASSWORD, "$2b$04$abcdefghijklmnopqrstuu")
        .unwrap();
    let plan = bcrypt_of(6).hardening(&stored).unwrap().unwrap();
    assert_eq!(
        (plan.salt.as_str(), plan.runs),
        ("$2b$04$abcdefghijklmnopqrstuu", 3)
    );
    let failed = verify_password(Some(b"x"), Some(&stored), &[], &bcrypt_of(5)).unwrap();
    assert_eq!(failed.work, [Work::Verify, Work::Harden]);
}

#[test]
fn nobody_takes_the_time_of_somebody() {
    for (password, stored) in [
        (None, Some("md5$salt$hash")),
        (Some(PASSWORD), Some("!unusable")),
        (Some(PASSWORD), Some("unknown$salt$hash")),
        (Some(PASSWORD), None),
    ] {
        let found = verify_password(password, stored, &[], &pbkdf2(1)).unwrap();
        assert_eq!(
            (found.correct, found.work.as_slice()),
            (false, [Work::Fake].as_slice())
        );
    }
    let md5 = Hasher::new("md5", Scheme::Md5);
    let stored = make_password(Some(PASSWORD), Some("salt"), &md5).unwrap();
    let found = verify_password(Some(PASSWORD), Some(&stored), &[md5], &pbkdf2(1)).unwrap();
    assert!(found.correct && found.must_update);
    assert!(make_password(None, None, &pbkdf2(1)).unwrap().starts_with('!'));
}

#[test]
fn unknown_algorithm_is_named() {
    assert_eq!(identify_among("md5$a$b", ["pbkdf2_sha256", "md5"]), Ok("md5"));
    assert_eq!(
        identify_among("lolcat$a$b", ["md5"]).unwrap_err().to_string(),
        "Unknown password hashing algorithm 'lolcat'. Did you specify it in the PASSWORD_HASHERS setting?"
    );
}

#[test]
fn what_must_be_updated_is_djangos() {
    let argon2 = "argon2$argon2id$v=19$m=102400,t=2,p=8$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI";
    let old_argon2 = concat!(
        "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$",
        "gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg"
    );
    let must_update = |encoded: &str| {
        let algorithm = palisade_core::password::identify(encoded).unwrap();
        let hasher = Hasher::of(algorithm, &Parameters::default()).unwrap();
        hasher.must_update(encoded).unwrap()
    };
    for (encoded, expected) in [
        ("pbkdf2_sha256$1000000$seasalt1seasalt1seasalt$oFBnS0Dd", false),
        ("pbkdf2_sha256$1000000$seasalt1$oFBnS0Dd", true),
        ("pbkdf2_sha256$1200000$seasalt1seasalt1seasalt$oFBnS0Dd", true),
        ("pbkdf2_sha1$1000$seasalt1$2nWS+QIlITbWYXJWJaeHzsWRSwo=", true),
        ("pbkdf2_sha256$1000000$123456789012345678901$aaaa", true),
        ("pbkdf2_sha256$1000000$1234567890123456789012$aaaa", false),
        (argon2, false),
        (&argon2[..argon2.len() - 1], true),
        (&argon2.replace("m=102400", "m=102401"), true),
        (&argon2.replace("t=2", "t=3"), true),
        (&argon2.replace("p=8", "p=1"), true),
        (&argon2.replace("argon2id", "argon2d"), true),
        (&argon2.replace("v=19", "v=16"), true),
        (
            &argon2.replace("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ", "c2Vhc2FsdDE"),
            true,
        ),
        (old_argon2, true),
        (
            "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuVrQ4zCyEDfwKOXCre954in7jn/y/.ua",
            false,
        ),
        (
            "bcrypt$$2b$04$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
            true,
        ),
        ("scrypt$16384$seasalt1$8$5$/MlTuTBY", false),
        ("scrypt$16384$seasalt1$8$1$/MlTuTBY", true),
        ("md5$seasalt1$dddc94d790e6dde53c090307844536f5", true),
        (
            "md5$seasalt1seasalt1seasalt$dddc94d790e6dde53c090307844536f5",
            false,
        ),
    ] {
        assert_eq!(must_update(encoded), expected, "{encoded}");
    }
}

#[test]
fn plain_bcrypt_stores_no_password_that_it_would_cut_off() {
    let plain = Hasher::of(Algorithm::Bcrypt, &Parameters::default()).unwrap();
    let salt = "$2b$04$abcdefghijklmnopqrstuu";
    let stored = plain.encode(&[b'x'; 72], salt).unwrap();
    assert_eq!(plain.encode(&[b'x'; 73], salt), Err(HasherError::TooLong));
    assert_eq!(plain.verify(&[b'x'; 73], &stored), Ok(true));
    assert!(bcrypt_of(4).encode(&[b'x'; 73], salt).is_ok());
}

#[test]
fn of_two_hashers_of_one_name_the_last_counts() {
    let named = |digest| {
        Hasher::new(
            "mine",
            Scheme::Pbkdf2 {
                digest,
                iterations: 1,
            },
        )
    };
    let (first, last) = (
        named(signing::Algorithm::Sha256),
        named(signing::Algorithm::Sha512),
    );
    let stored = last.encode(PASSWORD, "seasalt1").unwrap();
    let found = |hashers: &[Hasher]| verify_password(Some(PASSWORD), Some(&stored), hashers, &first).unwrap();
    assert!(found(&[first.clone(), last.clone()]).correct);
    assert!(!found(&[last, first.clone()]).correct);
}
