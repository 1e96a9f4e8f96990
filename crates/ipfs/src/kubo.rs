//! [`Kubo`]: a client for the RPC of a Kubo daemon.

mod endpoint;
mod exported_blocks;
mod json_lines;
mod kubo_error;
mod kubo_options;
mod pooled_backend;
mod requests;
mod subscription;

use std::time::{Duration, Instant};

use bytes::Bytes;
use ipfs_api_prelude::{ApiRequest, IpfsApi as _};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Cid, MAX_BLOCK, block::matches};
pub use exported_blocks::ExportedBlocks;
pub use kubo_error::KuboError;
pub use kubo_options::KuboOptions;
pub use subscription::{KuboMessage, KuboSubscription};

use json_lines::JsonLines;
use kubo_error::{OLDEST, broken, shortened};
use pooled_backend::{ANY_CALL, Call, PooledBackend};

/// Kubo stores blocks of up to 2 MiB without being asked twice.
const BIG_BLOCK: usize = 2 << 20;
/// How many times the usual time is given to what says nothing while it walks a tree of maybe millions of blocks.
const SLOW: u32 = 10;
/// A topic on which nothing is heard for so long is listened to anew: the connection may be gone without a word.
const SILENCE: Duration = Duration::from_secs(900);
/// After so much time without progress it is asked whether there can be any.
const STANDSTILL: Duration = Duration::from_secs(1);

/// A client for the RPC of a Kubo daemon, which keeps its connections. Cheap to clone.
///
/// It makes its connections on the tokio runtime in which it is used, and needs one.
#[derive(Clone)]
pub struct Kubo {
    backend: PooledBackend,
}

/// A daemon that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KuboDaemon {
    /// Its version, as `0.43.0`.
    pub version: String,
    /// Its peer id. A daemon with a new repository has a new one.
    pub peer: String,
    /// Where other peers can reach it, as multiaddresses with its peer id.
    pub addresses: Vec<String>,
}

/// What a daemon says that it stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Blocks in the file.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub bytes: u64,
    /// The roots of the file, if they were to be pinned.
    pub roots: Vec<Cid>,
}

/// A pin of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KuboPin {
    /// What is pinned.
    pub cid: Cid,
    /// Its name; empty, if it has none.
    pub name: String,
    /// `recursive`, `direct` or `indirect`.
    pub kind: String,
}

/// How full a daemon's repository is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct RepoStat {
    /// Bytes that it takes.
    pub repo_size: u64,
    /// Bytes that it should take at most (`Datastore.StorageMax`).
    pub storage_max: u64,
    /// Blocks in it; 0 where they were not counted.
    #[serde(default)]
    pub num_objects: u64,
    /// Where it is, on the daemon's machine.
    #[serde(default)]
    pub repo_path: String,
}

impl Kubo {
    /// A client; nothing is asked of the daemon yet.
    ///
    /// # Errors
    /// If the address makes no sense, or the authorities of a `https` address cannot be read.
    pub fn new(options: KuboOptions) -> Result<Kubo, KuboError> {
        Ok(Kubo { backend: PooledBackend::new(&options)? })
    }

    /// A client for a daemon that was asked whether it is one that can be used: see [`Kubo::check`].
    ///
    /// # Errors
    /// As [`Kubo::new`] and [`Kubo::check`].
    pub async fn connect(options: KuboOptions) -> Result<Kubo, KuboError> {
        let kubo = Kubo::new(options)?;
        kubo.check().await?;
        Ok(kubo)
    }

    /// The daemon's address: scheme, host and port, without anything secret.
    pub fn url(&self) -> &str {
        &self.backend.endpoint.url
    }

    /// Who answers, if it is a Kubo of a version that can be used, and lets us in.
    ///
    /// # Errors
    /// If nothing answers, or something else, an older version, or a daemon that does not let us in.
    pub async fn check(&self) -> Result<KuboDaemon, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Version {
            version: String,
        }
        #[derive(Deserialize)]
        struct Id {
            #[serde(rename = "ID")]
            id: String,
            #[serde(rename = "Addresses", default)]
            addresses: Option<Vec<String>>,
        }
        let url = || self.url().to_owned();
        let answer = self.backend.send(self.backend.call(&requests::Version {})?).await?.into_bytes().await?;
        let Version { version } = serde_json::from_slice(&answer).map_err(|_| {
            let answer = shortened(String::from_utf8_lossy(&answer));
            KuboError::NotKubo { url: url(), reason: format!("asked for its version it says `{answer}`") }
        })?;
        let mut numbers = version.split(['.', '-']).map(|number| number.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) if (major, minor) >= OLDEST => {}
            (Some(_), Some(_)) => return Err(KuboError::TooOld { url: url(), version: shortened(version) }),
            _ => {
                let reason = format!("it calls its version `{}`", shortened(version));
                return Err(KuboError::NotKubo { url: url(), reason });
            }
        }
        let Id { id, addresses } = self.json(self.backend.call(&requests::Id {})?).await?;
        Ok(KuboDaemon { version, peer: id, addresses: addresses.unwrap_or_default() })
    }

    /// Stores the blocks of a CAR file, given in pieces; nothing of it is pinned. `largest` is how many bytes its largest block has at most.
    ///
    /// It is not atomic: after an error some of the blocks may be there.
    ///
    /// # Errors
    /// If the daemon does not take them, or its answer is not one.
    pub async fn dag_import(&self, car: Vec<Bytes>, largest: usize) -> Result<Imported, KuboError> {
        self.import(car, largest, false).await
    }

    /// Stores the blocks of a CAR file, and pins its roots recursively.
    ///
    /// A block below a root that is neither in the file nor in the repository is looked for among the daemon's peers, as long as it takes:
    /// [`Kubo::dag_import`] and [`Kubo::pin_add`] tell of it sooner.
    ///
    /// # Errors
    /// If the daemon does not take them, cannot pin a root, or its answer is not one.
    pub async fn dag_import_pinned(&self, car: Vec<Bytes>, largest: usize) -> Result<Imported, KuboError> {
        self.import(car, largest, true).await
    }

    async fn import(&self, car: Vec<Bytes>, largest: usize, pin_roots: bool) -> Result<Imported, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Line {
            root: Option<Root>,
            stats: Option<Stats>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Root {
            cid: Link,
            #[serde(default)]
            pin_error_msg: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Stats {
            block_count: u64,
            block_bytes_count: u64,
        }
        #[derive(Deserialize)]
        struct Link {
            #[serde(rename = "/")]
            cid: String,
        }
        let request = requests::DagImport {
            pin_roots,
            stats: true,
            fast_provide_root: false,
            allow_big_block: largest > BIG_BLOCK,
            _life: std::marker::PhantomData,
        };
        let call = self.backend.call_with_file(&request, car)?.within(self.slow());
        let mut imported = None;
        let mut roots = Vec::new();
        let mut lines = self.lines(call).await?;
        while let Some(line) = lines.next::<Line>().await? {
            if let Some(Root { cid: Link { cid }, pin_error_msg }) = line.root {
                if !pin_error_msg.is_empty() {
                    return Err(self.refused(&request, pin_error_msg));
                }
                roots.push(cid.parse().map_err(|_| self.broken(&request, format!("`{}` is no CID", shortened(cid))))?);
            }
            if let Some(Stats { block_count, block_bytes_count }) = line.stats {
                imported = Some(Imported { blocks: block_count, bytes: block_bytes_count, roots: Vec::new() });
            }
        }
        // the count comes last: without it the answer was cut off, or the import was
        let imported =
            imported.ok_or_else(|| self.broken(&request, "it does not say how much was stored".to_owned()))?;
        Ok(Imported { roots, ..imported })
    }

    /// The blocks below a root, the root first. The daemon gets those that it lacks from its peers.
    ///
    /// # Errors
    /// If the daemon does not begin to answer.
    pub async fn dag_export(&self, root: &Cid) -> Result<ExportedBlocks, KuboError> {
        self.export(root, false).await
    }

    /// The blocks below a root, the root first. One that is not in the daemon's own repository is an error.
    ///
    /// # Errors
    /// If the daemon does not begin to answer.
    pub async fn dag_export_local(&self, root: &Cid) -> Result<ExportedBlocks, KuboError> {
        self.export(root, true).await
    }

    async fn export(&self, root: &Cid, offline: bool) -> Result<ExportedBlocks, KuboError> {
        let arg = root.to_string();
        let call = self.backend.call(&requests::DagExport { arg: &arg, progress: false, offline })?;
        Ok(ExportedBlocks::new(self.backend.send(call).await?.into_stream(), self.url().to_owned()))
    }

    /// Pins a root and everything below it, all of which should be in the daemon's repository, under a name of at most 255 bytes. What
    /// is pinned already gets the name.
    ///
    /// # Errors
    /// If the root is missing, or a block below it that no connected peer gives at once.
    pub async fn pin_add(&self, root: &Cid, name: &str) -> Result<(), KuboError> {
        self.pin(root, name, true).await
    }

    /// Pins a root and everything below it; what the daemon lacks it gets from its peers. Ends with an error when nothing has arrived
    /// for the time that the options give.
    ///
    /// # Errors
    /// If a block cannot be had.
    pub async fn pin_add_from_peers(&self, root: &Cid, name: &str) -> Result<(), KuboError> {
        self.pin(root, name, false).await
    }

    async fn pin(&self, root: &Cid, name: &str, offline: bool) -> Result<(), KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Line {
            #[serde(default)]
            pins: Vec<String>,
            progress: Option<u64>,
        }
        let arg = root.to_string();
        // progress comes twice a second, so that silence means something; but only if blocks arrive
        let request =
            requests::PinAdd { arg: &arg, recursive: true, progress: true, offline, fast_provide_root: false, name };
        let mut lines = self.lines(self.backend.call(&request)?).await?;
        let (mut pinned, mut last, mut since) = (false, None, Instant::now());
        let (stalled, mut asked) = (self.backend.answer_within, !offline);
        while let Some(line) = lines.next::<Line>().await? {
            pinned |= line.pins.contains(&arg);
            if line.progress != last {
                (last, since) = (line.progress, Instant::now());
            } else if since.elapsed() > stalled {
                return Err(KuboError::Timeout { url: self.url().to_owned(), call: "pin/add", within: stalled });
            } else if !asked && since.elapsed() > STANDSTILL {
                // `offline` keeps a daemon that is online from looking for the root, but not for what is below it
                asked = true;
                self.all_there(&arg).await?;
            }
        }
        if pinned { Ok(()) } else { Err(self.broken(&request, "it does not say that anything was pinned".to_owned())) }
    }

    /// An error, if a block is missing below a root.
    async fn all_there(&self, root: &str) -> Result<(), KuboError> {
        let request = requests::DagStat { arg: root, progress: false, offline: true };
        let call = self.backend.call(&request)?.within(self.slow());
        let stat = match self.backend.send(call).await {
            Ok(answer) => answer.into_bytes().await,
            Err(error) => Err(error),
        };
        match stat {
            Ok(_) => Ok(()),
            Err(KuboError::Refused { url, message, .. }) => Err(KuboError::Refused { url, call: "pin/add", message }),
            Err(error) => Err(error),
        }
    }

    /// Removes a recursive pin. What is not pinned is no error.
    ///
    /// # Errors
    /// If the daemon cannot do it.
    pub async fn pin_rm(&self, root: &Cid) -> Result<(), KuboError> {
        match self.backend.pin_rm(&root.to_string(), true).await {
            Ok(_) => Ok(()),
            Err(KuboError::Refused { message, .. }) if message.contains("not pinned") => Ok(()),
            Err(error) => Err(self.named("pin/rm", error)),
        }
    }

    /// Whether this is pinned recursively.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn is_pinned(&self, root: &Cid) -> Result<bool, KuboError> {
        let arg = root.to_string();
        let request = requests::PinLs { arg: Some(&arg), kind: "recursive", names: false, stream: false, name: None };
        match self.json::<serde_json::Value>(self.backend.call(&request)?).await {
            Ok(_) => Ok(true),
            Err(KuboError::Refused { message, .. }) if message.contains("not pinned") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The recursive pins whose names contain a text.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn pins_named(&self, part: &str) -> Result<Vec<KuboPin>, KuboError> {
        self.pins("recursive", Some(part)).await
    }

    /// All pins of a kind: `recursive`, `direct`, `indirect` or `all`.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn pins(&self, kind: &str, named: Option<&str>) -> Result<Vec<KuboPin>, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Line {
            cid: String,
            #[serde(rename = "Type")]
            kind: String,
            #[serde(default)]
            name: String,
        }
        let request = requests::PinLs { arg: None, kind, names: true, stream: true, name: named };
        let mut pins = Vec::new();
        let mut lines = self.lines(self.backend.call(&request)?).await?;
        while let Some(line) = lines.next::<Line>().await? {
            let cid = line.cid.parse();
            let cid = cid.map_err(|_| self.broken(&request, format!("`{}` is no CID", shortened(&line.cid))))?;
            pins.push(KuboPin { cid, name: line.name, kind: line.kind });
        }
        Ok(pins)
    }

    /// A block of the daemon's own repository; `None`, if it is not in there.
    ///
    /// # Errors
    /// If the daemon cannot say, or gives other bytes.
    pub async fn block_get_local(&self, cid: &Cid) -> Result<Option<Bytes>, KuboError> {
        let arg = cid.to_string();
        let request = requests::BlockGet { arg: &arg, offline: true, timeout: None };
        match self.block(cid, &request, self.backend.answer_within).await {
            Err(KuboError::Refused { message, .. }) if is_missing(&message) => Ok(None),
            other => other.map(Some),
        }
    }

    /// A block from the daemon's repository or from its peers; `None`, if it is not found within this time.
    ///
    /// # Errors
    /// If the daemon cannot be asked, or gives other bytes.
    pub async fn block_get(&self, cid: &Cid, within: Duration) -> Result<Option<Bytes>, KuboError> {
        let (arg, timeout) = (cid.to_string(), format!("{}ms", within.as_millis().max(1)));
        let request = requests::BlockGet { arg: &arg, offline: false, timeout: Some(&timeout) };
        // the daemon itself says that the time is over; if it does not, that is an error
        match self.block(cid, &request, within.saturating_add(self.backend.answer_within)).await {
            Err(KuboError::Refused { message, .. }) if is_missing(&message) => Ok(None),
            other => other.map(Some),
        }
    }

    async fn block(&self, cid: &Cid, request: &requests::BlockGet<'_>, within: Duration) -> Result<Bytes, KuboError> {
        let call = self.backend.call(request)?.within(within);
        let bytes = self.backend.send(call).await?.into_bytes().await?;
        if bytes.len() > MAX_BLOCK {
            return Err(self.broken(request, format!("the block has {} bytes, more than {MAX_BLOCK}", bytes.len())));
        }
        match matches(cid, &bytes) {
            Some(true) => Ok(bytes),
            Some(false) => Err(KuboError::WrongBlock { url: self.url().to_owned(), cid: Box::new(*cid) }),
            None => Err(self.broken(request, format!("the hash of {cid} is not supported"))),
        }
    }

    /// The daemon's settings, as in its `config` file, without its private key.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn config(&self) -> Result<serde_json::Value, KuboError> {
        self.json(self.backend.call(&requests::ConfigShow {})?).await
    }

    /// How full the daemon's repository is. Without `count` its blocks are not counted, which takes long.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn repo_stat(&self, count: bool) -> Result<RepoStat, KuboError> {
        let request = requests::RepoStat { size_only: !count, _life: std::marker::PhantomData };
        self.json(self.backend.call(&request)?.within(self.slow())).await
    }

    /// How many bytes are free on the disk of the daemon's repository.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn free_space(&self) -> Result<u64, KuboError> {
        #[derive(Deserialize)]
        struct System {
            diskinfo: Disk,
        }
        #[derive(Deserialize)]
        struct Disk {
            free_space: u64,
        }
        let System { diskinfo } = self.json(self.backend.call(&requests::DiagSys {})?).await?;
        Ok(diskinfo.free_space)
    }

    /// Connects the daemon to another peer, by a multiaddress with its peer id.
    ///
    /// # Errors
    /// If it cannot reach it.
    pub async fn swarm_connect(&self, peer: &str) -> Result<(), KuboError> {
        match self.backend.swarm_connect(peer).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.named("swarm/connect", error)),
        }
    }

    /// The peers that the daemon is connected to, by their ids.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn swarm_peers(&self) -> Result<Vec<String>, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Peers {
            // absent, where there are none
            peers: Option<Vec<Peer>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Peer {
            peer: String,
        }
        let Peers { peers } = self.json(self.backend.call(&requests::SwarmPeers {})?).await?;
        Ok(peers.unwrap_or_default().into_iter().map(|peer| peer.peer).collect())
    }

    /// Has the daemon stay connected to a peer, of these multiaddresses with its peer id: it connects again and again. They replace those that
    /// it had of the peer. It forgets them when it is started anew.
    ///
    /// # Errors
    /// If the daemon does not take one of the addresses.
    pub async fn swarm_peering_add(&self, addresses: &[String]) -> Result<(), KuboError> {
        self.json::<serde_json::Value>(self.backend.call(&requests::SwarmPeeringAdd { addresses })?).await.map(drop)
    }

    /// The peers that the daemon stays connected to, by their ids.
    ///
    /// # Errors
    /// If the daemon cannot say.
    pub async fn swarm_peering_ls(&self) -> Result<Vec<String>, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Peers {
            peers: Option<Vec<Peer>>,
        }
        #[derive(Deserialize)]
        struct Peer {
            #[serde(rename = "ID")]
            id: String,
        }
        let Peers { peers } = self.json(self.backend.call(&requests::SwarmPeeringLs {})?).await?;
        Ok(peers.unwrap_or_default().into_iter().map(|peer| peer.id).collect())
    }

    /// The daemon need not stay connected to this peer, by its id.
    ///
    /// # Errors
    /// If the text is no id of a peer.
    pub async fn swarm_peering_rm(&self, peer: &str) -> Result<(), KuboError> {
        self.json::<serde_json::Value>(self.backend.call(&requests::SwarmPeeringRm { arg: peer })?).await.map(drop)
    }

    /// Listens to a topic of the daemon's pubsub; larger messages than `most` bytes are passed over. What is published by this daemon is
    /// heard, too. Messages get lost: of those that are not read soon, the daemon keeps 32.
    ///
    /// # Errors
    /// If the daemon's pubsub is off, or it does not answer.
    pub async fn pubsub_sub(&self, topic: &str, most: usize) -> Result<KuboSubscription, KuboError> {
        let topic = subscription::encoded(topic.as_bytes());
        let call = self.backend.call(&requests::PubsubSub { arg: &topic })?;
        let (name, within) = (call.name(), self.backend.answer_within);
        // it begins to answer at once, and then may have nothing to say for long
        let lines = tokio::time::timeout(within, self.lines(call.within(SILENCE))).await;
        let timeout = |_| KuboError::Timeout { url: self.url().to_owned(), call: name, within };
        Ok(KuboSubscription::new(lines.map_err(timeout)?.map_err(no_pubsub)?, most))
    }

    /// Publishes a message on a topic of the daemon's pubsub. Calls of one client should be made one after the other: of two at once
    /// a daemon may refuse one.
    ///
    /// # Errors
    /// If the daemon's pubsub is off, or it does not take the message.
    pub async fn pubsub_pub(&self, topic: &str, message: Bytes) -> Result<(), KuboError> {
        let topic = subscription::encoded(topic.as_bytes());
        let request = requests::PubsubPub { arg: &topic };
        let publish = async || {
            let answer = self.backend.send(self.backend.call_with_file(&request, vec![message.clone()])?).await?;
            answer.into_bytes().await.map(drop)
        };
        match publish().await {
            // another program has published through this daemon at the same moment
            Err(KuboError::Refused { message, .. }) if message.contains("validation ignored") => publish().await,
            done => done,
        }
        .map_err(no_pubsub)
    }

    /// The peers of the daemon that listen to a topic, by their ids.
    ///
    /// # Errors
    /// If the daemon's pubsub is off, or it cannot say.
    pub async fn pubsub_peers(&self, topic: &str) -> Result<Vec<String>, KuboError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Peers {
            strings: Option<Vec<String>>,
        }
        let topic = subscription::encoded(topic.as_bytes());
        let peers = self.json(self.backend.call(&requests::PubsubPeers { arg: &topic })?).await;
        let Peers { strings } = peers.map_err(no_pubsub)?;
        Ok(strings.unwrap_or_default())
    }

    /// An answer of one JSON value.
    async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, KuboError> {
        let name = call.name();
        let bytes = self.backend.send(call).await?.into_bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            broken(self.url(), name, format!("{error}: `{}`", shortened(String::from_utf8_lossy(&bytes))))
        })
    }

    /// An answer of JSON values, one in a line.
    async fn lines(&self, call: Call) -> Result<JsonLines, KuboError> {
        let name = call.name();
        Ok(JsonLines::new(self.backend.send(call).await?.into_stream(), self.url().to_owned(), name))
    }

    fn slow(&self) -> Duration {
        self.backend.answer_within.saturating_mul(SLOW)
    }

    fn broken<R: ApiRequest>(&self, _: &R, reason: String) -> KuboError {
        broken(self.url(), R::PATH.trim_start_matches('/'), reason)
    }

    fn refused<R: ApiRequest>(&self, _: &R, message: String) -> KuboError {
        KuboError::Refused { url: self.url().to_owned(), call: R::PATH.trim_start_matches('/'), message }
    }

    /// What the decoders of `ipfs-api-prelude` say knows neither address nor call.
    fn named(&self, call: &'static str, error: KuboError) -> KuboError {
        match error {
            KuboError::Broken { call: ANY_CALL, reason, .. } => broken(self.url(), call, reason),
            other => other,
        }
    }
}

impl std::fmt::Debug for Kubo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubo").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// Tells a daemon whose pubsub is off from one that could not do something.
fn no_pubsub(error: KuboError) -> KuboError {
    match error {
        KuboError::Refused { url, message, .. } if message.contains("pubsub feature not enabled") => {
            KuboError::NoPubsub { url }
        }
        other => other,
    }
}

/// What Kubo says of a block that it has not found, here or within the time.
fn is_missing(message: &str) -> bool {
    ["not found", "could not find", "context deadline exceeded"].iter().any(|part| message.contains(part))
}
