#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftests.sh: builds the MPTCP tests that come with the lab kernel's source,
# and prints their directory, below build/. Run them there in a guest through
# ./run: they want an iptables that the sysroot lacks.
set -eu
. "$(dirname "$0")/lib.sh"
. "$CCP_TOP/ktests/lab/packages.sh"

# What ./run puts in the path, from Debian packages that stay unpacked here.
tools=(iptables libip4tc2 libip6tc2 libxtables12)

make_selftests() {
	local source=$1 dir=$2 tool version
	local -a debs=()
	[ ! -e "$CCP_TOP/$dir/run" ] || return 0
	for tool in "${tools[@]}"; do
		version=$(once_a_day "$tool" deb_version "$tool" "$CCP_SUITE")
		debs+=("/cache/$(deb_file "$tool" "$version")")
	done
	say "building the kernel's MPTCP tests"
	rm -rf "${CCP_TOP:?}/$dir"
	in_sysroot bash -eu -c 'source=$1 dir=/ccp/$2; shift 2
		mkdir -p "$dir"/{tools,include/linux,net/mptcp}
		for deb; do dpkg-deb -x "$deb" "$dir/tools"; done
		for header in mptcp mptcp_pm tcp; do
			sed "s/__user//" "$source/include/uapi/linux/$header.h" >"$dir/include/linux/$header.h"
		done
		cd "$source/tools/testing/selftests/net"
		cp lib.sh net_helper.sh "$dir/net/"
		cp mptcp/*.sh "$dir/net/mptcp/"
		for file in mptcp/*.c; do
			gcc -O2 -Wall -isystem "$dir/include" -o "$dir/net/${file%.c}" "$file"
		done' \
		bash "$source" "$dir" "${debs[@]}"
	cat >"$CCP_TOP/$dir/run" <<-'EOF'
		#!/bin/bash
		# run SCRIPT [ARG]...: one of the tests, as root of a guest.
		dir=$(cd "$(dirname "$0")" && pwd)
		[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
		mkdir -p /run/legacy
		for name in iptables ip6tables; do
			ln -sf "$dir/tools/usr/sbin/xtables-legacy-multi" "/run/legacy/$name"
		done
		export PATH=/run/legacy:$PATH XTABLES_LOCKFILE=/run/xtables.lock
		export XTABLES_LIBDIR=$dir/tools/usr/lib/x86_64-linux-gnu/xtables
		export LD_LIBRARY_PATH=$dir/tools/usr/lib/x86_64-linux-gnu
		cd "$dir/net/mptcp" && exec bash "./$1" "${@:2}"
	EOF
	chmod +x "$CCP_TOP/$dir/run"
}

kernel=$("$CCP_TOP/ktests/lab/uml.sh" uml)
dir=build/selftests/${kernel##*/}
[ -e "$CCP_TOP/$dir/run" ] ||
	with_lock selftests make_selftests "/cache${kernel#"$CCP_CACHE"}/source" "$dir"
printf '%s/%s\n' "$CCP_TOP" "$dir"
