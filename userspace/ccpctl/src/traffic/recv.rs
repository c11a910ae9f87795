// SPDX-License-Identifier: GPL-2.0
//! The receiving end: reads and forgets.

use super::protocol;
use crate::{cli::RecvArgs, Failure};
use socket2::{Domain, Socket, Type};
use std::{
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// One read.
const CHUNK: usize = 1 << 20;

pub(super) fn recv(args: &RecvArgs) -> Result<(), Failure> {
    let address = SocketAddr::new(args.address, args.port);
    let listener =
        listen(address, args.mptcp).map_err(Failure::system(&format!("listen on {address}")))?;
    let mut workers = Vec::new();
    let mut served = 0;
    while args.count == 0 || served < args.count {
        let (stream, _) = listener.accept().map_err(Failure::system("accept"))?;
        served += 1;
        workers.push(thread::spawn(|| drain(stream)));
        workers.retain(|worker| !worker.is_finished());
    }
    for worker in workers {
        // A worker that panicked has said so; the others are not to blame.
        let _ = worker.join();
    }
    Ok(())
}

fn listen(address: SocketAddr, mptcp: bool) -> std::io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(protocol(mptcp)),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // One listener for both families.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn drain(mut stream: TcpStream) {
    let mut buffer = vec![0; CHUNK];
    // A broken connection is the sender's to report.
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}
