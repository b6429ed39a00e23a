//! Origins, and the origins a site trusts.
