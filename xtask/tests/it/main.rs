//! What holds for every file of the project.
//!
//! `cfg(test)` on a module tells the lints that all of it is a test's, helpers included, and may unwrap as tests may.

#[cfg(test)]
mod cves;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod files;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod versions;
