//! [`Sim`]: whole nodes in a world that a seed decides.

/// Which seeds are run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sim {
    /// So many, from this one on.
    Many { seeds: u64, first: u64 },
    /// This one, with so many steps, and it is told what happens.
    One { seed: u64, steps: Option<u64> },
}

/// How many, if nothing is said.
const SEEDS: u64 = 100_000;

impl Sim {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Sim, String> {
        let (mut seeds, mut first, mut seed, mut steps) = (None, None, None, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let number = arguments.next().unwrap_or_default();
            let setting = match argument.as_str() {
                "--seeds" => &mut seeds,
                "--from" => &mut first,
                "--seed" => &mut seed,
                "--steps" => &mut steps,
                other => return Err(format!("`cargo xtask sim` does not know `{other}`")),
            };
            *setting = Some(number.parse().map_err(|_| format!("`{number}` is no number for {argument}"))?);
        }
        match (seed, seeds, first, steps) {
            (Some(seed), None, None, steps) => Ok(Sim::One { seed, steps }),
            (None, seeds, first, None) => {
                let (seeds, first) = (seeds.unwrap_or(SEEDS), first.unwrap_or(0));
                if seeds < 2 { Err("one seed is run by `--seed`".into()) } else { Ok(Sim::Many { seeds, first }) }
            }
            _ => Err("`--seed` and `--steps` are about one seed, `--seeds` and `--from` about many".into()),
        }
    }

    /// What cargo is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let fixed = "run --release --quiet --package debros-orbit --features simulation --example simulate --";
        let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        arguments.extend(match self {
            Sim::Many { seeds, first } => vec![seeds.to_string(), first.to_string()],
            Sim::One { seed, steps } => [Some(1), Some(*seed), *steps].iter().flatten().map(u64::to_string).collect(),
        });
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Sim, String> {
        Sim::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn many_seeds_are_run_or_one_is_told() {
        assert_eq!(parse(""), Ok(Sim::Many { seeds: SEEDS, first: 0 }));
        assert_eq!(parse("--from 7 --seeds 50"), Ok(Sim::Many { seeds: 50, first: 7 }));
        assert_eq!(parse("--seed 9"), Ok(Sim::One { seed: 9, steps: None }));
        assert_eq!(parse("--seed 9 --steps 3"), Ok(Sim::One { seed: 9, steps: Some(3) }));
        for wrong in ["9", "--seeds", "--seeds x", "--seeds 1", "--seed 1 --seeds 2", "--steps 3", "--worlds 3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let Ok(one) = parse("--seed 9 --steps 3") else { panic!("not understood") };
        assert!(one.arguments().join(" ").ends_with("--example simulate -- 1 9 3"));
    }
}
