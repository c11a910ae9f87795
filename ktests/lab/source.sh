# SPDX-License-Identifier: GPL-2.0
# Kernel sources from Debian's linux-source packages. Sourced after packages.sh.
# shellcheck shell=bash

# Code that no target of ours compiles, half of the tree. The Kconfig files and
# Makefiles stay: kconfig and kbuild read them all.
CCP_SOURCE_OMIT=(
	'arch/[!ux]*' sound drivers/gpu drivers/media drivers/staging drivers/infiniband
	drivers/net/wireless drivers/net/ethernet drivers/scsi
)

# kernel_source PACKAGE VERSION [PATCH_DIR]: the patched source tree; prints
# its directory below the cache.
kernel_source() {
	local package=$1 version=$2 patches=${3:-} key files
	files=("$CCP_TOP/ktests/lab/source.sh")
	while IFS= read -r patch; do files+=("$patch"); done < <(source_patches "$patches")
	key=$(cache_key "${files[@]}")
	with_lock "source-$package" make_source "src/$package-$version-$key" "$package" "$version" "$patches"
	printf 'src/%s-%s-%s\n' "$package" "$version" "$key"
}

source_patches() {
	[ -z "$1" ] || [ ! -d "$CCP_TOP/$1" ] || find "$CCP_TOP/$1" -name '*.patch' | sort
}

make_source() {
	local dir=$1 package=$2 version=$3 patches=$4 deb patch omit
	[ ! -e "$CCP_CACHE/$dir/.ready" ] || return 0
	deb=$(deb_file "$package" "$version")
	rm -rf "${CCP_CACHE:?}/$dir" "${CCP_CACHE:?}/$dir.tmp"
	mkdir -p "$CCP_CACHE/$dir.tmp"
	say "unpacking $package $version"
	omit=("${CCP_SOURCE_OMIT[@]/#/--exclude="$package/"}")
	omit=(--anchored "${omit[@]/%//*.[chS]}" --exclude='*.dts' --exclude='*.dtsi')
	# shellcheck disable=SC2016
	in_sysroot bash -c 'set -o pipefail; deb=$1 dir=$2 name=$3; shift 3
		dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$name.tar.xz" |
			xz -dc -T0 | tar -x -C "$dir" --strip-components=1 "$@"' \
		bash "/cache/$deb" "/cache/$dir.tmp" "$package" "${omit[@]}" ||
		die "cannot unpack $deb"
	while IFS= read -r patch; do
		say "applying ${patch#"$CCP_TOP/"}"
		in_sysroot patch -s -p1 -d "/cache/$dir.tmp" -i "/ccp/${patch#"$CCP_TOP/"}" ||
			die "$patch does not apply to $package $version"
	done < <(source_patches "$patches")
	touch "$CCP_CACHE/$dir.tmp/.ready"
	mv "$CCP_CACHE/$dir.tmp" "$CCP_CACHE/$dir"
}
