//! The names of a PDF that say that it does something.

/// What a name makes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Nobody can look into it.
    Encrypted,
    /// It runs a script or starts a program.
    Script,
    /// It holds files, or does something that is mostly harmless.
    File,
}

const NAMES: [(&[u8], Sort); 18] = [
    (b"Encrypt", Sort::Encrypted),
    (b"JavaScript", Sort::Script),
    (b"Launch", Sort::Script),
    (b"Rendition", Sort::Script),
    (b"RichMedia", Sort::Script),
    (b"XFA", Sort::Script),
    (b"AA", Sort::File),
    (b"EmbeddedFile", Sort::File),
    (b"EmbeddedFiles", Sort::File),
    (b"FileAttachment", Sort::File),
    (b"GoToE", Sort::File),
    (b"GoToR", Sort::File),
    (b"ImportData", Sort::File),
    (b"Movie", Sort::File),
    (b"OpenAction", Sort::File),
    (b"Screen", Sort::File),
    (b"Sound", Sort::File),
    (b"SubmitForm", Sort::File),
];

/// How much of a name is kept: longer than any that is looked for.
pub(super) const MOST: usize = 48;

/// The sorts of names that were seen.
#[derive(Default)]
pub(super) struct Names {
    seen: [bool; 3],
    /// A name that is being read.
    open: Option<Vec<u8>>,
}

impl Names {
    /// Takes note of a name, as it is written.
    pub(super) fn saw(&mut self, name: &[u8]) {
        let name = plain(name);
        if let Some((_, sort)) = NAMES.iter().find(|(known, _)| *known == name) {
            let [encrypted, script, file] = &mut self.seen;
            match sort {
                Sort::Encrypted => *encrypted = true,
                Sort::Script => *script = true,
                Sort::File => *file = true,
            }
        }
    }

    /// Takes note of all names in a piece of objects.
    pub(super) fn scan(&mut self, piece: &[u8]) {
        for byte in piece {
            if super::lexer::is_regular(*byte) {
                if let Some(open) = self.open.as_mut().filter(|open| open.len() < MOST) {
                    open.push(*byte);
                }
                continue;
            }
            if let Some(name) = self.open.take() {
                self.saw(&name);
            }
            self.open = (*byte == b'/').then(Vec::new);
        }
    }

    /// Whether a name of this sort was seen.
    pub(super) fn has(&self, sort: Sort) -> bool {
        let [encrypted, script, file] = self.seen;
        match sort {
            Sort::Encrypted => encrypted,
            Sort::Script => script,
            Sort::File => file,
        }
    }
}

/// A name without its escapes: `#61` is `a`.
pub(super) fn plain(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'#');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_found_however_it_is_spelt_and_wherever_a_piece_ends() {
        for text in [
            "<</S/JavaScript>>",
            "/S /J#61vaScript ",
            "/#4a#61#76#61#53cript[",
            "/Launch ",
        ] {
            for cut in 0..=text.len() {
                let mut names = Names::default();
                names.scan(&text.as_bytes()[..cut]);
                names.scan(&text.as_bytes()[cut..]);
                assert!(names.has(Sort::Script), "{text} cut at {cut}");
                assert!(!names.has(Sort::File));
            }
        }
        let mut names = Names::default();
        names.scan(b"/JavaScripts /Javascript (JavaScript) ");
        assert!(!names.has(Sort::Script));
    }
}
