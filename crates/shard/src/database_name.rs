//! [`DatabaseName`]: the name in a database's manifest, from which its address follows.

use std::{fmt, str::FromStr};

/// `debros/1/<app>/<stored name>/<user id in hex or ->/<count>.<shard>/<generation>`
///
/// Together with the access controller it determines the address of a database, so that any peer who knows these derives
/// it: there is no directory that someone could seize.
///
/// ```
/// use debros_shard::DatabaseName;
///
/// let name = DatabaseName::global("blog", "Tag");
/// assert_eq!(name.to_string(), "debros/1/blog/Tag/-/1.0/0");
/// assert_eq!("debros/1/blog/Tag/-/1.0/0".parse::<DatabaseName>().unwrap(), name);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatabaseName {
    /// The application.
    pub app: String,
    /// The stored name of the model; of a model's links, `Model.field`; `!access` for the application's admins, `!users` for its users.
    pub stored: String,
    /// The user id in hex whose database it is; `None` for a global one.
    pub user: Option<String>,
    /// How many shards the model has.
    pub count: u32,
    /// Which of them this is, from 0.
    pub shard: u32,
    /// Grows with compaction only.
    pub generation: u32,
}

/// The stored name of the database that says who an application's admins are.
pub const ACCESS: &str = "!access";

/// The stored name of the database in which an application's users announce themselves.
pub const USERS: &str = "!users";

impl DatabaseName {
    /// The unsharded global database of a model.
    pub fn global(app: &str, stored: &str) -> DatabaseName {
        DatabaseName { app: app.to_owned(), stored: stored.to_owned(), user: None, count: 1, shard: 0, generation: 0 }
    }

    /// The same database for one user.
    #[must_use]
    pub fn of_user(mut self, user: impl Into<String>) -> DatabaseName {
        self.user = Some(user.into());
        self
    }

    /// The same database, divided.
    #[must_use]
    pub fn shard(mut self, shard: u32, count: u32) -> DatabaseName {
        (self.shard, self.count) = (shard, count);
        self
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DatabaseName { app, stored, user, count, shard, generation } = self;
        let user = user.as_deref().unwrap_or("-");
        write!(f, "debros/1/{app}/{stored}/{user}/{count}.{shard}/{generation}")
    }
}

/// A name that no debros database carries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a debros database: expected `debros/1/<app>/<model>/<user or ->/<count>.<shard>/<generation>`"
)]
pub struct NotADatabaseName(pub String);

impl FromStr for DatabaseName {
    type Err = NotADatabaseName;

    fn from_str(text: &str) -> Result<DatabaseName, NotADatabaseName> {
        let parts: Vec<&str> = text.split('/').collect();
        let parse = || {
            let ["debros", "1", app, stored, user, shards, generation] = parts[..] else { return None };
            let (count, shard) = shards.split_once('.')?;
            let name = DatabaseName {
                app: app.to_owned(),
                stored: stored.to_owned(),
                user: (user != "-").then(|| user.to_owned()),
                count: count.parse().ok()?,
                shard: shard.parse().ok()?,
                generation: generation.parse().ok()?,
            };
            // the text must be the one that this name has: no leading zeros or signs
            (is_name(app)
                && (is_name(stored) || [ACCESS, USERS].contains(&stored))
                && name.shard < name.count
                && name.to_string() == text)
                .then_some(name)
        };
        parse().ok_or_else(|| NotADatabaseName(text.to_owned()))
    }
}

/// May this be the name of an application or the stored name of a model: 1 to 64 of `A-Z a-z 0-9 _ . -`?
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back() {
        let name = DatabaseName::global("blog", "Post").of_user("02ab").shard(3, 8);
        assert_eq!(name.to_string(), "debros/1/blog/Post/02ab/8.3/0");
        assert_eq!(name.to_string().parse(), Ok(name));
        for stored in [ACCESS, USERS] {
            let name = DatabaseName::global("blog", stored);
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "blog",
            "debros/2/a/B/-/1.0/0",
            "debros/1/a/B/-/1.1/0",
            "debros/1/a/B/-/01.0/0",
            "debros/1/a b/B/-/1.0/0",
            "debros/1/a/B/-/1.0/0/",
        ] {
            assert!(text.parse::<DatabaseName>().is_err(), "{text}");
        }
    }
}
