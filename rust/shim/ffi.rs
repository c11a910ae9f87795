// SPDX-License-Identifier: GPL-2.0

//! Declarations of the C half.
//!
//! C header: `c-shim/shim.h`.

use core::ffi::c_void;

use kernel::ffi::c_int;

use super::{
    FlowInfo,
    RawNet,
    RawSock,
    RawTable,
    Report, //
};
use crate::tcp::Ack;

extern "C" {
    pub(super) fn ccp_limit(which: u32) -> u32;

    pub(super) fn ccp_table_insert(table: *mut RawTable, id: u64, object: *mut c_void) -> c_int;
    pub(super) fn ccp_table_remove(table: *mut RawTable, id: u64) -> *mut c_void;
    pub(super) fn ccp_table_lock(table: *mut RawTable);
    pub(super) fn ccp_table_unlock(table: *mut RawTable);
    pub(super) fn ccp_table_load(table: *mut RawTable, id: u64) -> *mut c_void;
    pub(super) fn ccp_table_next(table: *mut RawTable, id: *mut u64) -> *mut c_void;

    pub(super) fn ccp_net_register() -> c_int;
    pub(super) fn ccp_net_unregister();
    pub(super) fn ccp_net_free(net: *mut RawNet);
    pub(super) fn ccp_net_agents(net: *mut RawNet) -> *mut RawTable;
    pub(super) fn ccp_net_programs(net: *mut RawNet) -> *mut RawTable;
    pub(super) fn ccp_net_fallback(net: *const RawNet) -> *mut c_void;
    pub(super) fn ccp_net_set_fallback(net: *mut RawNet, program: *mut c_void) -> *mut c_void;
    pub(super) fn ccp_net_lock(net: *mut RawNet);
    pub(super) fn ccp_net_unlock(net: *mut RawNet);
    pub(super) fn ccp_net_sweep(net: *mut RawNet);
    pub(super) fn ccp_net_count(net: *mut RawNet, counter: u32);
    pub(super) fn ccp_net_gauge(net: *const RawNet, gauge: u32) -> u32;

    pub(super) fn ccp_flow_cache_create(size: usize, align: usize) -> c_int;
    pub(super) fn ccp_flow_cache_destroy();
    pub(super) fn ccp_flow_alloc() -> *mut c_void;
    pub(super) fn ccp_flow_free(flow: *mut c_void);
    pub(super) fn ccp_flow_insert(net: *mut RawNet, id: u64, sk: *mut RawSock) -> c_int;
    pub(super) fn ccp_flow_remove(net: *mut RawNet, id: u64);
    pub(super) fn ccp_flow_next(net: *mut RawNet, id: *mut u64) -> *mut RawSock;
    pub(super) fn ccp_flow_put(sk: *mut RawSock);
    pub(super) fn ccp_flow_trylock(sk: *mut RawSock, net: *mut RawNet, id: u64) -> c_int;
    pub(super) fn ccp_flow_lock(net: *mut RawNet, id: u64, found: *mut *mut RawSock) -> c_int;
    pub(super) fn ccp_flow_unlock(sk: *mut RawSock);

    pub(super) fn ccp_tcp_register() -> c_int;
    pub(super) fn ccp_tcp_unregister();
    pub(super) fn ccp_cong_algorithm(sk: *const RawSock, name: *mut u8) -> u32;
    pub(super) fn ccp_tcp_flow(sk: *const RawSock, net: *const RawNet, id: *mut u64)
        -> *mut c_void;
    pub(super) fn ccp_tcp_publish(sk: *mut RawSock, agent: u32, program: u32, reason: u32);
    pub(super) fn ccp_tcp_facts(sk: *mut RawSock, ack: *mut Ack);
    pub(super) fn ccp_tcp_apply(sk: *mut RawSock, cwnd: u32, rate: u64, paced: u8);
    pub(super) fn ccp_tcp_clock_us() -> u64;

    pub(super) fn ccp_netlink_register() -> c_int;
    pub(super) fn ccp_netlink_unregister();
    pub(super) fn ccp_socket_hold(socket: *mut RawSock);
    pub(super) fn ccp_socket_put(socket: *mut RawSock);
    pub(super) fn ccp_socket_closed(socket: *const RawSock) -> bool;
    pub(super) fn ccp_event_report(sk: *mut RawSock, port: u32, report: *const Report) -> c_int;
    pub(super) fn ccp_event_flow(
        sk: *mut RawSock,
        port: u32,
        cmd: u8,
        info: *const FlowInfo,
        adopted: u8,
    ) -> c_int;

    pub(super) fn ccp_trace_fallback(flow: u64, agent: u32, program: u32, reason: u32);

    pub(super) fn ccp_debugfs_create();
    pub(super) fn ccp_debugfs_remove();
}
