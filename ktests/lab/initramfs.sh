#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh OUT KERNEL_DIR RELEASE [--python] [--module NAME] [FILE[:DEST]]...
# Runs inside the sysroot: packs its tools, the named kernel modules with what
# they need, and the named files into the cpio archive OUT. A FILE that is a
# program brings its libraries.
set -eu

out=$1 kernel=$2 release=$3
shift 3
modules=(
	veth dummy tun sch_netem sch_tbf sch_fq sch_htb sch_red sch_prio sch_ingress
	cls_u32 cls_matchall act_gact act_mirred inet_diag tcp_diag udp_diag
	mptcp_diag unix_diag netlink_diag nf_tables nft_limit nft_numgen
	tcp_bbr tcp_dctcp tcp_vegas
)
programs=(
	bash ip tc ss sysctl ps free pgrep pkill insmod rmmod modprobe lsmod ping
	cat cp cut date dd dmesg du env expr head id kill ln ls mkdir mktemp mv nice
	nproc od paste readlink rm seq sleep sort split stat stty tail tee timeout
	touch tr true uname uniq wc grep sed awk find tar setpriv setsid unshare nsenter
)
python=
files=()
while [ $# -gt 0 ]; do
	case $1 in
	--python) python=1 ;;
	--module)
		modules+=("$2")
		shift
		;;
	*) files+=("$1") ;;
	esac
	shift
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},dev,proc,sys,run,tmp,etc,root,ccp,out,run/netns}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done

# put FILE [DEST]: a copy in the archive, with the libraries it is linked to.
put() {
	local file=$1 dest=${2:-$1} lib
	[ -e "$file" ] || {
		echo "initramfs: no $file" >&2
		exit 1
	}
	case $dest in /bin/* | /sbin/* | /lib/* | /lib64/*) dest=/usr$dest ;; esac
	[ ! -e "$root$dest" ] || return 0
	mkdir -p "$root$(dirname "$dest")"
	cp -aL "$file" "$root$dest"
	[ -d "$file" ] || while IFS= read -r lib; do
		put "$lib"
	done < <(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+')
}

put /bin/busybox
ln -s busybox "$root/bin/sh"
for program in "${programs[@]}"; do
	! path=$(type -P "$program") || put "$path"
done
# Shared data of the tools: protocol names, netem's distributions.
for path in /etc/protocols /etc/services /etc/iproute2 /usr/share/iproute2 /usr/lib/locale/C.utf8; do
	[ ! -e "$path" ] || put "$path"
done
printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"

if [ -n "$python" ]; then
	put "$(readlink -f /usr/bin/python3)" /usr/bin/python3
	lib=$(python3 -c 'import os; print(os.path.dirname(os.__file__))')
	mkdir -p "$root$lib"
	tar -C "$lib" -c --exclude=__pycache__ --exclude=test --exclude=idlelib --exclude=tkinter \
		--exclude=ensurepip --exclude=pydoc_data --exclude=config-3\* . | tar -C "$root$lib" -x
	mkdir -p "$root/usr/lib/python3"
	cp -a /usr/lib/python3/dist-packages "$root/usr/lib/python3/"
	find "$root/usr/lib/python3" -name __pycache__ -prune -exec rm -rf {} +
	while IFS= read -r path; do
		ldd "$path" 2>/dev/null | grep -oE '/[^ ]+' || true
	done < <(find "$root/usr/lib" -name '*.so' -path '*python3*') | sort -u |
		while IFS= read -r path; do put "$path"; done
fi

# Kernel modules, with modprobe's tables so that the kernel loads what it needs.
base=$kernel/modules
while IFS= read -r path; do
	mkdir -p "$root/usr$(dirname "${path#"$base"}")"
	cp "$path" "$root/usr${path#"$base"}"
done < <(modprobe -d "$base" -S "$release" -a --show-depends "${modules[@]}" |
	awk '$1 == "insmod" { print $2 }' | sort -u)
depmod -b "$root/usr" "$release" 2>/dev/null || depmod -b "$root" "$release"

for file in "${files[@]}"; do
	source=${file%%:*} dest=${file#*:}
	put "$source" "$dest"
done
(cd "$root" && find . -print0 | cpio --quiet -0 -o -H newc >"$out.tmp")
mv "$out.tmp" "$out"
