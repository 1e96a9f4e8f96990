use super::Finding;
use crate::{count::Count, size::Size};
use debros_ipfs::{Cid, Kubo, KuboError, KuboPin};
use debros_orbit::{BlockList, Hash};
use std::collections::HashSet;

const ABOUT: &str = "pins";
/// What the names of our pins begin with.
const OURS: &str = "debros/";
/// So many pins that are wrong are told one by one.
const LISTED: usize = 10;

/// What the pins of debros hold, and what is wrong with them.
#[derive(Default)]
pub(super) struct Pins {
    pins: u64,
    blocks: u64,
    bytes: u64,
    /// Pins whose blocks were all read below another one.
    seen: HashSet<Cid>,
    findings: Vec<Finding>,
    unlisted: u64,
}

impl Pins {
    /// Looks at every pin of ours: whether it is recursive, its root a list of blocks, and every block below it in the
    /// daemon's repository.
    pub(super) async fn examine(kubo: &Kubo) -> Result<Vec<Finding>, KuboError> {
        let ours = |pins: Vec<KuboPin>| pins.into_iter().filter(|pin| pin.name.starts_with(OURS)).collect::<Vec<_>>();
        let mut recursive = ours(kubo.pins("recursive", Some(OURS)).await?);
        let direct = ours(kubo.pins("direct", Some(OURS)).await?);
        // a root over all that a database has comes first: what is below it need not be read twice
        recursive.sort_by_key(|pin| (!pin.name.ends_with("-root"), pin.name.clone()));
        let roots: HashSet<Cid> = recursive.iter().map(|pin| pin.cid).collect();
        let mut all = Pins::default();
        for pin in &direct {
            all.pins += 1;
            let what = format!("`{}` pins its root alone, so garbage collection takes what is below.", pin.name);
            all.add(Finding::problem(ABOUT, what).mended_by(pin_again(pin)));
        }
        for pin in &recursive {
            all.pins += 1;
            if pin.name.contains(".catching-up/") {
                let what = format!("`{}` is left over from an interrupted take-over, or one is going on.", pin.name);
                all.add(Finding::note(ABOUT, what).mended_by(format!("ipfs pin rm {}", pin.cid)));
            }
            if !all.seen.contains(&pin.cid) {
                all.examine_pin(kubo, pin, &roots).await?;
            }
        }
        Ok(all.into_findings())
    }

    async fn examine_pin(&mut self, kubo: &Kubo, pin: &KuboPin, roots: &HashSet<Cid>) -> Result<(), KuboError> {
        let Some(root) = kubo.block_get_local(&pin.cid).await? else {
            let what = format!("`{}` pins {}, which the daemon has lost.", pin.name, pin.cid);
            self.add(Finding::problem(ABOUT, what).mended_by(pin_again(pin)));
            return Ok(());
        };
        let list = Hash::from_cid(&pin.cid).map(|hash| BlockList::decode(hash, &root));
        if !matches!(list, Some(Ok(_))) {
            let what = format!("`{}` has the name of a pin of debros, but {} is no list of blocks.", pin.name, pin.cid);
            self.add(Finding::problem(ABOUT, what).mended_by(format!("ipfs pin rm {}", pin.cid)));
            return Ok(());
        }
        // every block is read, and checked against its hash
        let mut exported = kubo.dag_export_local(&pin.cid).await?;
        loop {
            match exported.next().await {
                Ok(Some((cid, bytes))) => {
                    self.blocks += 1;
                    self.bytes += bytes.len() as u64;
                    if roots.contains(&cid) {
                        self.seen.insert(cid);
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) if error.is_unreachable() => return Err(error),
                Err(error) => {
                    let what = format!("below `{}` something is missing: {error}.", pin.name);
                    self.add(Finding::problem(ABOUT, what).mended_by(pin_again(pin)));
                    return Ok(());
                }
            }
        }
    }

    fn add(&mut self, finding: Finding) {
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        } else {
            self.unlisted += 1;
        }
    }

    fn into_findings(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            let what = format!("and {} like these.", Count::s(self.unlisted, "pin"));
            self.findings.push(Finding::problem(ABOUT, what));
        }
        if self.findings.is_empty() {
            let what = match self.pins {
                0 => "there is none of debros yet.".to_owned(),
                pins => format!(
                    "{} of debros, with {} ({}) below; all are there, and safe from garbage collection.",
                    Count::s(pins, "pin"),
                    Count::s(self.blocks, "block"),
                    Size(self.bytes)
                ),
            };
            self.findings.push(Finding::good(ABOUT, what));
        }
        self.findings
    }
}

/// The command that has the daemon fetch what is missing from its peers, and hold it. Names come from the daemon.
fn pin_again(pin: &KuboPin) -> String {
    let plain = pin.name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if plain { format!("ipfs pin add --name={} {}", pin.name, pin.cid) } else { format!("ipfs pin add {}", pin.cid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn many_wrong_pins_are_counted_after_the_first() {
        let mut pins = Pins::default();
        for n in 0..25 {
            pins.add(Finding::problem(ABOUT, format!("debros/x/{n}")));
        }
        let findings = pins.into_findings();
        assert_eq!((findings.len(), findings[LISTED].what.as_str()), (LISTED + 1, "and 15 pins like these."));
    }

    #[test]
    fn none_and_some_are_good() {
        assert_eq!(Pins::default().into_findings()[0].level, Level::Good);
        let some = Pins { pins: 2, blocks: 1_001, bytes: 2_048, ..Pins::default() };
        let what = &some.into_findings()[0].what;
        assert!(what.starts_with("2 pins of debros, with 1,001 blocks (2.0 KiB) below"), "{what}");
    }
}
