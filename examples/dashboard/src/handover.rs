//! The next process gets the door while this one still serves.
//!
//! Two processes that each bind the address (`SO_REUSEPORT`) have a queue of connections each, and those in the queue of the one
//! that ends are lost. Here both have the very same socket, with one queue: whoever knocks is let in by the one or the other.
//!
//! The process that serves listens on a socket in the file system. The next one boots first, connects to it, and is sent the
//! listening socket. When it lets people in it answers with one byte; only then the older one stops to. If it ends before, by
//! a refusal, an error or a signal, the older one goes on as if nothing had been.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

/// Both sides do nothing but pass a socket: whoever takes longer has gone wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// What goes with the socket; a message without any byte cannot carry one.
const DOOR: u8 = b'D';
/// What says that the next process lets people in.
const SERVING: u8 = b'S';

/// The process that served before this one, and still does.
#[derive(Debug)]
pub struct Predecessor(UnixStream);

impl Predecessor {
    /// Tells it that this process lets people in now.
    ///
    /// # Errors
    ///
    /// It has not waited, and goes on: of two that serve, nobody could end the older by a third.
    pub fn relieve(mut self) -> io::Result<()> {
        self.0.write_all(&[SERVING]).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("the process before this one did not wait for it, and goes on ({error})"),
            )
        })
    }
}

/// Whether a socket can be at that path.
///
/// # Errors
///
/// Something else is there, which would be lost: the place is taken by renaming.
pub fn check(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(ErrorKind::AlreadyExists, "it is there, and no socket; name a path where nothing is"))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Asks the process that serves, if there is one, for its listening socket.
///
/// # Errors
///
/// A process that answers, but not as one of these would.
pub fn ask(path: &Path) -> io::Result<Option<(TcpListener, Predecessor)>> {
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        // Nobody was there, or whoever was is gone.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received = recvmsg(&stream, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut sockets = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
        _ => None,
    });
    match sockets.next().and_then(|mut sockets| sockets.next()) {
        Some(socket) if received.bytes == 1 && byte == [DOOR] => {
            Ok(Some((TcpListener::from(socket), Predecessor(stream))))
        }
        _ => Err(io::Error::new(ErrorKind::InvalidData, "whoever listens there handed over no socket")),
    }
}

/// What the next process will connect to, before it is where that one looks.
#[derive(Debug)]
pub struct Offer {
    listener: UnixListener,
    directory: Workshop,
    path: PathBuf,
}

impl Offer {
    /// Makes the socket.
    ///
    /// # Errors
    ///
    /// A directory in which none can be made.
    pub fn prepare(path: &Path) -> io::Result<Self> {
        let directory = Workshop::beside(path)?;
        let listener = UnixListener::bind(directory.socket())?;
        fs::set_permissions(directory.socket(), Permissions::from_mode(0o600))?;
        Ok(Self { listener, directory, path: path.to_owned() })
    }

    /// Offers the listening socket to the next process for as long as this one has it, on a thread that ends with this
    /// process; says when it was taken.
    ///
    /// The socket is renamed into place, so that there is always one: that of the process before, or this.
    pub fn make(self, door: Weak<TcpListener>, taken: impl FnOnce() + Send + 'static) {
        let Self { listener, directory, path } = self;
        if let Err(error) = check(&path).and_then(|()| fs::rename(directory.socket(), &path)) {
            // People are let in already: better without a successor than not at all.
            log::error!("no process can take over by `{}`: {error}", path.display());
            return;
        }
        drop(directory);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever asks a process that is ending opens a door of its own.
                let Some(door) = door.upgrade() else { return };
                match stream.and_then(|stream| give(stream, &door)) {
                    Ok(true) => break,
                    Ok(false) => log::warn!("the next process asked for the door and did not serve; this one goes on"),
                    Err(error) => log::warn!("the door could not be handed over; this one goes on: {error}"),
                }
            }
            taken();
        });
    }
}

/// Where the socket is made: a directory that only this user may enter, so that there is no moment in which another may
/// connect. Removed when the socket is in its place, or is not wanted.
#[derive(Debug)]
struct Workshop(PathBuf);

impl Workshop {
    fn beside(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let workshop = Self(PathBuf::from(name));
        // A process with this number may have been killed here once.
        workshop.remove();
        DirBuilder::new().mode(0o700).create(&workshop.0)?;
        Ok(workshop)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }

    fn remove(&self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.0);
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether the next process took the door and serves.
fn give(mut stream: UnixStream, door: &TcpListener) -> io::Result<bool> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let sockets = [door.as_fd()];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
        return Err(io::Error::other("no room for a socket"));
    }
    sendmsg(&stream, &[IoSlice::new(&[DOOR])], &mut control, SendFlags::empty())?;
    let mut answer = [0];
    let read = stream.read(&mut answer)?;
    Ok(read == 1 && answer == [SERVING])
}
