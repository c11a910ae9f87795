#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# stock.sh: prepares Debian's newest Rust-enabled kernel and prints a directory
# that is a build tree for modules and also holds vmlinuz, modules/ (below it
# lib/modules/RELEASE) and release. Does nothing when it is in the cache.
set -eu
. "$(dirname "$0")/lib.sh"
. "$CCP_TOP/ktests/lab/packages.sh"
. "$CCP_TOP/ktests/lab/source.sh"
. "$CCP_TOP/ktests/lab/kbuild.sh"

# Modules that tests and the demo may load, by folder.
CCP_STOCK_MODULES=(
	net lib crypto arch 'drivers/net/*.ko*' drivers/virtio 'drivers/char/virtio_console.ko*'
	'drivers/block/virtio_blk.ko*' 'drivers/block/brd.ko*' fs/9p fs/netfs
)

# RELEASE IMAGE_VERSION SOURCE_PACKAGE SOURCE_VERSION of today's stock kernel.
resolve_stock() {
	local suite=$CCP_SUITE-backports version image source
	version=$(deb_version linux-image-amd64 "$suite")
	image=$(deb_depends linux-image-amd64 "$version" '^linux-image-[0-9]')
	[ -n "$image" ] || die "linux-image-amd64 $version names no image"
	source=linux-source-$(printf '%s\n' "$version" | cut -d. -f1,2)
	printf '%s %s %s %s\n' "${image#linux-image-}" "$version" "$source" \
		"$(deb_version "$source" "$suite")"
}

# The image and its modules are packages of their own or the image package,
# depending on the release.
stock_packages() {
	local parts
	parts=$(deb_depends "linux-image-$1" "$2" '^linux-(binary|modules)-[0-9]')
	printf '%s\n' "linux-headers-$1" "${parts:-linux-image-$1}"
}

unpack_stock() {
	local release=$1 version=$2 dir=$3 package deb
	while IFS= read -r package; do
		deb=$(deb_file "$package" "$version")
		in_sysroot bash -c 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2"' \
			bash "/cache/$deb" "/cache/$dir/debs" </dev/null
	done < <(stock_packages "$release" "$version")
}

# The exported Rust symbols carry hashes: they must be those of the image.
check_rust_symbols() {
	local dir=$1 stock=$2
	grep -ho 'EXPORT_SYMBOL_RUST_GPL([^)]*)' "$dir"/rust/exports_*_generated.h |
		sed 's/.*(\(.*\))/\1/' | sort -u >"$dir/rust-symbols.built"
	cut -f2 "$stock" | grep -E '^(_R|rust_)' | sort -u >"$dir/rust-symbols.stock"
	[ -s "$dir/rust-symbols.stock" ] || die "the stock kernel exports no Rust symbols"
	comm -13 "$dir/rust-symbols.built" "$dir/rust-symbols.stock" >"$dir/rust-symbols.missing"
	[ ! -s "$dir/rust-symbols.missing" ] ||
		die "$(wc -l <"$dir/rust-symbols.missing") Rust symbols of the stock kernel are not reproduced; see $dir/rust-symbols.missing"
	say "all $(wc -l <"$dir/rust-symbols.stock") Rust symbols of the stock kernel are reproduced"
}

# Keeps the modules of CCP_STOCK_MODULES, uncompressed for a plain insmod.
keep_modules() {
	local dir=$1 release=$2 from to=$1/modules/lib/modules/$2 pattern
	from=$(find "$dir/debs" -type d -path "*/lib/modules/$release/kernel" | head -n1)
	[ -n "$from" ] || die "no modules for $release in the packages"
	mkdir -p "$to/kernel"
	cp "${from%/kernel}"/modules.{order,builtin,builtin.modinfo} "$to/" 2>/dev/null || true
	for pattern in "${CCP_STOCK_MODULES[@]}"; do
		(cd "$from" && compgen -G "$pattern" | while IFS= read -r path; do
			cp -a --parents "$path" "$to/kernel/"
		done) || true
	done
	in_sysroot bash -c 'find "$1" -name "*.ko.xz" -exec xz -d {} +; depmod -b "$2" "$3" 2>/dev/null' \
		bash "/cache${to#"$CCP_CACHE"}" "/cache${dir#"$CCP_CACHE"}/modules" "$release"
}

# What a build depends on, apart from the packages.
stock_key() {
	{
		kbuild_make stock build source
		declare -f make_stock unpack_stock keep_modules trim_build_tree
		declare -p CCP_STOCK_MODULES
	} | sha256sum | cut -c1-12
}

make_stock() {
	local release=$1 version=$2 source=$3 rel=$4 dir=$CCP_CACHE/$4 log=$CCP_CACHE/logs/stock.log headers kernelversion
	local -a make
	[ ! -e "$dir/.ready" ] || return 0
	# Made in place, as a build tree knows its path; .ready comes last.
	rm -rf "$dir"
	mkdir -p "$dir/debs"
	unpack_stock "$release" "$version" "$rel"
	headers=$dir/debs/usr/src/linux-headers-$release
	grep -qx 'CONFIG_RUST=y' "$headers/.config" || die "Debian's $release has no CONFIG_RUST"

	kernelversion=$(in_sysroot make -s -C "/cache/$source" kernelversion)
	mapfile -t make < <(kbuild_make stock "/cache/$rel" "/cache/$source")
	make+=("LOCALVERSION=${release#"$kernelversion"}")
	say "preparing the $release build tree (about 3 minutes; log in $log)"
	cp "$headers/.config" "$dir/.config"
	quietly "$log" in_sysroot "${make[@]}" olddefconfig
	grep -qx 'CONFIG_RUST=y' "$dir/.config" || die "CONFIG_RUST got lost; is the sysroot's rustc missing?"
	quietly "$log" in_sysroot "${make[@]}" -j"$(nproc)" modules_prepare
	[ "$(cat "$dir/include/config/kernel.release")" = "$release" ] ||
		die "the tree's release is $(cat "$dir/include/config/kernel.release"), not $release"

	# These two only after modules_prepare, which makes its own.
	cp "$headers/Module.symvers" "$headers/vmlinux" "$dir/"
	check_rust_symbols "$dir" "$headers/Module.symvers"
	cp "$(find "$dir/debs" -name 'vmlinuz*' -type f | head -n1)" "$dir/vmlinuz"
	keep_modules "$dir" "$release"
	rm -rf "$dir/debs"
	trim_build_tree "$dir"
	kbuild_make stock "/cache/$rel" >"$dir/make.words"
	printf 'LOCALVERSION=%s\n' "${release#"$kernelversion"}" >>"$dir/make.words"
	printf '%s\n' "$release" >"$dir/release"
	touch "$dir/.ready"
}

read -r release version source_package source_version < <(once_a_day stock resolve_stock)
source=$(kernel_source "$source_package" "$source_version")
dir=kernel/stock-$release-$version-$(stock_key)
[ -e "$CCP_CACHE/$dir/.ready" ] ||
	with_lock stock make_stock "$release" "$version" "$source" "$dir"
cache_used "$CCP_CACHE/$dir" "$CCP_CACHE/$source" "$(sysroot_dir)"
printf '%s/%s\n' "$CCP_CACHE" "$dir"
