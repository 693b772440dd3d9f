//! Tells the service manager that somebody is let in: until then `systemctl start` waits, and fails where the boot refuses.
//!
//! systemd's protocol is one datagram to the socket that the environment names
//! (<https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>).

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;

/// Tells it, where there is one that wants to know.
pub(crate) fn serving() {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else { return };
    if let Err(error) = send(&socket, b"READY=1") {
        log::warn!("the service manager could not be told that this process serves: {error}");
    }
}

fn send(socket: &OsStr, message: &[u8]) -> io::Result<()> {
    let own = UnixDatagram::unbound()?;
    // A name that begins with @ is in Linux' own room for names, and in no directory.
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;

        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return own.send_to_addr(message, &address).map(drop);
    }
    own.send_to(message, socket).map(drop)
}
