// SPDX-License-Identifier: GPL-2.0

//! What CCID 5 of DCCP calls: packets ask to go and come, reports come and go.
//!
//! C side: `c-shim/dccp*.c`, which holds the socket's lock around every call
//! with a [`Sender`] or [`Receiver`], and a lock of its own around those with
//! a sum of N. Both are plain data in memory of C's; nothing is to be dropped.

use core::{
    mem::{
        align_of,
        size_of,
        MaybeUninit, //
    },
    ptr::NonNull,
    slice,
};

use kernel::{
    ffi::c_int,
    prelude::*, //
};

use crate::multfrc::{
    Ack,
    Packet,
    Receiver,
    ReceiverInfo,
    Refusal,
    Sender,
    SenderInfo,
    Settings,
    Sums,
    Timers,
    Verdict,
    Weight,
    WireOption, //
};

/// `struct ccp_dccp_packet`.
#[repr(C)]
struct Arrival {
    now: u64,
    seqno: u64,
    ndp: u64,
    len: u32,
    handshake: u32,
    ccval: u8,
    data: u8,
    pad: [u8; 6],
}

/// `struct ccp_dccp_timers`.
#[repr(C)]
struct Due {
    send: u64,
    expire: u64,
}

const _: () = {
    // C has u64s there.
    assert!(align_of::<Sender>() <= 8);
    assert!(align_of::<Receiver>() <= 8);
    assert!(size_of::<SenderInfo>() == 88);
    assert!(size_of::<ReceiverInfo>() == 64);
    assert!(size_of::<WireOption>() == 8);
    assert!(size_of::<Sums>() == 24);
    assert!(size_of::<Arrival>() == 40);
    assert!(size_of::<Due>() == 16);
};

/// The sequence window holds that many round trips: five (RFC 4340, section
/// 7.5.2), and slow start goes on while it is asked for.
const WINDOWS: u64 = 16;
/// Of the sequence window: what DCCP begins with, and what is plenty.
const WINDOW_BOUNDS: (u64, u64) = (100, 1 << 24);

/// A value of an option.
///
/// # Safety
///
/// `len` bytes at `value`, if there are any.
unsafe fn bytes<'a>(value: *const u8, len: u8) -> &'a [u8] {
    if value.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: The caller's promise.
    unsafe { slice::from_raw_parts(value, len.into()) }
}

/// Bytes of a [`Sender`].
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_size() -> usize {
    size_of::<Sender>()
}

/// Bytes of a [`Receiver`].
#[no_mangle]
extern "C" fn ccp_rs_dccp_rx_size() -> usize {
    size_of::<Receiver>()
}

/// A number with decimals, above 0 and at most `most`, in 2^-16.
fn decimal(text: &[u8], most: u32) -> Option<u32> {
    let mut parts = text.split(|&byte| byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or(&[]));
    if parts.next().is_some() || whole.is_empty() || fraction.len() > 9 {
        return None;
    }
    let digits = |text: &[u8]| {
        text.iter().try_fold(0u64, |number, &byte| {
            let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
            number.checked_mul(10)?.checked_add(digit.into())
        })
    };
    let scale = fraction
        .iter()
        .fold(1u64, |scale, _| scale.wrapping_mul(10));
    let fraction = digits(fraction)?
        .checked_mul(1 << 16)?
        .checked_add(scale / 2)?;
    let value = digits(whole)?
        .checked_mul(1 << 16)?
        .checked_add(fraction.checked_div(scale)?)?;
    u32::try_from(value)
        .ok()
        .filter(|&value| value > 0 && value <= most)
}

/// Reads a module parameter or a sysctl.
///
/// # Safety
///
/// `len` bytes at `text`.
#[no_mangle]
unsafe extern "C" fn ccp_rs_dccp_flows(
    text: NonNull<u8>,
    len: usize,
    most: u32,
    flows: &mut MaybeUninit<u32>,
) -> c_int {
    // SAFETY: The caller's promise.
    let text = unsafe { slice::from_raw_parts(text.as_ptr(), len) };
    match decimal(text, most) {
        Some(value) => {
            flows.write(value);
            0
        }
        None => EINVAL.to_errno(),
    }
}

/// A sender's N becomes another; 0 is none.
#[no_mangle]
extern "C" fn ccp_rs_dccp_admit(sums: &mut Sums, old: u32, new: u32) -> c_int {
    match sums.replace(old, new) {
        Ok(()) => 0,
        Err(Refusal::Range) => ERANGE.to_errno(),
        Err(Refusal::Full { .. }) => ENOSPC.to_errno(),
    }
}

/// A sender ends.
#[no_mangle]
extern "C" fn ccp_rs_dccp_release(sums: &mut Sums, flows: u32) {
    sums.release(flows);
}

/// A sender begins.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_init(
    sender: &mut MaybeUninit<Sender>,
    flows: u32,
    rto_min: u64,
    tfrc: bool,
) -> c_int {
    let Some(weight) = Weight::new(flows) else {
        return ERANGE.to_errno();
    };
    let settings = Settings {
        rto_min,
        damping: false,
    };
    sender.write(Sender::new(weight.with_tfrc(tfrc), settings));
    0
}

/// Its N is chosen.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_weight(sender: &mut Sender, flows: u32) -> c_int {
    let Some(weight) = Weight::new(flows) else {
        return ERANGE.to_errno();
    };
    match sender.set_weight(weight) {
        Ok(()) => 0,
        Err(_) => EBUSY.to_errno(),
    }
}

/// A packet asks to go: 0 it may, with that CCVal; above 0 ns to wait; below
/// 0 it is to be dropped.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_send(
    sender: &mut Sender,
    now: u64,
    len: u32,
    handshake: u32,
    ccval: &mut MaybeUninit<u8>,
) -> i64 {
    sender.handshake(handshake);
    let verdict = sender.send(now, len);
    ccval.write(0);
    match verdict {
        Verdict::Send { ccval: value } => {
            ccval.write(value);
            0
        }
        Verdict::Wait { ns } => i64::try_from(ns).unwrap_or(i64::MAX).max(1),
        Verdict::Drop => -1,
    }
}

/// It went.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_sent(sender: &mut Sender, now: u64, seqno: u64, len: u32) {
    sender.sent(now, seqno, len);
}

/// The option to put into it; whether there is one.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_option(sender: &Sender, option: &mut MaybeUninit<WireOption>) -> bool {
    let wanted = sender.option();
    option.write(wanted.unwrap_or_default());
    wanted.is_some()
}

/// An option of the receiver's came.
///
/// # Safety
///
/// `len` bytes at `value`, if there are any.
#[no_mangle]
unsafe extern "C" fn ccp_rs_dccp_tx_parse(
    sender: &mut Sender,
    number: u8,
    value: *const u8,
    len: u8,
) -> c_int {
    // SAFETY: The caller's promise.
    let value = unsafe { bytes(value, len) };
    match sender.parse(number, value) {
        Ok(_) => 0,
        Err(_) => EINVAL.to_errno(),
    }
}

/// An acknowledgment came, its options before it; whether something changed.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_feedback(
    sender: &mut Sender,
    now: u64,
    seqno: u64,
    elapsed: u64,
) -> bool {
    sender.feedback(now, &Ack { seqno, elapsed })
}

/// Another packet came.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_discard(sender: &mut Sender) {
    sender.discard();
}

/// The nofeedback timer fired; whether it was due.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_expired(sender: &mut Sender, now: u64) -> bool {
    sender.expired(now)
}

/// When what is due.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_timers(sender: &Sender, due: &mut MaybeUninit<Due>) {
    let Timers { send, expire } = sender.timers();
    due.write(Due { send, expire });
}

/// The sequence window it needs: a power of two, so that it seldom changes.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_window(sender: &Sender) -> u64 {
    let SenderInfo { x, rtt, size, .. } = sender.info();
    let (least, most) = WINDOW_BOUNDS;
    let per_second = (x >> 6).checked_div(size.into()).unwrap_or(0);
    // Micros keep the product small.
    let in_flight = per_second.saturating_mul(rtt / 1000) / 1_000_000;
    let window = in_flight.saturating_mul(WINDOWS).clamp(least, most);
    if window <= least {
        return least;
    }
    window.checked_next_power_of_two().unwrap_or(most)
}

/// What is told of it.
#[no_mangle]
extern "C" fn ccp_rs_dccp_tx_info(sender: &Sender, info: &mut MaybeUninit<SenderInfo>) {
    info.write(sender.info());
}

/// A receiver begins.
#[no_mangle]
extern "C" fn ccp_rs_dccp_rx_init(receiver: &mut MaybeUninit<Receiver>, tfrc: bool) {
    receiver.write(Receiver::new().with_tfrc(tfrc));
}

/// A packet came; whether a report is to be sent.
#[no_mangle]
extern "C" fn ccp_rs_dccp_rx_packet(receiver: &mut Receiver, packet: &Arrival) -> bool {
    receiver.handshake(packet.handshake);
    receiver.packet(
        packet.now,
        &Packet {
            seqno: packet.seqno,
            ndp: packet.ndp,
            len: packet.len,
            ccval: packet.ccval,
            data: packet.data != 0,
        },
    )
}

/// An option of the sender's came.
///
/// # Safety
///
/// `len` bytes at `value`, if there are any.
#[no_mangle]
unsafe extern "C" fn ccp_rs_dccp_rx_parse(
    receiver: &mut Receiver,
    number: u8,
    value: *const u8,
    len: u8,
) -> c_int {
    // SAFETY: The caller's promise.
    let value = unsafe { bytes(value, len) };
    match receiver.parse(number, value) {
        Ok(_) => 0,
        Err(_) => EINVAL.to_errno(),
    }
}

/// The report.
#[no_mangle]
extern "C" fn ccp_rs_dccp_rx_options(
    receiver: &Receiver,
    options: &mut MaybeUninit<[WireOption; 4]>,
) {
    options.write(receiver.options());
}

/// What is told of it.
#[no_mangle]
extern "C" fn ccp_rs_dccp_rx_info(receiver: &Receiver, info: &mut MaybeUninit<ReceiverInfo>) {
    info.write(receiver.info());
}
