//! `debug.*`: what an error report shows.

use palisade::redact::{ReportFilter, SensitiveParameters};
use serde_json::Value;

use crate::answer::Answer;
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("debug.cleanse_setting", cleanse_setting),
    ("debug.filter_is_active", |call| {
        Ok((call.settings.raw("DEBUG") == "false").into())
    }),
    ("debug.mask_names", mask_names),
];

fn cleanse_setting(call: &mut Call) -> Result<Answer, Failure> {
    let mut filter = ReportFilter::new(call.settings.get::<String>("SESSION_COOKIE_NAME")?);
    if let Some(pattern) = call.args.get::<Option<String>>("pattern")? {
        filter = filter.with_pattern(&pattern).map_err(Failure::internal)?;
    }
    if let Some(substitute) = call.args.get::<Option<String>>("substitute")? {
        filter = filter.with_substitute(substitute);
    }
    let key: Option<String> = call.args.get("key")?;
    let cleansed = filter.cleanse(key.as_deref(), &call.args.get("value")?);
    Ok(Answer::Raw(cleansed.to_string()))
}

fn mask_names(call: &mut Call) -> Result<Answer, Failure> {
    let sensitive = match call.args.get("sensitive")? {
        Value::Null => SensitiveParameters::None,
        Value::String(text) if text == "__ALL__" => SensitiveParameters::All,
        _ => SensitiveParameters::Listed(call.args.get("sensitive")?),
    };
    let names: Vec<String> = call.args.get("names")?;
    let hidden = sensitive.hidden(names.iter().map(String::as_str), call.args.get("active")?);
    Ok(hidden.into_iter().collect())
}
