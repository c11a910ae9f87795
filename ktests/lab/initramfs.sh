#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh base OUT KERNEL_DIR RELEASE [--python] [MODULE]...
# initramfs.sh files OUT FILE[:DEST]...
# Runs inside the sysroot and makes a cpio archive: the tools a guest needs and
# the kernel modules with what they depend on, or the named files. Programs
# come with their libraries. The kernel takes several archives, one after the
# other, so that the first can be kept.
set -eu

programs=(
	bash busybox ip tc ss sysctl ps free pgrep pkill insmod rmmod modprobe lsmod ping
	cat chmod cp cut date dd dmesg du env expr head id ln ls mkdir mktemp mv nice
	nproc od paste readlink rm seq sleep sort split stat stty tail tee timeout
	touch tr true uname uniq wc grep sed awk find tar setpriv setsid unshare nsenter
)
modules=(
	veth dummy tun sch_netem sch_tbf sch_fq sch_htb sch_red sch_prio sch_ingress
	cls_u32 cls_matchall act_gact act_mirred inet_diag tcp_diag udp_diag
	mptcp_diag unix_diag netlink_diag nf_tables nft_limit nft_numgen
	tcp_bbr tcp_dctcp tcp_vegas
)
# Data of the tools: protocol names, iproute2's tables, the locale.
data=(/etc/protocols /etc/services /usr/share/iproute2 /usr/lib/locale/C.utf8)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# put FILE [DEST]: a copy in the archive; /bin and its like are links to /usr.
put() {
	local dest=${2:-$1}
	case $dest in /bin/* | /sbin/* | /lib/* | /lib64/*) dest=/usr$dest ;; esac
	mkdir -p "$root$(dirname "$dest")"
	cp -aL "$1" "$root$dest"
}

# libraries FILE...: what the programs among them are linked to.
libraries() { { ldd "$@" 2>/dev/null || true; } | grep -oE '^[^/]*=> /[^ ]+|^\s/[^ :]+' | grep -oE '/.*' | sort -u; }

put_libraries() {
	local path
	while IFS= read -r path; do put "$path"; done < <(libraries "$@")
}

base_tree() {
	local dir path program paths=()
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},dev,proc,sys,run,tmp,etc,root,ccp,out}
	for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
	for program in "${programs[@]}"; do
		path=$(type -P "$program") || continue
		put "$path"
		paths+=("$path")
	done
	ln -s busybox "$root/bin/sh"
	put_libraries "${paths[@]}"
	for path in "${data[@]}"; do
		[ ! -e "$path" ] || put "$path"
	done
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

python_tree() {
	local lib native
	lib=$(python3 -c 'import os; print(os.path.dirname(os.__file__))')
	put "$(readlink -f /usr/bin/python3)" /usr/bin/python3
	mkdir -p "$root$lib" "$root/usr/lib/python3"
	tar -C "$lib" -c --exclude=test --exclude=idlelib --exclude=tkinter --exclude=ensurepip \
		--exclude=pydoc_data --exclude='config-3*' --exclude='__pycache__' . | tar -C "$root$lib" -x
	tar -C /usr/lib/python3 -c --exclude='__pycache__' dist-packages | tar -C "$root/usr/lib/python3" -x
	mapfile -t native < <(find "$root/usr/lib" -name '*.so' -path '*python3*')
	put_libraries /usr/bin/python3 "${native[@]}"
}

# With modprobe's tables, so that the kernel loads what it needs by itself.
modules_tree() {
	local base=$1/modules release=$2 path
	shift 2
	while IFS= read -r path; do
		put "$path" "${path#"$base"}"
	done < <(modprobe -d "$base" -S "$release" -a --show-depends "$@" |
		awk '$1 == "insmod" { print $2 }' | sort -u)
	# A kernel may have all of them built in.
	mkdir -p "$root/usr/lib/modules/$release"
	depmod -b "$root" "$release" 2>/dev/null
}

files_tree() {
	local file
	for file; do
		[ -e "${file%%:*}" ] || {
			echo "initramfs: no such file: ${file%%:*}" >&2
			exit 1
		}
		put "${file%%:*}" "${file#*:}"
		if [ -d "${file%%:*}" ]; then
			mapfile -t inside < <(find "${file%%:*}" -type f -executable)
			[ ${#inside[@]} -eq 0 ] || put_libraries "${inside[@]}"
		elif [ -x "${file%%:*}" ]; then
			put_libraries "${file%%:*}"
		fi
	done
}

what=$1 out=$2
shift 2
case $what in
base)
	kernel=$1 release=$2
	shift 2
	base_tree
	if [ "${1:-}" = --python ]; then
		python_tree
		shift
	fi
	modules_tree "$kernel" "$release" "${modules[@]}" "$@"
	;;
files) files_tree "$@" ;;
*) exit 2 ;;
esac
mkdir -p "$(dirname "$out")"
(cd "$root" && find . -mindepth 1 -print0 | cpio --quiet -0 -o -H newc >"$out.$$")
mv "$out.$$" "$out"
