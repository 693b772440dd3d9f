//! HTTP, from the first request to the last.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::app::App;
#[cfg(unix)]
use crate::handover::{self, Offer, Predecessor};
#[cfg(unix)]
use crate::notify;
use crate::stop::Drain;
use crate::stream::Stream;
use crate::{Stop, routes};

/// For so long after the last connection was let in, each answer asks its client to come back by another. A connection that
/// was quiet all the time is closed then.
const GRACE: Duration = Duration::from_secs(2);

/// A client that reads its answer more slowly than that is left.
const SLOWEST_ANSWER: Duration = Duration::from_secs(30);

/// What clients may take from one another.
#[derive(Clone, Copy)]
struct Limits {
    /// More connections than that wait before the door.
    connections: usize,
    /// A connection from which no whole request comes for so long is closed.
    silence: Duration,
    /// One that takes nothing of its answer for so long, too.
    answer: Duration,
}

/// A process may have 1,024 files open where nobody says otherwise. Proxies keep a quiet connection for a minute, and should be
/// the first to close it.
const LIMITS: Limits = Limits { connections: 512, silence: Duration::from_secs(75), answer: SLOWEST_ANSWER };

/// The socket where connections arrive.
#[derive(Debug)]
pub struct Door {
    listener: Arc<std::net::TcpListener>,
    address: SocketAddr,
    #[cfg(unix)]
    handover: Option<Handover>,
}

#[cfg(unix)]
#[derive(Debug)]
struct Handover {
    path: std::path::PathBuf,
    predecessor: Option<Predecessor>,
}

impl Door {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// An address that is somebody else's, or none.
    pub fn open(listen: &str) -> Result<Self, Stop> {
        let failed = |error| Stop::environment(format!("cannot listen on `{listen}`: {error}"));
        Self::new(std::net::TcpListener::bind(listen).map_err(failed)?).map_err(failed)
    }

    /// Whether an address is one, before the boot: a word that was mistyped should change no database.
    ///
    /// # Errors
    ///
    /// What is no address.
    pub fn check(listen: &str) -> Result<(), Stop> {
        let checked = listen.to_socket_addrs().map(drop);
        checked.map_err(|error| Stop { code: 2, message: format!("--listen `{listen}`: {error}") })
    }

    /// Takes the door of the process that serves, if one offers it at that path; else opens one, and offers it.
    ///
    /// # Errors
    ///
    /// As [`Door::open`]; a process that offers something else, or a door at another address.
    #[cfg(unix)]
    pub fn taken_over_or_opened(path: &Path, listen: &str) -> Result<Self, Stop> {
        let failed = |error| Stop::environment(format!("cannot take over by `{}`: {error}", path.display()));
        let (mut door, predecessor) = match handover::ask(path).map_err(failed)? {
            Some((listener, predecessor)) => (Self::new(listener).map_err(failed)?, Some(predecessor)),
            None => (Self::open(listen)?, None),
        };
        let asked: Option<SocketAddr> = listen.parse().ok();
        if let Some(asked) = asked.filter(|asked| asked.port() != 0 && *asked != door.address) {
            let message = format!("the process that serves listens on {}, not on {asked}: end it first", door.address);
            return Err(Stop { code: 2, message });
        }
        door.handover = Some(Handover { path: path.to_owned(), predecessor });
        Ok(door)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener: Arc::new(listener),
            address,
            #[cfg(unix)]
            handover: None,
        })
    }

    /// Lets in whoever knocks from now on here, tells the process before, and waits for the one after.
    fn hand_over(&mut self, drain: &Drain) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(Handover { path, predecessor }) = self.handover.take() {
            // What can fail comes first. When the one before stops to let people in, this one must.
            let offer = Offer::prepare(&path)?;
            if let Some(predecessor) = predecessor {
                predecessor.relieve()?;
            }
            let drain = drain.clone();
            offer.make(Arc::downgrade(&self.listener), move || {
                drain.send_replace(true);
            });
        }
        Ok(())
    }
}

/// Answers requests until told to stop, then finishes those that were begun.
///
/// # Errors
///
/// What the system says.
pub fn serve(app: Arc<App>, door: Door, drain: &Drain) -> Result<(), Stop> {
    let failed = |error: io::Error| Stop::environment(format!("the server cannot run: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(answer(app, door, drain)).map_err(failed)?;
    // Threads that still wait for the database hold nobody up.
    runtime.shutdown_background();
    Ok(())
}

async fn answer(app: Arc<App>, mut door: Door, drain: &Drain) -> io::Result<()> {
    let listener = TcpListener::from_std(door.listener.try_clone()?)?;
    let router = routes::router(app, drain.subscribe());
    // The socket accepts already: whoever comes before the first turn of the loop waits in its queue.
    door.hand_over(drain)?;
    #[cfg(unix)]
    notify::serving();
    let inside = let_in(&listener, &router, drain, LIMITS).await;
    // Both of the same socket: it is closed here at once, while the connections inside live on.
    drop((listener, door));
    tokio::time::sleep(GRACE).await;
    // Whoever takes longer is left.
    let _ = tokio::time::timeout(SLOWEST_ANSWER, inside.shutdown()).await;
    Ok(())
}

/// Lets connections in until told to stop; returns those that are inside.
async fn let_in(listener: &TcpListener, router: &Router, drain: &Drain, limits: Limits) -> GracefulShutdown {
    let (inside, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(limits.connections)));
    loop {
        let next = async {
            // Nobody closes it. Where there is no room, people wait before the door.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, arrival(listener).await)
        };
        let (place, stream) = tokio::select! {
            biased;
            () = stopped(drain.subscribe()) => return inside,
            next = next => next,
        };
        // An answer is small and written at once: it does not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(limits.silence).serve_connection(
                TokioIo::new(Stream::new(stream, limits.answer)),
                TowerToHyperService::new(router.clone()),
            );
        let connection = inside.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!("a connection ended: {error}");
            }
            drop(place);
        });
    }
}

/// The next one who knocks.
async fn arrival(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // Gone before it was let in.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            // The process may have as many files open as it is allowed.
            Err(error) => {
                log::error!("nobody can be let in: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn stopped(mut draining: watch::Receiver<bool>) {
    // A sender that is gone stops nothing.
    if draining.wait_for(|stop| *stop).await.is_err() {
        pending::<Infallible>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::time::Instant;

    use tokio::runtime::Runtime;
    use tokio::task::JoinHandle;

    use super::*;

    /// A server behind a door with so much room, until it is stopped.
    fn serve(runtime: &Runtime, connections: usize, answer: &'static str) -> (SocketAddr, Drain, JoinHandle<()>) {
        let door = Door::open("127.0.0.1:0").unwrap();
        let drain = Drain::new(false);
        let (address, stop) = (door.address(), drain.clone());
        let serving = runtime.spawn(async move {
            let listener = TcpListener::from_std(door.listener.try_clone().unwrap()).unwrap();
            let router = Router::new().route("/", axum::routing::get(move || async move { answer }));
            let moment = Duration::from_millis(400);
            let_in(&listener, &router, &drain, Limits { connections, silence: moment, answer: moment }).await;
        });
        (address, stop, serving)
    }

    fn connect(address: SocketAddr) -> std::net::TcpStream {
        let stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        stream
    }

    /// What comes behind the head, and how long it took.
    fn asked(address: SocketAddr) -> (String, Duration) {
        let begun = Instant::now();
        let mut stream = connect(address);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split_once("\r\n\r\n").unwrap().1.to_owned(), begun.elapsed())
    }

    fn runtime() -> Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    fn a_client_that_never_ends_its_request_keeps_nobody_out() {
        let runtime = runtime();
        let (address, stop, serving) = serve(&runtime, 2, "here");
        // One says nothing, one a letter at a time.
        let (mut silent, mut slow) = (connect(address), connect(address));
        slow.write_all(b"G").unwrap();
        let dripping = std::thread::spawn(move || {
            (0..400).all(|_| {
                std::thread::sleep(Duration::from_millis(50));
                slow.write_all(b"E").is_ok()
            })
        });
        let (answer, waited) = asked(address);
        assert_eq!(answer, "here");
        assert!(waited > Duration::from_millis(200) && waited < Duration::from_secs(10), "{waited:?}");
        assert_eq!(silent.read(&mut [0; 64]).unwrap_or_default(), 0, "it was closed");
        assert!(!dripping.join().unwrap(), "and so was this");
        stop.send_replace(true);
        runtime.block_on(serving).unwrap();
    }

    #[test]
    fn a_client_that_takes_no_answer_keeps_nobody_out() {
        let runtime = runtime();
        let long: &'static str = String::leak("long ".repeat(1_000_000));
        let (address, stop, serving) = serve(&runtime, 1, long);
        let mut greedy = connect(address);
        // More than the system keeps for a client that does not read.
        for _ in 0..10 {
            greedy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        }
        let (answer, waited) = asked(address);
        assert_eq!(answer.len(), long.len());
        assert!(waited > Duration::from_millis(200) && waited < Duration::from_secs(10), "{waited:?}");
        drop(greedy);
        stop.send_replace(true);
        runtime.block_on(serving).unwrap();
    }
}
