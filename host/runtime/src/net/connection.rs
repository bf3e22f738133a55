//! One HTTP/1.1 connection: a request and its response at a time.

use std::time::{Duration, Instant};

use crate::call::Call;
use crate::limits;

use super::failure::Failure;
use super::http1::{Chunks, Framing, Head, parse_head, write_request};
use super::message::{Request, Response, append, consume, reserve, scrub};
use super::stream::{Deadline, Late, Stream};

pub(super) struct Connection {
    stream: Stream,
    /// What is sent, and what is received; both are scrubbed after each exchange.
    sent: Vec<u8>,
    received: Vec<u8>,
    keeps_open: bool,
    /// When the first byte of the response came.
    begun: Option<Instant>,
    pub(super) idle_since: Instant,
}

/// The times of one request.
pub(super) struct Times<'a> {
    call: &'a Call,
    started: Instant,
    request: &'a Request,
    /// Bytes of the body, at most.
    most: usize,
    /// From a response's first byte to its last, of a server that has the whole response before it sends it.
    rest: Option<Duration>,
    watch: Option<&'a Watch<'a>>,
}

/// What is done while a server of this machine is silent, which should be quick to say that it works on the request.
pub(crate) struct Watch<'a> {
    /// Fails if the server is silent because it does nothing at all.
    pub(crate) look: &'a dyn Fn() -> Result<(), Failure>,
    /// How long the server may be silent before that is looked at, and how long until the next time.
    pub(crate) pauses: [Duration; 2],
    /// The time that the server may take to receive the request.
    pub(crate) send: Duration,
}

impl<'a> Times<'a> {
    pub(super) fn new(call: &'a Call, request: &'a Request) -> Self {
        let most = usize::try_from(request.max_body).unwrap_or(usize::MAX).min(limits::BODY_MAX);
        Self { call, started: Instant::now(), request, most, rest: None, watch: None }
    }

    /// Of a request that the host itself makes: its limit is no guest's.
    pub(super) fn of_host(
        call: &'a Call,
        request: &'a Request,
        rest: Duration,
        watch: Option<&'a Watch<'a>>,
    ) -> Self {
        let most = usize::try_from(request.max_body).unwrap_or(usize::MAX);
        Self { most, rest: Some(rest), watch, ..Self::new(call, request) }
    }

    fn send(&self) -> Deadline<'a> {
        match self.watch {
            Some(watch) => Deadline::new(self.call, self.started + watch.send, Late::Responding),
            None => self.first_byte(),
        }
    }

    fn total(&self) -> Instant {
        self.started + limits::milliseconds(self.request.total_ms)
    }

    pub(super) fn connect(&self) -> Deadline<'a> {
        let within = limits::milliseconds(self.request.connect_ms).min(limits::CONNECT);
        let first_byte = limits::milliseconds(self.request.first_byte_ms);
        let until = (self.started + within.min(first_byte)).min(self.total());
        Deadline::new(self.call, until, Late::Connecting)
    }

    fn first_byte(&self) -> Deadline<'a> {
        let within = limits::milliseconds(self.request.first_byte_ms);
        Deadline::new(self.call, (self.started + within).min(self.total()), Late::Responding)
    }

    /// For more of a head that has begun.
    fn head(&self, begun: Option<Instant>) -> Deadline<'a> {
        match (self.rest, begun) {
            (Some(rest), Some(begun)) => Deadline::new(self.call, begun + rest, Late::Responding),
            _ => self.first_byte(),
        }
    }

    /// From now on, for the next piece of a body.
    fn next_bytes(&self, begun: Option<Instant>) -> Deadline<'a> {
        if self.rest.is_some() {
            return self.head(begun);
        }
        let within = limits::milliseconds(self.request.first_byte_ms);
        Deadline::new(self.call, (Instant::now() + within).min(self.total()), Late::Responding)
    }
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        let buffer = || Vec::with_capacity(limits::READ);
        let (sent, received) = (buffer(), buffer());
        Self { stream, sent, received, keeps_open: true, begun: None, idle_since: Instant::now() }
    }

    /// Whether another request may be sent now.
    pub(super) fn is_usable(&mut self) -> bool {
        self.keeps_open && self.idle_since.elapsed() < limits::IDLE && self.stream.is_idle()
    }

    /// Whether the connection is to be kept after an exchange.
    pub(super) fn keeps_open(&self) -> bool {
        self.keeps_open
    }

    /// Whether any of the last response has come.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// The socket, for what the system knows of the peer.
    pub(super) fn socket(&self) -> &socket2::Socket {
        self.stream.socket()
    }

    /// Sends a request and reads the whole response.
    pub(super) fn exchange(
        &mut self,
        request: &Request,
        times: &Times<'_>,
    ) -> Result<Response, Failure> {
        // Anything but a whole exchange leaves the connection unusable.
        self.keeps_open = false;
        self.begun = None;
        times.call.check()?;
        let result = self.send(request, times).and_then(|()| self.read(times));
        for buffer in [&mut self.sent, &mut self.received] {
            scrub(buffer);
            // A long body leaves no memory with an idle connection.
            buffer.shrink_to(limits::BUFFER_KEPT);
        }
        self.idle_since = Instant::now();
        result
    }

    fn send(&mut self, request: &Request, times: &Times<'_>) -> Result<(), Failure> {
        reserve(&mut self.sent, length(request));
        write_request(&mut self.sent, request)?;
        self.stream.send(&self.sent, times.send())
    }

    fn read(&mut self, times: &Times<'_>) -> Result<Response, Failure> {
        let mut head = self.read_head(times)?;
        while matches!(head.response.status, 100..200) {
            consume(&mut self.received, head.length);
            head = self.read_head(times)?;
        }
        let most = times.most;
        let Head { mut response, framing, keeps_open, length: start } = head;
        let used = match framing {
            Framing::Length(length) if length > most => return Err(Failure::TooLarge),
            Framing::Length(length) => {
                let end = start + length;
                while self.received.len() < end {
                    self.receive(times.next_bytes(self.begun))?;
                }
                response.body = self.received.get(start..end).unwrap_or_default().to_vec();
                end
            }
            Framing::Chunked => self.read_chunks(start, &mut response.body, most, times)?,
            Framing::UntilClosed => {
                self.read_until_closed(start, &mut response.body, most, times)?
            }
        };
        // More than was asked for is not an answer to anything.
        self.keeps_open = keeps_open && used == self.received.len();
        Ok(response)
    }

    fn read_head(&mut self, times: &Times<'_>) -> Result<Head, Failure> {
        loop {
            if !self.received.is_empty()
                && let Some(head) = parse_head(&self.received)?
            {
                return Ok(head);
            }
            match times.watch {
                Some(watch) if self.begun.is_none() => self.receive_first(watch, times)?,
                _ => self.receive(times.head(self.begun))?,
            }
        }
    }

    /// Receives the first bytes of a response, however long they take, as long as the server is well.
    fn receive_first(&mut self, watch: &Watch<'_>, times: &Times<'_>) -> Result<(), Failure> {
        let [mut pause, next] = watch.pauses;
        loop {
            let until = Instant::now() + pause;
            match self.receive(Deadline::new(times.call, until, Late::Responding)) {
                Err(Failure::ResponseTimeout) => (watch.look)()?,
                received => return received,
            }
            pause = next;
        }
    }

    fn read_chunks(
        &mut self,
        start: usize,
        body: &mut Vec<u8>,
        most: usize,
        times: &Times<'_>,
    ) -> Result<usize, Failure> {
        let mut chunks = Chunks::default();
        consume(&mut self.received, start);
        loop {
            let (ended, used) = chunks.read(&self.received, body, most)?;
            if ended {
                return Ok(used);
            }
            // Whatever a server sends between two chunks, no more than a line of it is kept.
            consume(&mut self.received, used);
            self.receive(times.next_bytes(self.begun))?;
        }
    }

    fn read_until_closed(
        &mut self,
        start: usize,
        body: &mut Vec<u8>,
        most: usize,
        times: &Times<'_>,
    ) -> Result<usize, Failure> {
        append(body, self.received.get(start..).unwrap_or_default());
        loop {
            if body.len() > most {
                return Err(Failure::TooLarge);
            }
            scrub(&mut self.received);
            let deadline = times.next_bytes(self.begun);
            if self.stream.receive(&mut self.received, deadline)? == 0 {
                return Ok(0);
            }
            append(body, &self.received);
        }
    }

    /// Receives more; the end of the connection is an error.
    fn receive(&mut self, deadline: Deadline<'_>) -> Result<(), Failure> {
        if self.stream.receive(&mut self.received, deadline)? == 0 {
            let what = "the connection closed before the response was complete";
            return Err(Failure::Protocol(what.into()));
        }
        self.begun.get_or_insert_with(Instant::now);
        Ok(())
    }
}

/// Bytes that a request takes at most.
fn length(request: &Request) -> usize {
    const LINES: usize = 128;
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
    let body = request.body.as_ref().map_or(0, String::len);
    LINES + request.target.len() + request.host.len() + headers.sum::<usize>() + body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Method;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Lines before chunks are limited, but there is no end of them: nearly every read ends within one.
    #[test]
    fn what_stands_between_chunks_is_not_kept() {
        const CHUNKS: usize = 1_000;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
            let chunk = format!("1;{}\r\nx\r\n", "y".repeat(3_001));
            (0..CHUNKS).for_each(|_| stream.write_all(chunk.as_bytes()).unwrap());
            stream.write_all(b"0\r\n\r\n").unwrap();
        });
        let request = Request {
            method: Method::Get,
            secure: false,
            host: "127.0.0.1".into(),
            port: address.port(),
            target: "/".into(),
            headers: Vec::new(),
            body: None,
            connect_ms: 60_000,
            first_byte_ms: 60_000,
            total_ms: 60_000,
            max_body: 1 << 20,
        };
        let call = Call::new("reading", Duration::from_secs(60), None);
        let times = Times::new(&call, &request);
        let mut connection = Connection::new(Stream::connect(&[address], times.connect()).unwrap());
        connection.send(&request, &times).unwrap();
        let response = connection.read(&times).unwrap_or_else(|error| unreachable!("{error}"));
        assert_eq!(response.body, [b'x'; CHUNKS]);
        assert!(connection.received.capacity() <= 32 << 10, "{}", connection.received.capacity());
        server.join().unwrap();
    }
}
