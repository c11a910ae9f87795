// SPDX-License-Identifier: GPL-2.0

//! Whether a peer's subflow may join.

/// Most subflows beside the first, whoever decides.
pub const EXTRA_MAX: u32 = 255;

/// Whether one more subflow may join a connection that has `extra` beside its
/// first. As long as nobody listens for events, nobody would see what joined:
/// then `limit` of them are enough.
pub fn admits(extra: u32, listened: bool, limit: u32) -> bool {
    extra
        < if listened {
            EXTRA_MAX
        } else {
            limit.min(EXTRA_MAX)
        }
}
