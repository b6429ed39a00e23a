//! Codes of an authenticator: RFC 6238 as every authenticator has it, with SHA-1, six digits and thirty seconds.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use palisade_core::{Sensitive, token};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};
use totp_rs::{Builder, Secret, Totp};

/// RFC 4226 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// How long a code is shown, in seconds.
const STEP: u64 = 30;

/// The quiet border of a picture, in its squares.
const BORDER: i32 = 4;

/// What needs no escape in an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@');

/// A secret that an authenticator is to be told: shown once, while it is not confirmed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Enrolment {
    /// What the picture says (`otpauth://totp/…`), for a link on a phone.
    pub uri: Sensitive<String>,
    /// The secret in groups of four letters, to be typed where no picture can be read.
    pub secret: Sensitive<String>,
    /// The picture, as SVG without script and style, to stand in a page. It is written by us, and has nothing of anybody in it but
    /// squares.
    pub picture: Sensitive<String>,
}

pub(super) fn new_secret() -> Sensitive<Vec<u8>> {
    Sensitive::new(token::random_bytes::<SECRET_BYTES>().to_vec())
}

/// The codes of a secret; none if it is damaged.
fn codes(secret: &Sensitive<Vec<u8>>) -> Option<Totp> {
    // The defaults are SHA-1, six digits, thirty seconds, and one step more on both sides; they are said, since they must not change.
    Builder::new()
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP)
        .with_secret(Secret::new(secret.expose().clone().into_boxed_slice()))
        .build()
        .ok()
}

/// The step that a code is of, if it is of this one, the one before or the one after.
pub(super) fn step_of(secret: &Sensitive<Vec<u8>>, code: &str, now: SystemTime) -> Option<i64> {
    let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let step = codes(secret)?.check(code, seconds)?;
    i64::try_from(step).ok()
}

/// What an authenticator is told of a secret.
pub(super) fn enrolment(secret: &Sensitive<Vec<u8>>, issuer: &str, username: &str) -> Option<Enrolment> {
    let base32 = codes(secret)?.secret().to_base32();
    // A colon parts issuer and name.
    let escaped = |text: &str| utf8_percent_encode(&text.replace(':', " "), PLAIN).to_string();
    let (issuer, name) = (escaped(issuer), escaped(username));
    let uri = format!("otpauth://totp/{issuer}:{name}?secret={base32}&issuer={issuer}");
    let groups: Vec<String> = base32
        .chars()
        .collect::<Vec<_>>()
        .chunks(4)
        .map(String::from_iter)
        .collect();
    Some(Enrolment {
        picture: Sensitive::new(picture(&uri)?),
        uri: Sensitive::new(uri),
        secret: Sensitive::new(groups.join(" ")),
    })
}

/// Draws a text as squares, dark on light whatever the page's colours: some authenticators read nothing else.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size() + 2 * BORDER;
    let mut squares = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing into a String cannot fail.
            let _ = write!(squares, "M{} {}h1v1h-1z", x + BORDER, y + BORDER);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"240\" height=\"240\" role=\"img\" \
         aria-label=\"QR code for an authenticator\" shape-rendering=\"crispEdges\"><rect width=\"{size}\" height=\"{size}\" \
         fill=\"#fff\"/><path fill=\"#000\" d=\"{squares}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secret() -> Sensitive<Vec<u8>> {
        Sensitive::new(b"12345678901234567890".to_vec())
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = i64::try_from(seconds / 30).unwrap();
            assert_eq!(step_of(&secret(), code, at(seconds)), Some(step), "{code}");
            assert_eq!(
                step_of(&secret(), code, at(seconds + 30)),
                Some(step),
                "a step later"
            );
            assert_eq!(
                step_of(&secret(), code, at(seconds - 30)),
                Some(step),
                "a step earlier"
            );
            assert_eq!(step_of(&secret(), code, at(seconds + 60)), None, "too late");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for none in [
            "",
            "28708",
            "2870820",
            "28708a",
            "-87082",
            "+87082",
            "٢٨٧٠٨٢",
            "287082\0",
        ] {
            assert_eq!(step_of(&secret(), none, at(59)), None, "{none:?}");
        }
        assert_eq!(
            step_of(&Sensitive::new(Vec::new()), "287082", at(59)),
            None,
            "a damaged secret"
        );
    }

    #[test]
    fn authenticator_is_told_everything_and_the_picture_has_nothing_but_squares() {
        let told = enrolment(&secret(), "Vault: Ü & co", "ada?x=\"><script>").unwrap();
        assert_eq!(
            told.uri.expose(),
            "otpauth://totp/Vault%20%20%C3%9C%20%26%20co:ada%3Fx%3D%22%3E%3Cscript%3E?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vault%20%20%C3%9C%20%26%20co"
        );
        assert_eq!(told.secret.expose(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let picture = told.picture.expose();
        assert!(
            picture.starts_with("<svg ") && picture.matches('<').count() == 4,
            "{picture}"
        );
        for bad in ["script", "style", "href", "ada"] {
            assert!(!picture.contains(bad), "{bad}");
        }
        assert_ne!(new_secret().expose(), new_secret().expose());
    }
}
