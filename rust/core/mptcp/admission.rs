// SPDX-License-Identifier: GPL-2.0

//! What a peer may do: have a subflow join, and have an address confirmed.

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

/// Whether an address that the peer announces is confirmed (echoed). While
/// nobody listens nobody would learn of it. The peer then announces it a few
/// times more, and whoever listens by then does.
pub fn confirms(listened: bool) -> bool {
    listened
}
