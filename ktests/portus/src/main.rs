// SPDX-License-Identifier: GPL-2.0
//! `portus-hold IPC PACKETS`: a client on portus, over `netlink`, `char` or
//! `unix`. It holds each flow's window at PACKETS, and after ten reports, with
//! another program, at half of that. It prints what it is told.

use portus::{
    ipc::{kp, netlink, unix, BackendBuilder, Blocking, Ipc},
    lang::Scope,
    CongAlg, Datapath, DatapathInfo, DatapathTrait, Flow, Report, RunBuilder,
};
use std::{collections::HashMap, env, process::ExitCode};

const HOLD: &str = "
(def (Report (volatile acked 0) (volatile rtt 0)) (window 0))
(when true
    (:= Cwnd window)
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.rtt Flow.rtt_sample_us)
    (fallthrough))
(when (> Micros 50000)
    (:= Micros 0)
    (report))";

/// The fields are in another order: read with the other program's scope, they
/// would make no sense.
const HALF: &str = "
(def (Report (volatile rtt 0) (volatile acked 0)) (unused 1) (window 0))
(when true
    (:= Cwnd window)
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.rtt Flow.rtt_sample_us)
    (fallthrough))
(when (> Micros 50000)
    (:= Micros 0)
    (report))";

struct Hold {
    packets: u32,
}

struct Held<I: Ipc> {
    control: Datapath<I>,
    scope: Scope,
    bytes: u32,
    reports: u32,
    sid: u32,
}

impl<I: Ipc> CongAlg<I> for Hold {
    type Flow = Held<I>;

    fn name() -> &'static str {
        "hold"
    }

    fn datapath_programs(&self) -> HashMap<&'static str, String> {
        HashMap::from([("hold", HOLD.to_owned()), ("half", HALF.to_owned())])
    }

    fn new_flow(&self, mut control: Datapath<I>, info: DatapathInfo) -> Held<I> {
        let bytes = self.packets * info.mss;
        println!("flow {} {} {}", info.sock_id, info.init_cwnd, info.mss);
        let scope = control.set_program("hold", Some(&[("window", bytes)]));
        Held {
            scope: scope.expect("set_program"),
            control,
            bytes,
            reports: 0,
            sid: info.sock_id,
        }
    }
}

impl<I: Ipc> Flow for Held<I> {
    fn on_report(&mut self, sid: u32, report: Report) {
        let field = |name| report.get_field(name, &self.scope);
        let (Ok(acked), Ok(rtt)) = (field("Report.acked"), field("Report.rtt")) else {
            println!("stale {sid}");
            return;
        };
        println!("report {sid} {acked} {rtt}");
        self.reports += 1;
        if self.reports == 10 {
            let scope = self.control.set_program("half", None).expect("set_program");
            let window = [("window", self.bytes / 2)];
            self.control.update_field(&scope, &window).expect("update");
            self.scope = scope;
            println!("half {sid}");
        }
    }

    fn close(&mut self) {
        println!("closed {}", self.sid);
    }
}

fn run<I: Ipc>(sock: portus::Result<I>, packets: u32) -> portus::Result<()> {
    let sock = sock?;
    RunBuilder::new(BackendBuilder { sock })
        .default_alg(Hold { packets })
        .run()
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    let [_, ipc, packets] = args.as_slice() else {
        eprintln!("usage: portus-hold netlink|char|unix PACKETS");
        return ExitCode::from(2);
    };
    let packets = packets.parse().unwrap_or(10);
    let outcome = match ipc.as_str() {
        "netlink" => run(netlink::Socket::<Blocking>::new(), packets),
        "char" => run(kp::Socket::<Blocking>::new(), packets),
        _ => run(unix::Socket::<Blocking>::new("portus"), packets),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {error:?}");
            ExitCode::FAILURE
        }
    }
}
