//! The test tools themselves, against the weak twin.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod clients;
