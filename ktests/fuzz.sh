#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh [differential|coverage] [COUNT [SEED]]: long random runs, which
# `make test` has no time for.
#
# differential: COUNT generated programs (a million) on libccp and on our
# machine; SEED (0) chooses which. Ends with one line that says what was found;
# fails at the first difference that docs/isa.md doesn't list.
# coverage: COUNT inputs for the verifier and the machine, found by libFuzzer;
# see ktests/vm/fuzz/run.sh.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lab/lib.sh"

part=${1:-differential}
[ $# -eq 0 ] || shift
case $part in
differential)
	in_sysroot nice -n 10 cargo run --quiet --release --manifest-path ktests/vm/Cargo.toml \
		--bin differential -- "$@"
	;;
coverage) "$CCP_TOP/ktests/vm/fuzz/run.sh" "$@" ;;
*) die "usage: fuzz.sh [differential|coverage] [COUNT [SEED]]" ;;
esac
