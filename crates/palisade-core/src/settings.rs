//! Settings under Django's names, from TOML and the environment.
