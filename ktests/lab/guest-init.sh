#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Process 1 of a UML guest: mounts what a Debian userspace expects, runs the
# command boot-uml.sh left in $ccp_run and leaves its status there.
# busybox has what the sysroot lacks, e.g. mount and poweroff.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/busybox
export HOME=/tmp LC_ALL=C.UTF-8 TERM="${TERM:-dumb}"
run=${ccp_run:?}

mount() { /bin/busybox mount "$@"; }
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /run/netns /run/busybox
/bin/busybox --install -s /run/busybox
# The root, the host's sysroot, is read-only; results go to build/.
mount -t hostfs -o /ccp/build hostfs /ccp/build

# The kernel's own messages go elsewhere (stderr=1), this is the command's.
exec </dev/tty0 >/dev/tty0 2>&1
stty -onlcr
ip link set lo up

# kmemleak skips objects younger than 5 s, and calls a leak what something only
# about to be freed refers to; what it still sees 6 s later is one.
kmemleak=/sys/kernel/debug/kmemleak
scan_twice() {
	for _ in 1 2; do
		sleep 6
		echo scan >$kmemleak
	done
}
if [ -e $kmemleak ]; then
	echo scan=off >$kmemleak
	scan_twice
	echo clear >$kmemleak
fi

cd /ccp || exit
/bin/bash "$run/command"
status=$?

if [ -e $kmemleak ]; then
	scan_twice
	cat $kmemleak >"$run/kmemleak"
fi
echo $status >"$run/status"
exec /bin/busybox poweroff -f
