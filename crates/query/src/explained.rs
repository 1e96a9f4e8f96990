//! [`Explained`]: how a query is answered.

use crate::{
    Order, QuerySpec, Start,
    plan::{self, Access, Databases, Plan, Scan},
    predicate::Shown,
};
use debros_core::{Expr, IncludeSpec, ModelDef, SortKey};
use std::fmt;

/// How a query is answered: what `.explain(..)` gives. As text it is a short list for people.
///
/// ```text
/// Post, in 1 database
/// - rows: by the index (published, created_at), backwards; published is fixed
/// - checked on each: title contains "rust"
/// - order: created_at desc; as the rows come
/// - at most 20 rows
/// - with: author; comments (created_at desc, 3 each, with author)
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explained {
    /// The model's name.
    pub model: &'static str,
    /// How many databases are read.
    pub databases: usize,
    /// Are they read by one scan over all of them?
    pub one_scan: bool,
    /// How the rows are found.
    pub lookup: Lookup,
    /// What is checked on each row that is found; [`Expr::Always`]: nothing.
    pub check: Expr,
    /// The order asked for.
    pub order: Vec<SortKey>,
    /// How the rows get into it.
    pub sorting: Sorting,
    /// At most how many rows there are.
    pub limit: Option<usize>,
    /// What is loaded with each.
    pub includes: Vec<IncludeSpec>,
}

/// How the rows of a query are found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Lookup {
    /// No row can match, so nothing is read.
    Nothing,
    /// The row of one key.
    Key,
    /// The rows that this relation leads to, by its links.
    Relation(&'static str),
    /// Through an index, or by key; several: the rows that any of them finds.
    Scans(Vec<IndexUse>),
}

/// One index, and what of it is read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IndexUse {
    /// The fields of the index; none: rows by key.
    pub fields: &'static [&'static str],
    /// The fields that the filter gives a value, or one of several.
    pub fixed: Vec<&'static str>,
    /// The field that the filter gives a range.
    pub range: Option<&'static str>,
    /// How many parts of it are read in each database.
    pub spans: usize,
    /// Is it read backwards?
    pub backwards: bool,
}

/// How the rows of a query get into its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sorting {
    /// No order was asked for.
    Unasked,
    /// They come in it.
    AsFound,
    /// They come in the order of the first columns, this many; those that tie in them are sorted.
    Ties(usize),
    /// They are sorted in memory: as many of them as the limit lets through.
    InMemory,
}

impl Explained {
    pub(crate) fn of_plan(spec: &QuerySpec, plan: &Plan) -> Explained {
        let index_use = |scan: &Scan| {
            let bound = scan.bound_fields();
            IndexUse {
                fields: scan.fields(plan.model),
                fixed: bound[..scan.points].to_vec(),
                range: bound.get(scan.points).copied(),
                spans: scan.spans.len(),
                backwards: plan.reverse,
            }
        };
        Explained {
            one_scan: matches!(plan.databases, Databases::Everywhere(_)),
            databases: plan.databases.len(),
            lookup: match &plan.access {
                Access::Nothing => Lookup::Nothing,
                access => Lookup::Scans(access.scans().into_iter().map(index_use).collect()),
            },
            check: plan.residual.clone(),
            order: order(spec.model, &plan.order),
            sorting: match plan.sorting {
                plan::Sorting::Unneeded => Sorting::Unasked,
                plan::Sorting::Given => Sorting::AsFound,
                plan::Sorting::Ties(columns) => Sorting::Ties(columns + plan.order.columns.len() - plan.columns.len()),
                plan::Sorting::Memory => Sorting::InMemory,
            },
            ..Explained::new(spec)
        }
    }

    pub(crate) fn of_rows(spec: &QuerySpec, check: &Expr, by: &Order, ordered: bool) -> Explained {
        Explained {
            lookup: match &spec.start {
                Start::Related { relation, .. } => Lookup::Relation(relation),
                _ => Lookup::Key,
            },
            check: check.clone(),
            order: order(spec.model, by),
            sorting: match (&spec.start, ordered) {
                (_, false) => Sorting::Unasked,
                (Start::Key(_), true) => Sorting::AsFound,
                _ => Sorting::InMemory,
            },
            ..Explained::new(spec)
        }
    }

    fn new(spec: &QuerySpec) -> Explained {
        Explained {
            model: spec.model.name,
            databases: 1,
            one_scan: false,
            lookup: Lookup::Nothing,
            check: Expr::Always,
            order: Vec::new(),
            sorting: Sorting::Unasked,
            limit: spec.limit,
            includes: spec.includes.clone(),
        }
    }
}

/// The columns of an order, with the key where it was asked for.
fn order(model: &'static ModelDef, order: &Order) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> =
        order.columns.iter().map(|column| SortKey { field: column.field, descending: column.descending }).collect();
    if keys.is_empty()
        && let [at] = model.key
    {
        keys.push(SortKey { field: model.fields[*at].name, descending: order.descending });
    }
    keys
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, in {} database{}", self.model, self.databases, if self.databases == 1 { "" } else { "s" })?;
        if self.one_scan {
            f.write_str(", by one scan over all of them")?;
        }
        match &self.lookup {
            Lookup::Nothing => f.write_str("\n- rows: none can match, nothing is read")?,
            Lookup::Key => f.write_str("\n- rows: the one of this key")?,
            Lookup::Relation(relation) => write!(f, "\n- rows: those that `{relation}` leads to")?,
            Lookup::Scans(scans) => {
                for (at, scan) in scans.iter().enumerate() {
                    write!(f, "\n- {}: {scan}", if at == 0 { "rows" } else { "and" })?;
                }
            }
        }
        if self.check != Expr::Always {
            write!(f, "\n- checked on each: {}", Shown(&self.check))?;
        }
        if self.sorting != Sorting::Unasked {
            f.write_str("\n- order: ")?;
            columns(f, &self.order)?;
            match self.sorting {
                Sorting::Unasked => {}
                Sorting::AsFound => f.write_str("; as the rows come")?,
                Sorting::Ties(1) => f.write_str("; rows that tie in the first column are sorted")?,
                Sorting::Ties(columns) => write!(f, "; rows that tie in the first {columns} columns are sorted")?,
                Sorting::InMemory => match self.limit {
                    Some(limit) => write!(f, "; sorted in memory, the first {limit} at a time")?,
                    None => f.write_str("; sorted in memory")?,
                },
            }
        }
        if let Some(limit) = self.limit {
            write!(f, "\n- at most {limit} row{}", if limit == 1 { "" } else { "s" })?;
        }
        if !self.includes.is_empty() {
            f.write_str("\n- with: ")?;
            includes(f, &self.includes, "; ")?;
        }
        Ok(())
    }
}

impl fmt::Display for IndexUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fields, self.spans, self.fixed.is_empty() && self.range.is_none()) {
            ([], _, true) => f.write_str("all, by key")?,
            ([], _, false) => f.write_str("by key")?,
            (fields, ..) => write!(f, "by the index ({})", fields.join(", "))?,
        }
        if self.backwards {
            f.write_str(", backwards")?;
        }
        if !self.fixed.is_empty() {
            let verb = if self.fixed.len() == 1 { "is" } else { "are" };
            write!(f, "; {} {verb} fixed", self.fixed.join(" and "))?;
        }
        if let Some(range) = self.range {
            write!(f, "; {range} has a range")?;
        }
        if self.spans != 1 {
            write!(f, "; in {} parts", self.spans)?;
        }
        Ok(())
    }
}

fn columns(f: &mut fmt::Formatter<'_>, keys: &[SortKey]) -> fmt::Result {
    for (at, key) in keys.iter().enumerate() {
        let (comma, direction) = (if at == 0 { "" } else { ", " }, if key.descending { " desc" } else { "" });
        write!(f, "{comma}{}{direction}", key.field)?;
    }
    if keys.is_empty() { f.write_str("key") } else { Ok(()) }
}

fn includes(f: &mut fmt::Formatter<'_>, all: &[IncludeSpec], between: &str) -> fmt::Result {
    for (at, include) in all.iter().enumerate() {
        write!(f, "{}{}", if at == 0 { "" } else { between }, include.relation)?;
        let mut open = " (";
        let mut next = |f: &mut fmt::Formatter<'_>| f.write_str(std::mem::replace(&mut open, ", "));
        if include.mine {
            next(f)?;
            f.write_str("one's own")?;
        }
        if include.filter != Expr::Always {
            next(f)?;
            write!(f, "where {}", Shown(&include.filter))?;
        }
        if !include.order.is_empty() {
            next(f)?;
            columns(f, &include.order)?;
        }
        if let Some(limit) = include.limit {
            next(f)?;
            write!(f, "{limit} each")?;
        }
        if !include.includes.is_empty() {
            next(f)?;
            f.write_str("with ")?;
            includes(f, &include.includes, " and ")?;
        }
        if open == ", " {
            f.write_str(")")?;
        }
    }
    Ok(())
}
