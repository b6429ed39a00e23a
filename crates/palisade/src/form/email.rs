//! Which text is an e-mail address: the rule of Django's `EmailValidator`.
//!
//! Written out instead of as regular expressions, so that no input makes it slow (CVE-2023-36053).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The most characters (RFC 3696, section 3).
const LONGEST: usize = 320;
/// The longest IPv6 address that Django looks at.
const LONGEST_IPV6: usize = 39;
/// The most characters between two dots of a domain (RFC 1034, section 3.1).
const LONGEST_LABEL: usize = 63;

/// Says whether Django would take the text for an e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    if text.len() > LONGEST && text.chars().count() > LONGEST {
        return false;
    }
    text.rsplit_once('@').is_some_and(|(user, domain)| {
        (is_dot_atom(user) || is_quoted(user))
            && (domain == "localhost" || is_domain(domain) || is_literal(domain))
    })
}

fn is_dot_atom(user: &str) -> bool {
    user.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_letter))
}

fn is_atom_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-!#$%&'*+/=?^_`{}|~".contains(letter) || is_folded_to_ascii(letter)
}

/// The letters that Python takes for one of `A`–`Z` when it ignores case.
///
/// # Security
///
/// `mıke@…` is therefore an address, and another one than `mike@…`: never look a user up by a case-folded address and
/// then write to the one that was typed (CVE-2019-19844).
fn is_folded_to_ascii(letter: char) -> bool {
    matches!(letter, 'İ' | 'ı' | 'ſ' | '\u{212a}')
}

fn is_quoted(user: &str) -> bool {
    let Some(inner) = user.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        let fits = match letter {
            '\\' => letters.next().is_some_and(|escaped| {
                matches!(escaped, '\x01'..='\x09' | '\x0b' | '\x0c' | '\x0e'..='\x7f')
                    || is_folded_to_ascii(escaped)
            }),
            '"' => false,
            '\x01'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '!' | '#'..='\x7f' => true,
            other => is_folded_to_ascii(other),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    domain
        .rsplit_once('.')
        .is_some_and(|(hosts, top)| hosts.split('.').all(is_label) && is_top_level(top))
}

fn is_label(label: &str) -> bool {
    let letters = |letter: char| is_domain_letter(letter) || letter.is_ascii_digit() || letter == '-';
    !label.is_empty()
        && is_hyphenated_well(label)
        && label.chars().all(letters)
        && label.chars().count() <= LONGEST_LABEL
}

fn is_top_level(label: &str) -> bool {
    let named = || {
        let length = label.chars().count();
        (2..=LONGEST_LABEL).contains(&length)
            && label
                .chars()
                .all(|letter| is_domain_letter(letter) || letter == '-')
    };
    let punycode = || {
        let (Some(prefix), Some(code)) = (label.get(..4), label.get(4..)) else {
            return false;
        };
        let letters = |letter: char| letter.is_ascii_alphanumeric() || is_folded_to_ascii(letter);
        prefix.eq_ignore_ascii_case("xn--")
            && (1..=59).contains(&code.chars().count())
            && code.chars().all(letters)
    };
    is_hyphenated_well(label) && (named() || punycode())
}

fn is_hyphenated_well(label: &str) -> bool {
    !label.starts_with('-') && !label.ends_with('-')
}

fn is_domain_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || matches!(letter, '\u{a1}'..='\u{ffff}')
}

fn is_literal(domain: &str) -> bool {
    let Some(address) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    address.parse::<Ipv4Addr>().is_ok()
        || (address.len() <= LONGEST_IPV6 && address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_django_says_they_are() {
        for good in GOOD {
            assert!(is_email(good), "{good:?}");
        }
        for bad in BAD {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn address_with_very_many_labels_is_judged_quickly() {
        assert!(!is_email(&format!("a@{}com", "a.".repeat(1_000_000))));
        assert!(!is_email(&format!("a@{}", "a.".repeat(150))));
    }

    const GOOD: &[&str] = &[
        "email@here.com",
        "weirder-email@here.and.there.com",
        "!def!xyz%abc@example.com",
        "email@[127.0.0.1]",
        "email@[2001:dB8::1]",
        "email@[2001:dB8:0:0:0:0:0:1]",
        "email@[::fffF:127.0.0.1]",
        "example@valid-----hyphens.com",
        "example@valid-with-hyphens.com",
        "test@domain.with.idn.tld.उदाहरण.परीक्षा",
        "email@localhost",
        "\"test@test\"@example.com",
        "\"\\\u{11}\"@here.com",
        "a@xn--a.xn--p1ai",
        "a@b.XN--9",
        "mıke@example.com",
        "a@aa.com",
        "a@a1.1a.com",
        "\"\"@a.co",
    ];

    const BAD: &[&str] = &[
        "",
        "abc",
        "abc@",
        "abc@bar",
        "a @x.cz",
        "abc@.com",
        "something@@somewhere.com",
        "email@127.0.0.1",
        "email@[127.0.0.256]",
        "email@[2001:db8::12345]",
        "email@[2001:db8:0:0:0:0:1]",
        "email@[::ffff:127.0.0.256]",
        "email@[2001:dg8::1]",
        "email@[2001:dG8:0:0:0:0:0:1]",
        "email@[::fTzF:127.0.0.1]",
        "example@invalid-.com",
        "example@-invalid.com",
        "example@invalid.com-",
        "example@inv-.alid-.com",
        "example@inv-.-alid.com",
        "test@example.com\n\n<script src=\"x.js\">",
        "\"\\\u{a}\"@here.com",
        "trailingdot@shouldfail.com.",
        "a@b.com\n",
        "a\n@b.com",
        "a..b@c.com",
        ".a@c.com",
        "é@c.com",
        "a@b.c",
        "a@b.c1",
        "a@b_c.com",
        "a@[127.0.0.01]",
        "\"a\"b\"@c.com",
        "\"@c.com",
        "a@😀.com",
    ];
}
