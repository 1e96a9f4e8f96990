//! Five processes, each in a network namespace of its own, that write, are killed and started again, while the network between
//! them takes its time, loses packets, lets some overtake others, and is divided for a while. Afterwards all have everything that was answered, and the same state.
//!
//! Namespaces are those of the user, so nobody has to be root. Where there are none, that is said, and the processes are on the
//! loopback interface, which is not divided. `DEBROS_PARTITION_SECONDS` says how long it is divided: 15 seconds.

#[cfg(target_os = "linux")]
mod air;
mod landscape;
mod process;
mod replica;

use landscape::{Landscape, NODES};
use process::Process;
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long all have to become the same.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn processes_agree_after_kills_and_a_partition() {
    if replica::is_asked_for() {
        return replica::run();
    }
    #[cfg(target_os = "linux")]
    if air::is_wire() {
        return air::run_wire();
    }
    let divided = std::env::var("DEBROS_PARTITION_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let divided = Duration::from_secs(divided);
    let folder = tempfile::tempdir().expect("a folder");
    let landscape = Landscape::new();
    let mut processes: Vec<Process> = (0..NODES).map(|at| Process::start(&landscape, folder.path(), at)).collect();
    processes.iter_mut().for_each(Process::begin_to_write);
    write_some(&mut processes, 20);

    let is_divided = landscape.divide();
    let begun = Instant::now();
    // one on each side is killed meanwhile, and starts again
    for at in [1, 3] {
        processes[at].kill();
        thread::sleep(divided / 5);
        processes[at].start_again(&landscape);
        processes[at].begin_to_write();
    }
    thread::sleep(divided.saturating_sub(begun.elapsed()));
    write_some(&mut processes, 1);
    for (here, there) in [(0, 4), (2, 1)] {
        let newest = processes[here].newest();
        let lacks = processes[there].ask(&format!("lacks {newest}"));
        assert!(!is_divided || lacks == newest, "nothing gets from one side to the other");
    }
    landscape.join();

    // and one after it, more than once
    for _ in 0..3 {
        processes[4].kill();
        processes[4].start_again(&landscape);
        processes[4].begin_to_write();
        write_some(&mut processes, 5);
    }
    let answered: Vec<String> = processes.iter_mut().flat_map(Process::end_writing).collect();
    assert!(answered.len() > 20 * NODES);

    let until = Instant::now() + PATIENCE;
    loop {
        let states: Vec<String> = processes.iter_mut().map(|process| process.ask("state")).collect();
        if states.iter().all(|state| *state == states[0]) {
            break;
        }
        assert!(Instant::now() < until, "they have not become the same: {states:#?}");
        thread::sleep(Duration::from_millis(500));
    }
    for process in &mut processes {
        for some in answered.chunks(100) {
            assert_eq!(process.ask(&format!("lacks {}", some.join(" "))), "", "what was answered is there");
        }
    }
}

/// Waits until each has answered so many writes more.
fn write_some(processes: &mut [Process], count: usize) {
    for process in processes {
        process.wait_for_writes(count);
    }
}
