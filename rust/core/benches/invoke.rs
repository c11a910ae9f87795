// SPDX-License-Identifier: GPL-2.0

//! Time of one invocation.

fn main() {}
