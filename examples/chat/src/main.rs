//! Messages between terminals, on one machine or in a local network, without a server.
//!
//! ```sh
//! cargo run -p chat -- anna      # in one terminal
//! cargo run -p chat -- ben       # in another, or on another machine of the local network
//! ```
//!
//! They find each other by themselves; `--dial ADDRESS` reaches one that is further away. What is written while nobody is there arrives
//! when somebody is. `/peers` tells who is there, `/quit` or the end of the input ends it.

use clap::Parser;
use debros::{NetworkEvent, prelude::*};
use std::{collections::HashSet, path::PathBuf};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// What somebody says. Everyone may, and nobody changes what another said.
#[model(scope = global, writers = owner, name = "message")]
#[derive(Debug, Clone)]
pub struct Message {
    /// Its key, which commits to its author.
    #[field(key)]
    pub id: Id<Message>,
    /// Who says it: a user, whatever name they give themselves.
    #[field(owner)]
    pub author: UserId,
    /// The name that they give themselves.
    #[field(len = 1..=32)]
    pub name: String,
    /// What they say.
    #[field(len = 1..=2000)]
    pub text: String,
    /// When.
    #[field(created, index)]
    pub at: Timestamp,
}

/// Messages between terminals, without a server.
#[derive(Debug, Parser)]
struct Arguments {
    /// Your name.
    name: String,
    /// Where your messages and keys are kept [default: `chat-` and your name].
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, default_value = "/ip4/0.0.0.0/tcp/0")]
    listen: String,
    /// The address of a peer that is not in the local network.
    #[arg(long)]
    dial: Vec<String>,
    /// Neither look for peers in the local network nor be found there.
    #[arg(long)]
    alone: bool,
}

/// So many messages of before are shown.
const SHOWN: usize = 20;

#[tokio::main]
async fn main() {
    if let Err(error) = run(Arguments::parse()).await {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { name, folder, listen, dial, alone } = arguments;
    let folder = folder.unwrap_or_else(|| PathBuf::from(format!("chat-{name}")));
    let db = Db::builder(folder, "debros-chat").listen(listen).local_discovery(!alone).open(models![Message]).await?;
    let me = db.session(&db.identity("me").await?);
    let mut events = db.network().events()?;
    for address in db.network().addresses() {
        println!("* here: {address}");
    }
    for address in dial {
        // who is not there now may be later
        if let Err(error) = db.network().dial(&address).await {
            println!("* {error}");
        }
    }

    let mut shown = HashSet::new();
    show(&me, &mut shown).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line?.as_deref().map(str::trim) {
                None | Some("/quit") => break,
                Some("") => {}
                Some("/peers") => db.network().peers().iter().for_each(|peer| println!("* {} at {}", peer.id, peer.address)),
                Some(text) => {
                    let said = me.create(NewMessage { name: name.clone(), text: text.to_owned() }).await;
                    match said {
                        Ok(message) => _ = shown.insert(message.id),
                        Err(error) => println!("* {error}"),
                    }
                }
            },
            event = events.next() => match event {
                None => break,
                Some(NetworkEvent::Connected { peer }) => println!("* {peer} is there"),
                Some(NetworkEvent::Disconnected { peer }) => println!("* {peer} is gone"),
                Some(_) => show(&me, &mut shown).await?,
            },
        }
    }
    Ok(db.close().await?)
}

/// Shows the last messages that were not shown before, oldest first.
async fn show(me: &Session, shown: &mut HashSet<Id<Message>>) -> debros::Result<()> {
    let mut last = Message::query().order_by(|m| m.at.desc()).limit(SHOWN).fetch(me).await?;
    last.reverse();
    for Message { id, author, name, text, .. } in last {
        if shown.insert(id) {
            // the name is anybody's, the first digits of the user are not
            let user = author.to_string();
            println!("{name} ({}): {text}", user.get(..8).unwrap_or(&user));
        }
    }
    Ok(())
}
