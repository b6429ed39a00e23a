//! `Vary`: what a response depends on, so that a cache does not give one visitor the page of another.

/// Adds names to a `Vary` header, in order and without repeating one: Django's `patch_vary_headers`.
///
/// With `*` among them the header says nothing else.
///
/// # Example
/// ```
/// use palisade_core::header::patch_vary;
///
/// assert_eq!(patch_vary(None, &["Cookie"]), "Cookie");
/// assert_eq!(patch_vary(Some("Accept, cookie"), &["Cookie", "Origin"]), "Accept, cookie, Origin");
/// assert_eq!(patch_vary(Some("*"), &["Cookie"]), "*");
/// ```
pub fn patch_vary(current: Option<&str>, names: &[&str]) -> String {
    let mut all: Vec<&str> = current.map(split).unwrap_or_default();
    let known: Vec<String> = all.iter().map(|name| name.to_lowercase()).collect();
    all.extend(names.iter().filter(|name| !known.contains(&name.to_lowercase())));
    if all.contains(&"*") {
        "*".to_owned()
    } else {
        all.join(", ")
    }
}

/// Splits at commas and the white space beside them; what stands before the first and after the last keeps its own.
fn split(header: &str) -> Vec<&str> {
    let last = header.matches(',').count();
    let mut names: Vec<&str> = header.split(',').collect();
    for (index, name) in names.iter_mut().enumerate() {
        if index > 0 {
            *name = name.trim_start();
        }
        if index < last {
            *name = name.trim_end();
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::patch_vary;

    #[test]
    fn names_are_merged_without_regard_to_case_and_in_order() {
        for (current, merged) in [
            (Some(""), ", Cookie"),
            (Some("COOKIE"), "COOKIE"),
            (Some("a ,\tb"), "a, b, Cookie"),
            (Some("a, *"), "*"),
            (Some(" *"), " *, Cookie"),
        ] {
            assert_eq!(patch_vary(current, &["Cookie"]), merged, "{current:?}");
        }
    }
}
