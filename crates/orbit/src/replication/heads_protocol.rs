//! The heads protocol, as JavaScript speaks it: both sides send their heads at once and then end; nothing says where one
//! head ends and the next begins.

use crate::HeadsExchange;
use debros_ipfs::{Bytes, PeerStream};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use std::time::Duration;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

/// A larger write becomes several frames, and JavaScript takes each frame for a head.
const FRAME: usize = 16 << 10;
/// So many bytes fit the window that JavaScript opens: beyond it, a head may be split.
const WINDOW: usize = 200 << 10;
/// How long a peer may take in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// JavaScript takes what comes before it listens for one head; so long it is waited for.
const UNTIL_IT_LISTENS: Duration = Duration::from_secs(1);

/// Which of these heads a peer takes, and which have to get there otherwise.
pub(super) fn fitting(heads: Vec<Bytes>) -> (Vec<Bytes>, Vec<Bytes>) {
    let mut sum = 0;
    heads.into_iter().partition(|head| {
        let fits = head.len() <= FRAME && sum + head.len() <= WINDOW;
        sum += if fits { head.len() } else { 0 };
        fits
    })
}

/// Sends heads and gives those of the peer; `None`, if it breaks off or sends too much.
pub(super) async fn exchange(stream: PeerStream, heads: &[Bytes]) -> Option<Vec<Vec<u8>>> {
    let (mut read, mut write) = stream.split();
    let (listens, it_listens) = oneshot::channel();
    let deadline = Instant::now() + PATIENCE;
    let send = async {
        if heads.len() > 1 {
            // its first byte or its end says that it does
            let _ = timeout(UNTIL_IT_LISTENS, it_listens).await;
        }
        for head in heads {
            write.write_all(head).await.ok()?;
            write.flush().await.ok()?;
        }
        write.close().await.ok()
    };
    let receive = async {
        let mut listens = Some(listens);
        let (mut exchange, mut chunk) = (HeadsExchange::default(), vec![0; FRAME]);
        loop {
            let read = read.read(&mut chunk).await.ok()?;
            if let Some(listens) = listens.take() {
                let _ = listens.send(());
            }
            if read == 0 {
                return Some(exchange);
            }
            exchange.read(&chunk[..read]).ok()?;
        }
    };
    let both = async { futures::future::join(send, receive).await };
    let (sent, received) = timeout_at(deadline, both).await.ok()?;
    sent?;
    // those before something that is none count
    Some(received?.heads().map_while(Result::ok).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_gets_what_fits_a_frame_and_its_window() {
        let heads: Vec<Bytes> = [FRAME, FRAME + 1, 10].map(|len| Bytes::from(vec![0; len])).to_vec();
        let (fit, rest) = fitting(heads);
        assert_eq!((fit.len(), rest.len()), (2, 1));
        let (fit, rest) = fitting(vec![Bytes::from(vec![0; FRAME]); 20]);
        assert_eq!((fit.len(), rest.len()), (12, 8));
    }
}
