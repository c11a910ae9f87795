#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: what `make demo` runs. Builds what is missing, boots Debian's
# unmodified kernel in qemu, and there lets a userspace agent steer TCP flows
# over a bottleneck, kills the agent under way, and compares with the kernel's
# own reno. The guest's clock is virtual (see lab/boot-stock.sh -v), so the
# figures do not depend on how fast or busy this machine is.
#
# ALG is the algorithm, reno if not given; 'ccpctl algorithms' lists them.
# With PYTHON=1 the algorithm is one in Python, userspace/pyccp/examples/aimd.py.
#
# Leaves in build/demo: trace.csv, cwnd.svg, what was measured (*.json), and
# the guest's console.log and dmesg. Ends with one line, "demo: ok ...", and
# exit status 0, or says what went wrong.
#
# demo/guest.sh is the part inside the guest, demo/path.sh its network,
# demo/evaluate.py the judge.
set -eu
. "$(dirname "$0")/lab/lib.sh"
. "$CCP_TOP/ktests/demo/path.sh"
lab=$CCP_TOP/ktests/lab
out=$CCP_TOP/build/demo
algorithm=${ALG:-reno}

failed() {
	printf '\ndemo: FAILED: %s\n' "$1"
	[ ! -s "$out/console.log" ] || printf "The kernel's console: %s\n" "$out/console.log"
	exit 1
}

# step TITLE CMD...: the output of CMD is in $made.
step() {
	local title=$1 begin=$SECONDS
	shift
	made=$("$@") || failed "$title"
	printf '  %-46s %4d s\n' "$title" $((SECONDS - begin))
}

case $algorithm in
const) die "const is no demo: it reacts to nothing, so there is nothing to compare; 'ccpctl run const cwnd=40' in 'make lab' runs it" ;;
lia) die "lia is no demo: it couples subflows of MPTCP, and a flow of TCP is under reno; 'ktests/test.sh uml lia' runs it" ;;
'' | *[!a-z0-9_-]*) die "the demo can't run '$algorithm'; 'ccpctl algorithms' lists what there is" ;;
esac
rm -rf "$out"
mkdir -p "$out"
agent=(ccpctl run "$algorithm")
# What the guest needs for it.
bring=()

printf '1. Build (what is in the cache already takes no time)\n'
step 'host packages' "$lab/host.sh"
step "Debian $CCP_SUITE with compilers and qemu" "$lab/sysroot.sh"
step "stock kernel and its build tree" "$lab/stock.sh"
kernel=$made
release=$(cat "$kernel/release")
printf '    %s: all %d Rust symbols of the image are reproduced\n' \
	"$release" "$(wc -l <"$kernel/rust-symbols.stock")"
[ ! -s "$kernel/rust-symbols.missing" ] || failed "Rust symbols are missing: $kernel/rust-symbols.missing"
step "ccp_rs.ko" "$lab/module.sh" stock
module=${made#"$CCP_TOP/"}
step "ccpctl" "$lab/userspace.sh"
in_sysroot build/bin/ccpctl algorithms | grep -q "^$algorithm " || die "there is no algorithm '$algorithm'"
if [ "${PYTHON:-}" = 1 ]; then
	step "pyccp" "$lab/python.sh"
	agent=(python3 aimd.py)
	cp -r "$made" "$out/python"
	in_sysroot strip build/demo/python/pyccp/_pyccp.abi3.so
	bring=(-p -f build/demo/python:/ccp/python -f userspace/pyccp/examples/aimd.py:/ccp/aimd.py)
fi
# Without what only debuggers read: the guest boots faster.
in_sysroot strip -g -o build/demo/ccp_rs.ko "$module"
in_sysroot strip -o build/demo/ccpctl build/bin/ccpctl

begin=$SECONDS
"$lab/boot-stock.sh" -v -t 1200 -o "$out" -f build/demo/ccp_rs.ko:/ccp/ccp_rs.ko \
	-f build/demo/ccpctl:/usr/bin/ccpctl -f ktests/demo ${bring[@]+"${bring[@]}"} -- \
	ktests/demo/guest.sh ccp_rs.ko "${agent[@]}" ||
	failed "in the guest"
printf '  boot and flows took %d s\n' $((SECONDS - begin))

printf '\n7. Result\n'
in_sysroot build/bin/ccpctl plot build/demo/trace.csv --panels window,rtt,rate -o build/demo/cwnd.svg \
	--title "${agent[*]} on Linux $release, $((rate_bits / 1000000)) Mbit/s, $rtt_ms ms" ||
	failed "the plot"
in_sysroot python3 ktests/demo/evaluate.py build/demo --kernel "$release" \
	--agent "${agent[*]}" --rate "$rate_bits" --packet "$packet" >"$out/result.txt" ||
	{
		cat "$out/result.txt"
		failed "the numbers are not what they must be"
	}
sed '$d' "$out/result.txt"
printf '  plot:  %s\n  trace: %s\n\n' "$out/cwnd.svg" "$out/trace.csv"
tail -n 1 "$out/result.txt"
