#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo-dccp.sh: what `make demo-dccp` runs. Boots the lab kernel and lets a
# MulTFRC flow with N = 4 (CCID 5 of DCCP) share a bottleneck with four flows
# of TCP Reno. In virtual time: the figures don't depend on this machine.
#
# Leaves in build/demo-dccp: trace.csv, share.svg and the guest's dmesg. Ends
# with one line, "demo-dccp: ok ...", and exit status 0, or says what went wrong.
#
# demo/dccp.py is the part inside the guest.
set -eu
. "$(dirname "$0")/lab/lib.sh"
lab=$CCP_TOP/ktests/lab
out=$CCP_TOP/build/demo-dccp

failed() {
	printf '\ndemo-dccp: FAILED: %s\n' "$1"
	exit 1
}

rm -rf "$out"
mkdir -p "$out"
printf '1. Build (what is in the cache already takes no time)\n'
"$lab/uml.sh" uml >/dev/null || failed "the lab kernel"
module=$("$lab/module.sh" uml) || failed "ccp_rs.ko"
"$lab/userspace.sh" >/dev/null || failed "ccpctl"

printf '2. Flows\n'
"$lab/boot-uml.sh" -m 1G -t 600 -o "$out" -- \
	env PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 python3 ktests/demo/dccp.py \
	"/ccp${module#"$CCP_TOP"}" build/demo-dccp || failed "in the guest; see $out/dmesg"

printf '3. Plot\n'
in_sysroot build/bin/ccpctl plot build/demo-dccp/trace.csv -o build/demo-dccp/share.svg \
	--title "flow 1: MulTFRC with N = 4; flows 2 to 5: TCP Reno" || failed "the plot"
printf '  plot:  %s\n  trace: %s\n\n' "$out/share.svg" "$out/trace.csv"
cat "$out/result.txt"
