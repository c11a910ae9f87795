// SPDX-License-Identifier: GPL-2.0
//! A flag that Ctrl-C sets.

use crate::Failure;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use std::sync::{atomic::AtomicBool, Arc};

/// The flag. A second Ctrl-C ends the process at once.
pub(crate) fn on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // The order matters: the first signal must not find the flag set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(Failure::system("signal handler"))?;
    }
    Ok(stop)
}
