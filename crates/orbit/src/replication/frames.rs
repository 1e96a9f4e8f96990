//! Messages on a stream.

use super::message::{MAX_MESSAGE, Message, MessageError};
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

/// Why no message was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The peer breaks off, or is silent for too long.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// It is too long.
    #[error("a peer sends a message of {0} bytes, more than {MAX_MESSAGE}")]
    TooLong(usize),
    /// It is none.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Reads the next message, and says how many bytes it took; gives the stream back.
pub(super) async fn read(
    mut stream: ReadHalf<PeerStream>,
) -> Result<(ReadHalf<PeerStream>, Message, usize), FrameError> {
    let body = timeout(PATIENCE, async {
        let mut len = [0; 4];
        stream.read_exact(&mut len).await?;
        let len = u32::from_be_bytes(len) as usize;
        if len > MAX_MESSAGE {
            return Err(FrameError::TooLong(len));
        }
        let mut body = Vec::new();
        while body.len() < len {
            let have = body.len();
            body.resize(len.min(have + PIECE), 0);
            stream.read_exact(&mut body[have..]).await?;
        }
        Ok(body)
    });
    let body = body.await.map_err(io::Error::from)??;
    Ok((stream, Message::from_body(&body)?, 4 + body.len()))
}

/// Sends a message, and says how many bytes that were.
pub(super) async fn write(stream: &mut WriteHalf<PeerStream>, message: &Message) -> io::Result<usize> {
    let frame = message.to_frame();
    timeout(PATIENCE, async {
        stream.write_all(&frame).await?;
        stream.flush().await
    })
    .await??;
    Ok(frame.len())
}
