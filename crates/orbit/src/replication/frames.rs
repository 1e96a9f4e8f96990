//! Messages on a stream.

use super::message::{MAX_MESSAGE, Message};
use debros_ipfs::PeerStream;
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _,
    io::{ReadHalf, WriteHalf},
};
use std::{io, time::Duration};
use tokio::time::timeout;

/// So long a peer may be silent while something is expected of it, or take to read what it asked for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// What is read at a time, so that a length alone makes nobody reserve memory.
const PIECE: usize = 64 << 10;

/// Reads the next message; gives the stream back. An error where the peer breaks off, is silent for too long, or sends
/// what is none.
pub(super) async fn read(mut stream: ReadHalf<PeerStream>) -> io::Result<(ReadHalf<PeerStream>, Message)> {
    let body = timeout(PATIENCE, async {
        let mut len = [0; 4];
        stream.read_exact(&mut len).await?;
        let len = u32::from_be_bytes(len) as usize;
        if len > MAX_MESSAGE {
            return Err(io::Error::other(format!("a peer sends a message of {len} bytes, more than {MAX_MESSAGE}")));
        }
        let mut body = Vec::new();
        while body.len() < len {
            let have = body.len();
            body.resize(len.min(have + PIECE), 0);
            stream.read_exact(&mut body[have..]).await?;
        }
        Ok(body)
    });
    let message = Message::from_body(&body.await??).map_err(io::Error::other)?;
    Ok((stream, message))
}

/// Sends a message.
pub(super) async fn write(stream: &mut WriteHalf<PeerStream>, message: &Message) -> io::Result<()> {
    timeout(PATIENCE, async {
        stream.write_all(&message.to_frame()).await?;
        stream.flush().await
    })
    .await?
}
