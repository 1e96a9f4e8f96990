//! [`Place`]: which database of an application.

use debros_core::{ModelDef, UserId};
use std::hash::{Hash, Hasher};

/// Which database of an application: a model's, one user's where the model is user-scoped, and which shard.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The model.
    pub model: &'static ModelDef,
    /// Whose it is; `None` for a global model.
    pub user: Option<UserId>,
    /// Which shard, from 0.
    pub shard: u32,
}

impl Place {
    /// The place of a shard of a model: of this user, if the model is user-scoped. `None` if it is, and there is no user.
    pub fn new(model: &'static ModelDef, user: Option<&UserId>, shard: u32) -> Option<Place> {
        match (model.is_user_scoped(), user) {
            (true, None) => None,
            (true, Some(user)) => Some(Place { model, user: Some(*user), shard }),
            (false, _) => Some(Place { model, user: None, shard }),
        }
    }

    fn parts(&self) -> (&'static str, Option<UserId>, u32) {
        (self.model.stored, self.user, self.shard)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Place) -> bool {
        self.parts() == other.parts()
    }
}
impl Eq for Place {}
impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}
