// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program record`: the ACKs of a real flow, by a program that reports
//! each of them.

use super::sink::Sink;
use crate::{cli::RecordArgs, stop, Failure};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Options, Program, Report};
use ccp_core::vm::{isa::primitive, Input, PRIMITIVES};
use ccp_netlink::Client;
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// The program, and what its algorithm is called.
pub(super) const SOURCE: &str = include_str!("../../examples/record.ccp");
pub(super) const NAME: &str = "record";

/// Registers that are reported with others, or computed from them.
const DERIVED: [usize; 12] = [
    primitive::ACK_BYTES_MISORDERED,
    primitive::ACK_ECN_BYTES,
    primitive::ACK_ECN_PACKETS,
    primitive::FLOW_BYTES_IN_FLIGHT,
    primitive::FLOW_PACKETS_IN_FLIGHT,
    primitive::FLOW_WAS_TIMEOUT,
    primitive::FLOW_IN_RECOVERY,
    primitive::FLOW_CWND_LIMITED,
    primitive::FLOW_APP_LIMITED,
    primitive::FLOW_MSS,
    primitive::FLOW_DELIVERED,
    primitive::FLOW_LOST,
];

/// What a report tells of an ACK that found this pacing rate.
fn measured(report: &Report, rate: u64) -> ccp_agent::Result<Input> {
    let mut values = [0; PRIMITIVES];
    for (index, name) in (0..).zip(primitive::NAMES) {
        if !DERIVED.contains(&index) {
            let field = name.rsplit('.').next().unwrap_or(name);
            values[index] = report.get(field)?;
        }
    }
    let (mss, flags) = halves(report.get("segment")?);
    let (cwnd, in_flight) = halves(report.get("window")?);
    let (delivered, lost) = halves(report.get("totals")?);
    let echo = if flags & 16 > 0 {
        values[primitive::ACK_BYTES_ACKED]
    } else {
        0
    };
    let misordered = values[primitive::ACK_PACKETS_MISORDERED];
    let derived = [
        misordered.saturating_mul(mss),
        echo,
        echo.checked_add(mss.saturating_sub(1))
            .and_then(|bytes| bytes.checked_div(mss))
            .unwrap_or(0),
        in_flight.saturating_mul(mss),
        in_flight,
        flags & 1,
        (flags >> 1) & 1,
        (flags >> 2) & 1,
        (flags >> 3) & 1,
        mss,
        delivered,
        lost,
    ];
    for (index, value) in DERIVED.into_iter().zip(derived) {
        values[index] = value;
    }
    Ok(Input {
        primitives: values,
        now_us: values[primitive::ACK_NOW],
        cwnd,
        rate,
    })
}

/// The low and the high 32 bits.
fn halves(value: u64) -> (u64, u64) {
    (value & u64::from(u32::MAX), value >> 32)
}

struct Recording {
    sink: Sink,
    /// The flow that is recorded: the first that reports.
    flow: Option<u64>,
    missed: u64,
    /// Nothing more is wanted.
    done: Arc<AtomicBool>,
}

struct Recorder(Rc<RefCell<Recording>>);

impl Algorithm for Recorder {
    fn name(&self) -> &str {
        NAME
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new(NAME, SOURCE)]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> ccp_agent::Result<Box<dyn Flow>> {
        dp.set_program(NAME, &[])?;
        Ok(Box::new(Recorded {
            id: info.id,
            rate: match info.rate {
                0 => u64::MAX,
                rate => rate,
            },
            recording: Rc::clone(&self.0),
        }))
    }
}

struct Recorded {
    id: u64,
    /// In force since the last report.
    rate: u64,
    recording: Rc<RefCell<Recording>>,
}

impl Flow for Recorded {
    fn on_report(&mut self, _: &mut dyn Datapath, report: &Report) -> ccp_agent::Result<()> {
        let mut recording = self.recording.borrow_mut();
        if *recording.flow.get_or_insert(self.id) == self.id {
            recording.sink.row(&measured(report, self.rate)?);
            recording.missed += report.missed();
            if recording.sink.failed() {
                recording.done.store(true, Ordering::Relaxed);
            }
        }
        self.rate = report.rate();
        Ok(())
    }

    fn close(&mut self) {
        let recording = self.recording.borrow();
        if recording.flow == Some(self.id) {
            recording.done.store(true, Ordering::Relaxed);
        }
    }
}

pub(super) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    // Without the module, a trace that is there already stays as it is.
    Client::connect()?;
    let recording = Rc::new(RefCell::new(Recording {
        sink: Sink::new(args.output.as_ref(), &[])?,
        flow: None,
        missed: 0,
        done: Arc::clone(&stop),
    }));
    if let Some(seconds) = args.seconds {
        let time = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Failure::Input(format!("--seconds {seconds}: no such time")))?;
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            std::thread::sleep(time);
            stop.store(true, Ordering::Relaxed);
        });
    }
    let options = Options {
        stop,
        ..Options::default()
    };
    let outcome = ccp_agent::run(&[Box::new(Recorder(Rc::clone(&recording)))], options);
    let mut recording = recording.borrow_mut();
    recording.sink.finish()?;
    outcome?;
    eprintln!(
        "{} ACKs recorded, {} missed{}",
        recording.sink.rows,
        recording.missed,
        recording
            .flow
            .map_or(String::new(), |id| format!(", of flow {id}"))
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccp_agent::sim::{Drops, Path, Sim};
    use std::io::Write;

    /// What a sink writes.
    #[derive(Clone, Default)]
    struct Written(Rc<RefCell<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn reports_tell_all_a_program_sees() {
        let (recorded, observed) = (Written::default(), Written::default());
        let unknown = [primitive::FLOW_BYTES_PENDING];
        let recording = Rc::new(RefCell::new(Recording {
            sink: Sink::to(Box::new(recorded.clone()), &unknown),
            flow: None,
            missed: 0,
            done: Arc::default(),
        }));
        let mut sim = Sim::new(Path {
            rate: 2_000_000,
            queue: 20,
            mark: Some(8),
            drops: Drops::Outage(Duration::from_secs(8), Duration::from_secs(9)),
            agent: Duration::ZERO,
            ..Path::default()
        });
        let sink = Rc::new(RefCell::new(Sink::to(Box::new(observed.clone()), &unknown)));
        let observer = Rc::clone(&sink);
        sim.observe(move |_, input| observer.borrow_mut().row(input));
        let source = Recorder(Rc::clone(&recording));
        sim.add_limited_flow(&source, 1_900_000).expect("a flow");
        sim.run_for(Duration::from_secs(20));
        assert_eq!(sim.errors(), &[] as &[String]);
        recording.borrow_mut().sink.finish().expect("written");
        sink.borrow_mut().finish().expect("written");
        let text = String::from_utf8(recorded.0.take()).expect("text");
        let expected = String::from_utf8(observed.0.take()).expect("text");
        for (one, other) in text.lines().zip(expected.lines()) {
            assert_eq!(one, other);
        }
        assert_eq!(text.len(), expected.len());
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let head = lines.next().expect("a head");
        let rows: Vec<_> = lines.collect();
        assert!(rows.len() > 1000, "{} rows", rows.len());
        for (column, name) in head.iter().enumerate() {
            let first = rows[0][column];
            let varied = rows.iter().any(|row| row[column] != first);
            let constant = ["Flow.min_rtt_us", "Flow.mss"].contains(name) && first != "0";
            assert!(varied || constant, "{name} is always {first}");
        }
    }
}
