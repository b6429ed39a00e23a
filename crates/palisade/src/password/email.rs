//! The one normalisation an e-mail address may safely have.

use palisade_core::character::is_space;

/// Lower-cases the domain of an address and strips white space around it; the mailbox is its owner's and stays as it is.
///
/// What has no `@` is given back unchanged, as Django does.
///
/// # Security
///
/// Addresses are not folded further, and none is compared by lower-casing it: `mıke@…` with a dotless i would then be somebody
/// else (CVE-2019-19844).
///
/// # Example
///
/// ```
/// use palisade::password::normalize_email;
///
/// assert_eq!(normalize_email(" Mike@EXAMPLE.com"), "Mike@example.com");
/// ```
pub fn normalize_email(address: &str) -> String {
    match address.trim_matches(is_space).rsplit_once('@') {
        Some((mailbox, domain)) => format!("{mailbox}@{}", domain.to_lowercase()),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_domain_is_folded() {
        // Answers of Django 5.2.
        for (address, normal) in EMAILS {
            assert_eq!(normalize_email(address), normal);
        }
    }

    const EMAILS: [(&str, &str); 6] = [
        ("normal@DOMAIN.COM", "normal@domain.com"),
        ("Abc\\@DEF@EXAMPLE.com", "Abc\\@DEF@example.com"),
        ("  a@B\n", "a@b"),
        (" not an address ", " not an address "),
        ("", ""),
        ("m\u{131}ke@EXAMPLE.ORG", "m\u{131}ke@example.org"),
    ];
}
