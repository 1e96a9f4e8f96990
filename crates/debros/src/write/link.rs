//! Linking and unlinking the rows of a many_to_many.

use super::operation::LinkRow;
use crate::{Session, WriteError};
use debros_core::{Model as _, Relation, Row};

/// The link between two rows.
pub(crate) fn link_row<W: Row, R: Relation<Source = W::Model>, T: Row<Model = R::Target>>(
    session: &Session,
    from: &W,
    to: &T,
) -> Result<LinkRow, WriteError> {
    let model = W::Model::DEF;
    let (from, to) = (from.row().key()?, to.row().key()?);
    let registry = &session.db().stores().registry;
    if !registry.knows(model) {
        return Err(WriteError::UnknownModel { model: model.name });
    }
    let link = registry.link(model, R::NAME);
    let link = link.ok_or_else(|| WriteError::NoLinks { model: model.name, relation: R::NAME })?;
    let (left, right) = if link.inverse { (to, from) } else { (from, to) };
    Ok(LinkRow { link, name: format!("{}.{}", model.name, R::NAME), left, right })
}
