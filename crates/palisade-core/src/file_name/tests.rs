//! What a running Django answered for the same names.

use std::cell::RefCell;
use std::convert::Infallible;

use super::*;

fn message<T: std::fmt::Debug>(result: Result<T, SuspiciousFileName>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn valid_name_has_nothing_that_a_shell_or_path_reads() {
    for (name, expected) in [
        (" john's portrait in 2004.jpg ", "johns_portrait_in_2004.jpg"),
        ("a/b\\c:d*?.txt", "abcd.txt"),
        ("Straße – ½ é.txt", "Straße__½_é.txt"),
        ("..a", "..a"),
        ("a\u{1c}b", "ab"),
    ] {
        assert_eq!(valid(name).unwrap(), expected);
    }
    for name in ["???", "", " ", "$.$.$", "...", "/.\\."] {
        if name == "..." {
            assert_eq!(valid(name).unwrap(), name);
        } else {
            assert_eq!(
                message(valid(name)),
                format!("Could not derive file name from '{name}'")
            );
        }
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    assert!(validate("a/b.txt", true).is_ok());
    assert!(validate("a\\b.txt", false).is_ok());
    for name in ["", ".", "..", "a/", "a/.."] {
        assert_eq!(
            message(validate(name, true)),
            format!("Could not derive file name from '{name}'")
        );
    }
    for name in ["a/../b", "/a/b", "..\\b", "\\b", "a\\..\\b"] {
        assert_eq!(
            message(validate(name, true)),
            format!("Detected path traversal attempt in '{name}'")
        );
    }
    assert_eq!(
        message(validate("a/b", false)),
        "File name 'a/b' includes path elements"
    );
}

#[test]
fn upload_is_stripped_to_its_last_part() {
    for (name, expected) in [
        ("..&#47;..\\evil\0.txt", Some("evil.txt")),
        ("&sol;etc&sol;passwd", Some("passwd")),
        ("C:\\a\\b.txt", Some("b.txt")),
        ("a\u{200b}b\u{a0}c d.txt", Some("abc d.txt")),
        ("/dir/..", None),
        ("dir/", None),
        ("&#46;", None),
        (
            "&ampx&notit;&unknown;&#xD800;&#128;.txt",
            Some("&x¬it;&unknown;\u{fffd}€.txt"),
        ),
        ("&;&#;&#x;&", Some("&;&#;&#x;&")),
    ] {
        assert_eq!(from_upload(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn long_upload_keeps_its_extension() {
    assert_eq!(upload_base_name("/a/b.txt").unwrap(), "b.txt");
    let long = upload_base_name(&format!("{}.txt", "é".repeat(300))).unwrap();
    assert_eq!((long.chars().count(), long.ends_with("é.txt")), (255, true));
    let all_extension = upload_base_name(&format!("a.{}", "x".repeat(300))).unwrap();
    assert_eq!(all_extension, format!(".{}", "x".repeat(254)));
    assert_eq!(
        message(upload_base_name("a/..")),
        "Could not derive file name from '..'"
    );
}

#[test]
fn generated_name_stays_below() {
    for (name, expected) in [
        ("some\\path\\my file.txt", "some/path/my_file.txt"),
        ("./a//b/c d", "a/b/c_d"),
        ("name", "name"),
        ("/a/b", "/a/b"),
    ] {
        assert_eq!(generate(name).unwrap(), expected);
    }
    assert_eq!(
        message(generate("dir/../path")),
        "Detected path traversal attempt in 'dir/..'"
    );
    assert_eq!(message(generate("a/.")), "Could not derive file name from '.'");
}

#[test]
fn taken_name_gets_another_that_fits() {
    let asked = RefCell::new(Vec::new());
    let free_from = |nth: usize| {
        let asked = &asked;
        move |name: &str| {
            asked.borrow_mut().push(name.to_owned());
            Ok::<_, Infallible>(asked.borrow().len() > nth)
        }
    };
    assert_eq!(available("d/b.tar.gz", None, free_from(0)).unwrap(), "d/b.tar.gz");
    asked.borrow_mut().clear();
    let other = available("d/b.tar.gz", None, free_from(1)).unwrap();
    assert!(
        other.starts_with("d/b_") && other.ends_with(".tar.gz") && other.len() == 18,
        "{other}"
    );
    asked.borrow_mut().clear();
    let shorter = available("d/a_long_name.txt", Some(16), free_from(0)).unwrap();
    assert!(shorter.starts_with("d/a_") && shorter.len() == 16, "{shorter}");
    let error = available("a.txt", Some(5), |_| Ok::<_, Infallible>(false)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Storage can not find an available filename for \"a_")
    );
    let error = available("../a.txt", None, |_| Ok::<_, Infallible>(true)).unwrap_err();
    assert_eq!(error.to_string(), "Detected path traversal attempt in '..'");
}

#[test]
fn joined_path_cannot_leave() {
    for (base, paths, expected) in [
        ("/abc/", &["d", "e.txt"][..], "/abc/d/e.txt"),
        ("/abc/", &["/abc/d"], "/abc/d"),
        ("/abc", &["..", "abc"], "/abc"),
        ("/", &["../etc"], "/etc"),
        ("media", &["a"], "/srv/media/a"),
        ("/abc", &[], "/abc"),
    ] {
        assert_eq!(safe_join("/srv", base, paths.iter().copied()).unwrap(), expected);
    }
    for (base, path) in [
        ("/abc/", "../abcdef"),
        ("/abc", "/etc/passwd"),
        ("/abc", "../../x"),
    ] {
        assert!(safe_join("/srv", base, [path]).is_err());
    }
    assert_eq!(
        message(safe_join("/", "/abc/", ["../def"])),
        "The joined path (/def) is located outside of the base path component (/abc)"
    );
}
