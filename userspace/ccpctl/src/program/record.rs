// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program record` and `trace`: the ACKs of a flow, real or simulated,
//! by a program that reports each of them.

use crate::{
    cli::{RecordArgs, TraceArgs},
    stop, Failure,
};
use ccp_agent::{
    sim::{self, Path as Link, Sim},
    Algorithm, Datapath, Error, Flow, FlowInfo, Options, Program, Report,
};
use ccp_core::vm::isa::primitive;
use ccp_netlink::Client;
use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    rc::Rc,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// The program, and what its algorithm is called.
const SOURCE: &str = include_str!("../../examples/record.ccp");
const NAME: &str = "record";

/// Registers that are others times the segment size, which are not reported.
const PRODUCTS: [(usize, &str); 2] = [
    (primitive::FLOW_BYTES_IN_FLIGHT, "packets_in_flight"),
    (primitive::ACK_BYTES_MISORDERED, "packets_misordered"),
];

/// Where the rows go.
struct Sink {
    out: BufWriter<Box<dyn Write>>,
    /// The flow that is recorded: the first that reports.
    flow: Option<u64>,
    rows: u64,
    missed: u64,
    error: Option<io::Error>,
    /// Nothing more is wanted.
    done: Arc<AtomicBool>,
}

impl Sink {
    fn new(output: Option<&PathBuf>, done: Arc<AtomicBool>) -> Result<Self, Failure> {
        let out: Box<dyn Write> = match output {
            Some(path) if path.as_os_str() != "-" => {
                Box::new(File::create(path).map_err(Failure::file(path))?)
            }
            _ => Box::new(io::stdout()),
        };
        Ok(Self {
            out: BufWriter::new(out),
            flow: None,
            rows: 0,
            missed: 0,
            error: None,
            done,
        })
    }

    /// Writes an ACK, with the window and rate it found.
    fn row(&mut self, report: &Report, (cwnd, rate): (u64, u64)) -> Result<(), Error> {
        let mut names: Vec<&str> = Vec::new();
        let mut values = Vec::new();
        for (name, value) in report.fields() {
            names.push(full(name));
            values.push(value);
        }
        for (index, packets) in PRODUCTS {
            names.push(primitive::NAMES[index]);
            values.push(report.get(packets)?.saturating_mul(report.get("mss")?));
        }
        names.extend(["Cwnd", "Rate"]);
        values.extend([cwnd, rate]);
        let values: Vec<String> = values.iter().map(u64::to_string).collect();
        let mut text = String::new();
        if self.rows == 0 {
            text += &(names.join(",") + "\n");
        }
        text += &(values.join(",") + "\n");
        self.rows += 1;
        self.missed += report.missed();
        if let Err(error) = self.out.write_all(text.as_bytes()) {
            self.error.get_or_insert(error);
            self.done.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        if let Some(error) = self.error.take() {
            return Err(error.into());
        }
        Ok(self.out.flush()?)
    }
}

/// The primitive register a field is named after.
fn full(field: &str) -> &str {
    let named = |name: &&&str| {
        name.split_once('.')
            .is_some_and(|(_, short)| short == field)
    };
    primitive::NAMES
        .iter()
        .find(named)
        .copied()
        .unwrap_or(field)
}

struct Recording(Rc<RefCell<Sink>>);

impl Algorithm for Recording {
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
            window: u64::from(info.cwnd) * u64::from(info.mss),
            rate: match info.rate {
                0 => u64::MAX,
                rate => rate,
            },
            sink: Rc::clone(&self.0),
        }))
    }
}

struct Recorded {
    id: u64,
    /// In force since the last report.
    window: u64,
    rate: u64,
    sink: Rc<RefCell<Sink>>,
}

impl Flow for Recorded {
    fn on_report(&mut self, _: &mut dyn Datapath, report: &Report) -> ccp_agent::Result<()> {
        let mut sink = self.sink.borrow_mut();
        if *sink.flow.get_or_insert(self.id) == self.id {
            sink.row(report, (self.window, self.rate))?;
        }
        (self.window, self.rate) = (report.cwnd(), report.rate());
        Ok(())
    }

    fn close(&mut self) {
        let sink = self.sink.borrow();
        if sink.flow == Some(self.id) {
            sink.done.store(true, Ordering::Relaxed);
        }
    }
}

pub(super) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    // Without the module, a trace that is there already stays as it is.
    Client::connect()?;
    let sink = Sink::new(args.output.as_ref(), Arc::clone(&stop))?;
    let sink = Rc::new(RefCell::new(sink));
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
    let outcome = ccp_agent::run(&[Box::new(Recording(Rc::clone(&sink)))], options);
    let mut sink = sink.borrow_mut();
    sink.finish()?;
    outcome?;
    eprintln!(
        "{} ACKs recorded, {} missed{}",
        sink.rows,
        sink.missed,
        sink.flow
            .map_or(String::new(), |id| format!(", of flow {id}"))
    );
    Ok(())
}

pub(super) fn simulate(args: &TraceArgs) -> Result<(), Failure> {
    let sink = Sink::new(args.output.as_ref(), Arc::default())?;
    let sink = Rc::new(RefCell::new(sink));
    let packet = u64::from(sim::WIRE);
    let packets = match args.queue {
        Some(bytes) => bytes / packet,
        None => (args.rate as f64 / 8.0 * args.rtt.as_secs_f64()) as u64 / packet,
    };
    let mut sim = Sim::new(Link {
        rate: args.rate,
        rtt: args.rtt,
        queue: usize::try_from(packets).unwrap_or(usize::MAX).max(1),
        agent: Duration::ZERO,
        ..Link::default()
    });
    sim.add_flow(&Recording(Rc::clone(&sink)))?;
    sim.run_for(args.time);
    sink.borrow_mut().finish()?;
    match sim.errors().first() {
        Some(error) => Err(Failure::System(format!("simulation: {error}"))),
        None => Ok(()),
    }
}
