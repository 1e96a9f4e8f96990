use debros_tests::free_port;
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

/// So many nodes: the first two on one side, the others on the other.
pub(crate) const NODES: usize = 5;
const SIDES: [&str; NODES] = ["left", "left", "right", "right", "right"];
const PORT: u16 = 4001;

/// Where the nodes are.
pub(crate) enum Landscape {
    /// Each in a network namespace, all in one of a user's, with two bridges that are joined.
    Namespaces { world: Holder, nodes: Vec<Holder> },
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

    fn namespaces() -> Result<Landscape, String> {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net"]);
        let world = Holder::start(command)?;
        let in_world = |line: &str| run(world.inside("ip"), line);
        for side in ["left", "right"] {
            in_world(&format!("link add {side} type bridge"))?;
            in_world(&format!("link set {side} up"))?;
        }
        in_world("link add to-right type veth peer name to-left")?;
        in_world("link set to-right master left up")?;
        in_world("link set to-left master right up")?;
        let mut nodes = Vec::new();
        for (at, side) in SIDES.iter().enumerate() {
            let mut command = world.inside("unshare");
            command.arg("--net");
            let node = Holder::start(command)?;
            in_world(&format!("link add port{at} type veth peer name node{at}"))?;
            in_world(&format!("link set port{at} master {side} up"))?;
            in_world(&format!("link set node{at} netns {}", node.0.id()))?;
            let in_node = |line: &str| run(node.inside("ip"), line);
            in_node(&format!("addr add {}/24 dev node{at}", host(at)))?;
            in_node(&format!("link set node{at} up"))?;
            in_node("link set lo up")?;
            nodes.push(node);
        }
        let slow = |(at, node): (usize, &Holder)| {
            run(node.inside("tc"), &format!("qdisc add dev node{at} root netem delay 20ms 10ms loss 1%"))
        };
        if let Err(why) = nodes.iter().enumerate().try_for_each(slow) {
            shout(&format!("THE NETWORK IS FAST AND LOSES NOTHING HERE: {why}"));
        }
        Ok(Landscape::Namespaces { world, nodes })
    }

    /// What runs a program where this node is.
    pub(crate) fn command(&self, at: usize, program: &str) -> Command {
        match self {
            Landscape::Namespaces { nodes, .. } => nodes[at].inside(program),
            Landscape::Loopback(_) => Command::new(program),
        }
    }

    /// Where a node listens.
    pub(crate) fn address(&self, at: usize) -> String {
        match self {
            Landscape::Namespaces { .. } => format!("/ip4/{}/tcp/{PORT}", host(at)),
            Landscape::Loopback(ports) => format!("/ip4/127.0.0.1/tcp/{}", ports[at]),
        }
    }

    /// Nothing gets from one side to the other any more. False if it cannot be divided.
    pub(crate) fn divide(&self) -> bool {
        self.set_bridge("down");
        matches!(self, Landscape::Namespaces { .. })
    }

    pub(crate) fn join(&self) {
        self.set_bridge("up");
    }

    fn set_bridge(&self, state: &str) {
        if let Landscape::Namespaces { world, .. } = self {
            run(world.inside("ip"), &format!("link set to-right {state}")).expect("it was set up so");
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

    fn inside(&self, program: &str) -> Command {
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

fn host(at: usize) -> String {
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
