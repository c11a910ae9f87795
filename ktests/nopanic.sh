#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel-free core must not be able to panic: built as the kernel builds
# it, its object refers to no panicking symbol of core, and to none of the
# 128-bit helpers the kernel lacks.
# Usage: ktests/nopanic.sh
set -eu

# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lab/lib.sh"

# Runs inside the sysroot.
check() {
	local out=$1
	mkdir -p "$out"
	rustc --edition=2021 --crate-type=lib --crate-name=ccp_core \
		-Cpanic=abort -Coverflow-checks=y -Cdebug-assertions=n \
		-Copt-level=2 -Ccodegen-units=1 -Cforce-unwind-tables=n \
		-Dwarnings --emit=obj -o "$out/ccp_core.o" /ccp/rust/core/lib.rs
	nm -u "$out/ccp_core.o"
}

symbols=$(in_sysroot bash -c "set -eu; $(declare -f check); check /tmp/ccp-nopanic")
bad=$(grep -E 'panic|unwrap_failed|expect_failed|slice_.*fail|__[u]?(div|mod|mul)(o?)ti[34]' <<<"$symbols" || true)
if [ -n "$bad" ]; then
	printf '%s\n' "$bad" >&2
	die "rust/core can panic: it refers to the symbols above; use checked arithmetic and get()"
fi
say "rust/core refers to no panicking symbol"
