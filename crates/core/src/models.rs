//! [`Models`]: the list of models that a database is opened with, checked by the compiler.

use crate::{ModelDef, RelationKind, const_text::ConstText};

/// The models of a database: made by [`models!`](crate::models).
#[derive(Clone, Copy, Debug)]
pub struct Models(&'static [&'static ModelDef]);

impl Models {
    /// These models; use [`models!`](crate::models), which checks the list while the program compiles.
    ///
    /// # Panics
    /// If the list is not complete, see [`Models::check`].
    #[track_caller]
    pub const fn new(models: &'static [&'static ModelDef]) -> Models {
        Models::check(models);
        Models(models)
    }

    /// The schemas.
    pub const fn defs(self) -> &'static [&'static ModelDef] {
        self.0
    }

    /// Checks a list.
    ///
    /// # Panics
    /// If a relation leads to a model that is not in the list, a model stands in it twice, or two have one stored name. In a
    /// constant, that is a compile error.
    #[track_caller]
    pub const fn check(models: &[&ModelDef]) {
        let mut at = 0;
        while at < models.len() {
            let model = models[at];
            let mut before = 0;
            while before < at {
                let other = models[before];
                if ConstText::same(model.path, other.path) {
                    let text = ConstText::new().add("models!: `").add(model.name).add("` is listed twice");
                    panic!("{}", text.as_str())
                }
                if ConstText::same(model.stored, other.stored) {
                    let text = ConstText::new()
                        .add("models!: `")
                        .add(other.path)
                        .add("` and `")
                        .add(model.path)
                        .add("` are both stored as `")
                        .add(model.stored)
                        .add("`: give one of them another name with `#[model(name = \"..\")]`");
                    panic!("{}", text.as_str())
                }
                before += 1;
            }
            let mut relation = 0;
            while relation < model.relations.len() {
                let def = &model.relations[relation];
                match find(models, def.target) {
                    None => {
                        let text = ConstText::new()
                            .add("models!: `")
                            .add(model.name)
                            .add("` has a relation to `")
                            .add(last_segment(def.target))
                            .add("`, which is not in the list");
                        panic!("{}", text.as_str())
                    }
                    Some(target) => check_inverse(model, def.name, def.kind, def.inverse, target),
                }
                relation += 1;
            }
            at += 1;
        }
    }
}

const fn find<'m>(models: &[&'m ModelDef], path: &str) -> Option<&'m ModelDef> {
    let mut at = 0;
    while at < models.len() {
        if ConstText::same(models[at].path, path) {
            return Some(models[at]);
        }
        at += 1;
    }
    None
}

/// An inverse must name a many_to_many of the target that leads back here and is no inverse itself.
#[track_caller]
const fn check_inverse(
    model: &ModelDef,
    relation: &str,
    kind: RelationKind,
    inverse: Option<&'static str>,
    target: &ModelDef,
) {
    let (RelationKind::ManyToMany, Some(inverse)) = (kind, inverse) else { return };
    let mut at = 0;
    while at < target.relations.len() {
        let other = &target.relations[at];
        if ConstText::same(other.name, inverse) {
            if matches!(other.kind, RelationKind::ManyToMany)
                && other.inverse.is_none()
                && ConstText::same(other.target, model.path)
            {
                return;
            }
            break;
        }
        at += 1;
    }
    let text = ConstText::new()
        .add("models!: `")
        .add(model.name)
        .add("::")
        .add(relation)
        .add("` says `inverse = ")
        .add(inverse)
        .add("`, but `")
        .add(target.name)
        .add("` has no `#[many_to_many]` field `")
        .add(inverse)
        .add("` that leads to `")
        .add(model.name)
        .add("`");
    panic!("{}", text.as_str())
}

pub(crate) const fn last_segment(path: &str) -> &str {
    let bytes = path.as_bytes();
    let mut at = bytes.len();
    while at > 0 && bytes[at - 1] != b':' {
        at -= 1;
    }
    match std::str::from_utf8(bytes.split_at(at).1) {
        Ok(name) => name,
        Err(_) => path,
    }
}

/// `models![User, Post]`: the models that a database is opened with. A list that leaves out the target of a relation, names a
/// model twice, or has two models of one stored name does not compile.
#[macro_export]
macro_rules! models {
    ($($model:ty),* $(,)?) => {{
        const MODELS: $crate::Models = $crate::Models::new(&[$(<$model as $crate::Model>::DEF),*]);
        MODELS
    }};
}
