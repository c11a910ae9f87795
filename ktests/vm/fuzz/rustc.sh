#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# rustc.sh RUSTC ARG...: what cargo calls for rustc when it builds the fuzzers.
# The code under test counts its edges for libFuzzer; the targets and the model
# they compare with do not.
case " $* " in
*" --crate-name ccp_core "*)
	exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
		-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
		-Cllvm-args=-sanitizer-coverage-pc-table
	;;
esac
exec "$@"
