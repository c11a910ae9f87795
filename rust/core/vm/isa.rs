// SPDX-License-Identifier: GPL-2.0

//! The instruction set: opcodes, register classes, names and limits.
//!
//! `docs/isa.md` is the prose of these tables; the compiler uses them too.

/// Version of the instruction set this code runs.
pub const ISA_VERSION: u32 = 1;

/// Most instructions a program may have.
pub const MAX_INSTRUCTIONS: usize = 4096;
/// Most events a program may have.
pub const MAX_EVENTS: usize = 256;
/// Most different constants a program may use as operands.
pub const MAX_CONSTANTS: usize = 128;
/// Most different skip targets ahead of any one instruction.
pub const MAX_PENDING_SKIPS: usize = 32;

/// Bytes of an instruction on the wire.
pub const INSTRUCTION_BYTES: usize = 16;
/// Bytes of an event on the wire.
pub const EVENT_BYTES: usize = 16;

/// Control registers a program may have.
pub const CONTROLS: u32 = 16;
/// Report registers a program may have.
pub const REPORTS: u32 = 16;
/// Local registers; every flow has them all.
pub const LOCALS: u32 = 8;
/// Temporary registers a program may use.
pub const TMPS: u32 = 16;
/// Implicit registers.
pub const IMPLICITS: u32 = 6;
/// Primitive registers.
pub const PRIMITIVES: usize = primitive::NAMES.len();
/// Indices of primitive registers, with those that are reserved.
pub const PRIMITIVE_INDICES: u32 = 32;

/// Index of each implicit register.
pub mod implicit {
    /// Result of the condition.
    pub const EVENT_FLAG: u32 = 0;
    /// Set to go on with the next event after a body.
    pub const SHOULD_CONTINUE: u32 = 1;
    /// Set to ask for a report.
    pub const SHOULD_REPORT: u32 = 2;
    /// Microseconds since the program was installed, or since the last write.
    pub const MICROS: u32 = 3;
    /// Congestion window, bytes.
    pub const CWND: u32 = 4;
    /// Pacing rate, bytes per second.
    pub const RATE: u32 = 5;

    /// Name of each implicit register, by index.
    pub const NAMES: [&str; super::IMPLICITS as usize] = [
        "__eventFlag",
        "__shouldContinue",
        "__shouldReport",
        "Micros",
        "Cwnd",
        "Rate",
    ];
}

/// Index of each primitive register.
///
/// The first 15 are libccp's, the others ours. Those without a name read 0.
pub mod primitive {
    /// Bytes newly acknowledged.
    pub const ACK_BYTES_ACKED: usize = 0;
    /// Bytes newly SACKed.
    pub const ACK_BYTES_MISORDERED: usize = 1;
    /// Bytes acknowledged by an ACK that carried ECE.
    pub const ACK_ECN_BYTES: usize = 2;
    /// The same in packets.
    pub const ACK_ECN_PACKETS: usize = 3;
    /// Packets newly marked lost.
    pub const ACK_LOST_PKTS_SAMPLE: usize = 4;
    /// Time in microseconds.
    pub const ACK_NOW: usize = 5;
    /// Packets newly delivered in order.
    pub const ACK_PACKETS_ACKED: usize = 6;
    /// Packets newly SACKed.
    pub const ACK_PACKETS_MISORDERED: usize = 7;
    /// Bytes in flight.
    pub const FLOW_BYTES_IN_FLIGHT: usize = 8;
    /// Bytes written by the application and never sent.
    pub const FLOW_BYTES_PENDING: usize = 9;
    /// Packets in flight.
    pub const FLOW_PACKETS_IN_FLIGHT: usize = 10;
    /// Delivery rate at the receiver, bytes per second.
    pub const FLOW_RATE_INCOMING: usize = 11;
    /// Sending rate of what was delivered, bytes per second.
    pub const FLOW_RATE_OUTGOING: usize = 12;
    /// RTT sample in microseconds; reads 2^32-1 when there is none.
    pub const FLOW_RTT_SAMPLE_US: usize = 13;
    /// 1 on a retransmission timeout.
    pub const FLOW_WAS_TIMEOUT: usize = 14;
    /// Smoothed RTT in microseconds; 0 before the first sample.
    pub const FLOW_SRTT_US: usize = 15;
    /// Minimum RTT of the kernel's window, microseconds; 2^32-1 without one.
    pub const FLOW_MIN_RTT_US: usize = 16;
    /// Segment size of the connection, bytes.
    pub const FLOW_MSS: usize = 17;
    /// Slow start threshold, bytes; 2^64-1 while infinite.
    pub const FLOW_SSTHRESH: usize = 18;
    /// 1 in loss recovery, after fast retransmit or a timeout.
    pub const FLOW_IN_RECOVERY: usize = 19;
    /// 1 when the congestion window limits the sender.
    pub const FLOW_CWND_LIMITED: usize = 20;
    /// 1 when the rate sample is limited by the application.
    pub const FLOW_APP_LIMITED: usize = 21;
    /// Packets delivered, total.
    pub const FLOW_DELIVERED: usize = 22;
    /// Packets marked lost, total.
    pub const FLOW_LOST: usize = 23;
    /// Packets newly delivered with a congestion mark.
    pub const ACK_CE_PACKETS: usize = 24;

    /// Name of each primitive register, by index.
    pub const NAMES: [&str; 25] = [
        "Ack.bytes_acked",
        "Ack.bytes_misordered",
        "Ack.ecn_bytes",
        "Ack.ecn_packets",
        "Ack.lost_pkts_sample",
        "Ack.now",
        "Ack.packets_acked",
        "Ack.packets_misordered",
        "Flow.bytes_in_flight",
        "Flow.bytes_pending",
        "Flow.packets_in_flight",
        "Flow.rate_incoming",
        "Flow.rate_outgoing",
        "Flow.rtt_sample_us",
        "Flow.was_timeout",
        "Flow.srtt_us",
        "Flow.min_rtt_us",
        "Flow.mss",
        "Flow.ssthresh",
        "Flow.in_recovery",
        "Flow.cwnd_limited",
        "Flow.app_limited",
        "Flow.delivered",
        "Flow.lost",
        "Ack.ce_packets",
    ];
}

/// Defines [`Opcode`] and its tables in one place.
macro_rules! opcodes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $form:ident;)*) => {
        /// An operation, by its code on the wire.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Opcode { $($(#[$doc])* $variant = $code,)* }

        impl Opcode {
            /// Every opcode, by rising code.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$variant,)*];

            /// The opcode with this code.
            pub const fn from_code(code: u8) -> Option<Opcode> {
                match code {
                    $($code => Some(Opcode::$variant),)*
                    _ => None,
                }
            }

            /// Its name in upper case, as the documentation writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Opcode::$variant => $name,)* }
            }

            /// How it uses its operands.
            pub const fn form(self) -> Form {
                match self { $(Opcode::$variant => Form::$form,)* }
            }
        }
    };
}

/// How an instruction uses its three operands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// result := left ∘ right.
    Binary,
    /// result := ∘ right; left is checked and ignored.
    Unary,
    /// result := a function of left, right and the old result.
    Update,
    /// left is given the initial value right, in the leading DEF block only.
    Define,
    /// left and right are the two halves of an initial value for result.
    Define64,
    /// left and right are the two halves of a value for result.
    Wide,
    /// right is a count of instructions to skip; result is ignored.
    Skip,
}

opcodes! {
    /// left + right; aborts on overflow.
    Add = 0, "ADD", Binary;
    /// right.
    Bind = 1, "BIND", Unary;
    /// Declares a register and its initial value.
    Def = 2, "DEF", Define;
    /// left / right; aborts when right is 0.
    Div = 3, "DIV", Binary;
    /// 1 when left = right, else 0.
    Equiv = 4, "EQUIV", Binary;
    /// (left·result + (10−left)·right) / 10; right when result is 0.
    Ewma = 5, "EWMA", Update;
    /// 1 when left > right, else 0.
    Gt = 6, "GT", Binary;
    /// right when left is not 0; otherwise the result stays.
    If = 7, "IF", Update;
    /// 1 when left < right, else 0.
    Lt = 8, "LT", Binary;
    /// The greater.
    Max = 9, "MAX", Binary;
    /// The later of two 32-bit serial numbers; 0 is "unset".
    MaxWrap = 10, "MAXWRAP", Binary;
    /// The smaller.
    Min = 11, "MIN", Binary;
    /// left · right; aborts on overflow.
    Mul = 12, "MUL", Binary;
    /// right when left is 0; otherwise the result stays.
    NotIf = 13, "NOTIF", Update;
    /// left − right; aborts on underflow.
    Sub = 14, "SUB", Binary;
    /// 1 when left ≤ right, else 0.
    Le = 32, "LE", Binary;
    /// 1 when left ≥ right, else 0.
    Ge = 33, "GE", Binary;
    /// 1 when left ≠ right, else 0.
    Ne = 34, "NE", Binary;
    /// 1 when neither is 0, else 0.
    And = 35, "AND", Binary;
    /// 1 when not both are 0, else 0.
    Or = 36, "OR", Binary;
    /// 1 when right is 0, else 0.
    Not = 37, "NOT", Unary;
    /// Skips the next right instructions when left is 0.
    SkipZ = 38, "SKIPZ", Skip;
    /// left + 2^32·right, both immediate.
    Const = 39, "CONST", Wide;
    /// DEF of result with left + 2^32·right, both immediate.
    Def64 = 40, "DEF64", Define64;
    /// left + right, at most 2^64−1.
    AddSat = 41, "ADDSAT", Binary;
    /// left − right, at least 0.
    SubSat = 42, "SUBSAT", Binary;
    /// left · right, at most 2^64−1.
    MulSat = 43, "MULSAT", Binary;
}

/// A register class, by its code on the wire.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Control registers; agents set them.
    NonvolatileControl = 0,
    /// Not a register: the index is the value.
    Immediate = 1,
    /// Flags, `Micros`, `Cwnd` and `Rate`.
    Implicit = 2,
    /// Kept across invocations and programs.
    Local = 3,
    /// Measurements, read only.
    Primitive = 4,
    /// Report registers set to their initial value after each report.
    VolatileReport = 5,
    /// Report registers.
    NonvolatileReport = 6,
    /// Intermediate values of one condition or body.
    Tmp = 7,
    /// Control registers set to their initial value after each report.
    VolatileControl = 8,
}

impl Class {
    /// Every class, by rising code.
    pub const ALL: [Class; 9] = [
        Class::NonvolatileControl,
        Class::Immediate,
        Class::Implicit,
        Class::Local,
        Class::Primitive,
        Class::VolatileReport,
        Class::NonvolatileReport,
        Class::Tmp,
        Class::VolatileControl,
    ];

    /// The class with this code.
    pub const fn from_code(code: u8) -> Option<Class> {
        match code {
            0 => Some(Class::NonvolatileControl),
            1 => Some(Class::Immediate),
            2 => Some(Class::Implicit),
            3 => Some(Class::Local),
            4 => Some(Class::Primitive),
            5 => Some(Class::VolatileReport),
            6 => Some(Class::NonvolatileReport),
            7 => Some(Class::Tmp),
            8 => Some(Class::VolatileControl),
            _ => None,
        }
    }

    /// What messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Class::NonvolatileControl => "control register",
            Class::Immediate => "immediate",
            Class::Implicit => "implicit register",
            Class::Local => "local register",
            Class::Primitive => "primitive",
            Class::VolatileReport => "volatile report register",
            Class::NonvolatileReport => "report register",
            Class::Tmp => "tmp register",
            Class::VolatileControl => "volatile control register",
        }
    }

    /// Greatest index of the class; any value for an immediate.
    pub const fn max_index(self) -> u32 {
        match self {
            Class::NonvolatileControl | Class::VolatileControl => CONTROLS - 1,
            Class::Immediate => u32::MAX,
            Class::Implicit => IMPLICITS - 1,
            Class::Local => LOCALS - 1,
            Class::Primitive => PRIMITIVE_INDICES - 1,
            Class::VolatileReport | Class::NonvolatileReport => REPORTS - 1,
            Class::Tmp => TMPS - 1,
        }
    }
}

/// One operand of an instruction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Reg {
    /// Its class.
    pub class: Class,
    /// Its index; the value itself for an immediate.
    pub index: u32,
}

impl Reg {
    /// The register `index` of `class`.
    pub const fn new(class: Class, index: u32) -> Reg {
        Reg { class, index }
    }

    /// Whether it is register `index` of the tmp class.
    pub(super) fn tmp(self) -> Option<u32> {
        (self.class == Class::Tmp).then_some(self.index)
    }
}

/// An instruction whose opcode, classes and indices are valid.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The operation.
    pub opcode: Opcode,
    /// What is written.
    pub result: Reg,
    /// The first operand.
    pub left: Reg,
    /// The second operand.
    pub right: Reg,
}

impl Instruction {
    /// Its wire form.
    pub const fn to_bytes(self) -> [u8; INSTRUCTION_BYTES] {
        let [d0, d1, d2, d3] = self.result.index.to_le_bytes();
        let [a0, a1, a2, a3] = self.left.index.to_le_bytes();
        let [b0, b1, b2, b3] = self.right.index.to_le_bytes();
        [
            self.opcode as u8,
            self.result.class as u8,
            d0,
            d1,
            d2,
            d3,
            self.left.class as u8,
            a0,
            a1,
            a2,
            a3,
            self.right.class as u8,
            b0,
            b1,
            b2,
            b3,
        ]
    }
}

/// One event: the instructions of its condition and of its body.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// First instruction of the condition.
    pub cond_start: u32,
    /// Instructions of the condition.
    pub cond_count: u32,
    /// First instruction of the body.
    pub body_start: u32,
    /// Instructions of the body.
    pub body_count: u32,
}

impl Event {
    /// Its wire form.
    pub const fn to_bytes(self) -> [u8; EVENT_BYTES] {
        let [a0, a1, a2, a3] = self.cond_start.to_le_bytes();
        let [b0, b1, b2, b3] = self.cond_count.to_le_bytes();
        let [c0, c1, c2, c3] = self.body_start.to_le_bytes();
        let [d0, d1, d2, d3] = self.body_count.to_le_bytes();
        [
            a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
        ]
    }

    /// The event with this wire form.
    pub const fn from_bytes(bytes: [u8; EVENT_BYTES]) -> Event {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = bytes;
        Event {
            cond_start: u32::from_le_bytes([a0, a1, a2, a3]),
            cond_count: u32::from_le_bytes([b0, b1, b2, b3]),
            body_start: u32::from_le_bytes([c0, c1, c2, c3]),
            body_count: u32::from_le_bytes([d0, d1, d2, d3]),
        }
    }
}
