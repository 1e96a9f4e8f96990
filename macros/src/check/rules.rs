//! The rules of one column: `len`, `range`, `matches`, `check`.

use super::spelling;
use crate::{
    errors::Errors,
    model::{Named, Role, Rule, RuleKind},
    parse::RuleArg,
};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::{Expr, ExprRange, Ident, Lit, RangeLimits, UnOp, parse2, spanned::Spanned as _};

pub(crate) fn check(model: &Ident, named: &Named, role: Role, args: &[RuleArg], errors: &mut Errors) -> Vec<Rule> {
    let name = &named.name;
    let mut rules = Vec::new();
    for arg in args {
        let (span, word, kind) = match arg {
            RuleArg::Len(span, range) => (*span, "len", length(model, range, errors).map(RuleKind::Len)),
            RuleArg::Range(span, range) => {
                let range = if spelling::is_float(&named.ty) && is_of_integers(range) {
                    errors.at(
                        range,
                        format!("`{name}` holds floats, so its bounds are floats: write `{}`", with_points(range)),
                    );
                    None
                } else {
                    bounds(model, range, errors)
                };
                (*span, "range", range.map(RuleKind::Range))
            }
            RuleArg::Matches(span, regex) => {
                let error = regex_syntax::parse(&regex.value()).err();
                if let Some(error) = &error {
                    errors.at(regex, format!("this is no regular expression: {}", reason(error)));
                }
                (*span, "matches", error.is_none().then(|| RuleKind::Matches(regex.clone())))
            }
            RuleArg::Check(span, path) => {
                let path =
                    parse2(spelling::without_self(model, path.to_token_stream())).unwrap_or_else(|_| path.clone());
                (*span, "check", Some(RuleKind::Check(path)))
            }
        };
        if matches!(role, Role::GeneratedKey | Role::Updated | Role::Owner) {
            errors.at_span(
                span,
                format!("`{name}` is filled by debros, so there is nothing to check: leave `{word}` out"),
            );
        } else if let Some(kind) = kind {
            rules.push(Rule { span, text: format!("{word} = {}", text_of(arg)), kind });
        }
    }
    rules
}

/// A range of lengths; a whole number is that length exactly.
fn length(model: &Ident, range: &Expr, errors: &mut Errors) -> Option<TokenStream> {
    if let Some(exact) = number(range) {
        if exact < 0.0 {
            errors.at(range, "a length is not negative");
            return None;
        }
        return Some(quote_spanned!(range.span()=> #range..=#range));
    }
    bounds(model, range, errors)
}

fn bounds(model: &Ident, range: &Expr, errors: &mut Errors) -> Option<TokenStream> {
    match range {
        Expr::Range(ExprRange { start: None, end: None, .. }) => {
            errors.at(range, "this range has no bounds and holds everything: write one, such as `1..=200`");
            return None;
        }
        Expr::Range(ExprRange { start: Some(start), limits, end: Some(end), .. }) => {
            if let (Some(from), Some(to)) = (number(start), number(end))
                && (from > to || (from == to && matches!(limits, RangeLimits::HalfOpen(_))))
            {
                errors.at(range, "this range holds nothing: its first bound is the smaller one");
                return None;
            }
        }
        Expr::Range(_) | Expr::Path(_) => {}
        other => {
            errors.at(other, "expected a range, such as `1..=200`, `1..` or `..=200`");
            return None;
        }
    }
    Some(spelling::without_self(model, range.to_token_stream()))
}

/// Is one of the bounds written as an integer?
fn is_of_integers(range: &Expr) -> bool {
    let Expr::Range(range) = range else { return false };
    [&range.start, &range.end].into_iter().flatten().any(|bound| is_integer(bound))
}

fn is_integer(bound: &Expr) -> bool {
    match bound {
        Expr::Lit(lit) => matches!(&lit.lit, Lit::Int(int) if int.suffix().is_empty()),
        Expr::Unary(unary) => is_integer(&unary.expr),
        _ => false,
    }
}

/// The range as written, with integers made floats.
fn with_points(range: &Expr) -> String {
    let Expr::Range(range) = range else { return String::new() };
    let bound = |bound: &Option<Box<Expr>>| match bound {
        Some(bound) if is_integer(bound) => format!("{}.0", written(bound.to_token_stream())),
        Some(bound) => written(bound.to_token_stream()),
        None => String::new(),
    };
    let dots = if matches!(range.limits, RangeLimits::Closed(_)) { "..=" } else { ".." };
    format!("{}{dots}{}", bound(&range.start), bound(&range.end))
}

/// The value of a literal number, with or without a sign.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse::<u128>().ok().map(|int| int as f64),
            Lit::Float(float) => float.base10_parse().ok(),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => number(&unary.expr).map(|number| -number),
        Expr::Paren(paren) => number(&paren.expr),
        Expr::Group(group) => number(&group.expr),
        _ => None,
    }
}

/// Why a regular expression does not parse, in one line.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// What stands after `=`, as people write it.
fn text_of(arg: &RuleArg) -> String {
    match arg {
        RuleArg::Len(_, expr) | RuleArg::Range(_, expr) => written(expr.to_token_stream()),
        RuleArg::Matches(_, regex) => format!("{:?}", regex.value()),
        RuleArg::Check(_, path) => written(path.to_token_stream()),
    }
}

/// Tokens without the spaces that they are printed with; none are needed between the tokens of ranges and paths.
fn written(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut last_was_word = false;
    for tree in tokens {
        let is_word = matches!(tree, TokenTree::Ident(_) | TokenTree::Literal(_));
        if is_word && last_was_word {
            text.push(' ');
        }
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{ ", " }"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                text.push_str(open);
                text.push_str(&written(group.stream()));
                text.push_str(close);
            }
            other => text.push_str(&other.to_string()),
        }
        last_was_word = is_word;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_rule_reads_as_it_was_written() {
        assert_eq!(written(quote!(3..=32)), "3..=32");
        assert_eq!(written(quote!(-1.5..=Limits::MAX)), "-1.5..=Limits::MAX");
        assert_eq!(written(quote!(crate::rules::is_slug)), "crate::rules::is_slug");
    }
}
