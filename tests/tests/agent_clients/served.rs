//! A unix socket, or a port, at which a test answers as it likes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// What a connection can do.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

type Answer = dyn Fn(&str, &mut dyn Stream) + Send + Sync;

/// The server. Its threads end with the test program.
pub(crate) struct Served {
    folder: TempDir,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl Served {
    /// At a socket. `answer` gets each request as it came, and the connection, which is closed when it has sent
    /// nothing.
    pub(crate) fn new(answer: impl Fn(&str, &mut dyn Stream) + Send + Sync + 'static) -> Self {
        let this = Self::empty();
        let listener = UnixListener::bind(this.socket()).unwrap();
        let answer: Arc<Answer> = Arc::new(answer);
        this.accept(answer, move || listener.accept().ok().map(|(it, _)| Box::new(it) as _));
        this
    }

    /// At a port.
    pub(crate) fn at_port(
        answer: impl Fn(&str, &mut dyn Stream) + Send + Sync + 'static,
    ) -> (Self, String) {
        let this = Self::empty();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        let answer: Arc<Answer> = Arc::new(answer);
        this.accept(answer, move || listener.accept().ok().map(|(it, _)| Box::new(it) as _));
        (this, place)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    pub(crate) fn place(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    pub(crate) fn connected(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn empty() -> Self {
        let (connections, requests) = Default::default();
        Self { folder: TempDir::new().unwrap(), connections, requests }
    }

    fn accept(
        &self,
        answer: Arc<Answer>,
        mut next: impl FnMut() -> Option<Box<dyn Stream>> + Send + 'static,
    ) {
        let (connections, requests) = (Arc::clone(&self.connections), Arc::clone(&self.requests));
        std::thread::spawn(move || {
            while let Some(mut stream) = next() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                std::thread::spawn(move || {
                    while let Some(request) = request(&mut stream) {
                        requests.lock().unwrap().push(request.clone());
                        let mut counted = Counted { stream: &mut *stream, sent: 0 };
                        answer(&request, &mut counted);
                        if counted.sent == 0 {
                            break;
                        }
                    }
                });
            }
        });
    }
}

/// A connection that counts what was sent.
struct Counted<'a> {
    stream: &'a mut dyn Stream,
    sent: usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sent += bytes.len();
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

pub(crate) fn send(stream: &mut dyn Stream, text: &str) {
    // The client may be gone.
    let _ = stream.write_all(text.as_bytes());
}

/// Reads a request; nothing at the end of the connection.
fn request(stream: &mut dyn Stream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length
                .split("content-length: ")
                .nth(1)
                .and_then(|it| it.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
    }
}
