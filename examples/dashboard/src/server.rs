//! HTTP, from the first request to the last.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::App;
#[cfg(unix)]
use crate::handover::{self, Predecessor};
use crate::stop::Drain;
use crate::{Stop, routes};

/// For so long after the last connection was let in, each answer asks its client to come back by another. A connection that
/// was quiet all the time is closed then.
const GRACE: Duration = Duration::from_secs(2);

/// A client that reads its answer more slowly than that is left.
const SLOWEST_ANSWER: Duration = Duration::from_secs(30);

/// More requests than that wait for their turn outside.
const BLOCKING_THREADS: usize = 64;

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
            let drain = drain.clone();
            handover::offer(&path, Arc::downgrade(&self.listener), move || {
                drain.send_replace(true);
            })?;
            if let Some(predecessor) = predecessor {
                predecessor.relieve();
            }
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(failed)?;
    runtime.block_on(answer(app, door, drain)).map_err(failed)?;
    // Threads that still wait for the database hold nobody up.
    runtime.shutdown_background();
    Ok(())
}

async fn answer(app: Arc<App>, mut door: Door, drain: &Drain) -> io::Result<()> {
    let listener = TcpListener::from_std(door.listener.try_clone()?)?;
    let entrance = Entrance {
        listener: Some((listener, Arc::clone(&door.listener))),
        address: door.address,
        draining: drain.subscribe(),
    };
    let router = routes::router(app, drain.subscribe());
    let (quiet, gone) = (drain.subscribe(), drain.subscribe());
    let serving = axum::serve(entrance, router).with_graceful_shutdown(after(quiet, GRACE));
    // The socket accepts already: whoever comes before the first turn of the loop waits in its queue.
    door.hand_over(drain)?;
    // Only the entrance has the socket now, and closes it when the last one is in.
    drop(door);
    tokio::select! {
        served = serving => served,
        () = after(gone, GRACE + SLOWEST_ANSWER) => Ok(()),
    }
}

async fn stopped(mut draining: watch::Receiver<bool>) {
    // A sender that is gone stops nothing.
    if draining.wait_for(|stop| *stop).await.is_err() {
        pending::<Infallible>().await;
    }
}

async fn after(draining: watch::Receiver<bool>, time: Duration) {
    stopped(draining).await;
    tokio::time::sleep(time).await;
}

/// Lets connections in until told to stop; then it is closed at once, while the connections inside live on.
struct Entrance {
    /// With the same socket as it is handed over.
    listener: Option<(TcpListener, Arc<std::net::TcpListener>)>,
    address: SocketAddr,
    draining: watch::Receiver<bool>,
}

impl Listener for Entrance {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        if let Some((listener, _)) = &mut self.listener {
            tokio::select! {
                biased;
                () = stopped(self.draining.clone()) => {}
                arrived = Listener::accept(listener) => {
                    // An answer is small and written at once: it does not wait for the acknowledgement of the one before.
                    let _ = arrived.0.set_nodelay(true);
                    return arrived;
                }
            }
        }
        self.listener = None;
        pending().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
