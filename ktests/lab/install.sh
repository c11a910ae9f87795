#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# install.sh DIR: puts what a machine with Debian's newest 7.x kernel needs,
# ccp_rs.ko and ccpctl, into DIR.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab=$CCP_TOP/ktests/lab
out=${1:?usage: install.sh DIR}

kernel=$("$lab/stock.sh")
module=$("$lab/module.sh" stock)
bin=$("$lab/userspace.sh")
install -D -m 644 -t "$out" "$module"
install -D -m 755 -t "$out" "$bin/ccpctl"
say "ccp_rs.ko and ccpctl for Linux $(cat "$kernel/release") are in $out"
