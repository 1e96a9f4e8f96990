//! Applying operations in a job of the writer.

use super::operation::{Change, Create, Delete, DeleteAll, Done, LinkRow, Operation, Update, UpdateAll};
use crate::{
    WriteError, keys,
    registry::Required,
    source::{self, NodeSource},
    stores::{Key, Referrers, Rows, Stored, Stores},
    write::Target,
};
use debros_core::{
    HookContext, ID, LEFT, Map, ModelDef, RIGHT, RelationKind, Scope, StoreKind, UserId, VERSION, Value, Writers,
    commits, composite_key,
};
use debros_orbit::{DatabaseId, Document, Identity, Payload, ReadDocuments as _, ReadError, Writer};
use debros_query::{Answered, End, Executor, QueryError, QuerySpec, Reach, encode_key, successor};
use debros_relation::Loader;
use debros_shard::{Opening, Place};
use std::collections::HashSet;

/// The most rows that an `update_all` or `delete_all` changes. They are one commit, which is held in memory, and while it is made
/// no other write gets its turn.
pub(crate) const MAX_ROWS: usize = 100_000;

/// So many parents that are there are remembered within a job.
const KNOWN_PARENTS: usize = 10_000;

/// What a job did.
pub(crate) struct Applied {
    pub(crate) done: Vec<Done>,
    pub(crate) opened: Vec<(Place, DatabaseId)>,
    /// The databases that hold what was written.
    pub(crate) written: Vec<DatabaseId>,
}

/// Applies operations one after the other. Each sees what those before it did; if one fails, the job leaves nothing behind.
pub(crate) fn apply(
    writer: &mut Writer<'_>,
    stores: &Stores,
    identity: &Identity,
    context: HookContext,
    operations: Vec<Operation>,
) -> Result<Applied, WriteError> {
    let opening = Opening::new(&stores.databases);
    let mut applying = Applying { writer, stores, opening, identity, context, parents: HashSet::new() };
    let done = operations.into_iter().map(|operation| applying.operation(operation)).collect::<Result<_, _>>()?;
    let written = applying.writer.written().collect();
    Ok(Applied { done, opened: applying.opening.into_opened(), written })
}

struct Applying<'a, 'w> {
    writer: &'a mut Writer<'w>,
    stores: &'a Stores,
    opening: Opening<'a>,
    identity: &'a Identity,
    context: HookContext,
    /// Parents that are known to be there: of which model, under which key, as seen from whose store.
    parents: HashSet<(&'static str, Vec<u8>, Option<UserId>)>,
}

impl<'w> Applying<'_, 'w> {
    fn rows(&self) -> Rows<'_, Writer<'w>> {
        Rows { stores: self.stores, state: &*self.writer, opening: Some(&self.opening) }
    }

    fn user(&self) -> &UserId {
        &self.context.user
    }

    fn operation(&mut self, operation: Operation) -> Result<Done, WriteError> {
        match operation {
            Operation::Create(create) => self.create(create),
            Operation::Update(Update { model, target, change }) => {
                let row = self.update(model, &target, &change)?;
                Ok(Done { rows: vec![row], count: 1 })
            }
            Operation::Delete(Delete { model, target, behaviour }) => {
                let before =
                    self.delete(model, &target, |record, context| (behaviour.before_delete)(record, context))?;
                self.check_children(model, &before)?;
                Ok(Done { rows: vec![(Some(before.document.record), None)], count: 1 })
            }
            Operation::Link(link) => self.link(link),
            Operation::Unlink(link) => self.unlink(link),
            Operation::UpdateAll(all) => self.update_all(all),
            Operation::DeleteAll(all) => self.delete_all(all),
        }
    }

    // ---- one record

    fn create(&mut self, create: Create) -> Result<Done, WriteError> {
        let Create { model, shard, key, generated, record } = create;
        self.check_writer(model)?;
        let place = self.place(model, shard)?;
        // nobody else can have made the id of this record
        if !generated && self.rows().get(model, Some(self.user()), &Key::of(model, &key), Some(shard))?.is_some() {
            return Err(WriteError::KeyTaken { model: model.name, key: keys::text(&key) });
        }
        let database = self.rows().find(&place)?;
        if let Some(database) = database {
            self.check_unique(model, database, &key, None, &record)?;
        }
        self.check_parents(model, place.user.as_ref(), None, &record)?;
        let database = match database {
            Some(database) => database,
            None => self.opening.create(self.writer, &place)?,
        };
        match model.store {
            StoreKind::Documents => self.writer.put(database, self.identity, record)?,
            StoreKind::Events => self.writer.append(database, self.identity, Payload::add(Value::Map(record)))?,
        };
        Ok(Done { rows: Vec::new(), count: 1 })
    }

    /// Changes a stored record; gives what was stored, and what is.
    fn update(
        &mut self,
        model: &'static ModelDef,
        target: &Target,
        change: &Change,
    ) -> Result<(Option<Map>, Option<Map>), WriteError> {
        let stored = self.own(model, target)?;
        let before = stored.document.record;
        let after = (change.behaviour.change)(&before, &change.set, &self.context)?;
        if after == before {
            return Ok((Some(before), Some(after)));
        }
        self.check_unique(model, stored.database, &target.key, Some(&before), &after)?;
        self.check_parents(model, stored.owner.as_ref(), Some(&before), &after)?;
        self.writer.put(stored.database, self.identity, after.clone())?;
        Ok((Some(before), Some(after)))
    }

    /// Deletes a record with this user's own links; gives what was stored. Whether rows require it is checked afterwards.
    fn delete(
        &mut self,
        model: &'static ModelDef,
        target: &Target,
        hook: impl FnOnce(&Map, &HookContext) -> Result<(), WriteError>,
    ) -> Result<Stored, WriteError> {
        let stored = self.own(model, target)?;
        hook(&stored.document.record, &self.context)?;
        self.delete_links(model, &target.key)?;
        self.parents.clear();
        self.writer.del(stored.database, self.identity, target.key.clone())?;
        Ok(stored)
    }

    fn place(&self, model: &'static ModelDef, shard: u32) -> Result<Place, WriteError> {
        Place::new(model, Some(self.user()), shard).ok_or_else(|| WriteError::store("a session without a user"))
    }

    /// The record that is meant, if this user may change it.
    fn own(&self, model: &'static ModelDef, target: &Target) -> Result<Stored, WriteError> {
        self.check_writer(model)?;
        let key = Key::of(model, &target.key);
        let Some(stored) = self.rows().get(model, Some(self.user()), &key, Some(target.shard))? else {
            return Err(self.not_own(model, &target.key)?);
        };
        if model.scope == Scope::Global(Writers::Owner) && !commits(&stored.document.record, self.user()) {
            return Err(not_yours(model.name, &target.key, &stored.document)?);
        }
        Ok(stored)
    }

    /// Why a record is not among those of this user.
    fn not_own(&self, model: &'static ModelDef, key: &Value) -> Result<WriteError, WriteError> {
        if model.is_user_scoped() {
            for (database, _) in self.rows().holders(model, &encode_key(model, key))? {
                if let Some(owner) = self.rows().owner(database)? {
                    return Ok(WriteError::NotYours { model: model.name.to_owned(), key: keys::text(key), owner });
                }
            }
        }
        Ok(WriteError::NotFound { model: model.name, key: keys::text(key) })
    }

    // ---- what must hold

    /// May this user write this model at all?
    fn check_writer(&self, model: &'static ModelDef) -> Result<(), WriteError> {
        if !self.stores.registry.knows(model) {
            return Err(WriteError::UnknownModel { model: model.name });
        }
        let admins = model.scope == Scope::Global(Writers::Admins);
        if admins && !self.stores.databases.application().is_admin(self.user()) {
            return Err(WriteError::NotAllowed {
                model: model.name.to_owned(),
                writers: "the application's admins",
                user: *self.user(),
            });
        }
        Ok(())
    }

    /// Are the record's values of unique fields free? Only those that changed are looked up.
    fn check_unique(
        &self,
        model: &'static ModelDef,
        database: DatabaseId,
        key: &Value,
        before: Option<&Map>,
        record: &Map,
    ) -> Result<(), WriteError> {
        for (at, index) in model.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
            let value = |field: &&'static str| record.field(model.stored_name(field));
            let unchanged = |before: &Map| index.fields.iter().all(|f| before.field(model.stored_name(f)) == value(f));
            if before.is_some_and(unchanged) || index.fields.iter().any(|field| value(field).is_null()) {
                continue;
            }
            let own_key = encode_key(model, key);
            let (values, whole) = keys::index_values(model, index.fields, record);
            let end = successor(&values);
            for row in self.writer.scan_index(database, index_number(at), &values, end.as_deref(), false) {
                let row = row?;
                if row.key() == own_key {
                    continue;
                }
                let other = self.writer.load(row.position)?;
                let same = |field: &&'static str| other.field(model.stored_name(field)) == value(field);
                if whole || index.fields.iter().all(same) {
                    let values: Vec<String> = index.fields.iter().map(|field| quoted(value(field))).collect();
                    return Err(WriteError::Duplicate {
                        model: model.name,
                        fields: index.fields,
                        values: values.join(", "),
                        by: keys::text_of(&other),
                    });
                }
            }
        }
        Ok(())
    }

    /// Are the rows there that the record requires? Only those that it did not name before are looked up. `home` is the user in
    /// whose store the record is.
    fn check_parents(
        &mut self,
        model: &'static ModelDef,
        home: Option<&UserId>,
        before: Option<&Map>,
        record: &Map,
    ) -> Result<(), WriteError> {
        for relation in model.relations {
            if relation.kind != RelationKind::BelongsTo || relation.optional {
                continue;
            }
            let Some(target) = self.stores.registry.get(relation.target) else { continue };
            let key = keys::parent_key(model, relation, record);
            if before.is_some_and(|before| keys::parent_key(model, relation, before) == key) {
                continue;
            }
            // a record may be its own parent
            let found = match &key {
                Some(key) if target.path == model.path && key == record.field(ID) => true,
                Some(key) => self.is_there(target, key, home)?,
                None => false,
            };
            if !found {
                return Err(WriteError::MissingParent {
                    model: model.name,
                    relation: relation.name,
                    target: target.name,
                    key: key.as_ref().map_or_else(|| "null".to_owned(), keys::text),
                });
            }
        }
        Ok(())
    }

    /// Is the row there that a reference means which stands in the store of the user `home`?
    fn is_there(&mut self, model: &'static ModelDef, key: &Value, home: Option<&UserId>) -> Result<bool, WriteError> {
        let key = Key::of(model, key);
        let known = (model.path, key.bytes.clone(), home.filter(|_| model.is_user_scoped()).copied());
        if self.parents.contains(&known) {
            return Ok(true);
        }
        let found = self.rows().locate(model, &key, Reach::Everywhere, home)?.is_some();
        if found && self.parents.len() < KNOWN_PARENTS {
            self.parents.insert(known);
        }
        Ok(found)
    }

    /// Does no row that is left require the deleted one?
    fn check_children(&self, model: &'static ModelDef, deleted: &Stored) -> Result<(), WriteError> {
        let required_by = self.stores.registry.required_by(model);
        if required_by.is_empty() {
            return Ok(());
        }
        let referrers = self.rows().referrers(model, deleted)?;
        for required in required_by {
            if let Some(child) = self.child(model, &deleted.document.record, referrers, required)? {
                return Err(WriteError::StillRequired {
                    model: model.name,
                    key: keys::text_of(&deleted.document.record),
                    by: required.child.name,
                    relation: required.relation.name,
                    child,
                    stays: required.child.store == StoreKind::Events,
                });
            }
        }
        Ok(())
    }

    /// The key of a row that requires this record.
    fn child(
        &self,
        parent: &'static ModelDef,
        record: &Map,
        referrers: Referrers,
        required: &Required,
    ) -> Result<Option<String>, WriteError> {
        let Required { child, relation, index } = *required;
        let home = match referrers {
            Referrers::Anyone => None,
            // references of global rows do not mean it
            Referrers::Only(user) if child.is_user_scoped() => Some(user),
            Referrers::Only(_) | Referrers::Nobody => return Ok(None),
        };
        let start = keys::parent_values(child, relation, parent, record);
        let end = successor(&start);
        let rows: Vec<debros_orbit::RowRefs<'_>> = match (index, home) {
            (Some(index), None) if child.is_user_scoped() => {
                vec![self.writer.scan_family(&self.stores.family(child), Some(index), &start, end.as_deref(), false)]
            }
            (None, None) if child.is_user_scoped() => {
                vec![self.writer.scan_family(&self.stores.family(child), None, &[], None, false)]
            }
            _ => {
                let databases = self.rows().of_user(child, home.as_ref())?;
                let scan = |database| match index {
                    Some(index) => self.writer.scan_index(database, index, &start, end.as_deref(), false),
                    None => self.writer.scan_keys(database, &[], None, false),
                };
                databases.into_iter().map(scan).collect()
            }
        };
        let key = record.field(ID);
        for row in rows.into_iter().flatten() {
            let other = self.writer.load(row?.position)?;
            // long values are cut in an index
            if keys::parent_key(child, relation, &other).as_ref() == Some(key) {
                return Ok(Some(keys::text_of(&other)));
            }
        }
        Ok(None)
    }

    // ---- links

    fn link(&mut self, row: LinkRow) -> Result<Done, WriteError> {
        let LinkRow { link, name, left, right } = &row;
        let end = |model: &'static ModelDef, key: &Value| {
            let found = self.rows().locate(model, &Key::of(model, key), Reach::Everywhere, Some(self.user()))?;
            found.ok_or_else(|| WriteError::NotFound { model: model.name, key: keys::text(key) })
        };
        let (left_row, right_row) = (end(link.left, left)?, end(link.right, right)?);
        if !self.counts(&row, self.user(), &left_row, &right_row) {
            let key = composite_key(&[left.clone(), right.clone()]);
            return Err(match left_row.owner.or(right_row.owner) {
                Some(owner) => WriteError::NotYours { model: name.clone(), key, owner },
                None if link.left.scope == Scope::Global(Writers::Admins) => WriteError::NotAllowed {
                    model: name.clone(),
                    writers: "the application's admins",
                    user: *self.user(),
                },
                None => not_yours(name, &Value::from(key), &left_row.document)?,
            });
        }
        let place = self.place(link.links, 0)?;
        let key = Value::from(composite_key(&[left.clone(), right.clone()]));
        let database = self.opening.create(self.writer, &place)?;
        if self.writer.get(database, &encode_key(link.links, &key))?.is_some() {
            return Ok(Done::default());
        }
        let record = Map::from_iter([
            (ID, key),
            (VERSION, Value::from(link.links.version)),
            (LEFT, row.left),
            (RIGHT, row.right),
        ]);
        self.writer.put(database, self.identity, record)?;
        Ok(Done { rows: Vec::new(), count: 1 })
    }

    fn unlink(&mut self, row: LinkRow) -> Result<Done, WriteError> {
        let LinkRow { link, name, left, right } = &row;
        let text = composite_key(&[left.clone(), right.clone()]);
        let key = Value::from(text.as_str());
        let bytes = encode_key(link.links, &key);
        if let Some(database) = self.rows().find(&self.place(link.links, 0)?)?
            && self.writer.get(database, &bytes)?.is_some()
        {
            self.writer.del(database, self.identity, key)?;
            return Ok(Done { rows: Vec::new(), count: 1 });
        }
        // a link that is another's, and shown, is not this user's to take away
        let rows = self.rows();
        for (database, _) in rows.holders(link.links, &bytes)? {
            let Some(owner) = rows.owner(database)? else { continue };
            let end = |model, key| rows.locate(model, &Key::of(model, key), Reach::Everywhere, Some(&owner));
            if let (Some(left), Some(right)) = (end(link.left, left)?, end(link.right, right)?)
                && self.counts(&row, &owner, &left, &right)
            {
                return Err(WriteError::NotYours { model: name.clone(), key: text, owner });
            }
        }
        Ok(Done::default())
    }

    /// Is a link that this user makes shown? If the user owns one of its ends; between global models, if the user may write the
    /// left one.
    fn counts(&self, row: &LinkRow, user: &UserId, left: &Stored, right: &Stored) -> bool {
        let link = row.link;
        if link.left.is_user_scoped() || link.right.is_user_scoped() {
            return left.owner == Some(*user) || right.owner == Some(*user);
        }
        match link.left.scope {
            Scope::Global(Writers::Anyone) | Scope::User => true,
            Scope::Global(Writers::Admins) => self.stores.databases.application().is_admin(user),
            Scope::Global(Writers::Owner) => commits(&left.document.record, user),
        }
    }

    /// Deletes this user's own links of a row.
    fn delete_links(&mut self, model: &'static ModelDef, key: &Value) -> Result<(), WriteError> {
        for end in self.stores.registry.link_ends(model) {
            let Some(database) = self.rows().find(&self.place(end.links, 0)?)? else { continue };
            let Some(index) = end.links.indexes.iter().position(|index| index.fields == [end.side]) else { continue };
            let record = Map::from_iter([(end.side, key.clone())]);
            let (start, _) = keys::index_values(end.links, &[end.side], &record);
            let end_of = successor(&start);
            let mut links = Vec::new();
            for row in self.writer.scan_index(database, index_number(index), &start, end_of.as_deref(), false) {
                let link = self.writer.load(row?.position)?;
                if link.field(end.side) == key {
                    links.push(link.field(ID).clone());
                }
            }
            for link in links {
                self.writer.del(database, self.identity, link)?;
            }
        }
        Ok(())
    }

    // ---- what a query finds

    fn update_all(&mut self, all: UpdateAll) -> Result<Done, WriteError> {
        let model = all.query.model;
        let mut done = Done::default();
        for target in self.found(all.query)? {
            done.rows.push(self.update(model, &target, &all.change)?);
            done.count += 1;
        }
        Ok(done)
    }

    fn delete_all(&mut self, all: DeleteAll) -> Result<Done, WriteError> {
        let model = all.query.model;
        let mut deleted = Vec::new();
        for target in self.found(all.query)? {
            deleted
                .push(self.delete(model, &target, |record, context| (all.behaviour.before_delete)(record, context))?);
        }
        // rows that require each other go together
        for row in &deleted {
            self.check_children(model, row)?;
        }
        let count = deleted.len() as u64;
        Ok(Done { rows: deleted.into_iter().map(|row| (Some(row.document.record), None)).collect(), count })
    }

    /// The rows that a query gives, in the state that this job has made so far.
    fn found(&self, mut query: QuerySpec) -> Result<Vec<Target>, WriteError> {
        let model = query.model;
        self.check_writer(model)?;
        if query.limit.is_none_or(|limit| limit > MAX_ROWS) {
            query.limit = Some(MAX_ROWS + 1);
        }
        let source = NodeSource::within(self.stores, &*self.writer, &self.opening, *self.user());
        let loader = Loader::new(&source, self.stores.registry.queries(), Some(*self.user()));
        let outcome = Executor::new(&source, &loader).run(&query, &End::Rows)?;
        let Answered::Rows(rows) = outcome.found else {
            return Err(WriteError::store("a query for rows was answered with something else"));
        };
        if rows.len() > MAX_ROWS {
            return Err(WriteError::TooMany { model: model.name, limit: MAX_ROWS });
        }
        let target = |record: &Map| {
            let key = record.field(ID).clone();
            match debros_shard::shard_of_record(model, record) {
                Ok(shard) => Ok(Target { key, shard }),
                Err(source) => Err(WriteError::DagCbor { model: model.name, key: keys::text(&key), source }),
            }
        };
        rows.iter().map(|row| target(&row.record)).collect()
    }
}

fn index_number(at: usize) -> u16 {
    // `Registry` refuses models with more
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn not_yours(model: &str, key: &Value, document: &Document) -> Result<WriteError, WriteError> {
    let owner = document.first_author.parse().map_err(WriteError::store)?;
    Ok(WriteError::NotYours { model: model.to_owned(), key: keys::text(key), owner })
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Float(float) => float.to_string(),
        other => keys::text(other),
    }
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> WriteError {
        match source::error(error) {
            debros_query::SourceError::Closed => WriteError::Closed,
            other => WriteError::Query(QueryError::Source(other)),
        }
    }
}
