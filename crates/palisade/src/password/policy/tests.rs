//! The validators' answers, beside Django's.

use proptest::prelude::*;

use super::*;

#[test]
fn answers_are_those_of_django() {
    for (password, username, first_name, last_name, email, expected) in DJANGO {
        let about = UserAttributes {
            username,
            first_name,
            last_name,
            email,
        };
        let problems = PasswordPolicy::default()
            .validate(password, &about)
            .err()
            .unwrap_or_default();
        let codes: Vec<_> = problems
            .iter()
            .map(|problem| match problem {
                PasswordProblem::TooShort { min_length: 8 } => "short".into(),
                PasswordProblem::TooSimilar { verbose_name } => format!("similar:{verbose_name}"),
                PasswordProblem::TooCommon => "common".into(),
                PasswordProblem::EntirelyNumeric => "numeric".into(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(codes.join(" "), *expected, "{password:?} of {about:?}");
    }
}

#[test]
fn texts_and_codes_are_those_of_django() {
    let policy = PasswordPolicy::default();
    assert_eq!(
        policy.help_texts(),
        [
            "Your password can’t be too similar to your other personal information.",
            "Your password must contain at least 8 characters.",
            "Your password can’t be a commonly used password.",
            "Your password can’t be entirely numeric.",
        ]
    );
    assert_eq!(
        MinimumLength(1).help_text(),
        "Your password must contain at least 1 character."
    );
    let text = PasswordProblem::TooShort { min_length: 1 }.to_string();
    assert_eq!(
        text,
        "This password is too short. It must contain at least 1 character."
    );
    let about = UserAttributes {
        email: "1234567@example.com",
        ..UserAttributes::default()
    };
    let problems = policy.validate("1234567", &about).unwrap_err();
    let said: Vec<_> = problems
        .iter()
        .map(|problem| (problem.code(), problem.to_string()))
        .collect();
    let expected = [
        (
            "password_too_similar",
            "The password is too similar to the email address.",
        ),
        (
            "password_too_short",
            "This password is too short. It must contain at least 8 characters.",
        ),
        ("password_too_common", "This password is too common."),
        ("password_entirely_numeric", "This password is entirely numeric."),
    ];
    assert_eq!(said, expected.map(|(code, text)| (code, text.to_owned())));
}

#[test]
fn over_long_password_is_refused_before_it_is_compared() {
    let about = UserAttributes {
        username: "a",
        ..UserAttributes::default()
    };
    let problems = PasswordPolicy::default()
        .validate(&"a".repeat(4097), &about)
        .unwrap_err();
    assert_eq!(problems, [PasswordProblem::TooLong { max_bytes: 4096 }]);
}

#[test]
fn similarity_limit_stays_between_its_bounds() {
    let about = UserAttributes {
        username: "zebra",
        ..UserAttributes::default()
    };
    assert!(
        UserAttributeSimilarity::new(1.0)
            .validate("zebra1", &about)
            .is_ok()
    );
    assert!(
        UserAttributeSimilarity::new(7.0)
            .validate("arbez", &about)
            .is_err()
    );
    assert!(
        UserAttributeSimilarity::new(-1.0)
            .validate("quilt", &about)
            .is_ok()
    );
}

#[test]
fn own_validator_is_asked_too() {
    #[derive(Debug)]
    struct NoSpaces;
    impl PasswordValidator for NoSpaces {
        fn validate(&self, password: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
            let refused = PasswordProblem::Other {
                code: "has_spaces",
                message: "No spaces, please.".into(),
            };
            if password.contains(' ') {
                Err(refused)
            } else {
                Ok(())
            }
        }
        fn help_text(&self) -> String {
            "Leave out spaces.".into()
        }
    }
    let policy = PasswordPolicy::default().with_validator(NoSpaces);
    let problems = policy
        .validate("a boat in a bottle", &UserAttributes::default())
        .unwrap_err();
    assert_eq!(
        (problems[0].code(), problems[0].to_string().as_str()),
        ("has_spaces", "No spaces, please.")
    );
}

proptest! {
    #[test]
    fn nothing_typed_makes_the_policy_panic(password in "\\PC{0,64}", username in "\\PC{0,32}") {
        let about = UserAttributes { username: &username, ..UserAttributes::default() };
        drop(PasswordPolicy::default().validate(&password, &about));
    }

    #[test]
    fn own_name_is_never_a_password(name in "[a-z]{8,20}") {
        let about = UserAttributes { username: &name, ..UserAttributes::default() };
        prop_assert!(PasswordPolicy::default().validate(&name.to_uppercase(), &about).is_err());
    }
}

/// Password, username, first name, last name, e-mail, and what Django 5.2.19's four validators answer.
#[rustfmt::skip]
const DJANGO: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("correct horse battery", "alice", "Alice", "Liddell", "alice@example.com", ""),
    ("alice1", "alice", "", "", "", "similar:username short common"),
    ("ALICE123", "alice", "", "", "", "similar:username common"),
    ("ecila12", "alice", "", "", "", "similar:username short"),
    ("liddell-9", "bob", "Alice", "Liddell", "", "similar:last name"),
    ("x@example.com", "bob", "", "", "alice@example.com", "similar:email address"),
    ("exampleco", "bob", "", "", "alice@example.com", "similar:email address"),
    ("example", "bob", "", "", "q@example.com", "similar:email address short"),
    ("password", "bob", "", "", "", "common"),
    ("  PassWord ", "bob", "", "", "", "common"),
    ("\u{1c}password\u{1f}", "bob", "", "", "", "common"),
    ("password\u{3000}", "bob", "", "", "", "common"),
    ("1234567890", "bob", "", "", "", "common numeric"),
    ("²³¹⁴⁵⁶⁷⁸", "bob", "", "", "", "numeric"),
    ("٣٤٥٦٧٨٩٠", "bob", "", "", "", "numeric"),
    ("①②③④⑤⑥⑦⑧", "bob", "", "", "", "numeric"),
    ("½¼¾⅓⅔⅛⅜⅝", "bob", "", "", "", ""),
    ("ⅠⅡⅢⅣⅤⅥⅦⅧ", "bob", "", "", "", ""),
    ("一二三四五六七八", "bob", "", "", "", ""),
    ("፩፪፫፬፭፮፯፰", "bob", "", "", "", "numeric"),
    ("12345678a", "bob", "", "", "", "common"),
    ("", "bob", "", "", "", "short"),
    ("", "bob b.", "", "", "", "similar:username short"),
    ("", "", "", "", "", "short"),
    ("a", "a", "", "", "", "similar:username short common"),
    ("пароль", "bob", "", "", "", "short common"),
    ("ПАРОЛЬ", "bob", "", "", "", "short common"),
    ("привет", "bob", "", "", "", "short common"),
    ("straße12", "STRASSE", "", "", "", ""),
    ("STRASSE12", "straße", "", "", "", ""),
    ("İstanbul", "istanbul", "", "", "", "similar:username"),
    ("ΟΔΟΣ1234", "οδος", "", "", "", ""),
    ("jean-luc.picard", "enterprise", "Jean-Luc", "Picard", "", ""),
    ("picard77", "x", "Jean Luc-Picard", "", "", "similar:first name"),
    ("कमलकमल", "कमल", "", "", "", "short"),
    ("कमल शर्मा", "शर्मा", "", "", "", "similar:username"),
    ("éric2024", "e\u{301}ric", "", "", "", ""),
    ("zoe_smith", "zoe_smith", "", "", "", "similar:username"),
    ("smith1", "zoe_smith", "", "", "", "short common"),
    ("smith12", "zoe_smith", "", "", "", "short"),
    ("smit", "zoe.smith", "", "", "", "similar:username short"),
    ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", "", "", "", ""),
    ("aaaaaaaaaa", "a", "", "", "", "common"),
    ("aaaaaaaaa", "a", "", "", "", "common"),
    ("abababababababababababababababababababababababababababababababababababababababababababababababababab", "abababab", "", "", "", ""),
    ("trustno1", "", "", "", "", "common"),
    ("qwertyui", "", "", "", "", "common"),
    ("short", "", "", "", "", "short"),
    ("sevench", "", "", "", "", "short"),
    ("eightchr", "", "", "", "", ""),
    ("😀😀😀😀😀😀😀", "", "", "", "", "short"),
    ("😀😀😀😀😀😀😀😀", "😀", "", "", "", ""),
    ("é².²²1 a-", "1ac", "", "-d", " b@da²", ""),
    (" ²²1²bdb@@", "@-11aa@_", "_² ", "", "@@d ²b²b²1", "similar:email address"),
    ("xé_é", "_éé", "ééa. 1", "", "-_c1dé.@d-", "similar:username short"),
    ("@cx1_ d", "@ 1_cd", "-c1 ", "", "@.ac_é@-  ", "similar:username short"),
    ("x²1²bb1", "bdé_. é", "1²1bb²", "", ".bb1", "similar:first name short"),
    ("baz9z²c", "éb_.bébé", "__bbé", "", "cab²", "similar:email address short"),
    ("_b@bcbd-", "@ é", "1 .", "", "b-_bcdb@", "similar:email address"),
    ("2a -_1é", "é -_a", " c_1", "", "d.² b", "similar:username short"),
    ("-1xéc²", "c²1é-", "_²@bc@", "", "-²²b-d", "similar:username short"),
    ("da9.z@z", "c²-bé@é1", "²a ² ", "", "da.@", "similar:email address short"),
    ("é_1.cé21", "éc ", "é_.cé1", "", "²aa-cé", "similar:first name"),
    ("zzaa9-@²@c1", "²@ac@-1a", "-.ad a", "", "b²dcc d1_1", "similar:username"),
    ("@d.b²é", "@éd²b.", "1²aé a", "", "_a-ad", "similar:username short"),
    ("@² ba", " ba²@", "@@@²@d", "", "1- ", "similar:username short"),
    ("_dc_bx²_", "cd_", "a_a", "", "d²__cb_", "similar:email address"),
    (".@²1ddax²dé", "- d²²", "bd__1", "", "²dd.@é²1ad", "similar:email address"),
    ("-9czz.", "_b²a² -.", "-c.", "", "a²@", "short"),
    ("_-_ ", "__ -", "d-é", "", " b -", "similar:username short"),
    ("_az.z.19éc.", "._c..aé1", " b1", "", "a- -", "similar:username"),
    ("b1c2.1_", "b@éb_", "_bc.1", "", "b.d.1b-.b", "similar:first name short"),
    (" 2@ 1b ", "éé-  ", "  b @", "", "_1d@²__bcb", "similar:first name short"),
    ("bb21é", "a-c²", "a@b@²", "", "bbé", "similar:email address short"),
    ("_é-", "_-é", "². ²", "", "-@-ac.-.@", "similar:username short"),
    ("b1.x__", ".1b__", "écc²² ", "", ".écc_a1_.é", "similar:username short"),
    ("dd_xda1", "add1_d", "@1 ab ", "", "b..@.ca", "similar:username short"),
];
