// SPDX-License-Identifier: GPL-2.0
//! The target `wire` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ccp_vm_fuzz::stats::count(ccp_vm_fuzz::wire(data)));
