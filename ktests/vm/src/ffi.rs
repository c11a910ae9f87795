// SPDX-License-Identifier: GPL-2.0
//! The C interface of libccp, as its `ccp.h` declares it.
//!
//! The crate `libccp` builds and links the library; its own Rust interface
//! reads the real clock, so that time could not be a test's.

use std::ffi::{c_char, c_int, c_void};

use libccp as _;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Primitives {
    pub(crate) bytes_acked: u32,
    pub(crate) packets_acked: u32,
    pub(crate) bytes_misordered: u32,
    pub(crate) packets_misordered: u32,
    pub(crate) ecn_bytes: u32,
    pub(crate) ecn_packets: u32,
    pub(crate) lost_pkts_sample: u32,
    pub(crate) was_timeout: bool,
    pub(crate) rtt_sample_us: u64,
    pub(crate) rate_outgoing: u64,
    pub(crate) rate_incoming: u64,
    pub(crate) bytes_in_flight: u32,
    pub(crate) packets_in_flight: u32,
    pub(crate) snd_cwnd: u32,
    pub(crate) snd_rate: u64,
    pub(crate) bytes_pending: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct DatapathInfo {
    pub(crate) init_cwnd: u32,
    pub(crate) mss: u32,
    pub(crate) src_ip: u32,
    pub(crate) src_port: u32,
    pub(crate) dst_ip: u32,
    pub(crate) dst_port: u32,
    pub(crate) cong_alg: [c_char; 64],
}

#[repr(C)]
pub(crate) struct Connection {
    pub(crate) index: u16,
    pub(crate) last_create_msg_sent: u64,
    pub(crate) prims: Primitives,
    pub(crate) flow_info: DatapathInfo,
    pub(crate) state: *mut c_void,
    pub(crate) owner: *mut c_void,
    pub(crate) datapath: *mut Datapath,
}

pub(crate) type SetU32 = unsafe extern "C-unwind" fn(*mut Connection, u32);
pub(crate) type SendMsg = unsafe extern "C-unwind" fn(*mut Datapath, *mut c_char, c_int) -> c_int;
pub(crate) type Log = unsafe extern "C-unwind" fn(*mut Datapath, c_int, *const c_char, c_int);
pub(crate) type Now = unsafe extern "C-unwind" fn() -> u64;
pub(crate) type Convert = unsafe extern "C-unwind" fn(u64) -> u64;

#[repr(C)]
pub(crate) struct Datapath {
    pub(crate) set_cwnd: Option<SetU32>,
    pub(crate) set_rate_abs: Option<SetU32>,
    pub(crate) send_msg: Option<SendMsg>,
    pub(crate) log: Option<Log>,
    pub(crate) time_zero: u64,
    pub(crate) now: Option<Now>,
    pub(crate) since_usecs: Option<Convert>,
    pub(crate) after_usecs: Option<Convert>,
    pub(crate) max_connections: usize,
    pub(crate) ccp_active_connections: *mut Connection,
    pub(crate) fto_us: u64,
    pub(crate) last_msg_sent: u64,
    pub(crate) in_fallback: bool,
    pub(crate) max_programs: usize,
    pub(crate) programs: *mut c_void,
    pub(crate) owner: *mut c_void,
}

// What the library was measured to use on x86-64.
#[cfg(target_arch = "x86_64")]
const _: () = {
    assert!(size_of::<Primitives>() == 88);
    assert!(size_of::<Connection>() == 216);
    assert!(size_of::<Datapath>() == 128);
};

extern "C-unwind" {
    pub(crate) fn ccp_init(datapath: *mut Datapath, id: u32) -> c_int;
    pub(crate) fn ccp_free(datapath: *mut Datapath);
    pub(crate) fn ccp_connection_start(
        datapath: *mut Datapath,
        owner: *mut c_void,
        info: *mut DatapathInfo,
    ) -> *mut Connection;
    pub(crate) fn ccp_connection_free(datapath: *mut Datapath, sid: u16);
    pub(crate) fn ccp_read_msg(datapath: *mut Datapath, buf: *mut c_char, size: c_int) -> c_int;
    pub(crate) fn ccp_invoke(connection: *mut Connection) -> c_int;
}
