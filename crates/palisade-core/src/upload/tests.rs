//! What a running Django answered for the same bodies.

use super::*;

fn part(headers: &str, content: &str) -> String {
    format!("--B\r\n{headers}\r\n\r\n{content}\r\n")
}

fn field(name: &str, value: &str) -> String {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), value)
}

fn file(name: &str, content: &str) -> String {
    part(
        &format!(
            "Content-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\nContent-Type: Text/Plain; charset=UTF-8"
        ),
        content,
    )
}

fn parse(parts: &[String], limits: UploadLimits) -> Result<Multipart, UploadError> {
    parse_multipart("B", format!("{}--B--\r\n", parts.concat()).as_bytes(), limits)
}

#[test]
fn fields_and_files_are_told_apart() {
    let read = parse(
        &[
            "preamble".to_owned(),
            field("a", "v\r\n"),
            file("../x.txt", "hi"),
            file("..", "dropped"),
            field(" é ", ""),
        ],
        UploadLimits::default(),
    )
    .unwrap();
    assert_eq!(
        read.fields,
        [
            ("a".to_owned(), "v\r\n".to_owned()),
            (" é ".trim().to_owned(), String::new())
        ]
    );
    let [only] = read.files.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!((only.field.as_str(), only.file_name.as_str()), ("f", "x.txt"));
    assert_eq!(
        (only.content_type.as_str(), only.charset()),
        ("text/plain", Some("UTF-8"))
    );
    assert_eq!(only.content, b"hi");
}

#[test]
fn each_limit_holds_to_the_byte() {
    let limits = |size, fields, files| UploadLimits {
        max_memory_size: Some(size),
        max_number_fields: Some(fields),
        max_number_files: Some(files),
    };
    let two = [field("a", "12345"), field("b", "")];
    assert!(parse(&two, limits(11, 2, 0)).is_ok());
    assert_eq!(parse(&two, limits(10, 2, 0)), Err(UploadError::TooBig));
    assert_eq!(parse(&two, limits(11, 1, 0)), Err(UploadError::TooManyFields));
    let files = [file("a.txt", "12345"), file("..", "")];
    assert!(parse(&files, limits(0, 0, 2)).is_ok());
    assert_eq!(parse(&files, limits(0, 0, 1)), Err(UploadError::TooManyFiles));
    assert!(limits(10, 0, 0).check_body_size(10).is_ok());
    assert_eq!(limits(10, 0, 0).check_body_size(11), Err(UploadError::TooBig));
    let long = part(
        &format!("Content-Disposition: form-data; name=\"{}\"", "n".repeat(1000)),
        "",
    );
    assert_eq!(
        parse(&[long], UploadLimits::default()),
        Err(UploadError::HeaderTooLarge)
    );
}

#[test]
fn file_whose_end_never_came_is_no_file() {
    let whole = format!("{}--B", file("a.txt", "x"));
    assert!(
        parse_multipart("B", whole.as_bytes(), UploadLimits::default())
            .unwrap()
            .files
            .is_empty()
    );
    let ended = format!("{whole}--");
    assert_eq!(
        parse_multipart("B", ended.as_bytes(), UploadLimits::default())
            .unwrap()
            .files
            .len(),
        1
    );
}

#[test]
fn base64_is_decoded_where_it_is_whole() {
    let encoded = |name: &str, content: &str| {
        part(
            &format!("Content-Disposition: form-data; {name}\r\nContent-Transfer-Encoding: BASE64"),
            content,
        )
    };
    let read = parse(
        &[
            encoded("name=a", "aGk="),
            encoded("name=b", "aGk"),
            encoded("name=f; filename=x", " a G\r\nk= "),
        ],
        UploadLimits::default(),
    )
    .unwrap();
    assert_eq!(
        read.fields,
        [
            ("a".to_owned(), "hi".to_owned()),
            ("b".to_owned(), "aGk".to_owned())
        ]
    );
    assert_eq!(read.files[0].content, b"hi");
    for damaged in ["aGk", "a===", "aGk=a"] {
        let file = encoded("name=f; filename=x", damaged);
        assert_eq!(
            parse(&[file], UploadLimits::default()),
            Err(UploadError::Base64),
            "{damaged}"
        );
    }
}

#[test]
fn header_says_where_parts_end() {
    let header = |content_type, length| MultipartHeader::parse(content_type, length);
    let good = header("multipart/form-data; boundary=\"x y\"", Some(" 1_0 ")).unwrap();
    assert_eq!((good.boundary.as_str(), good.content_length), ("x y", 10));
    for length in [None, Some("ten"), Some(""), Some("1__0"), Some("_1")] {
        assert_eq!(
            header("multipart/mixed; boundary=b", length)
                .unwrap()
                .content_length,
            0
        );
    }
    for (content_type, length, message) in [
        ("text/plain", None, "Invalid Content-Type: text/plain"),
        (
            "multipart/é; boundary=b",
            None,
            "Invalid non-ASCII Content-Type in multipart: multipart/é; boundary=b",
        ),
        ("multipart/form-data", None, "Invalid boundary in multipart: None"),
        (
            "multipart/form-data; boundary=",
            None,
            "Invalid boundary in multipart: ",
        ),
        (
            "multipart/form-data; boundary=\"a \"",
            None,
            "Invalid boundary in multipart: a ",
        ),
        (
            "multipart/form-data; boundary=b",
            Some("-1"),
            "Invalid content length: -1",
        ),
    ] {
        assert_eq!(header(content_type, length).unwrap_err().to_string(), message);
    }
}

#[test]
fn parameters_are_read_as_python_reads_them() {
    let read = |line| parse_parameters(line).map(|(value, parameters)| (value, format!("{parameters:?}")));
    for (line, value, parameters) in [
        ("", "", "[]"),
        (" Text/HTML ", "text/html", "[]"),
        ("a; b=c; B=d;; =e; f", "a", r#"[("b", "d"), ("f", "")]"#),
        (r#"a; b="c\"; d"; e=<f>"#, "a", r#"[("b", "c\"; d"), ("e", "f")]"#),
        (r#"a; b="unclosed; c=d"#, "a", r#"[("b", "\"unclosed; c=d")]"#),
        ("a; b*=iso-8859-1'en'%e9", "a", r#"[("b", "é")]"#),
        ("a; b*1*=%20c; b*0*=utf-8''%C3%A9", "a", r#"[("b", "é c")]"#),
        ("a; b*=%E9'x", "a", r#"[("b", "�'x")]"#),
        ("a; b*0=x; b*1=y", "a", r#"[("b", "xy")]"#),
    ] {
        assert_eq!(
            read(line),
            Ok((value.to_owned(), parameters.to_owned())),
            "{line}"
        );
    }
    assert_eq!(read("a; b*=bogus''x"), Err(InvalidParameters));
    assert_eq!(read("a; b*=x; b*0=y"), Err(InvalidParameters));
}

#[test]
fn line_of_very_many_parameters_is_read_once() {
    // Read again for each of its semicolons, this would take minutes (CVE-2026-84429).
    let begun = std::time::Instant::now();
    let quoted = format!("a; b=\"{}\"", ";".repeat(200_000));
    let (_, parameters) = parse_parameters(&quoted).unwrap();
    assert_eq!(format!("{parameters:?}").len(), 200_000 + "[(\"b\", \"\")]".len());
    let _many = parse_parameters(&format!("a{}", "; b=\"\\\"".repeat(50_000)));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
