#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Second half of in_sysroot: runs in a fresh mount namespace, mounts, chroots.
set -eu
: "${CCP_ROOT:?} ${CCP_TOP:?} ${CCP_CACHE:?}"

mount --bind "$CCP_ROOT" "$CCP_ROOT"
mkdir -p "$CCP_ROOT/ccp" "$CCP_ROOT/cache" "$CCP_CACHE/cargo" "$CCP_CACHE/cargo-target"
mount --bind "$CCP_TOP" "$CCP_ROOT/ccp"
mount --bind "$CCP_CACHE" "$CCP_ROOT/cache"
mount -t proc proc "$CCP_ROOT/proc"
mount --rbind /dev "$CCP_ROOT/dev"
mount -t tmpfs -o mode=1777 tmpfs "$CCP_ROOT/tmp"
# UML keeps guest memory in /dev/shm: a tmpfs that lets it map code.
mount -t tmpfs -o mode=1777,exec tmpfs "$CCP_ROOT/dev/shm"

# Names and certificates come from the host, as its own clients use them.
cp -L /etc/resolv.conf "$CCP_ROOT/etc/resolv.conf" 2>/dev/null || true
ca=$CCP_ROOT/etc/ssl/certs/ca-certificates.crt
for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
	if [ -n "$bundle" ] && [ -s "$bundle" ]; then
		cmp -s "$bundle" "$ca" || { cp -L "$bundle" "$ca.$$" && mv "$ca.$$" "$ca"; }
		break
	fi
done

env=(
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	HOME=/root LC_ALL=C.UTF-8 "TERM=${TERM:-dumb}"
	CARGO_HOME=/cache/cargo CARGO_TARGET_DIR=/cache/cargo-target
	SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
	CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
)
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY CI; do
	[ -z "${!name:-}" ] || env+=("$name=${!name}")
done
exec chroot "$CCP_ROOT" /usr/bin/env -i "${env[@]}" "${CCP_ENV[@]:-CCP=1}" \
	/bin/bash -c 'cd /ccp && exec "$@"' bash "$@"
