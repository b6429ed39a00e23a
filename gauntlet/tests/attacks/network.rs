//! Each attack of `attack::network` succeeds against the weak twin and fails against the vault.
