//! One line a request, and what may stand in it.
