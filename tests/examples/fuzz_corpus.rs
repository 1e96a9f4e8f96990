//! Writes what a fuzz target begins with: `fuzz_corpus TARGET FOLDER`. Without arguments it names the targets.

use debros_tests::fuzzing::Target;
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder] = &arguments[..] else {
        Target::ALL.iter().for_each(|target| println!("{}", target.name));
        return Ok(());
    };
    let target = Target::named(name).ok_or_else(|| io::Error::other(format!("there is no target `{name}`")))?;
    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    for (number, bytes) in (target.corpus)().into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:05}")), bytes)?;
    }
    Ok(())
}
