# SPDX-License-Identifier: GPL-2.0
# How make is called for each kernel target. Sourced after lib.sh.
# shellcheck shell=bash

# kbuild_make TARGET BUILD_DIR [SOURCE_DIR]: the make command, a word a line;
# paths as the sysroot sees them. Without SOURCE_DIR it is for a module.
kbuild_make() {
	local target=$1 build=$2 source=${3:-}
	local -a words=(make)
	if [ -n "$source" ]; then
		words+=(-C "$source" "O=$build")
	else
		words+=(-C "$build")
	fi
	words+=(KBUILD_BUILD_USER=ccp KBUILD_BUILD_HOST=lab)
	case $target in
	# 6.12's UML passes no target to bindgen.
	uml) words+=(ARCH=um BINDGEN_TARGET=x86_64-linux-gnu CC=gcc-14 HOSTCC=gcc-14) ;;
	# KASAN with Rust needs clang. UML has the large code model, for which clang
	# moves all data to sections that the kernel's linker script leaves outside
	# of _sdata.._end: lockdep then turns itself off at the first lock, and
	# kmemleak doesn't see what static data point to.
	uml-debug)
		words+=(ARCH=um BINDGEN_TARGET=x86_64-linux-gnu CC=clang-19 HOSTCC=gcc-14)
		words+=('KCFLAGS=-mlarge-data-threshold=2147483647 -Wno-unused-command-line-argument -Wno-null-pointer-arithmetic')
		;;
	# The compiler Debian built the stock kernel with.
	stock) words+=(ARCH=x86 CROSS_COMPILE=x86_64-linux-gnu- CC=x86_64-linux-gnu-gcc-14) ;;
	x86) words+=(ARCH=x86 CC=gcc-14 HOSTCC=gcc-14) ;;
	*) die "no such kernel target: $target (uml, uml-debug, stock, x86)" ;;
	esac
	printf '%s\n' "${words[@]}"
}

# check_config FRAGMENT CONFIG: kconfig drops what it can't have without a
# word; say which.
check_config() {
	local line lost=()
	while IFS= read -r line; do
		grep -qxF "$line" "$2" || lost+=("$line")
	done < <(grep -E '^CONFIG_' "$1")
	[ ${#lost[@]} -eq 0 ] || die "kernel configuration lost: ${lost[*]}"
}

# trim_build_tree DIR: a module needs the headers, the tools and the Rust
# metadata, not what was compiled.
trim_build_tree() {
	find "$1" \( -name '*.o' -o -name '*.a' -o -name '*.o.cmd' \) \
		-not -path "$1/scripts/*" -not -path "$1/tools/*" -not -path "$1/modules/*" -delete
}
