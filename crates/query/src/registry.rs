//! [`Registry`]: the models that a query can reach.

use crate::QueryError;
use debros_core::{ModelDef, RelationDef};
use std::collections::HashMap;

/// The models that a database was opened with, by [`ModelDef::path`].
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_path: HashMap<&'static str, &'static ModelDef>,
}

impl Registry {
    /// A registry of these models.
    pub fn new(models: impl IntoIterator<Item = &'static ModelDef>) -> Registry {
        Registry { by_path: models.into_iter().map(|model| (model.path, model)).collect() }
    }

    /// The model of this path.
    pub fn get(&self, path: &str) -> Option<&'static ModelDef> {
        self.by_path.get(path).copied()
    }

    /// The relation of this name, and the model that it leads to.
    ///
    /// # Errors
    /// If the model has no such relation, or the registry lacks the model that it leads to.
    pub fn relation(
        &self,
        model: &'static ModelDef,
        relation: &str,
    ) -> Result<(&'static RelationDef, &'static ModelDef), QueryError> {
        let found = model
            .relation(relation)
            .ok_or_else(|| QueryError::UnknownRelation { model: model.name, relation: relation.to_owned() })?;
        let target = self.get(found.target).ok_or(QueryError::UnknownModel {
            model: model.name,
            relation: found.name,
            target: found.target,
        })?;
        Ok((found, target))
    }
}

impl FromIterator<&'static ModelDef> for Registry {
    fn from_iter<I: IntoIterator<Item = &'static ModelDef>>(models: I) -> Registry {
        Registry::new(models)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Columns, model};
    use debros_core::Kind;

    #[test]
    fn what_it_lacks_is_named() {
        let post = model(&Columns::new("id", Kind::Text).named("Post").belongs_to("author", "User", "id", false));
        let user = model(&Columns::new("id", Kind::Text).named("User"));
        let lacks = Registry::new([post]);
        let error = lacks.relation(post, "author").unwrap_err();
        assert!(error.to_string().contains("`Post.author` leads to `User`, which is not in the list"), "{error}");
        let error = lacks.relation(post, "editor").unwrap_err();
        assert!(error.to_string().contains("`Post` has no relation `editor`"), "{error}");
        let (relation, target) = [post, user].into_iter().collect::<Registry>().relation(post, "author").unwrap();
        assert_eq!((relation.name, target.name), ("author", "User"));
    }
}
