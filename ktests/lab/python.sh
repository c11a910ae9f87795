#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# python.sh: builds the Python package pyccp and prints the directory it is in,
# build/python, for PYTHONPATH.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# abi3: the extension is the same for all versions of Python.
build() {
	mkdir -p build/python
	rsync -a --delete --exclude='*.so' --exclude='__pycache__' \
		userspace/pyccp/python/ build/python/
	cargo build --release -p pyccp --manifest-path userspace/Cargo.toml \
		--message-format=json-render-diagnostics |
		python3 -c 'import json, sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("target", {}).get("name") == "_pyccp": print(*made["filenames"])' |
		xargs -rI{} install -C {} build/python/pyccp/_pyccp.abi3.so
}
with_lock cargo quietly "$CCP_TOP/build/python.log" \
	in_sysroot bash -c "set -euo pipefail; $(declare -f build); build"
printf '%s\n' "$CCP_TOP/build/python"
