//! The load: each client asks, waits for the whole answer, pauses, and asks again, on one connection.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::targets::Targets;

/// A client that waits longer has got no answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to ask.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) clients: u16,
    pub(crate) time: Duration,
    pub(crate) requests: u64,
    pub(crate) sync_every: u16,
    pub(crate) pause: Duration,
}

/// How long the answers took.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) user: Times,
    pub(crate) sync: Times,
    pub(crate) time: Duration,
}

/// The answers of one view, and the requests that got none.
#[derive(Default)]
pub(crate) struct Times {
    answers: Vec<Duration>,
    pub(crate) failures: usize,
}

impl Times {
    fn note(&mut self, asked: Instant, answer: &io::Result<u16>) {
        match answer {
            Ok(200) => self.answers.push(asked.elapsed()),
            _ => self.failures += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.answers.extend(other.answers);
        self.failures += other.failures;
    }

    /// How many answers there were.
    pub(crate) fn count(&self) -> usize {
        self.answers.len()
    }

    /// The time within which so many hundredths of the answers were there.
    pub(crate) fn percentile(&self, hundredths: usize) -> Option<Duration> {
        let place = (self.answers.len() * hundredths).div_ceil(100).checked_sub(1)?;
        self.answers.get(place).copied()
    }
}

impl Load {
    /// Asks until the time or the requests are over.
    pub(crate) fn run(&self, targets: &Targets) -> Outcome {
        let (begun, asked) = (Instant::now(), AtomicU64::new(0));
        let mut outcome = Outcome::default();
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients)
                .map(|number| {
                    let asked = &asked;
                    scope.spawn(move || self.client(number, targets, begun, asked))
                })
                .collect();
            for client in clients {
                // A client that panicked would be a mistake of this program's: what the others saw counts.
                if let Ok((user, sync)) = client.join() {
                    outcome.user.add(user);
                    outcome.sync.add(sync);
                }
            }
        });
        outcome.time = begun.elapsed();
        outcome.user.answers.sort_unstable();
        outcome.sync.answers.sort_unstable();
        outcome
    }

    fn client(&self, number: u16, targets: &Targets, begun: Instant, asked: &AtomicU64) -> (Times, Times) {
        let (mut user, mut sync) = (Times::default(), Times::default());
        let mut random = Random(u64::from(number) + 1);
        let mut connection = None;
        // They do not all come at the same moment.
        thread::sleep(random.around(self.pause / 2));
        while begun.elapsed() < self.time && asked.fetch_add(1, Ordering::Relaxed) < self.requests {
            let is_sync = random.below(self.sync_every.into()) == 0;
            let (targets, times) = if is_sync { (&targets.syncs, &mut sync) } else { (&targets.users, &mut user) };
            let Some(target) = targets.get(random.below(targets.len())) else { break };
            let start = Instant::now();
            let answer = ask(&mut connection, self.address, target);
            times.note(start, &answer);
            thread::sleep(random.around(self.pause));
        }
        (user, sync)
    }
}

/// Asks for everything once, and waits until the server has done what it does at its start.
pub(crate) fn warm_up(address: SocketAddr, targets: &Targets) -> io::Result<()> {
    let mut connection = None;
    for target in targets.users.iter().chain(&targets.syncs) {
        ask(&mut connection, address, target)?;
    }
    for _ in 0..600 {
        let mut text = String::new();
        fetch(&mut connection, address, "/metrics", &mut text)?;
        if text.contains("bootproof_sizes_age_seconds") {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn ask(connection: &mut Option<BufReader<TcpStream>>, address: SocketAddr, target: &str) -> io::Result<u16> {
    fetch(connection, address, target, &mut String::new())
}

/// One request on a connection that is kept, unless something went wrong with it.
fn fetch(
    connection: &mut Option<BufReader<TcpStream>>,
    address: SocketAddr,
    target: &str,
    body: &mut String,
) -> io::Result<u16> {
    let mut reader = if let Some(reader) = connection.take() {
        reader
    } else {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        BufReader::new(stream)
    };
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    reader.get_mut().write_all(request.as_bytes())?;
    let (mut status, mut length) = (None, None);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(' ') {
            _ if line == "\r\n" => break,
            Some((first, rest)) if first.starts_with("HTTP/") => status = rest.get(..3).and_then(|s| s.parse().ok()),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length:") => length = value.parse::<u64>().ok(),
            _ => {}
        }
    }
    let (Some(status), Some(length)) = (status, length) else { return Err(ErrorKind::InvalidData.into()) };
    reader.by_ref().take(length).read_to_string(body)?;
    *connection = Some(reader);
    Ok(status)
}

/// Numbers that look random and are the same in every run: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).unwrap_or(1);
        usize::try_from((self.next() >> 16) % most).unwrap_or_default()
    }

    /// From half of a time to one and a half of it.
    fn around(&mut self, time: Duration) -> Duration {
        time / 2 + time.mul_f64(f64::from(u32::try_from(self.below(1_000)).unwrap_or_default()) / 1_000.0)
    }
}
