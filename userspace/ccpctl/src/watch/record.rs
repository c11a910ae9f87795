// SPDX-License-Identifier: GPL-2.0
//! A trace in CSV: one row per flow and sample, one per event.
//!
//! | column | meaning |
//! |---|---|
//! | `time_s` | seconds since recording began |
//! | `flow` | id of the flow; empty on rows about agents |
//! | `event` | `sample`, or what happened: `created`, `adopted`, `fallback`, `closed`, `agent-attached`, `agent-gone`, `overrun` |
//! | `detail` | of a fallback the reason, of an agent its name, of a flow its peer |
//! | `program` | name of the program that runs |
//! | `cwnd_pkts` | congestion window, packets |
//! | `ssthresh_pkts` | slow start threshold, packets; empty while infinite |
//! | `rate_bps` | pacing rate, bits per second; empty while unlimited |
//! | `goodput_bps` | payload delivered since the flow's last sample, bits per second; empty in its first |
//! | `srtt_us`, `min_rtt_us` | smoothed and minimum RTT, microseconds |
//! | `in_flight` | packets |
//! | `queue_pkts` | of these, in queues; empty before the first RTT |
//! | `delivered`, `lost`, `retrans` | packets since the start of the flow |
//! | `bytes_acked`, `reports` | since the start of the flow |
//!
//! An event row leaves empty what its event does not tell.

use super::{Picture, Watcher};
use crate::{show::address, Failure};
use ccp_netlink::{Event, FlowInfo};
use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

const HEAD: &str = "time_s,flow,event,detail,program,cwnd_pkts,ssthresh_pkts,rate_bps,goodput_bps,\
                    srtt_us,min_rtt_us,in_flight,queue_pkts,delivered,lost,retrans,bytes_acked,reports";
/// `TCP_INFINITE_SSTHRESH`.
const INFINITE: u32 = 0x7fff_ffff;
/// Columns after `program`.
const NUMBERS: usize = 13;

pub(super) struct Recorder {
    out: BufWriter<File>,
    path: PathBuf,
    interval: Duration,
    /// Time and packets delivered at a flow's last sample.
    last: HashMap<u64, (Duration, u32)>,
    agents: HashMap<u32, String>,
}

impl Recorder {
    pub(super) fn create(path: &Path, interval: Duration) -> Result<Self, Failure> {
        let file = File::create(path).map_err(Failure::file(path))?;
        let mut recorder = Self {
            out: BufWriter::new(file),
            path: path.to_owned(),
            interval,
            last: HashMap::new(),
            agents: HashMap::new(),
        };
        recorder.line(HEAD)?;
        Ok(recorder)
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(Failure::file(&self.path))
    }

    fn event_row(
        &mut self,
        time: Duration,
        flow: Option<u64>,
        event: &str,
        detail: &str,
    ) -> Result<(), Failure> {
        let flow = flow.map(|flow| flow.to_string()).unwrap_or_default();
        let empty = ",".repeat(NUMBERS);
        let seconds = time.as_secs_f64();
        let detail = quoted(detail);
        self.line(&format!("{seconds:.6},{flow},{event},{detail},{empty}"))
    }

    fn sample_row(&mut self, picture: &Picture, flow: &FlowInfo) -> Result<(), Failure> {
        let before = self.last.insert(flow.id, (picture.time, flow.delivered));
        let goodput = before.and_then(|(time, delivered)| {
            let span = picture.time.checked_sub(time)?.as_secs_f64();
            let bits = payload(flow, delivered) as f64 * 8.0;
            (span > 0.0).then(|| format!("{:.0}", bits / span))
        });
        let program = picture.programs.get(&flow.program_id);
        let threshold = flow.ssthresh < INFINITE && flow.ssthresh > 0;
        let row = [
            format!("{:.6}", picture.time.as_secs_f64()),
            flow.id.to_string(),
            "sample".into(),
            String::new(),
            program.map(|name| quoted(name)).unwrap_or_default(),
            flow.cwnd.to_string(),
            threshold
                .then(|| flow.ssthresh.to_string())
                .unwrap_or_default(),
            flow.rate
                .checked_mul(8)
                .map(|bits| bits.to_string())
                .unwrap_or_default(),
            goodput.unwrap_or_default(),
            flow.srtt_us.to_string(),
            (flow.min_rtt_us < u32::MAX)
                .then(|| flow.min_rtt_us.to_string())
                .unwrap_or_default(),
            flow.in_flight.to_string(),
            queued(flow)
                .map(|packets| format!("{packets:.1}"))
                .unwrap_or_default(),
            flow.delivered.to_string(),
            flow.lost.to_string(),
            flow.retransmits.to_string(),
            flow.bytes_acked.to_string(),
            flow.reports.to_string(),
        ];
        self.line(&row.join(","))
    }
}

/// Bytes of payload delivered since so many packets were. What is acknowledged
/// would come in jumps, where this is smooth: a hole holds up the one, but not
/// the other.
pub(super) fn payload(flow: &FlowInfo, before: u32) -> u64 {
    u64::from(flow.delivered.wrapping_sub(before)) * u64::from(flow.mss)
}

/// Packets of a flow that wait in queues, as TCP Vegas estimates it: what is in
/// flight for longer than the path takes.
pub(super) fn queued(flow: &FlowInfo) -> Option<f64> {
    let known = flow.srtt_us > 0 && flow.min_rtt_us < u32::MAX;
    let share = 1.0 - f64::from(flow.min_rtt_us) / f64::from(flow.srtt_us);
    known.then(|| f64::from(flow.in_flight) * share.max(0.0))
}

/// A CSV field: in quotes only where it must be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

impl Watcher for Recorder {
    fn event(&mut self, time: Duration, event: &Event) -> Result<(), Failure> {
        match event {
            Event::FlowCreated(flow) => {
                let name = if flow.adopted { "adopted" } else { "created" };
                self.event_row(time, Some(flow.id), name, &address(flow.remote))
            }
            Event::FlowClosed(flow) => {
                self.last.remove(&flow.id);
                self.event_row(time, Some(flow.id), "closed", &address(flow.remote))
            }
            Event::FlowFallback(fallback) => {
                let reason = fallback.reason.to_string();
                self.event_row(time, Some(fallback.flow_id), "fallback", &reason)
            }
            Event::Overrun => self.event_row(time, None, "overrun", ""),
            _ => Ok(()),
        }
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn picture(&mut self, picture: &Picture) -> Result<(), Failure> {
        let agents: HashMap<u32, String> = picture
            .agents
            .iter()
            .map(|agent| (agent.id, agent.name.clone()))
            .collect();
        let before = std::mem::replace(&mut self.agents, agents.clone());
        for (id, name) in &agents {
            if !before.contains_key(id) {
                self.event_row(picture.time, None, "agent-attached", name)?;
            }
        }
        for (id, name) in &before {
            if !agents.contains_key(id) {
                self.event_row(picture.time, None, "agent-gone", name)?;
            }
        }
        for flow in &picture.flows {
            self.sample_row(picture, flow)?;
        }
        // What is on disk is whole when the recording is cut short.
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::file(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_columns_of_the_head() {
        let path = std::env::temp_dir().join(format!("ccpctl-record-{}.csv", std::process::id()));
        let mut recorder = Recorder::create(&path, Duration::from_millis(100)).unwrap();
        let flow = |bytes_acked| FlowInfo {
            id: 3,
            cwnd: 10,
            rate: u64::MAX,
            ssthresh: INFINITE,
            mss: 1000,
            delivered: u32::try_from(bytes_acked / 1000).unwrap(),
            bytes_acked,
            srtt_us: 40_000,
            min_rtt_us: 20_000,
            in_flight: 8,
            ..FlowInfo::default()
        };
        let picture = |ms, bytes| Picture {
            time: Duration::from_millis(ms),
            flows: vec![flow(bytes)],
            agents: vec![AgentInfo {
                id: 1,
                name: "a,b".into(),
                ..AgentInfo::default()
            }],
            programs: HashMap::from([(0, "fallback".into())]),
        };
        recorder.picture(&picture(0, 0)).unwrap();
        recorder.picture(&picture(500, 1_000_000)).unwrap();
        recorder
            .event(Duration::from_secs(1), &Event::FlowClosed(flow(0)))
            .unwrap();
        recorder.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            format!("0.000000,,agent-attached,\"a,b\",{}", ",".repeat(NUMBERS))
        );
        assert_eq!(
            lines[2],
            "0.000000,3,sample,,fallback,10,,,,40000,20000,8,4.0,0,0,0,0,0"
        );
        assert_eq!(
            lines[3],
            "0.500000,3,sample,,fallback,10,,,16000000,40000,20000,8,4.0,1000,0,0,1000000,0"
        );
        assert!(lines[4].starts_with("1.000000,3,closed,-,"));
        for line in [0, 2, 3, 4] {
            assert_eq!(lines[line].matches(',').count(), 17, "{}", lines[line]);
        }
    }

    use ccp_netlink::AgentInfo;
}
