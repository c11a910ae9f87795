# SPDX-License-Identifier: GPL-2.0
# Kernel sources from Debian's linux-source packages. Sourced after packages.sh.
# shellcheck shell=bash

# Code that no target of ours compiles, half of the tree. The Kconfig files and
# Makefiles stay: kconfig and kbuild read them all.
CCP_SOURCE_OMIT=(
	'arch/[!ux]*' sound drivers/gpu drivers/media drivers/staging drivers/infiniband
	drivers/net/wireless drivers/net/ethernet drivers/scsi
)

# The newest version of linux-source-6.12 that the patches are known to fit; Debian's point releases
# move what they change.
lab_source() {
	local version versions
	versions=$(once_a_day linux-source-6.12-versions deb_versions linux-source-6.12 "$CCP_SUITE")
	for version in $versions; do
		if grep -qxF "${version%-*}" "$CCP_TOP/patches/linux-6.12/versions"; then
			printf '%s\n' "$version"
			return
		fi
	done
	say "none of linux-source-6.12 ($(xargs <<<"$versions")) is in patches/linux-6.12/versions"
	say "trying the newest; when the patches don't apply to it, they need work"
	sed -n 1p <<<"$versions"
}

# kernel_source PACKAGE VERSION [PATCH_DIR]: the patched source tree; prints
# its directory below the cache.
kernel_source() {
	local package=$1 version=$2 patches=${3:-} dir
	dir=src/$package-$version-$(source_key "$patches")
	[ -e "$CCP_CACHE/$dir/.ready" ] ||
		with_lock "source-$package" make_source "$dir" "$package" "$version" "$patches"
	[ -e "$CCP_CACHE/$dir/.ready" ] && printf '%s\n' "$dir"
}

source_key() {
	{
		source_patches "$1" | xargs -r cat
		declare -f make_source
		declare -p CCP_SOURCE_OMIT
	} | sha256sum | cut -c1-12
}

source_patches() {
	[ -z "$1" ] || [ ! -d "$CCP_TOP/$1" ] || find "$CCP_TOP/$1" -name '*.patch' | sort
}

make_source() {
	local dir=$1 package=$2 version=$3 patches=$4 deb patch
	local -a omit
	[ ! -e "$CCP_CACHE/$dir/.ready" ] || return 0
	deb=$(deb_file "$package" "$version")
	rm -rf "${CCP_CACHE:?}/$dir" "${CCP_CACHE:?}/$dir.tmp"
	mkdir -p "$CCP_CACHE/$dir.tmp"
	say "unpacking $package $version"
	omit=("${CCP_SOURCE_OMIT[@]/#/--exclude="$package/"}")
	omit=(--anchored "${omit[@]/%//*.[chS]}" --exclude='*.dts' --exclude='*.dtsi')
	in_sysroot bash -c 'set -o pipefail; deb=$1 dir=$2 name=$3; shift 3
		dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$name.tar.xz" |
			xz -dc -T0 | tar -x -C "$dir" --strip-components=1 "$@"' \
		bash "/cache/$deb" "/cache/$dir.tmp" "$package" "${omit[@]}" ||
		die "cannot unpack $deb"
	while IFS= read -r patch; do
		say "applying ${patch#"$CCP_TOP/"}"
		GIT_CEILING_DIRECTORIES=$CCP_CACHE git -C "$CCP_CACHE/$dir.tmp" apply --whitespace=nowarn "$patch" ||
			die "$patch does not apply to $package $version"
	done < <(source_patches "$patches")
	touch "$CCP_CACHE/$dir.tmp/.ready"
	mv "$CCP_CACHE/$dir.tmp" "$CCP_CACHE/$dir"
}
