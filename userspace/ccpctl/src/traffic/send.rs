// SPDX-License-Identifier: GPL-2.0
//! The sending end: fills the connection and samples TCP_INFO.

use super::{info::Info, protocol};
use crate::{
    cli::{Form, SendArgs},
    format::{json, scaled},
    Failure,
};
use serde::Serialize;
use socket2::{Domain, Socket, Type};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

/// One write. It blocks until the socket has taken all of it, so on a slow
/// path a larger one would overrun the end of the time.
const CHUNK: usize = 128 << 10;
/// Unsent data the socket may hold. It keeps the connection busy, and the time
/// from the last write to the last ACK short.
const NOT_SENT: u32 = 256 << 10;

/// The measurement, as `-j` writes it.
#[derive(Serialize)]
struct Outcome {
    local: SocketAddr,
    remote: SocketAddr,
    congestion: String,
    /// Payload the receiver has acknowledged.
    bytes: u64,
    /// From the first write until everything was acknowledged.
    seconds: f64,
    bits_per_second: f64,
    retransmits: u32,
    mss: u32,
    /// Over samples of the smoothed RTT, microseconds.
    rtt_us: Spread,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Spread {
    samples: usize,
    min: u32,
    mean: f64,
    p95: u32,
    max: u32,
}

#[derive(Clone, Serialize)]
struct Sample {
    time_s: f64,
    #[serde(flatten)]
    info: Info,
}

pub(super) fn send(form: Form, args: &SendArgs) -> Result<(), Failure> {
    let remote = SocketAddr::new(args.address, args.port);
    let stream = connect(remote, args)?;
    let congestion = congestion(&stream).map_err(Failure::system("TCP_CONGESTION"))?;
    let local = stream
        .local_addr()
        .map_err(Failure::system("local address"))?;

    let start = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let sampler = {
        let stream = stream
            .try_clone()
            .map_err(Failure::system("duplicate the socket"))?;
        let interval = Duration::from_millis(args.interval);
        let stop = Arc::clone(&stop);
        thread::spawn(move || sample(&stream, start, interval, &stop))
    };
    let sent = fill(&stream, start, args);
    let end = Info::of(&stream);
    let seconds = start.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let samples = sampler.join().unwrap_or_default();
    let bytes = sent.map_err(Failure::system(&format!("send to {remote}")))?;
    let end = end.map_err(Failure::system("TCP_INFO"))?;

    let outcome = Outcome {
        local,
        remote,
        congestion,
        bytes,
        seconds,
        bits_per_second: bytes as f64 * 8.0 / seconds,
        retransmits: end.retransmits,
        mss: end.mss,
        rtt_us: spread(&samples),
        samples: if form.details { samples } else { Vec::new() },
    };
    if form.json {
        return json(&outcome);
    }
    let rtt = &outcome.rtt_us;
    println!(
        "{} {} -> {}: {bytes} bytes in {seconds:.2}s, {}bit/s, rtt mean {:.1}ms p95 {:.1}ms, {} retransmits",
        outcome.congestion,
        local,
        remote,
        scaled(outcome.bits_per_second),
        rtt.mean / 1e3,
        f64::from(rtt.p95) / 1e3,
        outcome.retransmits,
    );
    Ok(())
}

fn connect(remote: SocketAddr, args: &SendArgs) -> Result<TcpStream, Failure> {
    let socket = Socket::new(
        Domain::for_address(remote),
        Type::STREAM,
        Some(protocol(args.mptcp)),
    )
    .map_err(Failure::system("socket"))?;
    if let Some(name) = &args.congestion {
        socket
            .set_tcp_congestion(name.as_bytes())
            .map_err(Failure::system(&format!("congestion control '{name}'")))?;
    }
    socket
        .set_tcp_notsent_lowat(NOT_SENT)
        .map_err(Failure::system("TCP_NOTSENT_LOWAT"))?;
    socket
        .connect(&remote.into())
        .map_err(Failure::system(&format!("connect to {remote}")))?;
    Ok(socket.into())
}

fn congestion(stream: &TcpStream) -> io::Result<String> {
    let name = socket2::SockRef::from(stream).tcp_congestion()?;
    let end = name
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(name.len());
    Ok(String::from_utf8_lossy(&name[..end]).into_owned())
}

/// Sends until the time or the bytes are used up, and waits until the receiver
/// has everything. Says how much that was.
fn fill(mut stream: &TcpStream, start: Instant, args: &SendArgs) -> io::Result<u64> {
    let chunk = vec![0_u8; CHUNK];
    let limit = args.bytes.unwrap_or(u64::MAX);
    let time = args
        .seconds
        .map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let mut sent = 0;
    while sent < limit && time.is_none_or(|time| start.elapsed() < time) {
        let most = usize::try_from(limit - sent).unwrap_or(CHUNK).min(CHUNK);
        sent += stream.write(&chunk[..most])? as u64;
    }
    stream.shutdown(Shutdown::Write)?;
    // The receiver closes when it has read our last byte.
    let rest = stream.read(&mut [0; 1])?;
    debug_assert_eq!(rest, 0, "the receiver never writes");
    Ok(sent)
}

fn sample(
    stream: &TcpStream,
    start: Instant,
    interval: Duration,
    stop: &AtomicBool,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut next = start;
    while !stop.load(Ordering::Relaxed) {
        next += interval;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        match Info::of(stream) {
            Ok(info) if info.rtt_us > 0 => samples.push(Sample {
                time_s: start.elapsed().as_secs_f64(),
                info,
            }),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    samples
}

fn spread(samples: &[Sample]) -> Spread {
    let mut rtts: Vec<u32> = samples.iter().map(|sample| sample.info.rtt_us).collect();
    rtts.sort_unstable();
    let sum: u64 = rtts.iter().copied().map(u64::from).sum();
    // Nearest rank: the smallest sample that 95 % do not exceed.
    let rank = (rtts.len() * 95).div_ceil(100).saturating_sub(1);
    Spread {
        samples: rtts.len(),
        min: rtts.first().copied().unwrap_or(0),
        mean: sum as f64 / rtts.len().max(1) as f64,
        p95: rtts.get(rank).copied().unwrap_or(0),
        max: rtts.last().copied().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_by_nearest_rank() {
        let samples: Vec<Sample> = (1..=100)
            .map(|rtt_us| Sample {
                time_s: 0.0,
                info: Info {
                    rtt_us,
                    ..Info::default()
                },
            })
            .collect();
        let all = spread(&samples);
        assert_eq!((all.min, all.p95, all.max), (1, 95, 100));
        assert!((all.mean - 50.5).abs() < 1e-9);
        assert_eq!(spread(&[]).samples, 0);
    }
}
