#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# userspace.sh: builds ccpctl and the other programs of userspace/ and prints
# the directory they are in, build/bin.
set -eu
. "$(dirname "$0")/lib.sh"

# The target directory is shared by all checkouts, so what is ours is copied.
build() {
	mkdir -p build/bin
	cargo build --release --workspace --bins --manifest-path userspace/Cargo.toml \
		--message-format=json-render-diagnostics |
		python3 -c 'import json, sys
for line in sys.stdin:
    path = json.loads(line).get("executable")
    if path: print(path)' |
		xargs -r install -C -t build/bin
}
with_lock cargo quietly "$CCP_TOP/build/userspace.log" \
	in_sysroot bash -c "set -euo pipefail; $(declare -f build); build"
printf '%s\n' "$CCP_TOP/build/bin"
