#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# uml.sh [uml|uml-debug]: builds the lab kernel (Linux 6.12 as User-Mode Linux)
# and prints its build directory. Does nothing when it is in the cache.
set -eu
. "$(dirname "$0")/lib.sh"
. "$CCP_TOP/ktests/lab/packages.sh"
. "$CCP_TOP/ktests/lab/source.sh"
. "$CCP_TOP/ktests/lab/kbuild.sh"

# uml_config FLAVOUR: the fragments it is configured with.
uml_config() {
	local lab=$CCP_TOP/ktests/lab/config
	case $1 in
	uml) cat "$lab/uml.config" ;;
	uml-debug) cat "$lab/uml.config" "$lab/uml-debug.config" ;;
	*) die "no such flavour: $1 (uml, uml-debug)" ;;
	esac
}

# uml_key FLAVOUR: what a build depends on, apart from the source.
uml_key() {
	{
		uml_config "$1"
		kbuild_make "$1" build source
		declare -f make_uml trim_build_tree check_config
	} | sha256sum | cut -c1-12
}

make_uml() {
	local flavour=$1 source=$2 dir=$3 log=$CCP_CACHE/logs/$1.log
	local -a make
	[ ! -e "$CCP_CACHE/$dir/.ready" ] || return 0
	# A build tree knows its own path, so it is made in place; only .ready,
	# written last, says that it is whole.
	rm -rf "${CCP_CACHE:?}/$dir"
	mkdir -p "$CCP_CACHE/$dir"
	mapfile -t make < <(kbuild_make "$flavour" "/cache/$dir" "/cache/$source")
	uml_config "$flavour" >"$CCP_CACHE/$dir/fragment"
	say "building the $flavour kernel (about 4 minutes; log in $log)"
	quietly "$log" in_sysroot "${make[@]}" KCONFIG_ALLCONFIG="/cache/$dir/fragment" allnoconfig
	check_config "$CCP_CACHE/$dir/fragment" "$CCP_CACHE/$dir/.config"
	quietly "$log" in_sysroot "${make[@]}" -j"$(nproc)" linux modules
	trim_build_tree "$CCP_CACHE/$dir"
	kbuild_make "$flavour" "/cache/$dir" >"$CCP_CACHE/$dir/make.words"
	touch "$CCP_CACHE/$dir/.ready"
}

flavour=${1:-uml}
version=$(lab_source)
config_key=$(uml_key "$flavour")
source=$(kernel_source linux-source-6.12 "$version" patches/linux-6.12)
dir=kernel/$flavour-${source##*/linux-source-}-$config_key
[ -e "$CCP_CACHE/$dir/.ready" ] ||
	with_lock "$flavour" make_uml "$flavour" "$source" "$dir"
cache_used "$CCP_CACHE/$dir" "$CCP_CACHE/$source" "$(sysroot_dir)"
printf '%s/%s\n' "$CCP_CACHE" "$dir"
