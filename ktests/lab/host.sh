#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host.sh: the machine has what the lab needs of it, else installs it (Debian)
# or says what to install. Everything more comes from the sysroot.
set -eu
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || die "the lab mounts and chroots: run this as root"
missing=()
for need in mmdebstrap:mmdebstrap unshare:util-linux flock:util-linux xz:xz-utils \
	make:make git:git; do
	command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null ||
	die "please install: ${missing[*]}"
say "installing on this machine: ${missing[*]}"
quietly "$CCP_CACHE/logs/host.log" apt-get update
quietly "$CCP_CACHE/logs/host.log" env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends "${missing[@]}"
