//! Why a file is not accepted, in the words of the person who sent it: what it is, and what to do about it.

use std::io;

/// Why a file is not accepted. What it says stands at the form's field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unacceptable {
    /// It is of no kind that is known. Holds what is accepted instead.
    #[error("This kind of file is not accepted. Send {0}.")]
    Kind(String),
    /// It is of a kind that is known, and not accepted here.
    #[error("This is {found}, which is not accepted here, whatever the file is called. Send {accepted}.")]
    OtherKind {
        /// What it is.
        found: &'static str,
        /// What is accepted instead.
        accepted: String,
    },
    /// It has no bytes.
    #[error("This file is empty. Choose another one.")]
    Empty,
    /// It ends before its format does.
    #[error(
        "This {0} ends before it should. It was cut off on its way or is damaged: send it again, or save it anew and send that."
    )]
    CutOff(&'static str),
    /// It breaks the rules of its format.
    #[error("This {what} is damaged: {why}. Open it in a program, save it anew and send that.")]
    Damaged {
        /// What it is.
        what: &'static str,
        /// Which rule is broken.
        why: &'static str,
    },
    /// It can be read as something else, too.
    #[error(
        "This {what} is something else besides: {why}. Open it in a program, save it anew and send that."
    )]
    Besides {
        /// What it is.
        what: &'static str,
        /// What else it is.
        why: &'static str,
    },
    /// It unfolds into more than is allowed.
    #[error("This {what} is too large when it is opened: {why}. Make it smaller and send that.")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// What it has too much of.
        why: String,
    },
    /// Nobody can look into it without a password.
    #[error("This {0} is protected with a password. Remove the password and send it without.")]
    Encrypted(&'static str),
    /// It does something when it is opened.
    #[error(
        "This {what} is more than something to read: {why}. Save it without that, or print it to a PDF, and send that."
    )]
    Active {
        /// What it is.
        what: &'static str,
        /// What it does.
        why: &'static str,
    },
    /// It is right, and cannot be done with it what the form asks for.
    #[error("This {what} cannot be taken here: {why}.")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Why not, and what to send.
        why: &'static str,
    },
    /// It could not be read: a fault of this machine, not of the file.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}
