#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh: what `make bench` runs: measurements, which no test depends on.
# Compare numbers of one run only.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lab/lib.sh"
say "the virtual machine, ns per invocation"
in_sysroot cargo bench --quiet --manifest-path rust/core/Cargo.toml
