//! What the struct of a model does with its records: defaults, hooks and rules.

use super::operation::{Behaviour, Create};
use crate::{WriteError, keys};
use debros_core::{
    Hook, HookContext, Id, Map, Model, ModelDef, NONCE, Role, Seed, Timestamp, UserId, VERSION, Value, Violations,
};
use debros_orbit::{MAX_DEPTH, MAX_KEY, MAX_WRITTEN};
use debros_query::encode_key;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Behaviour {
    pub(crate) fn of<M: Model>() -> Behaviour {
        Behaviour { change: change::<M>, before_delete: before_delete::<M> }
    }
}

/// What is filled into a new record, and the nonce that ties its id to its creator.
pub(crate) fn seed(user: UserId, now: Timestamp, nonce: [u8; 8]) -> Seed {
    Seed { id: Id::<()>::generate(&user, now, nonce).uuid(), now, user }
}

/// Makes a record: fills it in, runs the hook, checks the rules.
pub(crate) fn create<M: Model>(
    build: impl FnOnce(&Seed) -> M,
    set: &[(&'static str, Value)],
    nonce: [u8; 8],
    context: &HookContext,
) -> Result<(M, Create), WriteError> {
    let model = M::DEF;
    let mut row = build(&seed(context.user, context.now, nonce));
    if !set.is_empty() {
        let mut record = row.encode()?;
        apply(model, &mut record, set);
        row = M::decode(&record).map_err(|source| decode_error(&record, source))?;
    }
    if M::HOOKS {
        let before = row.encode()?;
        run(&mut row, Hook::BeforeCreate, context)?;
        let after = row.encode()?;
        let fixed = |role| matches!(role, Role::GeneratedKey | Role::Owner);
        keep_fixed(model, "before_create", &before, &after, fixed)?;
    }
    validate(&row)?;
    let mut record = row.encode()?;
    let key = row.key()?;
    check_key(model, &key)?;
    let generated = model.key_fields().any(|field| field.role == Role::GeneratedKey);
    if generated {
        record.insert(NONCE, Value::Bytes(nonce.to_vec()));
    }
    check_size(model, &record)?;
    let shard = debros_shard::shard_of_record(model, &record).map_err(|source| WriteError::DagCbor {
        model: model.name,
        key: keys::text(&key),
        source,
    })?;
    Ok((row, Create { model, shard, key, generated, record }))
}

/// Changes a stored record: what is set, what the hook changes, `updated`, and nothing else. Fields that this version of the model
/// does not know stay as they are.
fn change<M: Model>(stored: &Map, set: &[(&'static str, Value)], context: &HookContext) -> Result<Map, WriteError> {
    let model = M::DEF;
    let before = M::decode(stored).map_err(|source| decode_error(stored, source))?;
    let mut record = stored.clone();
    apply(model, &mut record, set);
    for field in model.fields.iter().filter(|field| field.role == Role::Updated) {
        record.insert(model.stored_name(field.name), Value::from(context.now.as_millis()));
    }
    let mut row = M::decode(&record).map_err(|source| decode_error(stored, source))?;
    if M::HOOKS {
        let given = row.encode()?;
        run(&mut row, Hook::BeforeUpdate(&before), context)?;
        let hooked = row.encode()?;
        keep_fixed(model, "before_update", &given, &hooked, |role| !matches!(role, Role::Plain | Role::Updated))?;
        for (name, value) in hooked {
            if given.field(&name) != &value {
                record.insert(name, value);
            }
        }
    }
    validate(&row)?;
    let version = Value::from(model.version);
    if stored.field(VERSION).as_int() < version.as_int() {
        record.insert(VERSION, version);
    }
    check_size(model, &record)?;
    Ok(record)
}

fn before_delete<M: Model>(stored: &Map, context: &HookContext) -> Result<(), WriteError> {
    if M::HOOKS {
        let mut row = M::decode(stored).map_err(|source| decode_error(stored, source))?;
        run(&mut row, Hook::BeforeDelete, context)?;
    }
    Ok(())
}

fn apply(model: &'static ModelDef, record: &mut Map, set: &[(&'static str, Value)]) {
    for (field, value) in set {
        record.insert(model.stored_name(field), value.clone());
    }
}

/// Runs a hook. It may run on the thread that writes for everybody, so its panic must end there.
fn run<M: Model>(row: &mut M, hook: Hook<'_, M>, context: &HookContext) -> Result<(), WriteError> {
    let name = hook.name();
    let refused = |message| WriteError::Hook { model: M::DEF.name, hook: name, message };
    match catch_unwind(AssertUnwindSafe(|| row.hook(hook, context))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(panic) => Err(refused(format!("it panicked: {}", panic_text(&*panic)))),
    }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "without words",
    }
}

/// A hook may change the record, but not whose it is, or which.
fn keep_fixed(
    model: &'static ModelDef,
    hook: &'static str,
    before: &Map,
    after: &Map,
    fixed: impl Fn(Role) -> bool,
) -> Result<(), WriteError> {
    let shard_key = model.sharding.map(|sharding| sharding.key);
    for field in model.fields {
        let name = model.stored_name(field.name);
        let is_fixed = fixed(field.role) || (hook == "before_update" && shard_key == Some(field.name));
        if is_fixed && before.field(name) != after.field(name) {
            let message = format!("it changed `{}`, which no hook may", field.name);
            return Err(WriteError::Hook { model: model.name, hook, message });
        }
    }
    Ok(())
}

fn validate<M: Model>(row: &M) -> Result<(), WriteError> {
    let mut violations = Violations::default();
    match catch_unwind(AssertUnwindSafe(|| row.validate(&mut violations))) {
        Ok(()) => Ok(violations.into_result(M::DEF.name)?),
        Err(panic) => Err(WriteError::Hook {
            model: M::DEF.name,
            hook: "check",
            message: format!("it panicked: {}", panic_text(&*panic)),
        }),
    }
}

fn decode_error(record: &Map, source: debros_core::DecodeError) -> WriteError {
    WriteError::Decode { key: keys::text_of(record), source }
}

/// Refuses keys that OrbitDB takes for none, and those that are too long to sort by.
fn check_key(model: &'static ModelDef, key: &Value) -> Result<(), WriteError> {
    let is_none = match key {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    };
    if is_none {
        return Err(WriteError::NoKey { model: model.name, key: keys::text(key) });
    }
    let bytes = encode_key(model, key).len();
    if bytes > MAX_KEY {
        return Err(WriteError::KeyTooLong { model: model.name, bytes, limit: MAX_KEY });
    }
    Ok(())
}

/// The most bytes of DAG-CBOR that a record may have: with the frame of its entry it is within what a write may have.
pub(crate) const MAX_RECORD: usize = MAX_WRITTEN - 16 * 1024;

/// So many levels of lists and maps may be within each other: an entry adds some of its own.
const DEPTH: usize = MAX_DEPTH - 4;

/// Refuses a record that is larger or deeper than a write may be.
pub(crate) fn check_size(model: &'static ModelDef, record: &Map) -> Result<(), WriteError> {
    let Some(at_most) = at_most(record, DEPTH) else {
        return Err(WriteError::TooDeep { model: model.name, key: keys::text_of(record), limit: DEPTH });
    };
    if at_most <= MAX_RECORD {
        return Ok(());
    }
    let key = keys::text_of(record);
    match Value::from(record.clone()).to_dag_cbor() {
        Ok(bytes) if bytes.len() <= MAX_RECORD => Ok(()),
        Ok(bytes) => Err(WriteError::TooLarge { model: model.name, key, bytes: bytes.len(), limit: MAX_RECORD }),
        Err(source) => Err(WriteError::DagCbor { model: model.name, key, source }),
    }
}

/// No fewer bytes than the DAG-CBOR of this record has, without making it; `None` if it is too deep.
fn at_most(record: &Map, depth: usize) -> Option<usize> {
    fn value_at_most(value: &Value, depth: usize) -> Option<usize> {
        let depth = || depth.checked_sub(1);
        Some(
            9 + match value {
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
                Value::Text(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                Value::List(list) => {
                    let depth = depth()?;
                    list.iter().map(|one| value_at_most(one, depth)).sum::<Option<usize>>()?
                }
                Value::Map(map) => at_most(map, depth()?)?,
                Value::Link(cid) => 8 + cid.encoded_len(),
            },
        )
    }
    let fields = record.iter().map(|(key, one)| Some(9 + key.len() + value_at_most(one, depth)?));
    Some(9 + fields.sum::<Option<usize>>()?)
}

/// Random bytes for generated ids.
pub(crate) fn nonces<const N: usize>() -> Result<[[u8; 8]; N], WriteError> {
    let mut nonces = [[0; 8]; N];
    getrandom::fill(nonces.as_flattened_mut()).map_err(random_error)?;
    Ok(nonces)
}

/// Random bytes for so many generated ids.
pub(crate) fn nonce_list(count: usize) -> Result<Vec<[u8; 8]>, WriteError> {
    let mut nonces = vec![[0; 8]; count];
    getrandom::fill(nonces.as_flattened_mut()).map_err(random_error)?;
    Ok(nonces)
}

fn random_error(error: getrandom::Error) -> WriteError {
    WriteError::store(format!("the operating system gives no random bytes for a new id: {error}"))
}
