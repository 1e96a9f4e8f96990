//! Messages between terminals, on one machine or in a local network, without a server.
//!
//! ```sh
//! cargo run -p chat -- anna      # in one terminal
//! cargo run -p chat -- ben       # in another, or on another machine of the local network
//! ```
//!
//! They find each other by themselves; `--dial ADDRESS` reaches one that is further away. What is written while nobody is there arrives
//! when somebody is. `/users` tells who has ever been there, `/peers` which nodes are now, `/quit` or the end of the input ends it.

use clap::Parser;
use debros::{Builder, NetworkEvent, prelude::*};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// What somebody says. Everyone may, and nobody changes what another said.
#[model(scope = global, writers = owner, name = "message")]
#[derive(Debug, Clone)]
pub struct Message {
    /// Its key, which commits to its author.
    #[field(key)]
    pub id: Id<Message>,
    /// Who says it.
    #[field(owner)]
    pub author: UserId,
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
    /// The address of a peer that is not in the local network; it need not be there yet.
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
    let builder = Db::builder(folder, "debros-chat").listen(listen).local_discovery(!alone);
    let db = dial.into_iter().fold(builder, Builder::peer).open(models![Message]).await?;
    let identity = db.identity("me").await?;
    let me = db.session(&identity);
    db.announce(&identity, name.as_str()).await?;
    let mut events = db.network().events()?;
    for address in db.network().addresses() {
        println!("* here: {address}");
    }

    let mut chat = Chat { me, names: HashMap::new(), shown: HashSet::new() };
    chat.meet().await?;
    chat.show().await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line?.as_deref().map(str::trim) {
                None | Some("/quit") => break,
                Some("") => {}
                Some("/users") => chat.names.keys().for_each(|user| println!("* {}", chat.name(user))),
                Some("/peers") => db.network().peers().iter().for_each(|peer| println!("* {} at {}", peer.id, peer.address)),
                Some(text) => chat.say(text).await,
            },
            event = events.next() => match event {
                None => break,
                Some(NetworkEvent::Connected { peer }) => println!("* {peer} is there"),
                Some(NetworkEvent::Disconnected { peer }) => println!("* {peer} is gone"),
                Some(NetworkEvent::Users) => chat.meet().await?,
                Some(_) => chat.show().await?,
            },
        }
    }
    Ok(db.close().await?)
}

/// What is on the screen.
struct Chat {
    me: Session,
    names: HashMap<UserId, String>,
    shown: HashSet<Id<Message>>,
}

impl Chat {
    async fn say(&mut self, text: &str) {
        match self.me.create(NewMessage { text: text.to_owned() }).await {
            Ok(message) => _ = self.shown.insert(message.id),
            Err(error) => println!("* {error}"),
        }
    }

    /// Tells of users who were not known before, or have other names.
    async fn meet(&mut self) -> debros::Result<()> {
        for user in self.me.db().users().await? {
            let name = user.name.unwrap_or_default();
            if self.names.insert(user.id, name.clone()).is_none_or(|before| before != name) && user.id != self.me.user()
            {
                println!("* {} is with us", self.name(&user.id));
            }
        }
        Ok(())
    }

    /// Shows the last messages that were not shown before, oldest first.
    async fn show(&mut self) -> debros::Result<()> {
        let mut last = Message::query().order_by(|m| m.at.desc()).limit(SHOWN).fetch(&self.me).await?;
        last.reverse();
        for message in last {
            if self.shown.insert(message.id) {
                println!("{}: {}", self.name(&message.author), message.text);
            }
        }
        Ok(())
    }

    /// The name is whatever a user says, and others may say the same; the first digits of the user are theirs alone.
    fn name(&self, user: &UserId) -> String {
        let (name, id) = (self.names.get(user).map_or("", String::as_str), user.to_string());
        format!("{} ({})", if name.is_empty() { "somebody" } else { name }, id.get(..8).unwrap_or(&id))
    }
}
