#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shell.sh [uml|uml-debug|stock]: a shell in that kernel with ccp_rs loaded and
# ccpctl in PATH. Leaving it ends the guest.
set -eu
. "$(dirname "$0")/lib.sh"
lab=$CCP_TOP/ktests/lab
target=${1:-uml}

module=$("$lab/module.sh" "$target")
module=${module#"$CCP_TOP/"}
bin=
[ ! -e "$CCP_TOP/userspace/Cargo.toml" ] || bin=$("$lab/userspace.sh")
# In User-Mode Linux the checkout is the host's, and only build/ can be written to.
# shellcheck disable=SC2016
commands='PATH=$PATH:/ccp/build/bin; insmod "$0"; dmesg | grep ccp_rs
	echo "Linux $(uname -r) with ccp_rs; exit ends it."
	[ $# -eq 0 ] || { cd "$1"; echo "What is written here, in build/, is kept."; }
	stty sane; exec setsid -cw bash --norc -i'
if [ "$target" = stock ]; then
	files=(-f "$module" -p)
	[ -z "$bin" ] || files+=(-f build/bin)
	exec "$lab/boot-stock.sh" -i "${files[@]}" -- bash -c "$commands" "$module"
fi
exec "$lab/boot-uml.sh" -i -d "$target" -m 512M -- bash -c "$commands" "$module" /ccp/build
