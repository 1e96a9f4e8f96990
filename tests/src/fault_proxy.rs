use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{Fault, free_port::free_port};

/// What a daemon says whose disk is full.
const NO_SPACE: &str = r#"{"Message":"no space left on device","Code":0,"Type":"error"}"#;
/// How a request begins that publishes something.
const PUBLISH: &[u8] = b"POST /api/v0/pubsub/pub?";

/// A TCP proxy on the loopback interface that fails as a test tells it to.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    /// counts how often the fault was set
    epoch: u64,
    listening: bool,
    ended: bool,
    accepted: usize,
    requested: u64,
    live: Vec<Arc<Connection>>,
}

#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// What happens to some bytes.
enum Verdict {
    Pass(Duration),
    /// only the first of them pass
    Cut(usize),
    NoSpace(usize),
    /// none of them pass, and the client hears that all is well
    Lose,
    End,
}

impl FaultProxy {
    /// A proxy in front of this host and port; everything passes at first.
    pub fn start(target: impl Into<String>) -> FaultProxy {
        let (port, listener) = (0..100)
            .find_map(|_| {
                let port = free_port();
                Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?))
            })
            .expect("a port is free");
        let state = State {
            fault: Fault::Pass,
            epoch: 0,
            listening: true,
            ended: false,
            accepted: 0,
            requested: 0,
            live: Vec::new(),
        };
        let shared = Arc::new(Shared { target: target.into(), state: Mutex::new(state), changed: Condvar::new() });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(port, listener)
        });
        FaultProxy { port, shared, acceptor: Some(acceptor) }
    }

    /// Its address, as that of a daemon.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Fails so from now on, until it is told otherwise.
    pub fn set(&self, fault: Fault) {
        let mut state = self.shared.lock();
        state.fault = fault;
        state.epoch += 1;
        self.shared.changed.notify_all();
        if fault == Fault::Refuse {
            state.close_all();
        }
        // when this returns, the next connection meets it
        while state.listening == (fault == Fault::Refuse) {
            state = self.shared.changed.wait(state).expect("no thread of the proxy panicked");
        }
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().accepted
    }

    /// How many bytes of requests have passed so far.
    pub fn requested(&self) -> u64 {
        self.shared.lock().requested
    }

    /// Closes the connections that there are; new ones are accepted.
    pub fn disconnect(&self) {
        self.shared.lock().close_all();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.ended = true;
            state.close_all();
            self.shared.changed.notify_all();
        }
        if let Some(acceptor) = self.acceptor.take()
            && acceptor.join().is_err()
            && !thread::panicking()
        {
            panic!("the proxy's thread panicked");
        }
    }
}

impl State {
    fn close_all(&mut self) {
        for connection in self.live.drain(..) {
            connection.close();
        }
    }
}

impl Connection {
    /// Both sides see an end. One that has closed its side already needs no telling.
    fn close(&self) {
        for stream in [&self.client, &self.server] {
            closed(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panicked")
    }

    fn accept(self: Arc<Shared>, port: u16, first: TcpListener) {
        let mut listener = Some(first);
        loop {
            {
                let mut state = self.lock();
                if state.ended {
                    return;
                }
                if state.fault == Fault::Refuse {
                    listener = None;
                    state.listening = false;
                    self.changed.notify_all();
                    drop(self.changed.wait(state).expect("no thread of the proxy panicked"));
                    continue;
                }
                let bound = listener
                    .get_or_insert_with(|| TcpListener::bind(("127.0.0.1", port)).expect("the port is still free"));
                bound.set_nonblocking(true).expect("a listener can be asked without waiting");
                state.listening = true;
                self.changed.notify_all();
            }
            match listener.as_ref().expect("it was bound above").accept() {
                Ok((client, _)) => self.begin(client),
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                Err(error) => panic!("the proxy cannot accept: {error}"),
            }
        }
    }

    fn begin(self: &Arc<Shared>, client: TcpStream) {
        client.set_nonblocking(false).expect("a stream that waits");
        // without a daemon behind it the client sees its connection closed
        let server = TcpStream::connect(&self.target);
        let mut state = self.lock();
        state.accepted += 1;
        let Ok(server) = server else { return };
        if state.ended || state.fault == Fault::Refuse {
            return;
        }
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("small pieces are sent at once");
        }
        let connection = Arc::new(Connection { client, server });
        state.live.push(Arc::clone(&connection));
        for direction in [Direction::Request, Direction::Answer] {
            let (shared, connection) = (Arc::clone(self), Arc::clone(&connection));
            thread::spawn(move || shared.carry(&connection, direction));
        }
    }

    fn carry(&self, connection: &Arc<Connection>, direction: Direction) {
        let (mut from, mut to) = match direction {
            Direction::Request => (&connection.client, &connection.server),
            Direction::Answer => (&connection.server, &connection.client),
        };
        let (mut buffer, mut epoch, mut passed) = ([0; 16 << 10], 0, 0);
        // an error is an end: who made it sees it on its own side
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            match self.judge(direction, &buffer[..read], &mut epoch, &mut passed) {
                Verdict::Pass(delay) => {
                    thread::sleep(delay);
                    if to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                Verdict::Cut(rest) => {
                    closed(to.write_all(&buffer[..rest]));
                    connection.close();
                    break;
                }
                Verdict::NoSpace(rest) => {
                    closed(to.write_all(&buffer[..rest]));
                    // first of all: once the daemon sees an end, so does the client
                    no_space(&connection.client);
                    connection.close();
                    break;
                }
                Verdict::Lose => {
                    well(&connection.client);
                    connection.close();
                    break;
                }
                Verdict::End => break,
            }
        }
        closed(to.shutdown(Shutdown::Write));
        if direction == Direction::Answer {
            // a server that has closed its side takes no requests either
            closed(from.shutdown(Shutdown::Both));
            self.lock().live.retain(|other| !Arc::ptr_eq(other, connection));
        }
    }

    /// What happens to bytes that were read.
    fn judge(&self, direction: Direction, bytes: &[u8], epoch: &mut u64, passed: &mut usize) -> Verdict {
        let read = bytes.len();
        let mut state = self.lock();
        while state.fault == Fault::Stall && !state.ended {
            state = self.changed.wait(state).expect("no thread of the proxy panicked");
        }
        if state.ended {
            return Verdict::End;
        }
        if *epoch != state.epoch {
            (*epoch, *passed) = (state.epoch, 0);
        }
        *passed += read;
        let rest = |limit: usize| (*passed > limit).then(|| read - (*passed - limit).min(read));
        let verdict = match (direction, state.fault) {
            (_, Fault::Refuse) => Some(Verdict::End),
            (Direction::Request, Fault::CutRequest(limit)) => rest(limit).map(Verdict::Cut),
            (Direction::Answer, Fault::CutAnswer(limit)) => rest(limit).map(Verdict::Cut),
            (Direction::Request, Fault::NoSpace(limit)) => rest(limit).map(Verdict::NoSpace),
            // the cut-off request makes the daemon say something, which is not what the client hears
            (Direction::Answer, Fault::NoSpace(_)) => None,
            (Direction::Request, Fault::LosePublished) if bytes.starts_with(PUBLISH) => Some(Verdict::Lose),
            (Direction::Answer, Fault::Delay(delay)) => Some(Verdict::Pass(delay)),
            _ => None,
        };
        if direction == Direction::Request {
            state.requested += read as u64;
        }
        verdict.unwrap_or(Verdict::Pass(Duration::ZERO))
    }
}

/// Answers that it was done.
fn well(mut client: &TcpStream) {
    closed(client.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    closed(client.shutdown(Shutdown::Write));
    // the rest of the request is taken, so that the answer arrives before the end
    client.set_read_timeout(Some(Duration::from_millis(500))).expect("a stream has a timeout");
    let mut rest = [0; 16 << 10];
    while let Ok(1..) = client.read(&mut rest) {}
}

/// Answers as Go's server does when a handler ends before it has read the request: it says so, ends its side, takes a little more, and
/// closes half a second later, whether all was sent or not.
fn no_space(mut client: &TcpStream) {
    let len = NO_SPACE.len();
    let answer = format!(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{NO_SPACE}"
    );
    closed(client.write_all(answer.as_bytes()));
    closed(client.shutdown(Shutdown::Write));
    thread::sleep(Duration::from_millis(500));
}

/// The result of telling something to a side that may be gone: that it is gone is no news.
fn closed(told: std::io::Result<()>) {
    if let Err(error) = told {
        let gone =
            [ErrorKind::NotConnected, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
        assert!(gone.contains(&error.kind()), "the proxy fails by itself: {error}");
    }
}
