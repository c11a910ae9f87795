// SPDX-License-Identifier: GPL-2.0
//! libccp as a datapath of one flow.

use std::{
    cell::Cell,
    ffi::{c_char, c_int, c_void},
    ptr::{self, NonNull},
};

use ccp_core::vm::isa::{primitive, Class, EVENT_BYTES, INSTRUCTION_BYTES};

use crate::{
    ffi::{
        ccp_connection_free, ccp_connection_start, ccp_free, ccp_init, ccp_invoke, ccp_read_msg,
        Connection, Datapath as RawDatapath, DatapathInfo, Primitives,
    },
    AckSample, Code, Datapath, Effects, Refusal, Update, MAX_FIELDS,
};

/// Size of libccp's program table; one of these it never uses.
const PROGRAMS: usize = 10;
/// What libccp's program struct holds; it doesn't check.
const MAX_EVENTS: usize = 256;
const MAX_INSTRUCTIONS: usize = 256;
/// Longest message libccp reads.
const MAX_MESSAGE: usize = 32_678;

const MEASURE: u16 = 1;
const INSTALL: u16 = 2;
const UPDATE: u16 = 3;
const CHANGE: u16 = 4;

thread_local! {
    /// The time in nanoseconds; libccp's clock has no argument.
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    /// How often the clock may still be read.
    static READS: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// The C library with programs and a flow.
pub struct Libccp {
    datapath: NonNull<RawDatapath>,
    connection: NonNull<Connection>,
    effects: NonNull<Effects>,
}

impl Libccp {
    /// A datapath without programs. Its time begins at 0.
    pub fn new() -> Self {
        Self::starting_at(0)
    }

    /// [`Libccp::new`] at another time, in microseconds.
    ///
    /// # Panics
    ///
    /// When libccp doesn't take what its header asks for.
    pub fn starting_at(now_us: u64) -> Self {
        NOW_NS.set(now_us * 1000);
        let effects = leak(Effects::default());
        let connection = leak(Connection {
            index: 0,
            last_create_msg_sent: 0,
            prims: Primitives::default(),
            flow_info: info(),
            state: ptr::null_mut(),
            owner: ptr::null_mut(),
            datapath: ptr::null_mut(),
        });
        let datapath = leak(RawDatapath {
            set_cwnd: Some(set_cwnd),
            set_rate_abs: Some(set_rate),
            send_msg: Some(send_msg),
            log: None,
            time_zero: 0,
            now: Some(now),
            since_usecs: Some(since_usecs),
            after_usecs: Some(after_usecs),
            max_connections: 1,
            ccp_active_connections: connection.as_ptr(),
            fto_us: 1000,
            last_msg_sent: 0,
            in_fallback: false,
            max_programs: PROGRAMS,
            programs: ptr::null_mut(),
            owner: effects.as_ptr().cast(),
        });
        // SAFETY: all that `ccp.h` asks for is set, and the one connection is
        // zeroed memory of its own.
        let code = unsafe { ccp_init(datapath.as_ptr(), 0) };
        assert_eq!(code, 0, "ccp_init");
        let mut libccp = Self {
            datapath,
            connection,
            effects,
        };
        libccp.start();
        libccp
    }

    /// Lets the clock be read `reads` times; then the reader panics. This ends
    /// programs that never would, if they write `Micros`.
    pub fn limit_clock_reads(reads: u64) {
        READS.set(reads);
    }

    /// What libccp is given for an ACK.
    ///
    /// Half of its counters have 32 bits, as in the kernel; the caller keeps to
    /// that. `Ack.now` it computes, from the same time.
    #[inline]
    pub fn set_primitives(&mut self, ack: &AckSample) {
        NOW_NS.set(ack.now_us.wrapping_mul(1000));
        let p = &ack.primitives;
        // SAFETY: nothing else refers to the connection between calls of
        // libccp.
        let prims = unsafe { &mut (*self.connection.as_ptr()).prims };
        prims.bytes_acked = p[primitive::ACK_BYTES_ACKED] as u32;
        prims.packets_acked = p[primitive::ACK_PACKETS_ACKED] as u32;
        prims.bytes_misordered = p[primitive::ACK_BYTES_MISORDERED] as u32;
        prims.packets_misordered = p[primitive::ACK_PACKETS_MISORDERED] as u32;
        prims.ecn_bytes = p[primitive::ACK_ECN_BYTES] as u32;
        prims.ecn_packets = p[primitive::ACK_ECN_PACKETS] as u32;
        prims.lost_pkts_sample = p[primitive::ACK_LOST_PKTS_SAMPLE] as u32;
        prims.was_timeout = p[primitive::FLOW_WAS_TIMEOUT] != 0;
        prims.rtt_sample_us = p[primitive::FLOW_RTT_SAMPLE_US];
        prims.rate_outgoing = p[primitive::FLOW_RATE_OUTGOING];
        prims.rate_incoming = p[primitive::FLOW_RATE_INCOMING];
        prims.bytes_in_flight = p[primitive::FLOW_BYTES_IN_FLIGHT] as u32;
        prims.packets_in_flight = p[primitive::FLOW_PACKETS_IN_FLIGHT] as u32;
        prims.bytes_pending = p[primitive::FLOW_BYTES_PENDING] as u32;
        prims.snd_cwnd = ack.cwnd as u32;
        prims.snd_rate = ack.rate;
    }

    /// `ccp_invoke` and nothing else, for measurements.
    #[inline]
    pub fn invoke_raw(&mut self) -> i32 {
        // SAFETY: the connection was started and its datapath lives.
        unsafe { ccp_invoke(self.connection.as_ptr()) }
    }

    fn start(&mut self) {
        let mut info = info();
        let owner = self.effects.as_ptr().cast();
        // SAFETY: the datapath is initialised, its only connection is free.
        let started = unsafe { ccp_connection_start(self.datapath.as_ptr(), owner, &mut info) };
        assert_eq!(started, self.connection.as_ptr(), "ccp_connection_start");
    }

    /// Sends a message of the words, and then the bytes, given.
    fn send(&mut self, kind: u16, words: &[u32], parts: &[&[u8]]) -> Result<(), Refusal> {
        let body = parts.iter().map(|part| part.len()).sum::<usize>();
        let len = 8 + 4 * words.len() + body;
        if len > MAX_MESSAGE {
            return Err(Refusal::Unsound("message too long"));
        }
        let mut message = Vec::with_capacity(len);
        message.extend(kind.to_le_bytes());
        message.extend((len as u16).to_le_bytes());
        message.extend(1u32.to_le_bytes());
        for word in words {
            message.extend(word.to_le_bytes());
        }
        for part in parts {
            message.extend_from_slice(part);
        }
        // libccp reads structs there: let it be aligned.
        let mut aligned = vec![0u64; len.div_ceil(8)];
        for (to, from) in aligned.iter_mut().zip(message.chunks(8)) {
            let mut word = [0; 8];
            word[..from.len()].copy_from_slice(from);
            *to = u64::from_ne_bytes(word);
        }
        let buffer = aligned.as_mut_ptr().cast::<c_char>();
        // SAFETY: the message is as long as its header says, its counts are
        // right and within libccp's arrays: the callers checked.
        let code = unsafe { ccp_read_msg(self.datapath.as_ptr(), buffer, len as c_int) };
        match code {
            // It answers with the size of a header when it knows no such program.
            _ if code < 0 => Err(Refusal::Code(code)),
            _ if code > 0 => Err(Refusal::UnknownProgram(words[0])),
            _ => Ok(()),
        }
    }
}

impl Default for Libccp {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Libccp {
    fn drop(&mut self) {
        // SAFETY: all three came from `leak`; nothing refers to them after
        // libccp has let go of what it allocated itself.
        unsafe {
            ccp_connection_free(self.datapath.as_ptr(), 1);
            ccp_free(self.datapath.as_ptr());
            drop(Box::from_raw(self.datapath.as_ptr()));
            drop(Box::from_raw(self.connection.as_ptr()));
            drop(Box::from_raw(self.effects.as_ptr()));
        }
    }
}

impl Datapath for Libccp {
    fn install(&mut self, uid: u32, events: &[u8], instructions: &[u8]) -> Result<(), Refusal> {
        sound(events, instructions).map_err(Refusal::Unsound)?;
        let counts = [
            uid,
            (events.len() / EVENT_BYTES) as u32,
            (instructions.len() / INSTRUCTION_BYTES) as u32,
        ];
        self.send(INSTALL, &counts, &[events, instructions])
    }

    fn change_program(&mut self, uid: u32, updates: &[Update]) -> Result<(), Refusal> {
        let bytes = updates_sound(updates)?;
        self.send(CHANGE, &[uid, updates.len() as u32], &[&bytes])
    }

    fn update(&mut self, updates: &[Update]) -> Result<(), Refusal> {
        let bytes = updates_sound(updates)?;
        self.send(UPDATE, &[updates.len() as u32], &[&bytes])
    }

    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Result<&Effects, Code> {
        self.set_primitives(ack);
        // SAFETY: libccp isn't running, so nothing else refers to the effects.
        unsafe { self.effects.as_mut() }.clear();
        match self.invoke_raw() {
            0 => Ok(self.effects()),
            code => Err(Code(code)),
        }
    }

    fn effects(&self) -> &Effects {
        // SAFETY: they are written to only in libccp's calls, which borrow the
        // datapath for themselves.
        unsafe { self.effects.as_ref() }
    }

    fn restart(&mut self) {
        // SAFETY: the connection was started. A closed one keeps the time of
        // its CREATE, which would hold back the next.
        unsafe {
            ccp_connection_free(self.datapath.as_ptr(), 1);
            (*self.connection.as_ptr()).last_create_msg_sent = 0;
            self.effects.as_mut().clear();
        }
        self.start();
    }
}

fn leak<T>(value: T) -> NonNull<T> {
    NonNull::from(Box::leak(Box::new(value)))
}

fn info() -> DatapathInfo {
    DatapathInfo {
        init_cwnd: 14_480,
        mss: 1448,
        src_ip: 0,
        src_port: 1,
        dst_ip: 0,
        dst_port: 2,
        cong_alg: [0; 64],
    }
}

/// Whether libccp stays within its memory with this program.
fn sound(events: &[u8], instructions: &[u8]) -> Result<(), &'static str> {
    if events.len() % EVENT_BYTES != 0 || instructions.len() % INSTRUCTION_BYTES != 0 {
        return Err("not whole events or instructions");
    }
    let count = instructions.len() / INSTRUCTION_BYTES;
    if events.len() / EVENT_BYTES > MAX_EVENTS || count > MAX_INSTRUCTIONS {
        return Err("more events or instructions than a program holds");
    }
    for event in events.chunks_exact(EVENT_BYTES) {
        let field = |at: usize| u64::from(word(&event[at..]));
        if field(0) + field(4) > count as u64 || field(8) + field(12) > count as u64 {
            return Err("an event past the end of the program");
        }
    }
    for instruction in instructions.chunks_exact(INSTRUCTION_BYTES) {
        for at in [1, 6, 11] {
            let index = word(&instruction[at + 1..]);
            if readable(instruction[at]).is_some_and(|registers| index >= registers) {
                return Err("a register past the end of the flow's state");
            }
        }
    }
    Ok(())
}

/// Registers of a class that can be read, if that isn't checked. tmp registers
/// from 8 on are the local ones, which lie behind them.
fn readable(class: u8) -> Option<u32> {
    match Class::from_code(class)? {
        Class::Immediate | Class::Primitive => None,
        Class::Implicit => Some(6),
        Class::Local => Some(8),
        Class::Tmp => Some(16),
        _ => Some(MAX_FIELDS as u32),
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The wire form of updates; not of those that would be written out of bounds.
fn updates_sound(updates: &[Update]) -> Result<Vec<u8>, Refusal> {
    if updates.len() > 127 {
        return Err(Refusal::Unsound("the count of updates is read as a char"));
    }
    let mut bytes = Vec::with_capacity(13 * updates.len());
    for update in updates {
        let control = matches!(
            Class::from_code(update.class),
            Some(Class::NonvolatileControl | Class::VolatileControl)
        );
        if control && update.index as usize >= MAX_FIELDS {
            return Err(Refusal::Unsound("an update past the control registers"));
        }
        bytes.push(update.class);
        bytes.extend(update.index.to_le_bytes());
        bytes.extend(update.value.to_le_bytes());
    }
    Ok(bytes)
}

unsafe extern "C-unwind" fn now() -> u64 {
    let reads = READS.get().checked_sub(1);
    READS.set(reads.expect("the clock was read too often"));
    NOW_NS.get()
}

unsafe extern "C-unwind" fn since_usecs(then: u64) -> u64 {
    NOW_NS.get().wrapping_sub(then) / 1000
}

unsafe extern "C-unwind" fn after_usecs(us: u64) -> u64 {
    NOW_NS.get().wrapping_add(us.wrapping_mul(1000))
}

/// # Safety
///
/// `owner` is the effects of a live datapath and nothing else refers to them.
unsafe fn effects<'a>(owner: *mut c_void) -> &'a mut Effects {
    // SAFETY: as above.
    unsafe { &mut *owner.cast::<Effects>() }
}

unsafe extern "C-unwind" fn set_cwnd(connection: *mut Connection, cwnd: u32) {
    // SAFETY: libccp hands on the connection that was started with its effects.
    unsafe { effects((*connection).owner) }.cwnd = Some(u64::from(cwnd));
}

unsafe extern "C-unwind" fn set_rate(connection: *mut Connection, rate: u32) {
    // SAFETY: as in `set_cwnd`.
    unsafe { effects((*connection).owner) }.rate = Some(u64::from(rate));
}

unsafe extern "C-unwind" fn send_msg(
    datapath: *mut RawDatapath,
    message: *mut c_char,
    size: c_int,
) -> c_int {
    // SAFETY: libccp says how long its message is.
    let message =
        unsafe { std::slice::from_raw_parts(message.cast::<u8>(), size.unsigned_abs() as usize) };
    // A header, the program's uid, the number of fields, the fields.
    if message.len() >= 16 && message[..2] == MEASURE.to_le_bytes() {
        let fields = message[16..].chunks_exact(8);
        let field = |b: &[u8]| u64::from_le_bytes(b.try_into().expect("eight bytes"));
        // SAFETY: the datapath's owner is its effects.
        unsafe { effects((*datapath).owner) }.set_report(fields.map(field));
    }
    0
}
