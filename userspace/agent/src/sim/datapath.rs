// SPDX-License-Identifier: GPL-2.0
//! A flow's side of the kernel module: the same code, around the simulated
//! sender.

use super::{
    sender::{RateSample, Sender},
    Command, Time, MSS,
};
use crate::library::Shelf;
use ccp_core::{
    tcp::{Ack, Tracker},
    vm::{self, Abort, Header, Input, Op, Output, Program},
};
use ccp_netlink::RawReport;

/// A decoded program.
struct Code {
    header: Header,
    ops: Vec<Op>,
}

impl Code {
    fn program(&self) -> Program<'_> {
        Program::new(&self.header, &self.ops)
    }
}

pub(super) struct Kernel {
    programs: Vec<Code>,
    current: Option<usize>,
    state: vm::State,
    file: Vec<u64>,
    tracker: Tracker,
    reports: u64,
}

/// What an invocation did.
#[derive(Default)]
pub(super) struct Ran {
    /// What the program saw, if there is one.
    pub(super) input: Option<Input>,
    /// Congestion window, bytes.
    pub(super) cwnd: u64,
    pub(super) abort: Option<Abort>,
    pub(super) report: Option<RawReport>,
}

impl Kernel {
    pub(super) fn new(shelf: &Shelf, sender: &Sender, now: Time) -> Self {
        let mut kernel = Self {
            programs: Vec::new(),
            current: None,
            state: vm::State::default(),
            file: vec![0; vm::MIN_FILE],
            tracker: Tracker::new(&facts(sender, false, now)),
            reports: 0,
        };
        kernel.learn(shelf);
        kernel
    }

    /// Installs what is new on the shelf; from there, nothing is forgotten.
    pub(super) fn learn(&mut self, shelf: &Shelf) {
        while let Some(program) = shelf.get(self.programs.len()) {
            let layout = vm::verify(&program.events, &program.instructions)
                .expect("what compiles passes the verifier");
            if layout.registers > self.file.len() {
                self.file.resize(layout.registers, 0);
            }
            let mut ops = vec![Op::default(); layout.ops];
            let header = vm::decode(&program.events, &program.instructions, &mut ops)
                .expect("what passes the verifier decodes");
            self.programs.push(Code { header, ops });
        }
    }

    /// Carries out what the agent asked for.
    pub(super) fn command(&mut self, command: Command, sender: &mut Sender, now: Time) {
        let updates = match command {
            Command::Program(index, updates) => {
                self.current = Some(index);
                let program = self.programs[index].program();
                self.state.install(program, &mut self.file, now / 1000);
                updates
            }
            Command::Update(updates) => updates,
        };
        let Some(current) = self.current else { return };
        let program = self.programs[current].program();
        for update in updates {
            let output = self
                .state
                .update(
                    program,
                    &mut self.file,
                    update.class,
                    update.index,
                    update.value,
                )
                .expect("the compiler's registers exist");
            match output {
                Some(Output::Cwnd) if update.value > 0 => {
                    let packets = (update.value / u64::from(MSS)).max(2);
                    sender.cwnd = u32::try_from(packets).unwrap_or(u32::MAX);
                }
                Some(Output::Rate) if update.value > 0 => sender.rate = update.value,
                _ => {}
            }
        }
    }

    /// Runs the program on what the sender has just seen.
    pub(super) fn invoke(&mut self, sender: &mut Sender, timeout: bool, now: Time) -> Ran {
        let ack = facts(sender, timeout, now);
        let mut ran = Ran {
            cwnd: u64::from(sender.cwnd) * u64::from(MSS),
            ..Ran::default()
        };
        let Some(current) = self.current else {
            return ran;
        };
        let program = self.programs[current].program();
        let input = self.tracker.input(&ack);
        let outcome = self.state.invoke(program, &mut self.file, &input);
        let decision = self.tracker.apply(&ack, &outcome);
        if decision.cwnd != 0 {
            sender.cwnd = decision.cwnd;
        }
        if decision.rate != 0 {
            sender.rate = decision.rate;
        }
        ran.input = Some(input);
        ran.abort = outcome.abort;
        if outcome.cwnd != 0 {
            ran.cwnd = outcome.cwnd;
        }
        if outcome.report {
            self.reports += 1;
            ran.report = Some(RawReport {
                program_id: u32::try_from(current).unwrap_or(u32::MAX),
                seq: self.reports,
                time_us: now / 1000,
                fields: self.state.report(program, &self.file).collect(),
                cwnd: ran.cwnd,
                rate: sender.rate,
                ..RawReport::default()
            });
            self.state.reset_volatile(program, &mut self.file);
        }
        ran
    }
}

/// What the C shim would read from the socket.
fn facts(sender: &Sender, timeout: bool, now: Time) -> Ack {
    let sample = if timeout {
        RateSample::default()
    } else {
        sender.sample
    };
    let us = |time: Time| u32::try_from(time / 1000).unwrap_or(u32::MAX);
    Ack {
        now_us: now / 1000,
        bytes_acked: sender.acked(),
        pacing_rate: sender.rate,
        max_pacing_rate: u64::MAX,
        rs_interval_us: sample.interval_us,
        rs_rtt_us: sample.rtt_us,
        rs_delivered: sample.delivered,
        rs_snd_interval_us: sample.send_us,
        rs_rcv_interval_us: sample.receive_us,
        snd_cwnd: sender.cwnd,
        snd_cwnd_clamp: u32::MAX,
        ssthresh: sender.ssthresh,
        mss: MSS,
        srtt_us: sender.srtt_us(),
        min_rtt_us: us(sender.min_rtt),
        in_flight: sender.in_flight(),
        sacked_out: sender.sacked(),
        delivered: sender.delivered,
        delivered_ce: sender.delivered_marked,
        lost: sender.lost,
        ca_state: sender.state as u8,
        ece: u8::from(sender.congestion),
        ecn_ok: 1,
        cwnd_limited: u8::from(sender.cwnd_limited()),
        app_limited: u8::from(sample.app_limited && sender.app_limited()),
        timeout: u8::from(timeout),
        ..Ack::default()
    }
}
