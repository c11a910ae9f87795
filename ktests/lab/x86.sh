#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# x86.sh: builds Linux 6.12 with patches/linux-6.12 as it boots on a PC, for
# measurements that need two processors, and prints a directory as stock.sh has
# it. All is built in. Does nothing when it is in the cache.
set -eu
. "$(dirname "$0")/lib.sh"
. "$CCP_TOP/ktests/lab/packages.sh"
. "$CCP_TOP/ktests/lab/source.sh"
. "$CCP_TOP/ktests/lab/kbuild.sh"

# The lab kernel's, and the machine instead of UML.
x86_config() {
	local lab=$CCP_TOP/ktests/lab/config
	grep -vE '_(UML|HOSTFS|STDERR_CONSOLE|NULL_CHAN)' "$lab/uml.config"
	cat "$lab/x86.config"
}

# What a build depends on, apart from the source.
x86_key() {
	{
		x86_config
		kbuild_make x86 build source
		declare -f make_x86 trim_build_tree check_config
	} | sha256sum | cut -c1-12
}

make_x86() {
	local source=$1 rel=$2 dir=$CCP_CACHE/$2 log=$CCP_CACHE/logs/x86.log
	local -a make
	[ ! -e "$dir/.ready" ] || return 0
	# Made in place, as a build tree knows its path; .ready comes last.
	rm -rf "$dir"
	mkdir -p "$dir"
	mapfile -t make < <(kbuild_make x86 "/cache/$rel" "/cache/$source")
	x86_config >"$dir/fragment"
	say "building the x86_64 kernel (about 6 minutes; log in $log)"
	quietly "$log" in_sysroot "${make[@]}" KCONFIG_ALLCONFIG="/cache/$rel/fragment" allnoconfig
	check_config "$dir/fragment" "$dir/.config"
	quietly "$log" in_sysroot "${make[@]}" -j"$(nproc)" bzImage modules
	quietly "$log" in_sysroot "${make[@]}" "INSTALL_MOD_PATH=/cache/$rel/modules" modules_install
	cp "$dir/arch/x86/boot/bzImage" "$dir/vmlinuz"
	trim_build_tree "$dir"
	kbuild_make x86 "/cache/$rel" >"$dir/make.words"
	cp "$dir/include/config/kernel.release" "$dir/release"
	touch "$dir/.ready"
}

source=$(kernel_source linux-source-6.12 "$(lab_source)" patches/linux-6.12)
dir=kernel/x86-${source##*/linux-source-}-$(x86_key)
[ -e "$CCP_CACHE/$dir/.ready" ] || with_lock x86 make_x86 "$source" "$dir"
cache_used "$CCP_CACHE/$dir" "$CCP_CACHE/$source" "$(sysroot_dir)"
printf '%s/%s\n' "$CCP_CACHE" "$dir"
