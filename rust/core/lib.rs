// SPDX-License-Identifier: GPL-2.0

//! The kernel-free part of ccp_rs: what runs on each ACK, without the kernel.
//!
//! The module includes the same files. Nothing here allocates, and nothing
//! can panic: arithmetic says what it does on overflow, and every index is
//! masked or goes through `get`.

#![no_std]
#![forbid(unsafe_code)]

pub mod fallback;
pub mod ids;
pub mod mptcp;
pub mod multfrc;
pub mod portus;
pub mod tcp;
pub mod vm;
