//! `html.*`: text made harmless for pages and scripts.

use palisade_core::escape;

use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("html.escape", |call| {
        Ok(escape::escape(&call.args.text("text")?).into())
    }),
    ("html.escapejs", |call| {
        Ok(escape::escape_js(&call.args.text("text")?).into())
    }),
    ("html.json_script", json_script),
];

fn json_script(call: &mut Call) -> Result<Answer, Failure> {
    let id: Option<String> = call.args.get("element_id")?;
    Ok(escape::json_script(&call.args.text("json")?, id.as_deref()).into())
}
