//! Predicates through relations.

use crate::{
    Loader,
    children::{ChildScan, Rows},
    edge::{Edge, Way, named_key},
    loader::reach,
};
use debros_core::{Expr, Map, Quantifier, RelationKind};
use debros_query::{DatabaseId, QueryError, RelatedExpr};

impl Loader<'_> {
    pub(crate) fn related_holds(
        &self,
        related: RelatedExpr<'_>,
        database: DatabaseId,
        record: &Map,
    ) -> Result<bool, QueryError> {
        let RelatedExpr { model, relation, quantifier, expr, mine } = related;
        let edge = Edge::new(self.registry, model, relation)?;
        // what every row for which the predicate holds has in common may choose the index; of `all`, the others are looked for
        let hint = if quantifier == Quantifier::All { &Expr::Always } else { expr };
        for row in self.related_rows(edge, database, record, mine, hint)? {
            let holds = self.test(edge.target, expr, &*row?)?;
            match quantifier {
                Quantifier::Is | Quantifier::Any if holds => return Ok(true),
                Quantifier::All if !holds => return Ok(false),
                Quantifier::None if holds => return Ok(false),
                _ => {}
            }
        }
        Ok(matches!(quantifier, Quantifier::All | Quantifier::None))
    }

    /// The rows that a relation of one row leads to, in any order, at least those for which `hint` holds. A `has_one` has one.
    fn related_rows(
        &self,
        edge: Edge,
        database: DatabaseId,
        record: &Map,
        mine: bool,
        hint: &Expr,
    ) -> Result<Rows<'_>, QueryError> {
        match edge.way {
            Way::Parent => {
                let Some(key) = named_key(edge.from, edge.relation.keys, record) else {
                    return Ok(Box::new(std::iter::empty()));
                };
                let parent = self.meant(edge.target, &key, self.referrer(edge.target, database)?)?;
                match parent {
                    Some(parent) if !mine || self.is_mine(parent.database)? => {
                        Ok(Box::new(std::iter::once(Ok(parent))))
                    }
                    _ => Ok(Box::new(std::iter::empty())),
                }
            }
            Way::Children if edge.relation.kind == RelationKind::HasOne => {
                let scan =
                    ChildScan::new(edge.target, edge.relation.keys, &Expr::Always, Some(&[]), Some(1), reach(mine))?;
                let children = self.children(&scan, edge.from, database, record)?;
                Ok(Box::new(scan.in_order(children, Some(1))?.take(1)))
            }
            Way::Children => {
                let scan = ChildScan::new(edge.target, edge.relation.keys, hint, None, None, reach(mine))?;
                self.children(&scan, edge.from, database, record)
            }
            Way::Links(table) => self.linked_rows(table, database, record.clone(), mine),
        }
    }
}
