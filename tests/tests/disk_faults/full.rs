//! A disk that is full: a small file system of its own, in a namespace of its own.

use crate::notes::{Notes, disk_error};
use debros_ipfs::DiskError;
use debros_orbit::KeystoreError;
use fail::FailScenario;
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

const MOUNT: &str = "DEBROS_FULL_DISK";

/// What takes all but some room of a disk.
struct Ballast(PathBuf);

impl Ballast {
    fn leaving(mount: &Path, room: usize) -> Ballast {
        let path = mount.join("ballast");
        let mut file = File::create(&path).expect("there is room");
        let mut written: u64 = 0;
        while let Ok(bytes) = file.write(&[0; 4096]) {
            written += bytes as u64;
        }
        file.set_len(written.saturating_sub(room as u64)).expect("it becomes smaller");
        Ballast(path)
    }

    fn make_room(self) {
        fs::remove_file(self.0).expect("it is there");
    }
}

/// Not a test of its own: it runs where a small disk is mounted.
#[test]
fn child() {
    let Some(mount) = std::env::var_os(MOUNT) else { return };
    let mount = Path::new(&mount);
    let (mut refused, mut ended) = (0, 0);
    for room in (0..40).map(|n| n * (12 << 10)) {
        let folder = mount.join("data");
        let ballast = Ballast::leaving(mount, room);
        let is_full = |error: &(dyn std::error::Error + 'static)| {
            let error = disk_error(error);
            assert!(matches!(error, DiskError::Full { .. }), "with {room} bytes: {error}");
        };
        let mut answered = 0;
        match Notes::open(&folder, Notes::options()) {
            Err(error) if error.is::<debros_orbit::OpenError>() => {
                match error.downcast_ref() {
                    Some(debros_orbit::OpenError::Keystore(KeystoreError::Io { source, .. })) => {
                        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
                    }
                    _ => is_full(&*error),
                }
                refused += 1;
            }
            Err(error) => is_full(&*error),
            Ok(notes) => {
                let error = loop {
                    match notes.write(answered) {
                        Ok(()) => answered += 1,
                        Err(error) => break error,
                    }
                };
                is_full(&error);
                notes.assert_there(0..answered);
                // what needs room itself says so; what is there is clean
                match notes.node.verify() {
                    Ok(report) => assert!(report.is_clean(), "{report}"),
                    Err(error) => is_full(&error),
                }
                assert!(fs::read_dir(folder.join("tmp")).map_or(0, Iterator::count) == 0, "verify leaves nothing");
                is_full(&notes.close().expect_err("it is told again"));
                ended += 1;
            }
        }
        // without more room, it opens to read, or says why not
        match Notes::open(&folder, Notes::options()) {
            Ok(notes) => notes.assert_there(0..answered),
            Err(error) if answered > 0 => is_full(&*error),
            Err(_) => {}
        }
        ballast.make_room();
        Notes::assert_recovers(&folder, 0..answered);
        fs::remove_dir_all(&folder).expect("nobody holds it");
    }
    assert!(refused > 1 && ended > 10, "{refused} {ended}");
    println!("filled a disk: {refused} folders did not open, {ended} ended writing");
}

/// A command in a namespace in which file systems can be mounted.
fn namespace() -> Option<Command> {
    [["--user", "--map-root-user", "--mount"].as_slice(), &["--mount"]].into_iter().find_map(|how| {
        let mut command = Command::new("unshare");
        command.args(how).args(["sh", "-c"]);
        let mut probe = Command::new("unshare");
        probe.args(how).args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"]);
        probe.output().is_ok_and(|output| output.status.success()).then_some(command)
    })
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let scenario = FailScenario::setup();
    let Some(mut command) = namespace() else {
        eprintln!("SKIPPED a_full_disk_is_told_and_loses_nothing: no file system can be mounted here (unshare, mount)");
        return;
    };
    let mount = tempfile::tempdir().expect("a folder");
    let output = command
        .arg("mount -t tmpfs -o size=8m tmpfs \"$0\" && exec \"$1\" full::child --exact --nocapture")
        .arg(mount.path())
        .arg(std::env::current_exe().expect("this program"))
        .env(MOUNT, mount.path())
        .output()
        .expect("a namespace");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("filled a disk"), "{text}");
    scenario.teardown();
}
