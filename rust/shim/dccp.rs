// SPDX-License-Identifier: GPL-2.0

//! CCID 5 of DCCP, as the C half registers it.
//!
//! C header: `c-shim/dccp.h`.

use kernel::{
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

extern "C" {
    fn ccp_dccp_register() -> c_int;
    fn ccp_dccp_unregister();
}

registration!(
    /// CCID 5.
    Ccid5, ccp_dccp_register, ccp_dccp_unregister
);
