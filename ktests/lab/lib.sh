# SPDX-License-Identifier: GPL-2.0
# Shell functions every lab script shares: messages, the cache, the sysroot.
# Sourced, never run. Callers set -eu.
# shellcheck shell=bash

CCP_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CCP_CACHE=${CCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ccp-rs}
# shellcheck disable=SC2034 # for those who source this
CCP_SUITE=trixie

say() { printf '==> %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# cache_key FILE...: a short name for the contents of the files.
cache_key() { cat "$@" | sha256sum | cut -c1-12; }

# with_lock NAME CMD...: one process at a time makes a cache entry; the others
# wait and then find it made. CMD stops at its first error; that holds only
# while with_lock itself is not part of a condition.
with_lock() {
	local name=$1 options=$- rc
	shift
	mkdir -p "$CCP_CACHE/locks"
	exec {CCP_LOCK_FD}>"$CCP_CACHE/locks/$name"
	flock "$CCP_LOCK_FD"
	set +e
	(
		set -e
		"$@"
	)
	rc=$?
	case $options in *e*) set -e ;; esac
	exec {CCP_LOCK_FD}>&-
	return $rc
}

# quietly LOG CMD...: run with output in LOG; on failure show its end.
quietly() {
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "'$*' failed; the whole log is $log"
	fi
}

# cache_used DIR...: these entries stay; what nobody used for two weeks, and what
# was left half made, goes.
cache_used() {
	local dir
	touch -c "${@/%//.ready}"
	for dir in "$CCP_CACHE"/{kernel,src}/* "$CCP_CACHE"/sysroot-*; do
		if [ -e "$dir/.ready" ]; then
			[ -z "$(find "$dir/.ready" -mtime +14)" ] || rm -rf --one-file-system "$dir"
		elif [ -d "$dir" ]; then
			[ -z "$(find "$dir" -maxdepth 0 -mtime +1)" ] || rm -rf --one-file-system "$dir"
		fi
	done
	find "$CCP_CACHE"/{debs,initramfs} -type f -mtime +60 -delete 2>/dev/null || true
}

sysroot_dir() {
	printf '%s/sysroot-%s\n' "$CCP_CACHE" \
		"$(cache_key "$CCP_TOP/ktests/lab/sysroot.packages" "$CCP_TOP/ktests/lab/sysroot.sh")"
}

# in_sysroot CMD...: run in the sysroot, the checkout at /ccp, the cache at
# /cache. Mounts live in a mount namespace of their own and end with it.
in_sysroot() {
	local root
	root=$(sysroot_dir)
	[ -e "$root/.ready" ] || die "no sysroot yet; run $CCP_TOP/ktests/lab/sysroot.sh"
	env "CCP_ROOT=$root" "CCP_TOP=$CCP_TOP" "CCP_CACHE=$CCP_CACHE" \
		unshare --mount --propagation private \
		"$CCP_TOP/ktests/lab/enter.sh" "$@"
}
