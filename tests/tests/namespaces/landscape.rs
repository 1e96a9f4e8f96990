#[cfg(target_os = "linux")]
use crate::air::Air;
use debros_tests::free_port;
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

/// So many nodes: the first two on one side, the others on the other.
pub(crate) const NODES: usize = 5;
pub(crate) const SIDES: [&str; NODES] = ["left", "left", "right", "right", "right"];
const PORT: u16 = 4001;

/// Where the nodes are.
pub(crate) enum Landscape {
    /// Each in a network namespace, all in one of a user's.
    #[cfg(target_os = "linux")]
    Namespaces { nodes: Vec<Holder>, air: Air, _world: Holder },
    /// On the loopback interface, at these ports.
    Loopback(Vec<u16>),
}

/// A process that keeps a namespace, and ends with this one.
pub(crate) struct Holder(Child);

impl Landscape {
    pub(crate) fn new() -> Landscape {
        Landscape::namespaces().unwrap_or_else(|why| {
            shout(&format!("NO NETWORK NAMESPACES HERE ({why}): nothing is divided, nodes are killed only"));
            Landscape::Loopback((0..NODES).map(|_| free_port()).collect())
        })
    }

    #[cfg(target_os = "linux")]
    fn namespaces() -> Result<Landscape, String> {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net"]);
        let world = Holder::start(command)?;
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            let mut command = world.inside("unshare");
            command.arg("--net");
            let node = Holder::start(command)?;
            run(node.inside("ip"), "link set lo up")?;
            nodes.push(node);
        }
        let air = Air::between(&nodes)?;
        Ok(Landscape::Namespaces { nodes, air, _world: world })
    }

    #[cfg(not(target_os = "linux"))]
    fn namespaces() -> Result<Landscape, String> {
        Err("they are of Linux".to_owned())
    }

    /// What runs a program where this node is.
    pub(crate) fn command(&self, at: usize, program: &str) -> Command {
        match self {
            #[cfg(target_os = "linux")]
            Landscape::Namespaces { nodes, .. } => nodes[at].inside(program),
            Landscape::Loopback(_) => Command::new(program),
        }
    }

    /// Where a node listens.
    pub(crate) fn address(&self, at: usize) -> String {
        match self {
            #[cfg(target_os = "linux")]
            Landscape::Namespaces { .. } => format!("/ip4/{}/tcp/{PORT}", host(at)),
            Landscape::Loopback(ports) => format!("/ip4/127.0.0.1/tcp/{}", ports[at]),
        }
    }

    /// Nothing gets from one side to the other any more. False if it cannot be divided.
    pub(crate) fn divide(&self) -> bool {
        self.set_divided(true)
    }

    pub(crate) fn join(&self) {
        self.set_divided(false);
    }

    fn set_divided(&self, divided: bool) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Landscape::Namespaces { air, .. } => {
                air.divide(divided);
                true
            }
            Landscape::Loopback(_) => false,
        }
    }
}

impl Holder {
    /// `command` makes the namespace and runs what follows in it.
    fn start(mut command: Command) -> Result<Holder, String> {
        // it ends when its input does, however this process ends
        command.args(["sh", "-c", "echo ready && exec cat"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        if line == "ready\n" { Ok(Holder(child)) } else { Err(format!("{command:?} makes none")) }
    }

    pub(crate) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.0.id().to_string(), "--user", "--net", "--preserve-credentials", program]);
        command
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // it may have ended with an error already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn host(at: usize) -> String {
    format!("10.77.0.{}", at + 1)
}

/// Past what the test harness keeps to itself.
fn shout(what: &str) {
    // nobody may be there to read it
    let _ = writeln!(io::stderr(), "\n!! {what} !!\n");
}

fn run(mut command: Command, line: &str) -> Result<(), String> {
    command.args(line.split(' '));
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
