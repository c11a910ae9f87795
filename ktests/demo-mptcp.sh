#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# demo-mptcp.sh: what `make demo-mptcp` runs. Boots the lab kernel and lets one
# MPTCP connection use two paths under `ccpctl mptcp daemon --simulate 2`; then the
# path of its first subflow is cut, and comes back. In virtual time: the figures don't
# depend on this machine.
#
# Leaves in build/demo-mptcp: trace.csv, paths.svg, the daemon's log and the
# guest's dmesg. Ends with one line, "demo-mptcp: ok ...", and exit status 0, or
# says what went wrong.
#
# demo/mptcp.py is the part inside the guest.
set -eu
. "$(dirname "$0")/lab/lib.sh"
lab=$CCP_TOP/ktests/lab
out=$CCP_TOP/build/demo-mptcp

failed() {
	printf '\ndemo-mptcp: FAILED: %s\n' "$1"
	exit 1
}

rm -rf "$out"
mkdir -p "$out"
printf '1. Build (what is in the cache already takes no time)\n'
"$lab/uml.sh" uml >/dev/null || failed "the lab kernel"
module=$("$lab/module.sh" uml) || failed "ccp_rs.ko"
"$lab/userspace.sh" >/dev/null || failed "ccpctl"

printf '2. Two paths\n'
"$lab/boot-uml.sh" -m 512M -t 600 -o "$out" -- \
	env PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 python3 ktests/demo/mptcp.py \
	"/ccp${module#"$CCP_TOP"}" build/demo-mptcp || failed "in the guest; see $out/dmesg"

printf '3. Plot\n'
in_sysroot build/bin/ccpctl plot build/demo-mptcp/trace.csv -o build/demo-mptcp/paths.svg --panels rate \
	--title "1 and 2: the paths; 3: what arrives of the connection" || failed "the plot"
printf '  plot:   %s\n  trace:  %s\n  daemon: %s\n\n' "$out/paths.svg" "$out/trace.csv" \
	"$out/daemon.log"
cat "$out/result.txt"
