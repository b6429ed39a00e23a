//! Each attack of `attack::recovery` succeeds against the weak twin and fails against the vault.
