//! `check.deploy`: Django's deployment checks.

use palisade_core::check::{Finding, deployment};

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[("check.deploy", deploy)];

fn deploy(call: &mut Call) -> Result<Answer, Failure> {
    let only: Option<Vec<String>> = call.args.get("only")?;
    let wanted = |finding: &Finding| {
        only.as_ref()
            .is_none_or(|only| only.iter().any(|id| id == finding.id))
    };
    let found = deployment(&call.settings.given()?);
    let answer = |finding: Finding| object([("id", finding.id.into()), ("subject", finding.subject.into())]);
    Ok(found.into_iter().filter(wanted).map(answer).collect())
}
