#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# portus.sh: builds Portus clients for the tests and prints the directory they
# are in, build/portus: reno and cubic of generic_cong_avoid, as they are in the
# registry, and our own of ktests/portus, on the newest portus.
set -eu
. "$(dirname "$0")/lib.sh"

build() {
	local clients=/cache/portus-clients
	[ -e $clients/bin/reno ] ||
		cargo install --locked --version =0.4.0 --features bin --root $clients \
			generic_cong_avoid
	cargo build --release --manifest-path ktests/portus/Cargo.toml
	mkdir -p build/portus
	install -C -t build/portus $clients/bin/{reno,cubic} \
		"$CARGO_TARGET_DIR/release/portus-hold"
}
with_lock cargo quietly "$CCP_TOP/build/portus.log" \
	in_sysroot bash -c "set -euo pipefail; $(declare -f build); build"
printf '%s\n' "$CCP_TOP/build/portus"
