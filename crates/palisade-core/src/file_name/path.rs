//! Paths taken apart and put together as Python's `posixpath` does, without asking the file system.

/// What follows the last slash.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Folder and name, without the slashes between them unless they are all there is.
pub(super) fn split(path: &str) -> (&str, &str) {
    let (folder, name) = path.split_at(path.len() - base_name(path).len());
    let trimmed = folder.trim_end_matches('/');
    (if trimmed.is_empty() { folder } else { trimmed }, name)
}

/// Joins two paths; an absolute second one stands alone.
pub(super) fn join(first: &str, second: &str) -> String {
    if second.starts_with('/') {
        second.to_owned()
    } else if first.is_empty() || first.ends_with('/') {
        format!("{first}{second}")
    } else {
        format!("{first}/{second}")
    }
}

/// Says whether a part of the path is `..`.
pub(super) fn has_parent(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// Resolves `.`, `..` and doubled slashes by name. Exactly two slashes at the beginning stay two.
pub(super) fn normalize(path: &str) -> String {
    let slashes = path.bytes().take_while(|byte| *byte == b'/').count();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let steps_up = part == ".." && parts.last().is_some_and(|last| *last != "..");
        if steps_up {
            parts.pop();
        } else if part != ".." || root.is_empty() {
            parts.push(part);
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() { ".".to_owned() } else { normal }
}

/// Stem and last extension; a name that begins with dots has these in its stem.
pub(super) fn split_extension(name: &str) -> (&str, &str) {
    let dots = name.len() - name.trim_start_matches('.').len();
    match name.rfind('.') {
        Some(dot) if dot >= dots => name.split_at(dot),
        _ => (name, ""),
    }
}

/// All extensions of a name: from the first dot after those it begins with; none for a name that ends with a dot.
pub(super) fn extensions(name: &str) -> &str {
    if name.ends_with('.') {
        return "";
    }
    let dots = name.len() - name.trim_start_matches('.').len();
    let visible = name.get(dots..).unwrap_or_default();
    visible
        .find('.')
        .and_then(|dot| visible.get(dot..))
        .unwrap_or_default()
}
