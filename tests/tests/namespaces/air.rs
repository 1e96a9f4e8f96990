//! What lies between the nodes: frames take their time, some are lost, and none gets to the other side while it is divided.
//!
//! Each node has a network device in its namespace, a TAP, whose frames a process there carries to and from this one through a
//! socket in the file system. So delay and loss do not depend on what the kernel has been built with.

use crate::landscape::{Holder, NODES, SIDES, host};
use std::{
    collections::HashMap,
    env,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::UnixDatagram, time::sleep};
use tokio_tun::Tun;

/// Tells a process that it carries frames: the number of the node, and the folder of the sockets.
const WIRE: &str = "DEBROS_WIRE";
/// More than a frame has.
const FRAME: usize = 4 << 10;
/// How long a frame takes, in milliseconds; so some overtake others.
const DELAY: std::ops::Range<u64> = 10..30;
/// One in so many is lost.
const LOST: u64 = 100;

/// What lies between the nodes.
pub(crate) struct Air {
    wires: Vec<Child>,
    state: Arc<State>,
    _folder: TempDir,
}

#[derive(Default)]
struct State {
    divided: AtomicBool,
    passed: AtomicU64,
    lost: AtomicU64,
    stopped: AtomicU64,
}

impl Air {
    /// Between these nodes, each of which gets its address.
    pub(crate) fn between(nodes: &[Holder]) -> Result<Air, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let state: Arc<State> = Arc::default();
        let (of_thread, path) = (state.clone(), folder.path().to_path_buf());
        let (begun, begins) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let hub = UnixDatagram::bind(hub(&path)).expect("a socket");
                // somebody waits for it
                let _ = begun.send(());
                carry(Arc::new(hub), &path, &of_thread).await;
            });
        });
        begins.recv().map_err(|_| "nothing carries frames")?;
        let mut air = Air { wires: Vec::new(), state, _folder: folder };
        for (at, node) in nodes.iter().enumerate() {
            air.wires.push(start_wire(at, node, air._folder.path())?);
        }
        Ok(air)
    }

    /// Does nothing get from one side to the other?
    pub(crate) fn divide(&self, divided: bool) {
        self.state.divided.store(divided, Ordering::Relaxed);
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        let State { passed, lost, stopped, .. } = &*self.state;
        println!("frames: {passed:?} passed, {lost:?} lost, {stopped:?} stopped between the sides");
        for wire in &mut self.wires {
            // it may have ended with an error already
            let _ = wire.kill();
            let _ = wire.wait();
        }
    }
}

fn hub(folder: &Path) -> PathBuf {
    folder.join("hub")
}

fn end(folder: &Path, at: usize) -> PathBuf {
    folder.join(at.to_string())
}

/// Carries the frames between all nodes. Each begins with the number of the node that sent it.
async fn carry(hub: Arc<UnixDatagram>, folder: &Path, state: &State) {
    let mut frame = [0; FRAME];
    let mut known: HashMap<[u8; 6], usize> = HashMap::new();
    let ends: Vec<PathBuf> = (0..NODES).map(|at| end(folder, at)).collect();
    while let Ok(len) = hub.recv(&mut frame).await {
        let Some((&from, bytes)) = frame[..len].split_first() else { continue };
        let from = usize::from(from);
        let (Some(to), Some(own)) = (mac(bytes, 0), mac(bytes, 6)) else { continue };
        known.insert(own, from);
        let divided = state.divided.load(Ordering::Relaxed);
        let all = 0..NODES;
        for at in all.filter(|at| *at != from && known.get(&to).is_none_or(|known| known == at)) {
            if divided && SIDES[at] != SIDES[from] {
                state.stopped.fetch_add(1, Ordering::Relaxed);
            } else if fastrand::u64(..LOST) == 0 {
                state.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                state.passed.fetch_add(1, Ordering::Relaxed);
                let (hub, end, bytes) = (hub.clone(), ends[at].clone(), bytes.to_vec());
                tokio::spawn(async move {
                    sleep(Duration::from_millis(fastrand::u64(DELAY))).await;
                    // where nobody is there, or takes it, it is lost
                    let _ = hub.send_to(&bytes, end).await;
                });
            }
        }
    }
}

fn mac(frame: &[u8], at: usize) -> Option<[u8; 6]> {
    frame.get(at..)?.first_chunk().copied()
}

fn start_wire(at: usize, node: &Holder, folder: &Path) -> Result<Child, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = node.inside(program.to_str().ok_or("a path of this program that is no text")?);
    command.args(["processes_agree_after_kills_and_a_partition", "--exact", "--nocapture"]);
    command.env(WIRE, format!("{at} {}", folder.display())).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let output = child.stdout.take().ok_or("no output")?;
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    if lines.any(|line| line.ends_with("@ready")) {
        // the test harness says now and then that it still runs, and ends where nobody reads that
        thread::spawn(move || lines.for_each(drop));
        return Ok(child);
    }
    let mut why = String::new();
    // what there is of it
    let _ = child.stderr.take().map(|mut errors| errors.read_to_string(&mut why));
    let _ = child.kill();
    Err(why.lines().next().unwrap_or("it says nothing").to_owned())
}

/// Is this a process that carries frames?
pub(crate) fn is_wire() -> bool {
    env::var_os(WIRE).is_some()
}

/// Carries frames until its input ends.
pub(crate) fn run_wire() {
    thread::spawn(|| {
        // it ends when its parent does, however that ends
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let wire = env::var(WIRE).expect("it is one");
    let (at, folder) = wire.split_once(' ').expect("a number and a folder");
    let (at, folder): (usize, _) = (at.parse().expect("a number"), Path::new(folder));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let address = host(at).parse().expect("an address");
        let mask = [255, 255, 255, 0].into();
        let device = Tun::builder().name(&format!("node{at}")).tap().address(address).netmask(mask).up().build();
        let device = device.expect("a network device").pop().expect("one of them");
        let socket = UnixDatagram::bind(end(folder, at)).expect("a socket");
        socket.connect(hub(folder)).expect("the other end");
        println!("@ready");
        let out = async {
            let mut frame = [0; FRAME];
            frame[0] = at as u8;
            while let Ok(len) = device.recv(&mut frame[1..]).await {
                // where there is no room, it is lost
                let _ = socket.send(&frame[..=len]).await;
            }
        };
        let into = async {
            let mut frame = [0; FRAME];
            while let Ok(len) = socket.recv(&mut frame).await {
                // a device that goes down drops it
                let _ = device.send(&frame[..len]).await;
            }
        };
        // a device or socket that fails ends the wire, and the test with it
        tokio::select! {
            () = out => {}
            () = into => {}
        }
    });
}
