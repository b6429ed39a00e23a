//! The shape of a stateless defence: admit on the way in, release on the way out.
