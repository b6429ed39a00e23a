//! What holds for every content security policy.

use palisade_core::header::{Csp, SecurityHeader};

/// Asserts it for one input.
pub(super) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for policy in Csp::parse_list(text).into_iter().flatten() {
        let _ = policy.weaknesses();
        let rendered = policy.to_string();
        assert!(
            rendered.bytes().all(|b| matches!(b, b' '..=b'~')),
            "{rendered:?} is no header value"
        );
        assert_eq!(
            rendered.parse().as_ref(),
            Ok(&policy),
            "{rendered:?} is read as another policy"
        );
        // Without its nonce a policy has nothing to fill in, and stays a policy.
        let without: Csp = policy.render(None).parse().expect("a rendered policy parses");
        assert!(!without.needs_nonce());
    }
    // Whatever a source holds, it stays one source of one directive of one policy.
    let policy = Csp::new().with_frame_ancestors([text]);
    assert_eq!(policy.directives().count(), 1);
    assert_eq!(policy.to_string().parse(), Ok(policy));
    // And whatever is given as a nonce, the policy has the directives it had.
    let filled: Csp = Csp::strict()
        .render(Some(text))
        .parse()
        .expect("a rendered policy parses");
    assert_eq!(filled.directives().count(), Csp::strict().directives().count());
}
