//! What a `{{ … }}` does with its value: which filter it ends with, and what it must not do.

/// Whether the last thing that happens to the whole value is this filter.
///
/// `a if b else c|url` does nothing to `a`: whatever is put together has to stand in parentheses before its filter.
pub(super) fn ends_with_filter(expression: &str, filter: &str) -> bool {
    let parts = outer_parts(expression);
    let Some((last, before)) = parts.split_last() else {
        return false;
    };
    let last = last.trim();
    let name = last.split('(').next().unwrap_or_default().trim();
    // Nothing is done to what the filter gave: behind its brackets there is nothing.
    let (mut brackets, mut over) = (0, true);
    outside(last, |_, character, depth| {
        brackets += usize::from(character == ')' && depth == 0);
        over &= depth > 0 || character == ')' || brackets == 0 && !"].".contains(character);
    });
    let whole = |part: &&str| is_one_value(part.trim());
    name == filter
        && over
        && brackets <= 1
        && !before.is_empty()
        && before.iter().all(whole)
        && is_one_value(last)
}

/// Splits at each `|` that stands outside of strings and brackets.
fn outer_parts(expression: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    outside(expression, |place, character, depth| {
        if character == '|' && depth == 0 {
            parts.push(expression.get(from..place).unwrap_or_default());
            from = place + 1;
        }
    });
    parts.push(expression.get(from..).unwrap_or_default());
    parts
}

/// Whether nothing is put together here: there is no operator and no word outside of brackets but one.
fn is_one_value(part: &str) -> bool {
    let mut one = !part.is_empty();
    outside(part, |_, character, depth| {
        if depth == 0 && !(character.is_alphanumeric() || "_.()[]{}'\"".contains(character)) {
            one = false;
        }
    });
    one
}

/// Calls with each character outside of strings, and how many brackets it stands in.
fn outside(text: &str, mut found: impl FnMut(usize, char, usize)) {
    let (mut depth, mut string, mut escaped) = (0_usize, None, false);
    for (place, character) in text.char_indices() {
        if let Some(quote) = string {
            if !escaped && character == quote {
                string = None;
            }
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '"' | '\'' => string = Some(character),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        found(place, character, depth);
    }
}

/// Whether anything here is declared safe by a filter.
pub(super) fn declares_safe(code: &str) -> bool {
    let mut bars = Vec::new();
    outside(code, |place, character, _| {
        if character == '|' {
            bars.push(place + 1);
        }
    });
    bars.iter()
        .any(|place| first_word(code.get(*place..).unwrap_or_default()) == "safe")
}

/// The word that a text begins with.
pub(super) fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
