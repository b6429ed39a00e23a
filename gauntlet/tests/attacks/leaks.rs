//! Each attack of `attack::leaks` succeeds against the weak twin and fails against the vault.
