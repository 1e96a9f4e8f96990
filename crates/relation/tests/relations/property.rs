//! Generated rows, includes and predicates, compared with nested loops.

use crate::{
    links::link,
    memory::{Memory, user},
    models::{ALL, BOOK, COMMENT, COUNTRY, FLIGHT, PAGE, POST, PROFILE, Row, SHELF, TAG, TEAM, USER, WEATHER, keyed},
    naive::Naive,
    reached::held,
};
use debros_core::{
    Compare, Expr, ID, IncludeSpec, Kind, Map, ModelDef, Quantifier, RawRow, RelationKind, SortKey, UserId, Value,
};
use debros_query::{Answered, Coverage, End, Executor, Found, Order, QuerySpec, Reach, Reached, RelatedExpr, Resolver};
use proptest::prelude::*;

/// Numbers that generated things are made of, one after the other.
struct Dice<'d>(&'d [u16], usize);

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        self.1 += 1;
        match self.0.get(self.1 - 1) {
            Some(number) => *number as usize % sides,
            None => 0,
        }
    }

    fn user(&mut self) -> UserId {
        user(1 + self.roll(3) as u8)
    }
}

const MODELS: [&ModelDef; 12] =
    [&COUNTRY, &USER, &TAG, &TEAM, &PAGE, &WEATHER, &POST, &SHELF, &COMMENT, &PROFILE, &BOOK, &FLIGHT];

fn value(memory: &Memory, dice: &mut Dice<'_>, model: &'static ModelDef, field: &'static str) -> Value {
    let def = model.field(field).unwrap();
    if def.optional && dice.roll(4) == 0 {
        return Value::Null;
    }
    // a key of the model that the field refers to, or one that is nowhere
    let relation = model.relations.iter().find(|r| r.kind == RelationKind::BelongsTo && r.keys == [field]);
    if let Some(relation) = relation {
        let rows = memory.rows(memory.registry.get(relation.target).unwrap());
        if !rows.is_empty() && dice.roll(6) > 0 {
            return rows[dice.roll(rows.len())].record.field(ID).clone();
        }
        return Value::from("00000000-0000-7000-8000-00000000000f");
    }
    match def.kind {
        Kind::Text => Value::from(["a", "b", "c"][dice.roll(3)]),
        _ => Value::from(dice.roll(4) as i64),
    }
}

fn world(dice: &mut Dice<'_>) -> Memory {
    let mut memory = Memory::new([None, Some(user(1)), Some(user(2))][dice.roll(3)]);
    memory.admins.insert(user(1));
    memory.own_first = dice.roll(2) == 0;
    for model in MODELS {
        for n in 0..1 + dice.roll(6) {
            let mut record = Map::new();
            for field in model.fields {
                if field.name == "id" {
                    continue;
                }
                record.insert(field.name, value(&memory, dice, model, field.name));
            }
            let owner = dice.user();
            let row = match model.key {
                [at] if model.fields[*at].kind == Kind::Id => {
                    let record = memory.create(Row(record), owner);
                    // what another program wrote may stand in anybody's store
                    let store = if dice.roll(3) == 0 { dice.user() } else { owner };
                    memory.put(model, model.is_user_scoped().then_some(store), record.clone());
                    if dice.roll(6) == 0 && model.is_user_scoped() {
                        memory.put(model, Some(dice.user()), record);
                    }
                    continue;
                }
                [at] if model.fields[*at].name == "id" => {
                    record.insert("id", n as i64);
                    Row(record)
                }
                _ => Row(record),
            };
            memory.add(model, owner, keyed(model, row));
        }
    }
    for model in MODELS {
        for relation in model.relations.iter().filter(|relation| relation.links.is_some()) {
            let (here, there) = (memory.rows(model), memory.rows(memory.registry.get(relation.target).unwrap()));
            for _ in 0..dice.roll(8) {
                let (a, b) = (&here[dice.roll(here.len())], &there[dice.roll(there.len())]);
                link(&mut memory, dice.user(), model, relation.name, a, b);
            }
        }
    }
    memory
}

fn expr(dice: &mut Dice<'_>, memory: &Memory, model: &'static ModelDef, depth: usize) -> Expr {
    let field = &model.fields[dice.roll(model.fields.len())];
    match dice.roll(if depth == 0 { 4 } else { 8 }) {
        0 => Expr::Always,
        1 if field.optional => Expr::IsNone { field: field.name },
        1 | 2 => Expr::Compare {
            field: field.name,
            op: if dice.roll(2) == 0 { Compare::Eq } else { Compare::Gt },
            value: value(memory, dice, model, field.name),
        },
        3 => Expr::OneOf { field: field.name, values: vec![value(memory, dice, model, field.name)] },
        4 => expr(dice, memory, model, depth - 1).and(expr(dice, memory, model, depth - 1)),
        5 => Expr::Not(Box::new(expr(dice, memory, model, depth - 1))),
        _ => related(dice, memory, model, depth - 1).unwrap_or(Expr::Always),
    }
}

fn related(dice: &mut Dice<'_>, memory: &Memory, model: &'static ModelDef, depth: usize) -> Option<Expr> {
    if model.relations.is_empty() {
        return None;
    }
    let relation = &model.relations[dice.roll(model.relations.len())];
    let target = memory.registry.get(relation.target).unwrap();
    let quantifier = match relation.kind {
        RelationKind::BelongsTo | RelationKind::HasOne => Quantifier::Is,
        _ => [Quantifier::Any, Quantifier::All, Quantifier::None][dice.roll(3)],
    };
    let expr = Box::new(expr(dice, memory, target, depth));
    Some(Expr::Related { relation: relation.name, quantifier, expr, mine: dice.roll(5) == 0 })
}

fn includes(dice: &mut Dice<'_>, memory: &Memory, model: &'static ModelDef, depth: usize) -> Vec<IncludeSpec> {
    let mut specs: Vec<IncludeSpec> = Vec::new();
    for _ in 0..if model.relations.is_empty() { 0 } else { 1 + dice.roll(2) } {
        let relation = &model.relations[dice.roll(model.relations.len())];
        if specs.iter().any(|spec| spec.relation == relation.name) {
            continue;
        }
        let target = memory.registry.get(relation.target).unwrap();
        let many = matches!(relation.kind, RelationKind::HasMany | RelationKind::ManyToMany);
        let order = (0..dice.roll(3)).map(|_| SortKey {
            field: target.fields[dice.roll(target.fields.len())].name,
            descending: dice.roll(2) == 0,
        });
        let order = order.collect();
        specs.push(IncludeSpec {
            relation: relation.name,
            filter: if dice.roll(2) == 0 { Expr::Always } else { expr(dice, memory, target, 1) },
            order,
            limit: if many && dice.roll(2) == 0 { Some(dice.roll(4)) } else { None },
            mine: dice.roll(6) == 0,
            includes: if depth > 0 && dice.roll(2) == 0 {
                includes(dice, memory, target, depth - 1)
            } else {
                Vec::new()
            },
        });
    }
    specs
}

fn same(a: &Found, b: &Found) -> bool {
    a.database == b.database && a.key == b.key
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn loading_is_nested_loops(numbers in proptest::collection::vec(any::<u16>(), 200..900)) {
        let mut dice = Dice(&numbers, 0);
        let memory = world(&mut dice);
        let naive = Naive(&memory);
        for model in ALL {
            let includes = includes(&mut dice, &memory, model, 2);
            let rows = memory.rows(model);
            let refs: Vec<&Found> = rows.iter().collect();
            let expected: Vec<_> = rows.iter().map(|row| naive.load(model, row, &includes).ok()).collect();
            let keeps = memory.loader().keeps(model, &refs, &includes).unwrap();
            prop_assert_eq!(keeps, expected.iter().map(Option::is_some).collect::<Vec<_>>(), "{} {:?}", model.name, includes);
            let expected: Vec<_> = rows.iter().cloned().zip(expected).filter_map(|(row, with)| Some((row, with?))).collect();
            let mut coverage = Coverage::default();
            let attached = memory.loader().attach(model, rows, &includes, &mut coverage).unwrap();
            prop_assert_eq!(attached, expected, "{} {:?}", model.name, includes);
        }
    }

    #[test]
    fn predicates_are_nested_loops_and_narrowing_loses_no_row(numbers in proptest::collection::vec(any::<u16>(), 200..900)) {
        let mut dice = Dice(&numbers, 0);
        let memory = world(&mut dice);
        let naive = Naive(&memory);
        for model in ALL {
            let loader = memory.loader();
            for _ in 0..3 {
                let Some(whole) = related(&mut dice, &memory, model, 2) else { continue };
                let Expr::Related { relation, quantifier, expr, mine } = &whole else { unreachable!("it is related") };
                let related = RelatedExpr { model, relation, quantifier: *quantifier, expr, mine: *mine };
                let narrowed = loader.narrow(related).unwrap();
                for row in memory.rows(model) {
                    let holds = loader.holds(related, row.database, &row.record).unwrap();
                    prop_assert_eq!(holds, naive.holds(model, &whole, &row), "{} {:?} {:?}", model.name, whole, row);
                    if let (true, Some(narrowed)) = (holds, &narrowed) {
                        prop_assert!(naive.holds(model, narrowed, &row), "{} {:?} narrows to {:?}", model.name, whole, narrowed);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_reached_is_what_is_related(numbers in proptest::collection::vec(any::<u16>(), 200..900)) {
        let mut dice = Dice(&numbers, 0);
        let memory = world(&mut dice);
        let naive = Naive(&memory);
        for model in ALL {
            let rows = memory.rows(model);
            for row in &rows {
                // a caller's copy does not say in whose store it stands
                if rows.iter().any(|other| other.key == row.key && !same(other, row)) {
                    continue;
                }
                for relation in model.relations {
                    let target = memory.registry.get(relation.target).unwrap();
                    let loader = memory.loader();
                    let mut found: Vec<Found> = match loader.reached(model, relation.name, &held(row)).unwrap() {
                        Reached::Rows(rows) => rows.collect::<Result<_, _>>().unwrap(),
                        Reached::Matching(expr, reach) => {
                            let within = |row: &Found| reach == Reach::Everywhere || memory.owner_of(row.database).is_none_or(|owner| Some(owner) == memory.user);
                            memory.rows(target).into_iter().filter(|row| within(row) && naive.holds(target, &expr, row)).collect()
                        }
                    };
                    found.sort_by(|a, b| (&a.key, a.database).cmp(&(&b.key, b.database)));
                    prop_assert_eq!(found, naive.related(model, relation.name, row, false), "{}.{} of {:?}", model.name, relation.name, row);
                }
            }
        }
    }

    #[test]
    fn whole_queries_are_nested_loops(numbers in proptest::collection::vec(any::<u16>(), 200..900)) {
        let mut dice = Dice(&numbers, 0);
        let memory = world(&mut dice);
        let naive = Naive(&memory);
        for model in ALL {
            let mut spec = QuerySpec::new(model);
            spec.reach = Reach::Everywhere;
            spec.filter = expr(&mut dice, &memory, model, 2);
            spec.includes = includes(&mut dice, &memory, model, 1);
            spec.order = vec![SortKey { field: model.fields[dice.roll(model.fields.len())].name, descending: dice.roll(2) == 0 }];
            spec.limit = [None, Some(dice.roll(4))][dice.roll(2)];
            let order = Order::new(model, &spec.order).unwrap();
            let mut rows = memory.rows(model);
            rows.retain(|row| naive.holds(model, &spec.filter, row));
            rows.sort_by_key(|row| order.rank(&row.record, &row.key, row.database));
            let rows = rows.into_iter().filter_map(|row| {
                let included = naive.load(model, &row, &spec.includes).ok()?;
                Some(RawRow { record: row.record, included })
            });
            let expected: Vec<RawRow> = rows.take(spec.limit.unwrap_or(usize::MAX)).collect();
            let loader = memory.loader();
            let outcome = Executor::new(&memory, &loader).run(&spec, &End::Rows).unwrap();
            prop_assert_eq!(outcome.found, Answered::Rows(expected), "{:?}", spec);
        }
    }
}
