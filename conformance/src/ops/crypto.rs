//! `crypto.*`: keyed digests, random text, comparison.

use palisade_core::secret::constant_time_eq;

use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[("crypto.constant_time_compare", constant_time_compare)];

fn constant_time_compare(call: &mut Call) -> Result<Answer, Failure> {
    Ok(constant_time_eq(&call.args.bytes("a")?, &call.args.bytes("b")?).into())
}
