// SPDX-License-Identifier: GPL-2.0
//! The policies against a model of the kernel: what connections end up with,
//! and that nothing is asked for twice.

mod each;
mod model;
mod random;
mod rig;
