use crate::{
    CommandError, Exit,
    count::{Count, Grouped},
    plain::Plain,
    size::Size,
};
use debros_ipfs::FolderState;
use debros_orbit::{AccessSpec, InspectedDatabase, Inspection};
use serde_json::{Value, json};
use std::{
    fmt::{self, Write as _},
    io::Write,
    path::PathBuf,
};

/// So many heads and authors are shown; JSON has them all.
const SHOWN: usize = 4;

/// Tells what is in a data folder: databases, entries, heads, sizes, damage
///
/// Nothing in the folder is changed but its lock file. A folder that a program has open cannot be looked at: close it
/// there first.
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The data folder
    dir: PathBuf,
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<Exit, CommandError> {
        let inspection = Inspection::of(&self.dir)?;
        if self.json {
            writeln!(out, "{:#}", to_json(&inspection))?;
        } else {
            write!(out, "{}", Plain(&Told(&inspection).to_string()))?;
        }
        Ok(Exit::of(inspection.is_clean()))
    }
}

/// The inspection as JSON; `verify` prints the same with its own facts.
pub(crate) fn to_json(inspection: &Inspection) -> Value {
    let databases = inspection.databases.iter().map(database_to_json).collect::<Vec<_>>();
    let daemons = inspection.daemons.iter().map(|daemon| {
        let pins = daemon.pins.iter().map(|(root, database, blocks)| {
            json!({ "root": root.cid().to_string(), "database": database.0, "blocks": blocks })
        });
        let lost = daemon.lost.iter().map(|database| database.0).collect::<Vec<_>>();
        json!({
            "peer": daemon.peer,
            "entries": daemon.entries,
            "pins": pins.collect::<Vec<_>>(),
            "lost": lost,
        })
    });
    let damage = inspection.damage.iter().map(
        |damage| json!({ "file": damage.file.display().to_string(), "offset": damage.offset, "what": damage.what }),
    );
    json!({
        "folder": inspection.folder.display().to_string(),
        "clean": inspection.is_clean(),
        "databases": databases,
        "totals": {
            "entries": inspection.entries(),
            "entryBytes": inspection.entry_bytes(),
            "identities": inspection.identities,
            "blocks": inspection.blocks,
            "blockBytes": inspection.block_bytes,
            "goneBlocks": inspection.gone_blocks,
            "groups": inspection.groups,
            "segments": inspection.segments,
        },
        "files": {
            "segments": inspection.sizes.segments,
            "indexes": inspection.sizes.indexes,
            "state": inspection.sizes.state,
            "setAside": inspection.sizes.set_aside.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        },
        "state": state_word(inspection.state),
        "shippedTo": daemons.collect::<Vec<_>>(),
        "damaged": inspection.damaged,
        "damage": damage.collect::<Vec<_>>(),
        "unfinished": inspection.unfinished.as_ref().map(|unfinished| json!({
            "file": unfinished.file.display().to_string(),
            "offset": unfinished.offset,
            "bytes": unfinished.bytes,
            "records": unfinished.records,
            "what": unfinished.what,
        })),
        "faulty": inspection.faulty,
        "faults": inspection.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn database_to_json(database: &InspectedDatabase) -> Value {
    let access = match &database.spec.access {
        AccessSpec::Ipfs { write } => json!({ "type": "ipfs", "write": write }),
        AccessSpec::Orbitdb { name, admins } => json!({ "type": "orbitdb", "name": name, "admins": admins }),
        AccessSpec::Custom { kind, parameters } => json!({ "type": kind, "parametersBytes": parameters.len() }),
    };
    let heads = database.heads.iter().map(|(hash, time)| json!({ "hash": hash.to_string(), "time": time }));
    let authors = database.authors.iter().map(|author| {
        json!({
            "user": author.user.to_string(),
            "device": author.device.to_string(),
            "identity": author.identity.to_string(),
            "entries": author.entries,
        })
    });
    json!({
        "number": database.id.0,
        "address": database.address.to_string(),
        "name": database.spec.name,
        "type": database.spec.kind.word(),
        "family": database.spec.family,
        "access": access,
        "entries": database.entries,
        "bytes": database.bytes,
        "heldBack": database.held,
        "sealed": database.sealed,
        "firstTime": database.first_time,
        "lastTime": database.last_time,
        "heads": heads.collect::<Vec<_>>(),
        "authors": authors.collect::<Vec<_>>(),
    })
}

fn state_word(state: FolderState) -> &'static str {
    match state {
        FolderState::Present => "present",
        FolderState::Missing => "missing",
        FolderState::Unusable => "unusable",
    }
}

/// The inspection as a person likes to read it.
struct Told<'i>(&'i Inspection);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inspection = self.0;
        writeln!(
            f,
            "{}: {}, {} ({}), {}",
            inspection.folder.display(),
            Count::s(inspection.databases.len() as u64, "database"),
            Count(inspection.entries(), "entry", "entries"),
            Size(inspection.entry_bytes()),
            Count(inspection.identities, "identity", "identities"),
        )?;
        for database in &inspection.databases {
            f.write_char('\n')?;
            told_database(f, database)?;
        }
        let sizes = &inspection.sizes;
        writeln!(f)?;
        writeln!(
            f,
            "blocks   {} ({}) in {} and {}",
            Count::s(inspection.blocks, "block"),
            Size(inspection.block_bytes),
            Count::s(inspection.groups, "commit"),
            Count::s(inspection.segments, "segment"),
        )?;
        if inspection.gone_blocks > 0 {
            writeln!(f, "gone     {} of databases that were dropped", Count::s(inspection.gone_blocks, "block"))?;
        }
        write!(f, "files    segments {}, their indexes {}", Size(sizes.segments), Size(sizes.indexes))?;
        match inspection.state {
            FolderState::Present => writeln!(f, ", tables {}", Size(sizes.state))?,
            FolderState::Missing => writeln!(f, "; the tables are missing, and are made anew when it is opened")?,
            FolderState::Unusable => {
                writeln!(f, ", tables {}, which are repaired or made anew when it is opened", Size(sizes.state))?;
            }
        }
        for path in &sizes.set_aside {
            writeln!(f, "         {} was set aside after a power cut", path.display())?;
        }
        for daemon in &inspection.daemons {
            writeln!(
                f,
                "shipped  {} of {} to the Kubo daemon {}, under {}",
                Grouped(daemon.entries),
                Count(inspection.entries(), "entry", "entries"),
                daemon.peer,
                Count::s(daemon.pins.len() as u64, "pin"),
            )?;
            if !daemon.lost.is_empty() {
                let lost = Count::s(daemon.lost.len() as u64, "database");
                writeln!(f, "         it lost something of {lost}, which is being shipped once more")?;
            }
        }
        told_wrong(f, inspection)?;
        if inspection.is_clean() {
            writeln!(f, "damage   none (every hash was checked; `debros verify` judges the entries, too)")?;
        }
        Ok(())
    }
}

fn told_database(f: &mut fmt::Formatter<'_>, database: &InspectedDatabase) -> fmt::Result {
    let spec = &database.spec;
    writeln!(f, "{}", spec.name)?;
    writeln!(f, "    address  {}", database.address)?;
    write!(f, "    type     {}, of the family {}; ", spec.kind, spec.family)?;
    match &spec.access {
        AccessSpec::Ipfs { write } if write.iter().any(|id| id == "*") => writeln!(f, "anyone may write")?,
        AccessSpec::Ipfs { write } => writeln!(f, "{} may write", Count::s(write.len() as u64, "user"))?,
        AccessSpec::Orbitdb { name, admins } => {
            let admins = Count::s(admins.len() as u64, "admin");
            writeln!(f, "the database {name} says who may write, with {admins} to begin with")?;
        }
        AccessSpec::Custom { kind, .. } => writeln!(f, "a rule of the type {kind} says who may write")?,
    }
    write!(f, "    entries  {} ({})", Grouped(database.entries), Size(database.bytes))?;
    match (database.first_time, database.last_time) {
        (Some(first), Some(last)) => writeln!(f, ", of the times {} to {}", Grouped(first), Grouped(last))?,
        _ => writeln!(f)?,
    }
    if database.sealed > 0 {
        let sealed = Count(database.sealed, "entry is", "entries are");
        writeln!(f, "    sealed   {sealed} encrypted; heads and authors are those of the others")?;
    }
    if database.held > 0 {
        writeln!(f, "    held     {} back", Count(database.held, "entry", "entries"))?;
    }
    for (at, (hash, time)) in database.heads.iter().take(SHOWN).enumerate() {
        let label = if at == 0 { "head" } else { "" };
        writeln!(f, "    {label:8} {hash}, of the time {}", Grouped(*time))?;
    }
    told_more(f, database.heads.len(), "head")?;
    for (at, author) in database.authors.iter().take(SHOWN).enumerate() {
        let label = if at == 0 { "author" } else { "" };
        let entries = Count(author.entries, "entry", "entries");
        writeln!(f, "    {label:8} user {}, {entries}", author.user)?;
    }
    told_more(f, database.authors.len(), "author")
}

fn told_more(f: &mut fmt::Formatter<'_>, count: usize, what: &'static str) -> fmt::Result {
    match count.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "             and {}", Count::s(more as u64, what).to_string().replacen(' ', " more ", 1)),
    }
}

/// Damage, faults, and what an interrupted write left.
pub(crate) fn told_wrong(f: &mut fmt::Formatter<'_>, inspection: &Inspection) -> fmt::Result {
    if inspection.damaged > 0 {
        writeln!(
            f,
            "damage   {}: what was written there is lost, restore the file from a backup",
            Count::s(inspection.damaged, "place")
        )?;
        for damage in &inspection.damage {
            writeln!(f, "  - {damage}")?;
        }
        told_unlisted(f, inspection.damaged, inspection.damage.len())?;
    }
    if inspection.faulty > 0 {
        writeln!(f, "faults   {} that should not be there", Count::s(inspection.faulty, "thing"))?;
        for fault in &inspection.faults {
            writeln!(f, "  - {fault}")?;
        }
        told_unlisted(f, inspection.faulty, inspection.faults.len())?;
    }
    if let Some(unfinished) = &inspection.unfinished {
        writeln!(f, "end      {unfinished}")?;
    }
    Ok(())
}

fn told_unlisted(f: &mut fmt::Formatter<'_>, all: u64, listed: usize) -> fmt::Result {
    match all.saturating_sub(listed as u64) {
        0 => Ok(()),
        more => writeln!(f, "  - and {} more", Grouped(more)),
    }
}
