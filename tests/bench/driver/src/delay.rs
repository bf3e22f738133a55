//! A longer way to the vault, made in its server: what a client sends is read later.
//!
//! The time is that of one round trip, and only the vault is further away, as identity endpoints are on
//! the machine itself. A response is as late as its request, so that it makes no difference on which of
//! the two ways the time is spent. TCP's own handshake is the kernel's and takes no time here, but a
//! client of a server so far away could send nothing before its end; so the server also waits for that
//! first. What is said all in one direction (a request in several parts, a TLS flight) is delayed once.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, join, simplex},
    net::TcpStream,
    runtime::Handle,
    sync::mpsc::unbounded_channel,
};

/// The most bytes that are read ahead.
const BUFFER: usize = 64 << 10;

/// The server's side of a connection that was just accepted, with this much time for a round trip. Runs on tokio.
pub(crate) fn lengthen(
    stream: TcpStream,
    round_trip: Duration,
) -> impl AsyncRead + AsyncWrite + Unpin + Send {
    let connected = Instant::now() + round_trip;
    let (mut arriving, leaving) = stream.into_split();
    let (arrived, mut due) = unbounded_channel();
    let (reader, mut writer) = simplex(BUFFER);
    tokio::spawn(async move {
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = arriving.read(&mut buffer).await {
            let until = Instant::now().max(connected) + round_trip;
            let bytes: Vec<u8> = buffer.iter().take(length).copied().collect();
            if arrived.send((until, bytes)).is_err() {
                break;
            }
        }
    });
    let runtime = Handle::current();
    // A thread sleeps to the microsecond, tokio to the millisecond.
    tokio::task::spawn_blocking(move || {
        while let Some((until, bytes)) = due.blocking_recv() {
            thread::sleep(until.saturating_duration_since(Instant::now()));
            if runtime.block_on(writer.write_all(&bytes)).is_err() {
                break;
            }
        }
        // The server may have dropped the other end.
        let _ = runtime.block_on(writer.shutdown());
    });
    join(reader, leaving)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_first_exchange_takes_two_round_trips_and_the_next_one() {
        const ROUND_TRIP: Duration = Duration::from_millis(20);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let times = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut server = lengthen(listener.accept().await.unwrap().0, ROUND_TRIP);
            tokio::spawn(async move {
                let mut byte = [0];
                while server.read_exact(&mut byte).await.is_ok() {
                    server.write_all(&byte).await.unwrap();
                }
            });
            let mut times = Vec::new();
            for _ in 0..2 {
                let start = Instant::now();
                client.write_all(b"x").await.unwrap();
                client.read_exact(&mut [0]).await.unwrap();
                times.push(start.elapsed());
            }
            times
        });
        // The connection was accepted a little before the first exchange.
        assert!(times[0] > ROUND_TRIP * 3 / 2, "{times:?}");
        assert!(times[1] >= ROUND_TRIP, "{times:?}");
    }
}
