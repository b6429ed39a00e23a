//! Each attack of `attack::access` succeeds against the weak twin and fails against the vault.
