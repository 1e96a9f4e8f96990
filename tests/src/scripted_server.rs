use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Answers HTTP requests with what a test wrote down, byte by byte: for what a real daemon does too rarely.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl ScriptedServer {
    /// A server that answers the request whose target begins with the first text by the second, and everything else by a 404 in plain
    /// text. It reads the head of a request only, and closes the connection after its answer.
    pub fn start(answers: Vec<(&'static str, String)>) -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a listener can be asked without waiting");
        let ended = Arc::new(AtomicBool::new(false));
        let acceptor = thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                while !ended.load(Ordering::Acquire) {
                    match listener.accept() {
                        Ok((client, _)) => answer(client, &answers),
                        Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                        Err(error) => panic!("the server cannot accept: {error}"),
                    }
                }
            }
        });
        ScriptedServer { address, ended, acceptor: Some(acceptor) }
    }

    /// An answer of 200 with this body and no other headers than its type and its length.
    pub fn ok(content: &str, body: &str) -> String {
        let len = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )
    }

    /// Its address, as that of a daemon.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(acceptor) = self.acceptor.take()
            && acceptor.join().is_err()
            && !thread::panicking()
        {
            panic!("the server's thread panicked");
        }
    }
}

fn answer(mut client: TcpStream, answers: &[(&'static str, String)]) {
    client.set_nonblocking(false).expect("a stream that waits");
    client.set_read_timeout(Some(Duration::from_secs(10))).expect("a stream that does not wait for ever");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut byte) {
            // whoever says nothing, or something that is not HTTP, gets no answer
            Ok(0) | Err(_) => return,
            Ok(_) => head.push(byte[0]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.split(' ').nth(1).unwrap_or_default();
    let found = answers.iter().find(|(begin, _)| target.starts_with(begin));
    let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\nConnection: close\r\n\r\n404 page not found";
    let sent = client.write_all(found.map_or(none, |(_, answer)| answer).as_bytes());
    if let Err(error) = sent {
        eprintln!("a client of the scripted server went away: {error}");
    }
}
