//! CSRF secrets and their masked tokens, in Django's format.
