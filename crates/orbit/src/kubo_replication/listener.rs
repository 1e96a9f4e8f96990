use super::Announcement;
use debros_ipfs::{Kubo, KuboDaemon, KuboError, KuboMessage};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time};

/// The first pause after an error, doubled until the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// So often it is looked who else listens.
const LOOK: Duration = Duration::from_secs(5);

/// What is heard of a daemon.
pub(super) enum Event {
    /// It listens from now on.
    Listening(KuboDaemon),
    /// Another daemon listens, too.
    Joined,
    /// Somebody has published something.
    Message(KuboMessage),
    /// So many messages were none that is read.
    Skipped(u64),
    /// It does not listen any more, or not yet.
    Lost(KuboError),
}

/// Listens to a topic, again and again. What nobody takes in time is dropped, as pubsub itself does.
pub(super) async fn listen(kubo: Kubo, topic: String, events: mpsc::Sender<Event>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begin = Instant::now();
        let ended =
            || KuboError::Unreachable { url: kubo.url().to_owned(), reason: "it has ended the connection".to_owned() };
        let lost = hear(&kubo, &topic, &events).await.err().unwrap_or_else(ended);
        if events.send(Event::Lost(lost)).await.is_err() {
            return;
        }
        pause = if begin.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (2 * pause).min(LONGEST_PAUSE) };
        time::sleep(pause).await;
    }
}

async fn hear(kubo: &Kubo, topic: &str, events: &mpsc::Sender<Event>) -> Result<(), KuboError> {
    let daemon = kubo.check().await?;
    let mut subscription = kubo.pubsub_sub(topic, Announcement::MAX_BYTES).await?;
    // without a driver this task ends with it
    let _ = events.send(Event::Listening(daemon)).await;
    let (mut skipped, mut others) = (0, HashSet::new());
    let mut look = time::interval(LOOK);
    loop {
        let message = tokio::select! {
            message = subscription.next() => message?,
            // there is nothing that tells of it
            _ = look.tick() => {
                let now: HashSet<String> = kubo.pubsub_peers(topic).await?.into_iter().collect();
                if !now.is_subset(&others) {
                    let _ = events.try_send(Event::Joined);
                }
                others = now;
                continue;
            }
        };
        let Some(message) = message else { return Ok(()) };
        let more = subscription.skipped() - std::mem::replace(&mut skipped, subscription.skipped());
        if more > 0 {
            let _ = events.try_send(Event::Skipped(more));
        }
        let _ = events.try_send(Event::Message(message));
    }
}
