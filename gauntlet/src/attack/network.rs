//! `insecure-transport`, `exposed-diagnostics`: a staff area is reached from the wrong network or without a certificate.
