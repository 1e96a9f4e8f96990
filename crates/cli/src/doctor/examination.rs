use super::{Finding, Level, Settings, pins::Pins};
use debros_ipfs::{Kubo, KuboDaemon, KuboError, KuboOptions};

/// What was found out about a daemon.
#[derive(Debug)]
pub(crate) struct Examination {
    pub(crate) url: String,
    /// Of a daemon that answers.
    pub(crate) version: Option<String>,
    pub(crate) peer: Option<String>,
    pub(crate) findings: Vec<Finding>,
}

impl Examination {
    pub(crate) async fn of(kubo: &Kubo) -> Examination {
        let mut examination =
            Examination { url: kubo.url().to_owned(), version: None, peer: None, findings: Vec::new() };
        match kubo.check().await {
            Ok(KuboDaemon { version, peer, .. }) => {
                let what = format!("it answers, and its version {version} is one that can be used.");
                examination.findings.push(Finding::good("daemon", what));
                examination.version = Some(version);
                examination.peer = Some(peer);
                examination.examine(kubo).await;
            }
            Err(error) => examination.findings.push(no_daemon(&error)),
        }
        examination
    }

    pub(crate) fn count(&self, level: Level) -> u64 {
        self.findings.iter().filter(|finding| finding.level == level).count() as u64
    }

    async fn examine(&mut self, kubo: &Kubo) {
        if let Some(finding) = unencrypted(kubo.url()) {
            self.findings.push(finding);
        }
        let settings = match kubo.config().await {
            Ok(config) => Some(Settings(config)),
            Err(error) => {
                self.findings.push(unasked("settings", &error));
                None
            }
        };
        match (is_guarded(kubo).await, &settings) {
            (Ok(guarded), Some(settings)) => self.findings.push(settings.authorization(guarded)),
            (Ok(_), None) => {}
            (Err(error), _) => self.findings.push(unasked("authorization", &error)),
        }
        if let Some(settings) = &settings {
            self.findings.extend([settings.provide(), settings.datastore()]);
        }
        match kubo.repo_stat(false).await {
            Ok(stat) => {
                self.findings.extend(settings.as_ref().map(|settings| settings.garbage(&stat)));
                match (kubo.free_space().await, &settings) {
                    (Ok(free), Some(settings)) => self.findings.push(settings.free_space(free, &stat)),
                    (Ok(_), None) => {}
                    (Err(error), _) => self.findings.push(unasked("free space", &error)),
                }
            }
            Err(error) => self.findings.push(unasked("repository", &error)),
        }
        match Pins::examine(kubo).await {
            Ok(findings) => self.findings.extend(findings),
            Err(error) => self.findings.push(unasked("pins", &error)),
        }
        self.findings.push(pubsub(kubo).await);
    }
}

/// Whether applications can tell each other through it what they hold. A daemon may have been started with its pubsub on, whatever its
/// settings say, so it is tried.
async fn pubsub(kubo: &Kubo) -> Finding {
    const ABOUT: &str = "pubsub";
    match kubo.pubsub_peers("/debros/roots/1/").await {
        Ok(_) => {
            let what = "it is on, so applications with `.kubo_peers(true)` become the same through connected daemons.";
            Finding::good(ABOUT, what)
        }
        Err(KuboError::NoPubsub { .. }) => {
            let what = "it is off: blocks are kept, but applications with `.kubo_peers(true)` do not hear of each other; turn it on, and start the daemon again.";
            Finding::note(ABOUT, what).mended_by("ipfs config --json Pubsub.Enabled true")
        }
        Err(error) => unasked(ABOUT, &error),
    }
}

/// Whether somebody without a user or token is turned away.
async fn is_guarded(kubo: &Kubo) -> Result<bool, KuboError> {
    let stranger = Kubo::new(KuboOptions::new(kubo.url()))?;
    match stranger.check().await {
        Ok(_) => Ok(false),
        Err(KuboError::Unauthorized { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// There is no daemon that can be used.
fn no_daemon(error: &KuboError) -> Finding {
    let finding = Finding::problem("daemon", format!("{error}."));
    match error {
        KuboError::Unreachable { .. } => finding.mended_by("ipfs daemon"),
        KuboError::Unauthorized { url, .. } => finding.mended_by(format!("debros doctor --token <token> {url}")),
        KuboError::NotKubo { .. } => finding.mended_by("ipfs config Addresses.API"),
        KuboError::TooOld { .. } => finding.mended_by("ipfs update install latest"),
        _ => finding,
    }
}

/// Something that the daemon does not tell.
fn unasked(about: &'static str, error: &KuboError) -> Finding {
    let finding = Finding::note(about, format!("they could not be looked at: {error}."));
    match error {
        KuboError::Unauthorized { .. } => finding.mended_by("ipfs config API.Authorizations"),
        _ => Finding { level: Level::Problem, ..finding },
    }
}

/// What goes over the network unencrypted.
fn unencrypted(url: &str) -> Option<Finding> {
    let host = url.strip_prefix("http://")?.rsplit_once(':')?.0;
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let local = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    (!local).then(|| {
        let what = format!(
            "the connection to {host} is not encrypted: blocks, and a password or token, can be read on the way."
        );
        Finding::note("connection", what).mended_by(format!("ssh -N -L 5001:127.0.0.1:5001 {host}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_machine_is_reached_unencrypted() {
        for quiet in
            ["http://127.0.0.1:5001", "http://localhost:5001", "http://[::1]:5001", "https://kubo.example.org:443"]
        {
            assert_eq!(unencrypted(quiet), None, "{quiet}");
        }
        for told in ["http://192.168.0.7:5001", "http://kubo.example.org:5001", "http://[fd00::2]:5001"] {
            assert_eq!(unencrypted(told).map(|finding| finding.level), Some(Level::Note), "{told}");
        }
    }

    #[test]
    fn what_is_not_told_is_a_note_where_it_is_not_allowed_and_a_problem_else() {
        let url = || "http://127.0.0.1:5001".to_owned();
        let denied = unasked("pins", &KuboError::Unauthorized { url: url(), call: "pin/ls" });
        assert_eq!(denied.level, Level::Note);
        let broken = KuboError::Broken { url: url(), call: "pin/ls", reason: "x".to_owned() };
        assert_eq!(unasked("pins", &broken).level, Level::Problem);
        let gone = no_daemon(&KuboError::Unreachable { url: url(), reason: "refused".to_owned() });
        assert_eq!((gone.level, gone.mend.as_deref()), (Level::Problem, Some("ipfs daemon")));
    }
}
