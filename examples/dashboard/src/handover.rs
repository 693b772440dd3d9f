//! The next process gets the door while this one still serves.
//!
//! Two processes that each bind the address (`SO_REUSEPORT`) have a queue of connections each, and those in the queue of the one
//! that ends are lost. Here both have the very same socket, with one queue: whoever knocks is let in by the one or the other.
//!
//! The process that serves listens on a socket in the file system. The next one boots first, connects to it, and is sent the
//! listening socket. When it lets people in it answers with one byte; only then the older one stops to. If it ends before, by
//! a refusal, an error or a signal, the older one goes on as if nothing had been.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
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
    pub fn relieve(mut self) {
        if let Err(error) = self.0.write_all(&[SERVING]) {
            log::warn!("the process before this one could not be told to end: {error}");
        }
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

/// Offers the listening socket to the next process for as long as this one has it, on a thread that ends with this process;
/// says when it was taken.
///
/// # Errors
///
/// A path at which no socket can be made.
pub fn offer(path: &Path, door: Weak<TcpListener>, taken: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let listener = bind(path)?;
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
    Ok(())
}

/// Makes the socket under a name of its own and renames it, so that there is always one: that of the process before, or this.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{}", std::process::id()));
    let own = PathBuf::from(own);
    match fs::remove_file(&own) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&own)?;
    fs::set_permissions(&own, Permissions::from_mode(0o600))?;
    fs::rename(&own, path)?;
    Ok(listener)
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
