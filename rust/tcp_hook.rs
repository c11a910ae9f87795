// SPDX-License-Identifier: GPL-2.0

//! What TCP calls: a flow begins, an ACK comes, a flow ends.
//!
//! C side: `c-shim/tcp.c`, which holds the socket's lock around every call.

use core::ptr::NonNull;

use crate::{
    events,
    flows::{
        Flow,
        Reason,
        ABORTS_MAX, //
    },
    net::{
        self,
        Net, //
    },
    programs::BUILTIN,
    shim::{
        FlowBox,
        FlowInfo,
        RawSock,
        Sock,
        Verdict, //
    },
    tcp::Ack,
};

impl Flow {
    /// One ACK, or one timeout.
    #[inline]
    fn on_ack(&mut self, sk: Sock<'_>, ack: &Ack) -> Verdict {
        self.check_charge(sk, ack.now_us);

        let outcome = self.invoke(ack);
        let decision = self.tracker.apply(ack, &outcome);
        self.counts.invocations = self.counts.invocations.wrapping_add(1);

        let cwnd = match decision.cwnd {
            0 => ack.snd_cwnd,
            cwnd => cwnd,
        };
        // The built-in program limits bursts like the stack, without pacing.
        self.paced |= decision.rate != 0 && self.running.id != BUILTIN;
        let rate = match decision.rate {
            0 if !self.paced => ack.customary_rate(cwnd),
            rate => rate,
        };
        let mut verdict = Verdict {
            rate,
            cwnd: decision.cwnd,
            program: self.running.id,
            paced: u8::from(self.paced),
            ..Verdict::default()
        };

        match outcome.abort {
            None => self.aborts_in_row = 0,
            Some(abort) => {
                verdict.abort = (abort as u8).wrapping_add(1);
                self.counts.aborts = self.counts.aborts.wrapping_add(1);
                self.aborts_in_row = self.aborts_in_row.saturating_add(1);
                if self.aborts_in_row >= ABORTS_MAX {
                    self.fall_back(sk, Reason::ProgramAborted, ack.now_us);
                }
            }
        }
        if outcome.report {
            verdict.reported = 1;
            let rate = if rate == 0 { ack.pacing_rate } else { rate };
            events::report(self, sk, ack, cwnd, rate);
        }
        verdict
    }
}

/// A socket begins to use this congestion control.
///
/// # Safety
///
/// `sk` must be locked, `state` must last during the call.
#[no_mangle]
unsafe extern "C" fn ccp_rs_flow_open(
    sk: NonNull<RawSock>,
    state: NonNull<Net>,
    ack: &Ack,
    id: &mut u64,
) -> Option<NonNull<Flow>> {
    // SAFETY: The caller's promise.
    let sk = unsafe { Sock::from_raw(sk) };
    // SAFETY: The caller's promise.
    let net = unsafe { net::share(state) };
    let flow = Flow::open(net, sk, ack)?;
    *id = flow.id;
    Some(flow.into_raw())
}

/// The socket stops to use it.
///
/// # Safety
///
/// `sk` must be locked, and `flow` its flow, which isn't used afterwards.
#[no_mangle]
unsafe extern "C" fn ccp_rs_flow_close(sk: NonNull<RawSock>, flow: NonNull<Flow>) {
    // SAFETY: The caller's promise.
    let sk = unsafe { Sock::from_raw(sk) };
    // SAFETY: From `ccp_rs_flow_open`, by the caller's promise.
    let flow = unsafe { FlowBox::from_raw(flow) };
    flow.close(sk);
}

/// An ACK or a retransmission timeout.
///
/// # Safety
///
/// `sk` must be locked, and `flow` its flow.
#[no_mangle]
unsafe extern "C" fn ccp_rs_ack(
    sk: NonNull<RawSock>,
    mut flow: NonNull<Flow>,
    ack: &Ack,
    verdict: &mut core::mem::MaybeUninit<Verdict>,
) {
    // SAFETY: The caller's promise.
    let sk = unsafe { Sock::from_raw(sk) };
    // SAFETY: A live flow; who holds the socket's lock has it alone.
    let flow = unsafe { flow.as_mut() };
    verdict.write(flow.on_ack(sk, ack));
}

/// What messages tell of a flow.
///
/// # Safety
///
/// The flow's socket must be locked.
#[no_mangle]
unsafe extern "C" fn ccp_rs_flow_info(
    flow: NonNull<Flow>,
    info: &mut core::mem::MaybeUninit<FlowInfo>,
) {
    // SAFETY: A live flow by the caller's promise.
    info.write(unsafe { flow.as_ref() }.info());
}
