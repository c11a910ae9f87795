#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh: what `make bench` runs: measurements, which no test depends on.
# Compare numbers of one run only.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lab/lib.sh"
out=$CCP_TOP/build/bench
mkdir -p "$out"

bench() { in_sysroot cargo bench --quiet --manifest-path "$@"; }

# The same programs and ACKs in a lab kernel, in real time, and what a flow of
# the module takes there. The least of five loads: where the code and the flow come
# to lie changes times by up to a half.
in_kernel() {
	local bench module
	bench=$("$CCP_TOP/ktests/bench/module.sh")
	module=$("$CCP_TOP/ktests/lab/module.sh" uml)
	# shellcheck disable=SC2016
	"$CCP_TOP/ktests/lab/boot-uml.sh" -r -o "$out/uml" -- bash -eu -c '
		for load in 1 2 3 4 5; do
			insmod "$1"
			rmmod ccp_bench
		done
		dmesg | sed -n "s/.*ccp_bench: \(.* ns\)$/\1/p" | awk -F": " '\''
			!($1 in least) || $2 + 0 < least[$1] { least[$1] = $2 + 0 }
			END { for (name in least) print name ": " least[name] " ns" }'\''
		insmod "$2"
		awk '\''$1 == "ccp_flow" { print "flow-bytes: " $4 }'\'' /proc/slabinfo
	' bash "/ccp${bench#"$CCP_TOP"}" "/ccp${module#"$CCP_TOP"}" >"$out/kernel.txt"
}

# Path managers in a lab kernel, in real time: connections a second, and how
# long a second subflow takes. In UML all share one processor; CCP_BENCH_KERNEL=x86
# is a machine with two, which wants an idle host.
path_managers() {
	local module kernel=${CCP_BENCH_KERNEL:-uml}
	local -a bench=(python3 ktests/bench/path_managers.py build/bin 30 150 50)
	module=$("$CCP_TOP/ktests/lab/module.sh" "$kernel")
	module=${module#"$CCP_TOP/"}
	"$CCP_TOP/ktests/lab/userspace.sh" >/dev/null
	# shellcheck disable=SC2016
	bench=(bash -eu -c 'insmod "$1"; shift; PYTHONDONTWRITEBYTECODE=1 exec "$@"' bash
		"$module" "${bench[@]}")
	if [ "$kernel" = uml ]; then
		"$CCP_TOP/ktests/lab/boot-uml.sh" -r -m 512M -t 900 -o "$out/mptcp" -- "${bench[@]}"
	else
		"$CCP_TOP/ktests/lab/boot-stock.sh" -d "$kernel" -p -t 1800 -o "$out/mptcp" \
			-f ktests/bench -f ktests/kernel -f build/bin/ccpctl -f "$module" -- "${bench[@]}"
	fi
}

say "path managers of MPTCP in a lab kernel (three minutes)"
path_managers
say "the equation of MulTFRC, and its error at ten million points"
bench /ccp/rust/core/Cargo.toml --bench multfrc
say "the virtual machine's parts, ns per invocation"
bench /ccp/rust/core/Cargo.toml --bench invoke
say "the virtual machine in a lab kernel (half a minute)"
bench /ccp/ktests/vm/Cargo.toml --bench versus -- --export /ccp/build/bench/data.rs
in_kernel
say "the virtual machine, libccp and programs written by hand (half a minute)"
bench /ccp/ktests/vm/Cargo.toml --bench versus -- --kernel /ccp/build/bench/kernel.txt
