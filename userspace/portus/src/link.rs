// SPDX-License-Identifier: GPL-2.0
//! Our socket and the client's.

use crate::{Error, Result};
use std::{
    fs,
    io::{self, ErrorKind},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::{symlink, DirBuilderExt, MetadataExt, PermissionsExt},
            net::UnixDatagram,
        },
    },
    path::{Path, PathBuf},
};

/// Where portus puts its socket.
const DIRECTORY: &str = "/tmp/ccp";

/// Longest message of the protocol.
const MESSAGE_MAX: usize = u16::MAX as usize;

/// A socket that clients can answer to, and where they are.
pub(crate) struct Link {
    ours: PathBuf,
    client: PathBuf,
    socket: UnixDatagram,
    room: Vec<u8>,
    /// The client's socket we are connected to.
    connected: Option<Identity>,
}

/// Device, inode and time of a socket's file.
type Identity = (u64, u64, i64, i64);

/// How sending went.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sent {
    /// It is in the client's queue.
    Yes,
    /// The queue is full.
    Full,
    /// There is no client.
    Gone,
}

impl Link {
    /// Binds a socket for the client of this name.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let directory = Path::new(DIRECTORY);
        own_directory(directory)?;
        let ours = directory.join(format!("{name}.ccp_rs"));
        let fails = |what, path: &Path| {
            let path = path.display().to_string();
            move |source| Error::Socket { what, path, source }
        };
        match fs::remove_file(&ours) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(fails("remove", &ours)(error));
            }
            _ => (),
        }
        let socket = UnixDatagram::bind(&ours).map_err(fails("bind", &ours))?;
        // Who may write to it speaks for the client.
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o600))
            .map_err(fails("chmod", &ours))?;
        socket.set_nonblocking(true).map_err(fails("bind", &ours))?;
        // portus 0.6 and 0.7 answer to the sender's path below /tmp/ccp/.
        let detour = directory.join("tmp");
        match symlink("/tmp", &detour) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(fails("symlink", &detour)(error));
            }
            _ => (),
        }
        Ok(Self {
            ours,
            client: directory.join(name),
            socket,
            room: vec![0; MESSAGE_MAX],
            connected: None,
        })
    }

    /// Looks for a client; true if there is one now. From then on nobody else
    /// can send to us.
    pub(crate) fn connect(&mut self) -> bool {
        self.connected = None;
        let Ok(found) = fs::symlink_metadata(&self.client) else {
            return false;
        };
        if self.socket.connect(&self.client).is_err() {
            return false;
        }
        self.connected = Some(identity(&found));
        // What others sent before is not the client's.
        while self.socket.recv(&mut self.room).is_ok() {}
        true
    }

    /// The next [`Link::connect`] is as if there had been none.
    pub(crate) fn disconnect(&mut self) {
        self.connected = None;
    }

    /// Whether the client is still the one we are connected to.
    pub(crate) fn is_connected(&self) -> bool {
        let there = fs::symlink_metadata(&self.client).ok();
        let same = there.as_ref().map(identity) == self.connected;
        // A probe: the file of a client that died stays.
        let alive = || UnixDatagram::unbound().and_then(|probe| probe.connect(&self.client));
        same && self.connected.is_some() && alive().is_ok()
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: &[u8]) -> Sent {
        match self.socket.send(message) {
            Ok(_) => Sent::Yes,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::OutOfMemory | ErrorKind::Interrupted => {
                    Sent::Full
                }
                _ => Sent::Gone,
            },
        }
    }

    /// The next message, if one waits.
    pub(crate) fn receive(&mut self) -> Option<&[u8]> {
        let bytes = self.socket.recv(&mut self.room).ok()?;
        self.room.get(..bytes)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Nothing is left to do when it can't be removed.
        let _ = fs::remove_file(&self.ours);
    }
}

fn identity(file: &fs::Metadata) -> Identity {
    (file.dev(), file.ino(), file.ctime(), file.ctime_nsec())
}

/// Makes the directory, which must be ours or root's and nobody else's to
/// write: who owns it could take the place of either side.
fn own_directory(directory: &Path) -> Result<()> {
    let fails = |what| {
        let path = directory.display().to_string();
        move |source| Error::Socket { what, path, source }
    };
    match fs::DirBuilder::new().mode(0o755).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(fails("make directory")(error));
        }
        _ => (),
    }
    let found = fs::symlink_metadata(directory).map_err(fails("look at"))?;
    if !found.is_dir() {
        return Err(fails("look at")(io::Error::from(ErrorKind::NotADirectory)));
    }
    let ours = nix::unistd::geteuid().as_raw();
    if (found.uid() != 0 && found.uid() != ours) || found.mode() & 0o022 != 0 {
        return Err(Error::Directory(
            directory.display().to_string(),
            found.uid(),
        ));
    }
    Ok(())
}
