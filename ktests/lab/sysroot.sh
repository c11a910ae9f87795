#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the Debian sysroot that everything is built and run in, and leaves it
# in the cache. Does nothing when it is there.
set -eu
. "$(dirname "$0")/lib.sh"

# The mirror the host itself uses for Debian; CCP_MIRROR overrides it.
debian_mirror() {
	if [ -n "${CCP_MIRROR:-}" ]; then
		printf '%s\n' "$CCP_MIRROR"
		return
	fi
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT) $(CODENAME)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$2 == "Debian" && $3 == "main" && $4 !~ /-security/ { print $1; exit }'
}

make_sysroot() {
	local root mirror tmp packages
	root=$(sysroot_dir)
	[ ! -e "$root/.ready" ] || return 0
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "apt knows no Debian mirror here. Set CCP_MIRROR to one."
	tmp=$root.tmp
	rm -rf --one-file-system "$tmp" "$root"
	mkdir -p "$CCP_CACHE"
	packages=$(grep -v '^#' "$CCP_TOP/ktests/lab/sysroot.packages" | paste -sd,)
	say "making the $CCP_SUITE sysroot (about 2 minutes)"
	quietly "$CCP_CACHE/logs/sysroot.log" \
		mmdebstrap --variant=apt --include="$packages" \
		--aptopt='Apt::Install-Recommends "false"' \
		--aptopt='Acquire::Retries "5"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		"$CCP_SUITE" "$tmp" \
		"deb $mirror $CCP_SUITE main" \
		"deb $mirror $CCP_SUITE-updates main" \
		"deb $mirror $CCP_SUITE-backports main"
	touch "$tmp/.ready"
	mv "$tmp" "$root"
}

with_lock sysroot make_sysroot
