#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# module.sh [-c] TARGET: builds ccp_rs.ko for uml, uml-debug, stock or x86 in
# build/module/TARGET and prints its path. -c checks instead: clippy and all
# compiler warnings as errors, in build/module/TARGET-clippy, no .ko to use.
set -eu
. "$(dirname "$0")/lib.sh"
lab=$CCP_TOP/ktests/lab

clippy=
if [ "${1:-}" = -c ]; then
	clippy=1
	shift
fi
target=${1:?usage: module.sh [-c] uml|uml-debug|stock|x86}
kernel=$("$lab/kernel.sh" "$target")
name=$target${clippy:+-clippy}
dir=$CCP_TOP/build/module/$name
mkdir -p "$dir"

# An own copy per target, as kbuild leaves its objects beside the sources.
# Objects stay; sources that are gone here go there too.
sync_sources() {
	local -a from=(Kbuild rust c-shim)
	[ ! -d "$CCP_TOP/include" ] || from+=(include)
	in_sysroot rsync -a --delete --exclude='/rust/core/target/' --exclude='*.o' \
		--exclude='*.o.d' --exclude='.*.cmd' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude='*.ko' --exclude='/Module.symvers' --exclude='/modules.order' \
		"${from[@]/#//ccp/}" "/ccp/build/module/$name/"
}

build() {
	local -a make
	sync_sources
	mapfile -t make <"$kernel/make.words"
	make+=(-j"$(nproc)" "M=/ccp/build/module/$name")
	[ -z "$clippy" ] || make+=(CLIPPY=1 KRUSTFLAGS=-Dwarnings KCFLAGS=-Werror)
	quietly "$dir/build.log" in_sysroot "${make[@]}" modules
	! grep -E '(^|[^a-z])(warning|WARNING):' "$dir/build.log" >&2 ||
		[ -z "$clippy" ] || die "the $target module builds with warnings"
}

# Whatever can panic refers to a symbol of core::panicking. The debug flavour
# has debug assertions, which do so for every raw pointer.
check_no_panic() {
	local found
	[ "$target" != uml-debug ] && [ -z "$clippy" ] || return 0
	found=$(in_sysroot nm -u "/ccp/build/module/$name/ccp_rs.ko" | grep panicking) || return 0
	printf '%s\n' "$found" >&2
	die "ccp_rs.ko for $target can panic (symbols above)"
}

check_vermagic() {
	local magic
	[ "$target" = stock ] && [ -z "$clippy" ] || return 0
	magic=$(in_sysroot modinfo -F vermagic "/ccp/build/module/$name/ccp_rs.ko")
	[ "${magic%% *}" = "$(cat "$kernel/release")" ] ||
		die "vermagic '$magic' is not that of $(cat "$kernel/release")"
}

mkdir -p "$CCP_TOP/build"
exec {lock}>"$dir/.lock"
flock "$lock"
build
check_no_panic
check_vermagic
[ -z "$clippy" ] || rm -f "$dir/ccp_rs.ko"
[ -n "$clippy" ] || printf '%s\n' "$dir/ccp_rs.ko"
