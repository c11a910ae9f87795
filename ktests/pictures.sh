#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# pictures.sh [ALG]...: draws docs/images/ALG.svg, the picture on the algorithm's
# page, from flows in the lab kernel; of all algorithms if none is named.
# demo/pictures.py is the part inside the guest.
set -eu
. "$(dirname "$0")/lab/lib.sh"
lab=$CCP_TOP/ktests/lab

out=build/pictures
[ $# -gt 0 ] || set -- aimd bbr const copa cubic lia nimbus reno vegas
mkdir -p "$CCP_TOP/$out"
module=$("$lab/module.sh" uml)
"$lab/userspace.sh" >/dev/null
"$lab/boot-uml.sh" -m 512M -t 600 -o "$CCP_TOP/$out" -- \
	env PYTHONDONTWRITEBYTECODE=1 python3 ktests/demo/pictures.py \
	"/ccp${module#"$CCP_TOP"}" "$out" "$@"
for name; do
	in_sysroot build/bin/ccpctl plot "$out/$name.csv" --panels window,rtt \
		--title "$(cat "$CCP_TOP/$out/$name.title")" -o "docs/images/$name.svg"
	printf 'docs/images/%s.svg\n' "$name"
done
