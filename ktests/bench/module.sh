#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# module.sh: builds ccp_bench.ko for uml in build/module/bench, with
# build/bench/data.rs, and prints its path.
set -eu
. "$(dirname "$0")/../lab/lib.sh"
kernel=$("$CCP_TOP/ktests/lab/kernel.sh" uml)
dir=$CCP_TOP/build/module/bench
mkdir -p "$dir"

exec {lock}>"$dir/.lock"
flock "$lock"
in_sysroot rsync -a /ccp/ktests/bench/Kbuild /ccp/ktests/bench/ccp_bench.rs \
	/ccp/build/bench/data.rs /ccp/build/module/bench/
in_sysroot rsync -a --delete --exclude=/target/ /ccp/rust/core/ /ccp/build/module/bench/core/
mapfile -t make <"$kernel/make.words"
quietly "$dir/build.log" in_sysroot "${make[@]}" -j"$(nproc)" M=/ccp/build/module/bench modules
printf '%s\n' "$dir/ccp_bench.ko"
