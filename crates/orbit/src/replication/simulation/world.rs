use super::{
    super::fetcher::MOST,
    clock::SkewedClock,
    dice::Dice,
    javascript_node::JavaScriptNode,
    our_node::{OurNode, Outbox},
    packet::Packet,
};
use crate::{
    AccessList, AccessSpec, DatabaseKind, DatabaseSpec, Durability, Entry, Hash, Identity, JavaScriptLog, Payload,
    ReadDocuments as _, SigningKey, Snapshot, heads, state::held,
};
use debros_core::{Map, Value};
use debros_ipfs::PeerId;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const MILLISECOND: u64 = 1000;
const SECOND: u64 = 1000 * MILLISECOND;
/// So long after everything works again, all have the same. The longest pauses are a minute, and a clock may run at half the rate.
const HEALS: u64 = 600 * SECOND;
/// Then it is looked for so long whether anyone sends more than a reassurance.
const LISTENS: u64 = 300 * SECOND;
/// So many things happen at most until all have the same.
const MOST_EVENTS: u64 = 400_000;
/// The database whose rights change, the one of these rights, and those that JavaScript peers have, too.
const RIGHTS: usize = 2;
const ACCESS: usize = 3;
const OF_JAVASCRIPT: [usize; 2] = [0, 1];

/// Peers, what is between them, and what happens to them.
pub(super) struct World {
    dice: Dice,
    /// Microseconds since the beginning.
    now: u64,
    events: BTreeMap<(u64, u64), Event>,
    last: u64,
    members: Vec<Member>,
    peers: BTreeMap<PeerId, usize>,
    links: BTreeMap<(usize, usize), Link>,
    weather: Weather,
    specs: Arc<Vec<DatabaseSpec>>,
    /// Founding admin of the rights; one without any; and one that follows what others refuse.
    admin: usize,
    mallory: Identity,
    sloppy: Identity,
    /// What was written and answered as durable, of which database; and all that was written where rights change, by whom.
    answered: Vec<(usize, Hash)>,
    under_rights: Vec<(String, Hash)>,
    /// Whose right was revoked: they write no more.
    revoked: BTreeSet<String>,
    written: u64,
    /// What a database means with these heads, its own and those of its rights.
    meanings: BTreeMap<(usize, Vec<Hash>, Vec<Hash>), [u8; 32]>,
    trace: Option<Vec<String>>,
    /// What was sent since it is looked for.
    sent: Option<BTreeMap<(usize, usize), u64>>,
    happened: u64,
}

enum Event {
    Arrives {
        from: usize,
        to: usize,
        epoch: u64,
        packet: Packet,
    },
    Wakes(usize),
    Dials(usize, usize),
    /// Both ends notice that a connection is gone.
    Breaks((usize, usize), u64),
    Starts(usize),
    Heals((usize, usize)),
}

struct Member {
    peer: PeerId,
    clock: SkewedClock,
    what: What,
    /// When it is woken.
    wakes: Option<u64>,
}

enum What {
    Ours(Box<OurNode>),
    JavaScript(JavaScriptNode),
}

#[derive(Default)]
struct Link {
    /// Nothing gets through.
    cut: bool,
    connected: bool,
    /// Counts connections.
    epoch: u64,
    /// When the last packet that keeps its place arrives, in each direction.
    arrives: [u64; 2],
}

/// Of a thousand.
struct Weather {
    lost: u64,
    doubled: u64,
    reset: u64,
    /// The longest delay.
    delay: u64,
}

impl World {
    pub(super) fn new(seed: u64, folder: &Path, traced: bool) -> Result<World> {
        let mut dice = Dice::new(seed);
        let small = dice.permille(700);
        let count = 2 + dice.index(if small { 3 } else { 8 });
        let javascript = if dice.permille(300) { 1 + dice.index((count - 1).min(2)) } else { 0 };
        let ours = count - javascript;
        let mut identity = || -> Result<Identity> {
            let [root, device] = [dice.bytes(), dice.bytes()];
            Ok(Identity::new(&SigningKey::from_bytes(&root)?, SigningKey::from_bytes(&device)?))
        };
        let (mallory, sloppy) = (identity()?, identity()?);
        let mut writers = (0..count).map(|_| identity()).collect::<Result<Vec<_>>>()?;
        // a data folder that was copied: two write with the same key
        if ours > 1 && dice.permille(150) {
            writers[1] = writers[0].clone();
        }
        let ids: Vec<&str> = writers.iter().chain([&sloppy]).map(Identity::id).collect();
        let mut specs = vec![
            DatabaseSpec::documents("notes", ids.clone()),
            DatabaseSpec::documents("events", ids.clone()).of_kind(DatabaseKind::Events),
        ];
        let admin = dice.index(ours);
        let rights = AccessSpec::orbitdb("rights", [writers[admin].id()]);
        let controller = rights.controller();
        let databases = [1, 2, 3, 3][dice.index(4)];
        specs.push(DatabaseSpec::documents("shared", [sloppy.id()]).with_access(rights));
        specs.extend(controller);
        if databases < 3 {
            specs.truncate(databases);
        }
        let specs = Arc::new(specs);
        let base = Instant::now();
        let mut members = Vec::new();
        let mut peers = BTreeMap::new();
        for at in 0..count {
            let mut bytes = vec![0, 8];
            bytes.extend(dice.bytes::<8>());
            peers.insert(PeerId::from_bytes(&bytes)?, at);
            let peer = PeerId::from_bytes(&bytes)?;
            let rate = if dice.permille(500) { 1000 } else { 500 + dice.below(1500) };
            members.push((peer, SkewedClock::new(base, rate)));
        }
        let of_ours: Arc<BTreeSet<PeerId>> = Arc::new(members[..ours].iter().map(|(peer, _)| *peer).collect());
        let members = members.into_iter().zip(writers).enumerate().map(|(at, ((peer, clock), writer))| {
            let first = (at as u64 + 1) << 32;
            let what = if at < ours {
                let folder = folder.join(at.to_string());
                What::Ours(Box::new(OurNode::new(peer, folder, writer, specs.clone(), of_ours.clone(), first)))
            } else {
                let mut addresses = BTreeMap::new();
                let mut logs = BTreeMap::new();
                for database in OF_JAVASCRIPT.into_iter().filter(|database| *database < specs.len()) {
                    let address = specs[database].address()?;
                    let AccessSpec::Ipfs { write } = &specs[database].access else { continue };
                    addresses.insert(database, address);
                    logs.insert(database, JavaScriptLog::new(address, AccessList::new(write.clone())));
                }
                What::JavaScript(JavaScriptNode::new(writer, logs, addresses, first))
            };
            Ok(Member { peer, clock, what, wakes: None })
        });
        let members = members.collect::<Result<Vec<_>>>()?;
        // a row, which connects all; some more; and no JavaScript peers with each other
        let mut links = BTreeMap::new();
        for b in 1..count {
            for a in 0..b {
                let both_javascript = a >= ours;
                let of_row = if b < ours { a + 1 == b } else { a == b % ours };
                if !both_javascript && (of_row || dice.permille(if count < 5 { 500 } else { 200 })) {
                    links.insert((a, b), Link::default());
                }
            }
        }
        let weather = Weather {
            lost: [0, 20, 300][dice.index(3)],
            doubled: [0, 50][dice.index(2)],
            reset: [0, 2, 30][dice.index(3)],
            delay: [2 * MILLISECOND, 100 * MILLISECOND, 3 * SECOND][dice.index(3)],
        };
        let mut world = World {
            dice,
            now: 0,
            events: BTreeMap::new(),
            last: 0,
            members,
            peers,
            links,
            weather,
            specs,
            admin,
            mallory,
            sloppy,
            answered: Vec::new(),
            under_rights: Vec::new(),
            revoked: BTreeSet::new(),
            written: 0,
            meanings: BTreeMap::new(),
            trace: traced.then(Vec::new),
            sent: None,
            happened: 0,
        };
        for at in 0..count {
            world.starts(at)?;
        }
        Ok(world)
    }

    pub(super) fn into_trace(self) -> Vec<String> {
        self.trace.unwrap_or_default()
    }

    /// How many peers there are, and how many writes were answered.
    pub(super) fn figures(&self) -> (usize, usize) {
        (self.members.len(), self.answered.len())
    }

    /// So many things are done to it.
    pub(super) fn live(&mut self, steps: u64) -> Result<()> {
        for _ in 0..steps {
            let pause = match self.dice.below(4) {
                0 => self.dice.between(MILLISECOND, 100 * MILLISECOND),
                1 | 2 => self.dice.between(MILLISECOND, 5 * SECOND),
                _ => self.dice.between(SECOND, 60 * SECOND),
            };
            self.go_on(self.now + pause)?;
            self.act()?;
        }
        Ok(())
    }

    /// Everything works again: after some time all have the same, and then there is silence.
    pub(super) fn heal(&mut self) -> Result<()> {
        self.note(|| "everything works again".to_owned());
        self.weather = Weather { lost: 0, doubled: 0, reset: 0, delay: 100 * MILLISECOND };
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            self.mends(link);
        }
        for at in 0..self.members.len() {
            if !self.is_running(at) {
                self.starts(at)?;
            }
        }
        self.happened = 0;
        self.go_on(self.now + HEALS)?;
        self.check()?;
        self.sent = Some(BTreeMap::new());
        self.go_on(self.now + LISTENS)?;
        // each side may begin one after two minutes, by a clock that may run twice as fast
        let most = 2 * (LISTENS / (60 * SECOND) + 1) * self.specs.len() as u64;
        for (between, count) in self.sent.take().unwrap_or_default() {
            if count > most {
                return Err(format!("{between:?} have said something {count} times, after all had the same").into());
            }
        }
        self.check()
    }

    /// Does something to somebody.
    fn act(&mut self) -> Result<()> {
        let at = self.dice.index(self.members.len());
        match self.dice.below(100) {
            0..60 => self.write(at),
            60..70 => self.ends(at),
            70..78 => {
                let links: Vec<_> = self.links.keys().copied().collect();
                let of_one = self.dice.permille(500);
                for link in links {
                    if if of_one { link.0 == at || link.1 == at } else { self.dice.permille(500) } {
                        self.cuts(link);
                    }
                }
                Ok(())
            }
            78..84 => {
                let links: Vec<_> = self.links.keys().copied().collect();
                for link in links {
                    if self.dice.permille(700) {
                        self.mends(link);
                    }
                }
                Ok(())
            }
            84..88 => {
                let by = Duration::from_micros(self.dice.between(SECOND, 600 * SECOND));
                self.note(|| format!("the clock of {at} jumps by {by:?}"));
                self.members[at].clock.jump(by);
                self.wakes(at);
                Ok(())
            }
            88..95 => self.changes_rights(),
            95..98 => self.intrudes(at),
            _ => self.compares(at),
        }
    }

    fn payloads(&mut self, database: usize) -> Vec<Payload> {
        let count = if self.dice.permille(50) { 30 } else { 1 + self.dice.below(3) };
        // larger than a message of an exchange
        let size = if self.dice.permille(4) { 300 << 10 } else { self.dice.between(1, 200) };
        let payload = |n: u64, key: u64| {
            let mut text = format!("{n} ");
            text.extend(std::iter::repeat_n('x', size as usize));
            match self.specs[database].kind {
                DatabaseKind::Events => Payload::add(text.into()),
                _ => {
                    let key = Value::from(format!("k{key}"));
                    Payload::put(key.clone(), Map::from_iter([("_id", key), ("text", text.into())]).into())
                }
            }
        };
        let mut payloads = Vec::new();
        for _ in 0..if size > 1000 { 1 } else { count } {
            self.written += 1;
            payloads.push(payload(self.written, self.dice.below(6)));
        }
        payloads
    }

    fn write(&mut self, at: usize) -> Result<()> {
        // six write, others only replicate
        let at = at % 6;
        // rights are not written by hand
        let database = self.dice.index(self.specs.len().min(3));
        let payloads = self.payloads(database);
        let durability = if self.dice.permille(750) { Durability::Local } else { Durability::Buffered };
        let (now, mut out) = (self.shown(at), Outbox::new());
        match &mut self.members[at].what {
            What::Ours(node) => {
                let user = node.writer.id().to_owned();
                if database == RIGHTS && self.revoked.contains(&user) {
                    return Ok(());
                }
                let Some(hashes) = node.write(database, durability, payloads)? else { return Ok(()) };
                // nobody may hear of it before the power goes
                let is_told = durability == Durability::Local || self.dice.permille(700);
                if is_told {
                    node.go_on(now, &mut out)?;
                }
                if database == RIGHTS {
                    self.under_rights.extend(hashes.iter().map(|hash| (user.clone(), *hash)));
                }
                self.note(|| format!("{at} writes {} entries in {database}, {durability:?}", hashes.len()));
                if durability == Durability::Local {
                    self.answered.extend(hashes.into_iter().map(|hash| (database, hash)));
                }
                if !is_told && self.dice.permille(500) {
                    return self.ends(at);
                }
            }
            What::JavaScript(node) => {
                for payload in payloads {
                    let hash = node.write(database, payload, &mut out);
                    self.answered.extend(hash.map(|hash| (database, hash)));
                }
                self.note(|| format!("{at} writes in {database}, as JavaScript"));
            }
        }
        self.send(at, out)
    }

    fn changes_rights(&mut self) -> Result<()> {
        let (admin, user) = (self.admin, self.dice.index(self.members.len()));
        let revokes = self.dice.permille(500);
        if self.specs.len() <= ACCESS || user == admin {
            return Ok(());
        }
        let user = self.writer(user).id().to_owned();
        if self.revoked.contains(&user) || user == self.writer(admin).id() {
            return Ok(());
        }
        if revokes {
            // what is written meanwhile is refused by some, and not by others; here, all of it is there
            let Some(snapshot) = self.snapshot(admin)? else { return Ok(()) };
            let mut written = self.under_rights.iter().filter(|(of, _)| *of == user).peekable();
            if written.peek().is_none() {
                return Ok(());
            }
            for (_, hash) in written {
                if !self.has(&snapshot, RIGHTS, hash)? {
                    return Ok(());
                }
            }
            self.revoked.insert(user.clone());
        }
        let (now, mut out) = (self.shown(admin), Outbox::new());
        let What::Ours(node) = &mut self.members[admin].what else { return Ok(()) };
        let Some(hashes) = node.set_right(ACCESS, user.clone(), !revokes)? else { return Ok(()) };
        node.go_on(now, &mut out)?;
        self.note(|| {
            format!("{admin} {} {user}: {} entries", if revokes { "revokes" } else { "grants" }, hashes.len())
        });
        self.answered.extend(hashes.into_iter().map(|hash| (ACCESS, hash)));
        self.send(admin, out)
    }

    /// Somebody without a right has written, and perhaps one with a right has built on it.
    fn intrudes(&mut self, at: usize) -> Result<()> {
        let database = self.dice.index(self.specs.len().min(2));
        // JavaScript takes neither
        let is_javascript = |member: &Member| matches!(member.what, What::JavaScript(_));
        let followed = self.dice.permille(500) && !self.members.iter().any(is_javascript);
        let published = self.dice.permille(500);
        let Some(snapshot) = self.snapshot(at)? else { return Ok(()) };
        let Some(info) = snapshot.at(&self.specs[database].address()?)? else { return Ok(()) };
        let heads = snapshot.heads(info.id)?;
        let log = snapshot.core.log(&snapshot.state, info.id).map_err(crate::ReadError::from)?;
        let time = log.heads.iter().map(|head| head.time).max().unwrap_or(0) + 1;
        let value = Payload::add(format!("{} of nobody", self.written).into()).into_value();
        self.written += 1;
        let entry = Entry::create(&self.mallory, info.address, value, &heads, &[], time)?;
        // an identity that nobody has would be asked for to the end of time
        let (mut identities, mut entries) = (vec![self.mallory.bytes().to_vec()], vec![entry.bytes().to_vec()]);
        if followed {
            let key = Value::from("k1");
            let payload = match self.specs[database].kind {
                DatabaseKind::Events => Payload::add("built on it".into()),
                _ => Payload::put(key.clone(), Map::from_iter([("_id", key)]).into()),
            };
            let next = [&[entry.hash()], &heads[..]].concat();
            let built = Entry::create(&self.sloppy, info.address, payload.into_value(), &next, &[], time + 1)?;
            identities.push(self.sloppy.bytes().to_vec());
            entries.push(built.bytes().to_vec());
            // the one is stepped over, and the other is in the log everywhere
            self.answered.push((database, built.hash()));
        }
        self.note(|| format!("somebody without a right writes in {database} at {at}, built on: {followed}"));
        let (now, mut out) = (self.shown(at), Outbox::new());
        let What::Ours(node) = &mut self.members[at].what else { return Ok(()) };
        node.receive("somebody", database, identities, entries)?;
        node.go_on(now, &mut out)?;
        if published {
            let data = entry.bytes().to_vec();
            out.extend(self.members.iter().map(|member| (member.peer, Packet::Topic { database, data: data.clone() })));
        }
        self.send(at, out)
    }

    /// Replicas with the same heads mean the same.
    fn compares(&mut self, at: usize) -> Result<()> {
        let Some(snapshot) = self.snapshot(at)? else { return Ok(()) };
        for database in 0..self.specs.len() {
            let Some(info) = snapshot.at(&self.specs[database].address()?)? else { continue };
            let sorted = |id| -> Result<Vec<Hash>> {
                let mut heads = snapshot.heads(id)?;
                heads.sort_unstable();
                Ok(heads)
            };
            let rights = info.controller.map_or_else(|| Ok(Vec::new()), sorted)?;
            let (key, hash) = ((database, sorted(info.id)?, rights), snapshot.state_hash(info.id)?);
            if *self.meanings.entry(key).or_insert(hash) != hash {
                return Err(
                    format!("{at} has the same heads of {database} as another, and means something else").into()
                );
            }
        }
        Ok(())
    }

    fn has(&self, snapshot: &Snapshot, database: usize, hash: &Hash) -> Result<bool> {
        let Some(info) = snapshot.at(&self.specs[database].address()?)? else { return Ok(false) };
        Ok(held(&snapshot.state, info.id, hash)?.is_none()
            && heads::joined(&snapshot.core, &snapshot.state, &info, hash)?.is_some())
    }

    /// Does anyone have this block?
    fn is_somewhere(&self, hash: &Hash) -> Result<bool> {
        for at in 0..self.members.len() {
            let is_there = match (&self.members[at].what, self.snapshot(at)?) {
                (What::JavaScript(node), _) => node.has(hash),
                (_, Some(snapshot)) => snapshot.block(hash)?.is_some(),
                _ => false,
            };
            if is_there {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All have the same, and what was answered is there.
    fn check(&mut self) -> Result<()> {
        for at in 0..self.members.len() {
            self.compares(at)?;
        }
        for database in 0..self.specs.len() {
            let address = self.specs[database].address()?;
            let mut all: Option<(usize, Vec<Hash>)> = None;
            for at in 0..self.members.len() {
                let mut heads = match self.snapshot(at)? {
                    Some(snapshot) => {
                        let Some(info) = snapshot.at(&address)? else { continue };
                        self.keeps_order(at, &snapshot, &info)?;
                        for wanted in snapshot.wanted(Some(info.id), MOST)? {
                            if self.is_somewhere(&wanted.hash())? {
                                return Err(format!("{at} still waits for {wanted:?} of {database}").into());
                            }
                        }
                        snapshot.heads(info.id)?
                    }
                    None => match &self.members[at].what {
                        What::JavaScript(node) => match node.logs.get(&database) {
                            Some(log) => log.heads(),
                            None => continue,
                        },
                        What::Ours(_) => return Err(format!("{at} does not run").into()),
                    },
                };
                heads.sort_unstable();
                match &all {
                    None => all = Some((at, heads)),
                    Some((_, first)) if *first == heads => {}
                    Some((first, theirs)) => {
                        return Err(format!(
                            "{first} and {at} have different heads of {database}: {theirs:?} and {heads:?}"
                        )
                        .into());
                    }
                }
            }
        }
        for (database, hash) in &self.answered {
            for at in 0..self.members.len() {
                let is_there = match (&self.members[at].what, self.snapshot(at)?) {
                    (What::JavaScript(node), _) => node.logs.get(database).is_none_or(|log| log.get(hash).is_some()),
                    (_, Some(snapshot)) => self.has(&snapshot, *database, hash)?,
                    _ => false,
                };
                if !is_there {
                    return Err(format!("{hash} of {database} was answered, and {at} does not have it").into());
                }
            }
        }
        Ok(())
    }

    /// What the entries of a log follow is in it, or refused and stepped over, and earlier.
    fn keeps_order(&self, at: usize, snapshot: &Snapshot, info: &crate::DatabaseInfo) -> Result<()> {
        let roots = snapshot.heads(info.id)?;
        let mut count = 0;
        for hash in heads::behind(&snapshot.core, &snapshot.state, info, &roots)? {
            let hash = hash?;
            count += 1;
            let links = heads::joined(&snapshot.core, &snapshot.state, info, &hash)?;
            let links = links.ok_or_else(|| format!("{hash} is in the log of {at}, and is not there"))?;
            for next in &links.next {
                if let Some(row) = held(&snapshot.state, info.id, next)? {
                    if !row.is_stepped_over() {
                        return Err(format!("{hash} joined at {at}, and {next} before it is held back").into());
                    }
                } else {
                    let before = heads::joined(&snapshot.core, &snapshot.state, info, next)?;
                    if before.is_none_or(|before| before.clock.time >= links.clock.time) {
                        return Err(format!("{hash} joined at {at}, and {next} before it did not, or is later").into());
                    }
                }
            }
        }
        match snapshot.entries(info.id)? {
            entries if entries == count => Ok(()),
            entries => Err(format!("the log of {at} has {entries} entries, and {count} lie behind its heads").into()),
        }
    }

    // what happens

    fn go_on(&mut self, until: u64) -> Result<()> {
        while let Some(((moment, number), event)) = self.events.pop_first() {
            if moment > until {
                self.events.insert((moment, number), event);
                break;
            }
            self.now = moment;
            self.happened += 1;
            if self.happened > MOST_EVENTS {
                return Err("there is no end to what happens".into());
            }
            self.happens(event)?;
        }
        self.now = until;
        Ok(())
    }

    fn happens(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Arrives { from, to, epoch, packet } => {
                let link = &self.links[&sorted(from, to)];
                if !link.connected || link.epoch != epoch || link.cut {
                    return Ok(());
                }
                self.note(|| format!("{to} gets from {from}: {}", packet.describe()));
                let (peer, now) = (self.members[from].peer, self.shown(to));
                self.with(to, |member, out| match &mut member.what {
                    What::Ours(node) => {
                        node.received(peer, packet, now, out)?;
                        node.go_on(now, out)
                    }
                    What::JavaScript(node) => {
                        node.received(peer, packet, now, out);
                        Ok(())
                    }
                })
            }
            Event::Wakes(at) => {
                if self.members[at].wakes != Some(self.now) {
                    return Ok(());
                }
                self.members[at].wakes = None;
                let now = self.shown(at);
                self.with(at, |member, out| match &mut member.what {
                    What::Ours(node) => node.tick(now, out),
                    What::JavaScript(node) => {
                        node.tick(now);
                        Ok(())
                    }
                })
            }
            Event::Dials(a, b) => {
                let ready = self.is_running(a) && self.is_running(b);
                let Some(link) = self.links.get_mut(&(a, b)) else { return Ok(()) };
                if link.connected {
                    return Ok(());
                }
                if link.cut || !ready {
                    let pause = self.dice.between(SECOND, 60 * SECOND);
                    self.later(pause, Event::Dials(a, b));
                    return Ok(());
                }
                link.connected = true;
                link.epoch += 1;
                link.arrives = [0, 0];
                self.note(|| format!("{a} and {b} are connected"));
                for (at, other) in [(a, b), (b, a)] {
                    let peer = self.members[other].peer;
                    self.with(at, |member, out| {
                        match &mut member.what {
                            What::Ours(node) => node.connected(peer, out),
                            What::JavaScript(node) => node.connected(peer, out),
                        }
                        Ok(())
                    })?;
                }
                Ok(())
            }
            Event::Breaks(between, epoch) => self.breaks(between, epoch),
            Event::Starts(at) => {
                if self.is_running(at) {
                    Ok(())
                } else {
                    self.starts(at)
                }
            }
            Event::Heals(link) => {
                self.mends(link);
                Ok(())
            }
        }
    }

    fn breaks(&mut self, between: (usize, usize), epoch: u64) -> Result<()> {
        let Some(link) = self.links.get_mut(&between) else { return Ok(()) };
        if !link.connected || link.epoch != epoch {
            return Ok(());
        }
        link.connected = false;
        let (a, b) = between;
        self.note(|| format!("{a} and {b} are not connected any more"));
        for (at, other) in [(a, b), (b, a)] {
            let (peer, now) = (self.members[other].peer, self.shown(at));
            self.with(at, |member, out| match &mut member.what {
                What::Ours(node) => {
                    node.disconnected(&peer, now);
                    node.go_on(now, out)
                }
                What::JavaScript(node) => {
                    node.disconnected(&peer);
                    Ok(())
                }
            })?;
        }
        let pause = self.dice.between(100 * MILLISECOND, 2 * SECOND);
        self.later(pause, Event::Dials(a, b));
        Ok(())
    }

    fn cuts(&mut self, between: (usize, usize)) {
        let Some(link) = self.links.get_mut(&between) else { return };
        if link.cut {
            return;
        }
        link.cut = true;
        let epoch = link.epoch;
        self.note(|| format!("nothing gets through between {between:?}"));
        // it takes a while until that is noticed
        let noticed = self.dice.between(100 * MILLISECOND, 30 * SECOND);
        self.later(noticed, Event::Breaks(between, epoch));
        let heals = self.dice.between(SECOND, 300 * SECOND);
        self.later(heals, Event::Heals(between));
    }

    fn mends(&mut self, between: (usize, usize)) {
        let Some(link) = self.links.get_mut(&between) else { return };
        if !link.cut {
            return;
        }
        link.cut = false;
        let epoch = link.epoch;
        self.note(|| format!("everything gets through again between {between:?}"));
        // what was lost meanwhile breaks the connection
        self.later(0, Event::Breaks(between, epoch));
    }

    /// Ends a node, well or badly; it starts again later.
    fn ends(&mut self, at: usize) -> Result<()> {
        let (well, part, kept) = (self.dice.permille(200), self.dice.below(1000), self.dice.next());
        let What::Ours(node) = &mut self.members[at].what else { return Ok(()) };
        if node.running.is_none() {
            return Ok(());
        }
        if well {
            node.close()?;
        } else {
            node.kill(|unsynced| (kept % unsynced as u64) as usize, part)?;
        }
        self.members[at].wakes = None;
        self.note(|| format!("{at} {}", if well { "is closed" } else { "is killed" }));
        let links: Vec<_> = self.links.iter().filter(|(key, _)| key.0 == at || key.1 == at).collect();
        let links: Vec<_> = links.into_iter().map(|(key, link)| (*key, link.epoch)).collect();
        for (link, epoch) in links {
            self.breaks(link, epoch)?;
        }
        let pause = self.dice.between(100 * MILLISECOND, 100 * SECOND);
        self.later(pause, Event::Starts(at));
        Ok(())
    }

    fn starts(&mut self, at: usize) -> Result<()> {
        if let What::Ours(node) = &mut self.members[at].what {
            node.open().map_err(|error| format!("{at} does not open: {error}"))?;
        }
        self.note(|| format!("{at} starts"));
        self.compares(at)?;
        let links: Vec<_> = self.links.keys().filter(|link| link.0 == at || link.1 == at).copied().collect();
        for (a, b) in links {
            let pause = self.dice.between(MILLISECOND, SECOND);
            self.later(pause, Event::Dials(a, b));
        }
        self.wakes(at);
        Ok(())
    }

    fn with(&mut self, at: usize, what: impl FnOnce(&mut Member, &mut Outbox) -> Result<()>) -> Result<()> {
        let mut out = Outbox::new();
        what(&mut self.members[at], &mut out)?;
        self.send(at, out)
    }

    /// Sends what a member has to send, and looks when it has to be woken.
    fn send(&mut self, from: usize, out: Outbox) -> Result<()> {
        for (peer, packet) in out {
            let Some(&to) = self.peers.get(&peer) else { continue };
            let between = sorted(from, to);
            let Some(link) = self.links.get(&between).filter(|link| link.connected) else { continue };
            let (epoch, cut, direction) = (link.epoch, link.cut, usize::from(from > to));
            if self.sent.is_some() {
                // an ancestor that went with a power cut is asked for to the end of time, but seldom
                let in_vain = match &packet {
                    Packet::Ask { hash, .. } | Packet::Block { hash, block: None, .. } => !self.is_somewhere(hash)?,
                    _ => false,
                };
                if !packet.is_reassurance() && !in_vain {
                    let what = packet.describe();
                    return Err(format!("{from} still sends to {to}, after all had the same: it {what}").into());
                }
                let asks = matches!(packet, Packet::Ask { .. });
                if let Some(sent) = &mut self.sent {
                    *sent.entry(between).or_default() += u64::from(packet.begins() || asks);
                }
            }
            if cut {
                continue;
            }
            let delay = self.dice.between(100, self.weather.delay);
            if !packet.is_ordered() {
                if self.dice.permille(self.weather.lost) {
                    continue;
                }
                if self.dice.permille(self.weather.doubled) {
                    let later = delay + self.dice.between(100, self.weather.delay);
                    self.later(later, Event::Arrives { from, to, epoch, packet: packet.clone() });
                }
                self.later(delay, Event::Arrives { from, to, epoch, packet });
                continue;
            }
            let link = self.links.get_mut(&between).ok_or("no link")?;
            let arrives = (self.now + delay).max(link.arrives[direction]);
            link.arrives[direction] = arrives;
            if let Some(stream) = packet.stream()
                && self.dice.permille(self.weather.reset)
            {
                // it breaks for both
                for (from, to) in [(from, to), (to, from)] {
                    let packet = Packet::Reset { stream };
                    self.later(arrives - self.now, Event::Arrives { from, to, epoch, packet });
                }
                continue;
            }
            self.later(arrives - self.now, Event::Arrives { from, to, epoch, packet });
        }
        self.wakes(from);
        Ok(())
    }

    fn wakes(&mut self, at: usize) {
        let member = &self.members[at];
        let next = match &member.what {
            What::Ours(node) => node.next(),
            What::JavaScript(node) => node.next(),
        };
        let moment = next.map(|next| member.clock.moment_of(next, self.now));
        // not again in this moment: then nothing would ever happen after it
        if moment.is_some() && moment != member.wakes {
            self.members[at].wakes = moment;
            let moment = moment.unwrap_or(self.now);
            self.later(moment - self.now, Event::Wakes(at));
        }
    }

    fn later(&mut self, pause: u64, event: Event) {
        self.last += 1;
        self.events.insert((self.now + pause, self.last), event);
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12.3} ms  {}", self.now as f64 / 1000.0, what()));
        }
    }

    fn shown(&self, at: usize) -> Instant {
        self.members[at].clock.at(self.now)
    }

    fn is_running(&self, at: usize) -> bool {
        match &self.members[at].what {
            What::Ours(node) => node.running.is_some(),
            What::JavaScript(_) => true,
        }
    }

    fn writer(&self, at: usize) -> &Identity {
        match &self.members[at].what {
            What::Ours(node) => &node.writer,
            What::JavaScript(node) => &node.writer,
        }
    }

    fn snapshot(&self, at: usize) -> Result<Option<Snapshot>> {
        let What::Ours(node) = &self.members[at].what else { return Ok(None) };
        Ok(node.running.as_ref().map(|running| running.node.snapshot()).transpose()?)
    }
}

fn sorted(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
