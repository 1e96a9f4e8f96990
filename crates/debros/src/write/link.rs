//! Linking and unlinking the rows of a many_to_many.

use super::operation::LinkRow;
use crate::{Session, WriteError};
use debros_core::{Linkable, Model as _, ModelOf, Row};

/// The link between two rows.
pub(crate) fn link_row<W: Row, R: Linkable, T>(session: &Session, from: &W, to: &T) -> Result<LinkRow, WriteError>
where
    R::Target: ModelOf<T>,
{
    let model = W::Model::DEF;
    let (from, to) = (from.row().key()?, R::Target::of(to).key()?);
    let registry = &session.db().stores().registry;
    if !registry.knows(model) {
        return Err(WriteError::UnknownModel { model: model.name });
    }
    let link = registry.link(model, R::NAME);
    let link = link.ok_or_else(|| WriteError::NoLinks { model: model.name, relation: R::NAME })?;
    let (left, right) = if link.inverse { (to, from) } else { (from, to) };
    Ok(LinkRow { link, name: format!("{}.{}", model.name, R::NAME), left, right })
}
