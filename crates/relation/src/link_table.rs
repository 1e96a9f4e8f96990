//! [`LinkTable`]: where the links of a `many_to_many` are, and what they look like.

use debros_core::{ID, LEFT, Map, ModelDef, RIGHT, RelationDef, VERSION, Value, composite_key};
use debros_query::{QueryError, Registry};

/// Where the links of a `many_to_many` are, seen from one of its ends.
#[derive(Clone, Copy, Debug)]
pub struct LinkTable {
    /// The model of the link rows.
    pub links: &'static ModelDef,
    /// The model at the end where one stands.
    pub here: &'static ModelDef,
    /// The model at the other end.
    pub there: &'static ModelDef,
    /// On which side of a link the rows of `here` are.
    pub side: Side,
}

/// The sides of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That of the model without `inverse`, whose rows a link holds under `l`.
    Left,
    /// That of the model with `inverse`, whose rows a link holds under `r`.
    Right,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    /// The field of a link that holds the key of this side.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Side::Left => LEFT,
            Side::Right => RIGHT,
        }
    }
}

impl LinkTable {
    /// The links of the relation `relation` of `model`.
    ///
    /// # Errors
    /// If the model has no such `many_to_many`, or the registry lacks the model that it leads to.
    pub fn of(registry: &Registry, model: &'static ModelDef, relation: &str) -> Result<LinkTable, QueryError> {
        let (relation, target) = registry.relation(model, relation)?;
        LinkTable::between(model, relation, target)
    }

    pub(crate) fn between(
        model: &'static ModelDef,
        relation: &'static RelationDef,
        target: &'static ModelDef,
    ) -> Result<LinkTable, QueryError> {
        let found = match (relation.links, relation.inverse) {
            (Some(links), _) => Some((links, Side::Left)),
            (None, Some(inverse)) => {
                target.relation(inverse).and_then(|other| other.links).map(|links| (links, Side::Right))
            }
            (None, None) => None,
        };
        match found {
            Some((links, side)) => Ok(LinkTable { links, here: model, there: target, side }),
            None => Err(QueryError::UnknownRelation { model: model.name, relation: relation.name.to_owned() }),
        }
    }

    /// The same links, seen from the other end.
    pub fn reversed(self) -> LinkTable {
        LinkTable { links: self.links, here: self.there, there: self.here, side: self.side.other() }
    }

    /// The model without `inverse`.
    pub fn left(&self) -> &'static ModelDef {
        match self.side {
            Side::Left => self.here,
            Side::Right => self.there,
        }
    }

    /// The key of the link of two rows, given by their keys in stored form: one of `here`, one of `there`.
    pub fn key(&self, here: &Value, there: &Value) -> Value {
        let ends = match self.side {
            Side::Left => [here.clone(), there.clone()],
            Side::Right => [there.clone(), here.clone()],
        };
        Value::from(composite_key(&ends))
    }

    /// The link of two rows as it is stored, given by their keys in stored form: one of `here`, one of `there`.
    pub fn record(&self, here: &Value, there: &Value) -> Map {
        let mut record = Map::with_capacity(4);
        record.insert(self.side.field(), here.clone());
        record.insert(self.side.other().field(), there.clone());
        record.insert(VERSION, self.links.version);
        record.insert(ID, self.key(here, there));
        record
    }

    /// The position in [`ModelDef::indexes`] by which links of a row of `here` are found.
    pub(crate) fn index(&self) -> Option<usize> {
        self.links.indexes.iter().position(|index| index.fields == [self.side.field()])
    }

    /// The key at the other end of a stored link.
    pub(crate) fn there<'r>(&self, link: &'r Map) -> &'r Value {
        link.field(self.side.other().field())
    }

    /// The key at this end of a stored link.
    pub(crate) fn here<'r>(&self, link: &'r Map) -> &'r Value {
        link.field(self.side.field())
    }
}
