#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Process 1 of a stock guest (in the initramfs): mounts, runs /ccp/command with
# its output on the virtio console, sends /out home as a tar.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/busybox
export HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}"

mount() { /bin/busybox mount "$@"; }
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /run/netns /run/busybox
/bin/busybox --install -s /run/busybox

# The kernel's own messages go to ttyS0, this is the command's.
exec </dev/hvc0 >/dev/hvc0 2>&1
stty -onlcr
[ "${ccp_tty:-}" != 1 ] || stty sane onlcr
ip link set lo up

cd /ccp || exit
/bin/bash /ccp/command
echo $? >/out/status
dmesg >/out/dmesg

for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name" 2>/dev/null)" != ccp.out ] || tar -C /out -cf "/dev/${port##*/}" .
done
exec /bin/busybox poweroff -f
