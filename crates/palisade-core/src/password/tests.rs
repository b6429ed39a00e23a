//! Stored passwords that a running Django judged and summarised.

use proptest::prelude::*;

use super::*;

const PBKDF2: &str =
    "pbkdf2_sha256$1000000$seasalt1seasalt1seasalt$oFBnS0DdLmFhnhApv97DLGS/HGVbO6eXjBRz1P/XX8Q=";
const ARGON2: &str = "argon2$argon2id$v=19$m=102400,t=2,p=8$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI";
const ARGON2_SHORT_SALT: &str =
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdDE$t1PEr4fCw6K2tgtMD76spP7m1u6P7OEUAgSauxfz/WI";
const ARGON2_OLD: &str = concat!(
    "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$",
    "gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg"
);
const BCRYPT_SHA256: &str = "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuVrQ4zCyEDfwKOXCre954in7jn/y/.ua";
const BCRYPT: &str = "bcrypt$$2b$04$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu";
const SCRYPT: &str = concat!(
    "scrypt$16384$seasalt1$8$5$",
    "/MlTuTBYKY3YXCACnaatdGlVdOyQ9d6QrwFbPS+1Oo1EhEtqViqzcDVOMgVGjOQFwXYHtPTK9/lkeINun4xHgw=="
);
const MD5: &str = "md5$seasalt1$dddc94d790e6dde53c090307844536f5";

fn parse(encoded: &str) -> EncodedPassword {
    encoded.parse().unwrap()
}

#[test]
fn every_format_is_read_and_written_back() {
    for (encoded, algorithm) in [
        (PBKDF2, Algorithm::Pbkdf2Sha256),
        (
            "pbkdf2_sha1$1000$seasalt1$2nWS+QIlITbWYXJWJaeHzsWRSwo=",
            Algorithm::Pbkdf2Sha1,
        ),
        (ARGON2, Algorithm::Argon2),
        (ARGON2_SHORT_SALT, Algorithm::Argon2),
        (ARGON2_OLD, Algorithm::Argon2),
        (BCRYPT_SHA256, Algorithm::BcryptSha256),
        (BCRYPT, Algorithm::Bcrypt),
        (SCRYPT, Algorithm::Scrypt),
        (MD5, Algorithm::Md5),
        ("md5$a$b$c", Algorithm::Md5),
        ("dddc94d790e6dde53c090307844536f5", Algorithm::UnsaltedMd5),
        ("md5$$dddc94d790e6dde53c090307844536f5", Algorithm::UnsaltedMd5),
        (
            "sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b",
            Algorithm::UnsaltedSha1,
        ),
    ] {
        assert_eq!(identify(encoded), Ok(algorithm), "{encoded}");
        let parsed = parse(encoded);
        assert_eq!(parsed.algorithm(), algorithm);
        assert_eq!(parsed.to_string(), encoded);
    }
}

#[test]
fn unknown_algorithm_is_refused_in_djangos_words() {
    let message =
        "Unknown password hashing algorithm 'NAME'. Did you specify it in the PASSWORD_HASHERS setting?";
    for (encoded, name) in [("plain$x", "plain"), ("$", ""), ("!$x", "!")] {
        assert_eq!(
            identify(encoded).unwrap_err().to_string(),
            message.replace("NAME", name)
        );
    }
    assert!(matches!(
        "plain$x".parse::<EncodedPassword>(),
        Err(InvalidEncoding::Unknown(_))
    ));
}

#[test]
fn password_stored_in_clear_is_not_repeated_in_the_error() {
    for encoded in ["hunter2", "", "correct horse battery staple"] {
        let message = identify(encoded).unwrap_err().to_string();
        assert!(message.contains(CLEANSED), "{message}");
    }
}

#[test]
fn malformed_hash_is_refused() {
    for encoded in [
        "pbkdf2_sha256$x$s$h",
        "pbkdf2_sha256$1$s",
        "pbkdf2_sha256$ 1$s$h",
        "pbkdf2_sha256$1_0$s$h",
        "pbkdf2_sha256$-1$s$h",
        "pbkdf2_sha256$0$s$h",
        "pbkdf2_sha256$01$s$h",
        "pbkdf2_sha256$1$$h",
        "pbkdf2_sha256$99999999999$s$h",
        "md5$a",
        "scrypt$1$s$8$1$h$x",
        "scrypt$1$s$8$1",
        "bcrypt$$2b$12",
        "bcrypt$$2b$12$short",
        "bcrypt$2b$12$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
        "bcrypt$$2b$4$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
        "bcrypt$$9z$12$abcdefghijklmnopqrstuupd4kvGe1RE7cUAJBlAgNLjj8dnLUqIu",
        "argon2$argon2id$v=19$m=1,t=1,p=1$c2Vh$aaaa$x",
        "argon2$argon2id$v=19$m=1,t=1$c2Vh$aaaa",
        "argon2$argon2id$v=19$m=1,t=1,p=1,q=1$c2Vh$aaaa",
        "argon2$argon2id$v=19$m=1,t=1,p=1$c2Vh",
        "argon2$argon2x$v=19$m=1,t=1,p=1$c2Vh$aaaa",
        "argon2$argon2id$v=x$m=1,t=1,p=1$c2Vh$aaaa",
        "argon2$argon2id$v=19$m=1,t=1,p=1$c2Vh=$aaaa",
    ] {
        assert!(
            matches!(
                encoded.parse::<EncodedPassword>(),
                Err(InvalidEncoding::Malformed { .. })
            ),
            "{encoded}"
        );
    }
}

#[test]
fn cheap_hashes_are_weak_and_todays_are_not() {
    let today = Parameters::default();
    for strong in [PBKDF2, ARGON2, BCRYPT_SHA256, SCRYPT] {
        assert!(parse(strong).weaknesses(&today).is_empty(), "{strong}");
    }
    for weak in [
        BCRYPT,
        MD5,
        "pbkdf2_sha256$10000$s$h",
        "scrypt$1024$s$8$1$h",
        "dddc94d790e6dde53c090307844536f5",
    ] {
        assert_eq!(parse(weak).weaknesses(&today).len(), 1, "{weak}");
    }
}

#[test]
fn summaries_are_djangos() {
    let summary = |encoded: &str| {
        let fields: Vec<String> = parse(encoded)
            .safe_summary()
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        fields.join(", ")
    };
    assert_eq!(
        summary(PBKDF2),
        "algorithm: pbkdf2_sha256, iterations: 1000000, salt: seasal*****************, \
         hash: oFBnS0**************************************"
    );
    assert_eq!(
        summary(ARGON2_SHORT_SALT),
        "algorithm: argon2, variety: argon2id, version: 19, memory cost: 102400, time cost: 2, parallelism: 8, \
         salt: seasal**, hash: t1PEr4*************************************"
    );
    assert!(
        summary(ARGON2_OLD).starts_with("algorithm: argon2, variety: argon2i, version: 18, memory cost: 8,")
    );
    assert_eq!(
        summary(BCRYPT),
        "algorithm: bcrypt, work factor: 4, salt: abcdef****************, checksum: pd4kvG*************************"
    );
    assert!(summary(SCRYPT).starts_with(
        "algorithm: scrypt, work factor: 16384, block size: 8, parallelism: 5, salt: seasal**, hash: /MlTuT***"
    ));
    assert_eq!(
        summary(MD5),
        "algorithm: md5, salt: se******, hash: dddc94**************************"
    );
}

#[test]
fn hash_is_not_printed() {
    assert!(!format!("{:?}", parse(PBKDF2)).contains("LGS/HGV"));
}

#[test]
fn unusable_password_is_unusable() {
    let unusable = unusable();
    assert_eq!(unusable.len(), 41);
    assert!(!is_usable(&unusable) && identify(&unusable).is_err());
    assert_ne!(unusable, super::unusable());
    assert!(is_usable(PBKDF2) && is_usable(""));
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(name in 0_usize..9, rest in "[$a-z0-9=,./+]{0,60}") {
        let encoded = format!("{}${rest}", Algorithm::ALL[name]);
        if let Ok(parsed) = encoded.parse::<EncodedPassword>() {
            prop_assert_eq!(parsed.to_string(), encoded);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = text.parse::<EncodedPassword>();
    }
}
