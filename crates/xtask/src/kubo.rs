//! [`Kubo`]: the program of a Kubo daemon, for tests.

use std::{
    env,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

/// The oldest version that will do.
const OLDEST: (u32, u32) = (0, 43);

/// The program of a Kubo daemon.
pub(crate) struct Kubo {
    program: PathBuf,
}

impl Kubo {
    /// Gets it ready: the one that `KUBO_BIN` names, or `ipfs` on the PATH; else it is built by Go from the module in `tests/kubo`, or
    /// downloaded, and kept for the next time.
    pub(crate) fn ready(root: &Path) -> io::Result<Kubo> {
        if let Some(named) = env::var_os("KUBO_BIN") {
            let program = std::path::absolute(named)?;
            return match check(&program) {
                Ok(()) => Ok(Kubo { program }),
                Err(reason) => Err(io::Error::other(format!("KUBO_BIN cannot be used: {reason}"))),
            };
        }
        let mut reasons = Vec::new();
        match on_path("ipfs") {
            Some(program) => match check(&program) {
                Ok(()) => return Ok(Kubo { program }),
                Err(reason) => reasons.push(reason),
            },
            None => reasons.push("there is no `ipfs` on the PATH".to_owned()),
        }
        let module = root.join("tests/kubo");
        let sums = fs::read(module.join("go.sum"))?;
        let version = version_of(&fs::read_to_string(module.join("go.mod"))?)
            .ok_or_else(|| io::Error::other("tests/kubo/go.mod names no version of Kubo"))?;
        let folder = cache()?.join("debros").join(format!("kubo-{version}-{:016x}", fnv1a(&sums)));
        let program = folder.join(format!("ipfs{}", env::consts::EXE_SUFFIX));
        if program.is_file() {
            return match check(&program) {
                Ok(()) => Ok(Kubo { program }),
                Err(reason) => Err(io::Error::other(format!("{reason}; remove {}", folder.display()))),
            };
        }
        fs::create_dir_all(&folder)?;
        // only what is whole gets the name under which it is looked for
        let part = folder.join(format!("{}.part", process::id()));
        let made = match build(&module, &part) {
            Ok(()) => Ok(()),
            Err(reason) => {
                reasons.push(reason);
                download(&release(&version), &version, &folder, &part)
            }
        };
        let checked = made.and_then(|()| check(&part));
        if let Err(reason) = checked {
            reasons.push(reason);
            remove(&part)?;
            return Err(io::Error::other(format!(
                "no Kubo daemon can be had: {}. Install Go, or install Kubo {}.{} or newer and put its `ipfs` on the PATH, or set \
                 KUBO_BIN to it.",
                reasons.join("; "),
                OLDEST.0,
                OLDEST.1,
            )));
        }
        fs::rename(&part, &program)?;
        Ok(Kubo { program })
    }

    /// Where it is.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Runs a daemon on the loopback interface, with a repository of its own that is removed afterwards, until it is interrupted.
    pub(crate) fn run(&self) -> io::Result<bool> {
        let mut shell = shell(&self.program);
        // an interrupt ends this program, but not the shell: in its place the shell is waited for
        #[cfg(unix)]
        return Err(std::os::unix::process::CommandExt::exec(&mut shell));
        #[cfg(not(unix))]
        Ok(shell.status()?.success())
    }
}

/// The shell outlives the interrupt, which the daemon gets, too, and removes the repository when the daemon has ended.
fn shell(program: &Path) -> Command {
    const SCRIPT: &str = r#"
set -eu
IPFS_PATH=$(mktemp -d)
export IPFS_PATH IPFS_TELEMETRY=off
trap 'rm -rf "$IPFS_PATH"' EXIT
trap : INT TERM
"$1" init --profile=test --empty-repo >"$IPFS_PATH/said" || { cat "$IPFS_PATH/said"; exit 1; }
"$1" config Routing.Type none
for setting in Provide.Enabled HTTPRetrieval.Enabled Version.SwarmCheckEnabled; do "$1" config --json "$setting" false; done
"$1" config --json Gateway.NoFetch true
"$1" config --json Pubsub.Enabled true
"$1" config --json Swarm.RelayClient '{"Enabled": false}'
"$1" config --json Swarm.EnableHolePunching false
"$1" daemon | while read -r line; do
  case $line in
    "RPC API server listening on "*) url=$(echo "$line" | sed 's#.*/ip4/\(.*\)/tcp/\(.*\)#http://\1:\2#') ;;
    "Daemon is ready") echo "$url" ;;
  esac
done
"#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "kubo"]).arg(program).stdin(Stdio::null());
    command
}

/// Whether this program is a Kubo that is new enough. The error says why not.
fn check(program: &Path) -> Result<(), String> {
    let shown = program.display();
    let answer = Command::new(program).args(["version", "--number"]).stdin(Stdio::null()).output();
    let answer = answer.map_err(|error| format!("{shown} does not run: {error}"))?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let mut numbers = text.split(['.', '-']).map(|number| number.parse::<u32>().ok());
    match (answer.status.success(), numbers.next().flatten(), numbers.next().flatten()) {
        (true, Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(()),
        (true, Some(_), Some(_)) => {
            Err(format!("{shown} is of version {text}, and {}.{} is the oldest that will do", OLDEST.0, OLDEST.1))
        }
        _ => Err(format!("{shown} does not tell its version")),
    }
}

/// Where a program is.
fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|program| program.is_file())
}

/// The folder for what can be made again.
fn cache() -> io::Result<PathBuf> {
    let given = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    given("XDG_CACHE_HOME")
        .or_else(|| given("LOCALAPPDATA"))
        .or_else(|| Some(given("HOME")?.join(".cache")))
        .ok_or_else(|| io::Error::other("no folder for what is built: set HOME, XDG_CACHE_HOME or KUBO_BIN"))
}

/// The version of Kubo that a go.mod names, as `v0.43.0`.
fn version_of(module: &str) -> Option<String> {
    let line = module.lines().find_map(|line| line.trim().strip_prefix("github.com/ipfs/kubo "))?;
    line.split_whitespace().next().map(str::to_owned)
}

/// A number that changes when the bytes do.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn build(module: &Path, into: &Path) -> Result<(), String> {
    let go = on_path("go").ok_or("there is no Go to build it")?;
    eprintln!("building Kubo by Go, which takes some minutes and is done once");
    let mut command = Command::new(go);
    command.args(["build", "-o"]).arg(into).arg("github.com/ipfs/kubo/cmd/ipfs").current_dir(module);
    run(command).map_err(|reason| format!("Go cannot build it: {reason}"))
}

/// The folder of a version in Kubo's releases.
fn release(version: &str) -> String {
    format!("https://github.com/ipfs/kubo/releases/download/{version}")
}

/// Downloads the archive of a release, compares its checksum, and unpacks the program.
fn download(release: &str, version: &str, folder: &Path, into: &Path) -> Result<(), String> {
    let system = match env::consts::OS {
        "macos" => "darwin",
        other @ ("linux" | "freebsd") => other,
        other => return Err(format!("it is not downloaded for {other}")),
    };
    let machine = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => return Err(format!("it is not downloaded for {other}")),
    };
    let name = format!("kubo_{version}_{system}-{machine}.tar.gz");
    let work = folder.join(format!("{}.download", process::id()));
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let done = fetch(&format!("{release}/{name}.sha512"), &work.join("sum"))
        .and_then(|()| fetch(&format!("{release}/{name}"), &work.join(&name)))
        .and_then(|()| unpack(&work, &name, into));
    remove(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    done
}

fn fetch(url: &str, into: &Path) -> Result<(), String> {
    let mut command = if let Some(curl) = on_path("curl") {
        let mut command = Command::new(curl);
        command.args(["--fail", "--silent", "--show-error", "--location", "--output"]).arg(into);
        command
    } else if let Some(wget) = on_path("wget") {
        let mut command = Command::new(wget);
        command.args(["--no-verbose", "--output-document"]).arg(into);
        command
    } else {
        return Err("there is neither curl nor wget to download it".to_owned());
    };
    eprintln!("downloading {url}");
    command.arg(url);
    run(command).map_err(|reason| format!("{url} cannot be downloaded: {reason}"))
}

fn unpack(work: &Path, name: &str, into: &Path) -> Result<(), String> {
    let archive = work.join(name);
    let wanted = fs::read_to_string(work.join("sum")).map_err(|error| error.to_string())?;
    let wanted = wanted.split_whitespace().next().unwrap_or_default().to_lowercase();
    let found = sha512(&archive)?;
    if wanted.len() != 128 || wanted != found {
        return Err(format!("{name} has another checksum than its release says, and is not used"));
    }
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(work).arg("kubo/ipfs");
    run(tar).map_err(|reason| format!("{name} cannot be unpacked: {reason}"))?;
    fs::rename(work.join("kubo/ipfs"), into).map_err(|error| error.to_string())
}

/// The checksum of a file, by a program of the system.
fn sha512(path: &Path) -> Result<String, String> {
    let mut command = if let Some(program) = on_path("sha512sum") {
        Command::new(program)
    } else if let Some(program) = on_path("shasum") {
        let mut command = Command::new(program);
        command.args(["-a", "512"]);
        command
    } else {
        return Err("there is neither sha512sum nor shasum to compare its checksum".to_owned());
    };
    let answer = command.arg(path).output().map_err(|error| error.to_string())?;
    let sum = String::from_utf8_lossy(&answer.stdout).split_whitespace().next().map(str::to_lowercase);
    match sum {
        Some(sum) if answer.status.success() => Ok(sum),
        _ => Err(format!("no checksum: {}", String::from_utf8_lossy(&answer.stderr).trim())),
    }
}

/// Runs a program whose output is shown as errors are, so that what is printed stays the answer of this one.
fn run(mut command: Command) -> Result<(), String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or(OsStr::new("it")).to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} does not run: {error}")),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A folder for one test, gone at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = env::temp_dir().join(format!("debros-xtask-{}-{name}", process::id()));
            fs::create_dir_all(&folder).expect("the file system of a test");
            Folder(folder)
        }

        /// A program that says so.
        fn program(&self, name: &str, says: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).expect("the file system of a test");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file system of a test");
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            remove(&self.0).expect("the file system of a test");
        }
    }

    #[test]
    fn a_program_must_be_new_enough() {
        let folder = Folder::new("versions");
        for (says, good) in
            [("0.43.0", true), ("0.44.0-rc1", true), ("1.0.0", true), ("0.42.9", false), ("0.9.1", false)]
        {
            let checked = check(&folder.program("ipfs", says));
            assert_eq!(checked.is_ok(), good, "{says}: {checked:?}");
        }
        assert!(check(&folder.program("ipfs", "hello")).unwrap_err().contains("does not tell"));
        assert!(check(&folder.0.join("none")).unwrap_err().contains("does not run"));
    }

    #[test]
    fn the_module_of_the_project_names_a_version_that_will_do() {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kubo/go.mod");
        let version = version_of(&fs::read_to_string(module).unwrap()).unwrap();
        let minor = version.strip_prefix("v0.").and_then(|rest| rest.split('.').next()).unwrap();
        assert!(minor.parse::<u32>().unwrap() >= OLDEST.1, "{version}");
        assert_eq!(version_of("module x\n"), None);
    }

    #[test]
    fn a_release_is_used_only_if_its_checksum_is_right() {
        let folder = Folder::new("release");
        fs::create_dir(folder.0.join("kubo")).unwrap();
        fs::rename(folder.program("ipfs", "0.43.0"), folder.0.join("kubo/ipfs")).unwrap();
        let (name, sum, into) = ("kubo.tar.gz", folder.0.join("sum"), folder.0.join("made"));
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(folder.0.join(name)).arg("-C").arg(&folder.0).arg("kubo");
        run(tar).unwrap();
        let right = sha512(&folder.0.join(name)).unwrap();
        for wrong in ["", &right[1..], &"0".repeat(128)] {
            fs::write(&sum, format!("{wrong}  {name}\n")).unwrap();
            assert!(unpack(&folder.0, name, &into).unwrap_err().contains("another checksum"));
            assert!(!into.exists());
        }
        fs::write(&sum, format!("{right}  {name}\n")).unwrap();
        unpack(&folder.0, name, &into).unwrap();
        check(&into).unwrap();
    }
}
