// SPDX-License-Identifier: GPL-2.0

//! MulTFRC (draft-irtf-iccrg-multfrc-01): TFRC (RFC 5348) for a flow that takes
//! the share of N flows.

pub mod admission;
pub mod arrivals;
pub mod data_limited;
pub mod equation;
pub mod info;
pub mod intervals;
pub mod losses;
pub mod real;
pub mod receive_rates;
pub mod receiver;
pub mod reordering;
pub mod sender;
pub mod sent;
pub mod seqno;
pub mod tfrc;
pub mod window_counter;
pub mod wire;

pub use admission::{Admission, Refusal, Sums};
pub use equation::{Conditions, Weight};
pub use info::{ReceiverInfo, SenderInfo};
pub use intervals::{Intervals, Mean};
pub use receiver::{Packet, Receiver};
pub use sender::{Ack, Sender, Settings, Started, Timers, Verdict};
pub use wire::{Malformed, Report, WireOption};
