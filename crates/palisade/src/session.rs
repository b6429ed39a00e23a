//! Sessions in Django's format, merged on save.
