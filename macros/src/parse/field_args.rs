//! `#[field(..)]`.

use super::options::{arguments, each_option};
use crate::errors::Errors;
use proc_macro2::Span;
use syn::{Attribute, Expr, LitStr, Path};

/// What the `#[field(..)]` of a field say; several add up.
#[derive(Default)]
pub(crate) struct FieldArgs {
    pub(crate) key: Option<Span>,
    pub(crate) unique: Option<Span>,
    pub(crate) index: Option<Span>,
    pub(crate) default: Option<DefaultArg>,
    pub(crate) created: Option<Span>,
    pub(crate) updated: Option<Span>,
    pub(crate) owner: Option<Span>,
    pub(crate) serde: Option<Span>,
    pub(crate) rules: Vec<RuleArg>,
}

/// `default`, or `default = expr`.
pub(crate) struct DefaultArg {
    /// Of the word `default`.
    pub(crate) span: Span,
    pub(crate) expr: Option<Expr>,
}

/// A rule that values have to keep.
pub(crate) enum RuleArg {
    /// `len = 3..=32`.
    Len(Span, Expr),
    /// `range = 0..=100`.
    Range(Span, Expr),
    /// `matches = "regex"`.
    Matches(Span, LitStr),
    /// `check = path`.
    Check(Span, Path),
}

const KNOWN: &[&str] =
    &["key", "unique", "index", "default", "created", "updated", "owner", "serde", "len", "range", "matches", "check"];

impl FieldArgs {
    /// Adds what one `#[field(..)]` says.
    pub(crate) fn add(&mut self, attribute: &Attribute, errors: &mut Errors) {
        each_option(arguments(attribute, errors), errors, |option, _| {
            let span = option.name.span();
            let flag = match option.name.to_string().as_str() {
                "key" => &mut self.key,
                "unique" => &mut self.unique,
                "index" => &mut self.index,
                "created" => &mut self.created,
                "updated" => &mut self.updated,
                "owner" => &mut self.owner,
                "serde" => &mut self.serde,
                "default" => {
                    let expr = if option.has_value() { Some(option.value("..")?.parse()?) } else { None };
                    return option.once(&mut self.default, DefaultArg { span, expr });
                }
                word @ ("len" | "range" | "matches" | "check") => {
                    let rule = match word {
                        "len" => RuleArg::Len(span, option.value("1..=200")?.parse()?),
                        "range" => RuleArg::Range(span, option.value("0..=100")?.parse()?),
                        "matches" => {
                            let input = option.value("\"^[a-z]+$\"")?;
                            if !input.peek(LitStr) {
                                return Err(input.error("expected a regular expression between quotes"));
                            }
                            RuleArg::Matches(span, input.parse()?)
                        }
                        _ => RuleArg::Check(span, option.value("path::to::function")?.parse()?),
                    };
                    // several checks are fine, several lengths are not
                    let twice = |other: &RuleArg| std::mem::discriminant(other) == std::mem::discriminant(&rule);
                    if word != "check" && self.rules.iter().any(twice) {
                        return Err(option.error(format!("`{word}` stands twice: write it once")));
                    }
                    self.rules.push(rule);
                    return Ok(());
                }
                _ => return Err(option.unknown("field", KNOWN)),
            };
            // set even if it has a value too many: what it says is clear
            option.once(flag, span)?;
            option.flag()
        });
    }
}
