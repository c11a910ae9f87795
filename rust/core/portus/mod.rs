// SPDX-License-Identifier: GPL-2.0

//! What Portus clients (portus 0.6 to 0.9) say and hear: messages of libccp's
//! wire form, little-endian, with 32-bit numbers for flows and programs.
//!
//! What comes in is read without trust: every length and count must agree with
//! the bytes that are there.

mod message;
mod request;
mod sid;

pub use message::{
    close,
    ready,
    Create,
    Endpoint,
    Measure,
    CLOSE_BYTES,
    CREATE_BYTES,
    READY_BYTES, //
};
pub use request::{
    FieldUpdate,
    Malformed,
    Request,
    Updates,
    MAX_UPDATES, //
};
pub use sid::{
    flow_of,
    is_reachable,
    sid_of, //
};

/// Types of messages. The header has one, the length of the whole message, and
/// the number of the flow.
mod kind {
    pub(super) const CREATE: u16 = 0;
    pub(super) const MEASURE: u16 = 1;
    pub(super) const INSTALL: u16 = 2;
    pub(super) const UPDATE: u16 = 3;
    pub(super) const CHANGE: u16 = 4;
    pub(super) const READY: u16 = 5;
}
