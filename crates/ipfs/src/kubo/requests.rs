//! The calls that are made, as the RPC reference of Kubo 0.43 describes them. Those of `ipfs-api-prelude` lack options, or are
//! missing.

use ipfs_api_prelude::ApiRequest;
use serde::{Serialize, Serializer};
use std::marker::PhantomData;

/// A call without options.
macro_rules! plain {
    ($($name:ident $path:literal)*) => {$(
        #[derive(Serialize)]
        pub(super) struct $name {}
        impl ApiRequest for $name {
            const PATH: &'static str = $path;
        }
    )*};
}

/// A call with options.
macro_rules! request {
    ($name:ident $path:literal { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Serialize)]
        pub(super) struct $name<'r> {
            $($(#[$meta])* pub(super) $field: $type,)*
        }
        impl ApiRequest for $name<'_> {
            const PATH: &'static str = $path;
        }
    };
}

plain! {
    Version "/version"
    Id "/id"
    ConfigShow "/config/show"
    DiagSys "/diag/sys"
    SwarmPeers "/swarm/peers"
    SwarmPeeringLs "/swarm/peering/ls"
}

request!(BlockGet "/block/get" {
    arg: &'r str,
    offline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<&'r str>,
});
request!(DagImport "/dag/import" {
    #[serde(rename = "pin-roots")]
    pin_roots: bool,
    stats: bool,
    #[serde(rename = "fast-provide-root")]
    fast_provide_root: bool,
    #[serde(rename = "allow-big-block")]
    allow_big_block: bool,
    #[serde(skip)]
    _life: PhantomData<&'r ()>,
});
request!(DagStat "/dag/stat" {
    arg: &'r str,
    progress: bool,
    offline: bool,
});
request!(DagExport "/dag/export" {
    arg: &'r str,
    progress: bool,
    offline: bool,
});
request!(PinAdd "/pin/add" {
    arg: &'r str,
    recursive: bool,
    progress: bool,
    offline: bool,
    #[serde(rename = "fast-provide-root")]
    fast_provide_root: bool,
    name: &'r str,
});
request!(PinLs "/pin/ls" {
    #[serde(skip_serializing_if = "Option::is_none")]
    arg: Option<&'r str>,
    #[serde(rename = "type")]
    kind: &'r str,
    names: bool,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
});
request!(RepoStat "/repo/stat" {
    #[serde(rename = "size-only")]
    size_only: bool,
    #[serde(skip)]
    _life: PhantomData<&'r ()>,
});
/// The addresses of a peer are named in one call: each call replaces what was there before.
pub(super) struct SwarmPeeringAdd<'r> {
    pub(super) addresses: &'r [String],
}

impl Serialize for SwarmPeeringAdd<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.addresses.iter().map(|address| ("arg", address)))
    }
}

impl ApiRequest for SwarmPeeringAdd<'_> {
    const PATH: &'static str = "/swarm/peering/add";
}

request!(SwarmPeeringRm "/swarm/peering/rm" { arg: &'r str });
// topics are in multibase
request!(PubsubSub "/pubsub/sub" { arg: &'r str });
request!(PubsubPub "/pubsub/pub" { arg: &'r str });
request!(PubsubPeers "/pubsub/peers" { arg: &'r str });
