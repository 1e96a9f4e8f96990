//! Messages on a stream.

use super::{
    message::{MAX_MESSAGE, Message, MessageError, TOGETHER},
    pace::Pace,
};
use debros_ipfs::PeerStream;
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _,
    io::{ReadHalf, WriteHalf},
};
use std::{io, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is read and written at a time, so that a length alone makes nobody reserve memory, and a slow peer is seen to move.
const PIECE: usize = 64 << 10;
/// A larger message has one large entry in it. Of those only so many are here at a time.
const LARGE: usize = TOGETHER + PIECE;
/// How many large ones.
pub(super) const LARGE_ONES: usize = 8;

/// Why no message was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The peer breaks off.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// It is too long.
    #[error("a peer sends a message of {0} bytes, more than {MAX_MESSAGE}")]
    TooLong(usize),
    /// It is none.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// A message that came.
pub(super) struct Frame {
    pub(super) message: Message,
    pub(super) bytes: usize,
    /// If it is a large one, until it was taken.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// Reads the next message; gives the stream back.
pub(super) async fn read(
    mut stream: ReadHalf<PeerStream>,
    pace: &Pace,
    large: Arc<Semaphore>,
) -> Result<(ReadHalf<PeerStream>, Frame), FrameError> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    let len = u32::from_be_bytes(len) as usize;
    if len > MAX_MESSAGE {
        return Err(FrameError::TooLong(len));
    }
    let permit = match len > LARGE {
        true => Some(large.acquire_owned().await.map_err(io::Error::other)?),
        false => None,
    };
    let mut body = Vec::new();
    while body.len() < len {
        let have = body.len();
        body.resize(len.min(have + PIECE), 0);
        stream.read_exact(&mut body[have..]).await?;
        pace.bytes(body.len() - have);
    }
    Ok((stream, Frame { message: Message::from_body(&body)?, bytes: 4 + len, permit }))
}

/// Sends a message, and says how many bytes that were.
pub(super) async fn write(stream: &mut WriteHalf<PeerStream>, message: &Message, pace: &Pace) -> io::Result<usize> {
    let frame = message.to_frame();
    for piece in frame.chunks(PIECE) {
        stream.write_all(piece).await?;
        pace.bytes(piece.len());
    }
    stream.flush().await?;
    Ok(frame.len())
}
