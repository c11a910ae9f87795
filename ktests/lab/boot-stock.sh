#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# boot-stock.sh [-d stock|x86] [-m MEM] [-t SECONDS] [-o DIR] [-a ARG]... [-f FILE[:DEST]]...
#               [-k MODULE]... [-p] [-i] [-v] -- CMD...
# Runs CMD in /ccp as root of the unmodified stock kernel under qemu, from an
# initramfs with the sysroot's tools; CMD's output is ours as it comes, and so
# is its exit status. A splat, a panic (134) or no end within SECONDS (124)
# fails even when CMD doesn't.
#   -d stock|x86     the kernel (stock)
#   -m MEM           guest memory (512M; 768M with -p)
#   -t SECONDS       time it may take (300)
#   -o DIR           where console.log, dmesg, status and whatever CMD put in
#                    /out go (below build/; a new directory in build/run/ that
#                    goes away on success)
#   -a ARG           one more kernel argument
#   -f FILE[:DEST]   brings a file or directory: a path in the checkout, which
#                    comes to /ccp/FILE, or an absolute one of the sysroot;
#                    programs bring their libraries
#   -k MODULE        brings one more kernel module
#   -p               brings python3 with yaml and jsonschema
#   -i               interactive: no limit, keyboard on stdin
#   -v               virtual time: one processor of 500 MIPS whose clock counts
#                    instructions and skips what is idle, so that a slow or
#                    busy host changes no measurement; never with KVM
# CCP_KVM=0 keeps KVM away; else it is used where a probe boot with it worked.
set -eu
. "$(dirname "$0")/lib.sh"
lab=$CCP_TOP/ktests/lab

target=stock mem='' limit=300 out='' python='' interactive='' virtual=''
args=() pack=() modules=()
while getopts d:m:t:o:a:f:k:piv option; do
	case $option in
	d) target=$OPTARG ;;
	m) mem=$OPTARG ;;
	t) limit=$OPTARG ;;
	o) out=$OPTARG ;;
	a) args+=("$OPTARG") ;;
	f)
		case $OPTARG in
		/*) pack+=("$OPTARG") ;;
		*:*) pack+=("/ccp/$OPTARG") ;;
		*) pack+=("/ccp/$OPTARG:/ccp/$OPTARG") ;;
		esac
		;;
	k) modules+=("$OPTARG") ;;
	p) python=--python ;;
	i) interactive=1 ;;
	v) virtual=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || die "no command"
mem=${mem:-$([ -n "$python" ] && echo 768M || echo 512M)}

kernel=$("$lab/kernel.sh" "$target")
release=$(cat "$kernel/release")
guest_kernel=/cache${kernel#"$CCP_CACHE"}

mkdir -p "$CCP_TOP/build/run"
if [ -n "$out" ]; then
	mkdir -p "$out"
	run=$(cd "$out" && pwd)
else
	run=$(mktemp -d "$CCP_TOP/build/run/$target.XXXXXX")
fi
case $run in
"$CCP_TOP"/build/*) ;;
*) die "$run is not below $CCP_TOP/build" ;;
esac
inside=/ccp${run#"$CCP_TOP"}
rm -f "$run"/{status,dmesg,out.tar,console.log}
printf '%q ' "$@" >"$run/command"

# boot ACCEL LIMIT: starts qemu; 124 when it is over the limit.
boot() {
	local cpu=max
	local -a machine=(-accel 'tcg,thread=multi' -smp 2) place=()
	case $1 in
	kvm) cpu=host machine=(-accel kvm -smp 2) ;;
	virtual)
		machine=(-accel tcg -icount 'shift=1,sleep=off' -smp 1)
		# At every timer of the guest two threads take turns: quickest on one
		# processor, and when the one that is woken doesn't interrupt.
		place=(chrt -b 0 taskset -c "$(taskset -pc $$ | sed 's/.*[^0-9]//')")
		;;
	esac
	in_sysroot unshare --pid --fork --kill-child --mount-proc \
		timeout --foreground -k 5 "$2" "${place[@]}" qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -no-reboot \
		-machine q35 "${machine[@]}" -cpu "$cpu" -m "$mem" \
		-kernel "$guest_kernel/vmlinuz" -initrd "$inside/initramfs" \
		-append "console=ttyS0 panic=-1 oops=panic ${args[*]}" \
		-serial "file:$inside/console.log" \
		-chardev stdio,id=console,signal=off -device virtio-serial-pci \
		-device virtconsole,chardev=console \
		-chardev "file,id=out,path=$inside/out.tar" \
		-device virtserialport,chardev=out,name=ccp.out
}

# KVM may exist and still not boot the image: nested virtualisation does that.
# The verdict is kept per processor model and kernel.
accelerator() {
	local verdict
	if [ -n "$virtual" ]; then
		echo virtual
		return
	fi
	if [ "${CCP_KVM:-1}" = 0 ] || [ ! -w /dev/kvm ]; then
		echo tcg
		return
	fi
	verdict=$CCP_CACHE/kvm-$(grep -m1 'model name' /proc/cpuinfo | cat - "$kernel/release" | sha256sum | cut -c1-12)
	if [ ! -s "$verdict" ]; then
		say "trying whether KVM boots $release"
		mv "$run/command" "$run/command.real"
		echo true >"$run/command"
		pack_initramfs || return 1
		if boot kvm 30 </dev/null >/dev/null 2>&1 && collect && [ "$(cat "$run/status")" = 0 ]; then
			echo kvm >"$verdict"
		else
			echo tcg >"$verdict"
		fi
		mv "$run/command.real" "$run/command"
		rm -f "$run"/{status,dmesg,out.tar,console.log}
		say "it does$([ "$(cat "$verdict")" = kvm ] || echo ' not; using TCG')"
	fi
	cat "$verdict"
}

# The tools and modules come from the cache, only the files are new.
pack_initramfs() {
	local base
	base=initramfs/$({
		printf '%s\n' "$kernel" "$(sysroot_dir)" "$python" "${modules[@]}"
		cat "$lab/initramfs.sh"
	} | sha256sum | cut -c1-12).cpio
	[ -s "$CCP_CACHE/$base" ] ||
		in_sysroot /ccp/ktests/lab/initramfs.sh base "/cache/$base" "$guest_kernel" \
			"$release" ${python:+"$python"} "${modules[@]}" || return
	in_sysroot /ccp/ktests/lab/initramfs.sh files "$inside/files.cpio" "${pack[@]}" \
		"$inside/command:/ccp/command" /ccp/ktests/lab/guest-init-stock.sh:/init || return
	cat "$CCP_CACHE/$base" "$run/files.cpio" >"$run/initramfs"
	rm "$run/files.cpio"
}

collect() {
	[ -s "$run/out.tar" ] && tar -C "$run" -m --no-same-owner -xf "$run/out.tar" && rm -f "$run/out.tar"
}

accel=$(accelerator) || exit 1
pack_initramfs
rc=0
if [ -n "$interactive" ]; then
	limit=0
	args+=(ccp_tty=1)
else
	exec </dev/null
fi
boot "$accel" "$limit" || rc=$?
rm -f "$run/initramfs"

fail() {
	say "$target $release: $1; see $run"
	exit "$2"
}
collect || true
case $rc in 124 | 137) fail "no end within $limit s" 124 ;; esac
splats='BUG:|WARNING:|KASAN:|UBSAN:|KFENCE:|INFO: (task|rcu)|ODEBUG:|Kernel panic|Oops|general protection|refcount_t:'
! grep -aqE "$splats" "$run/console.log" || {
	grep -aE "$splats" "$run/console.log" | head -n 5 >&2
	fail "the kernel complains" 134
}
[ -s "$run/status" ] || fail "the guest died (exit status $rc)" 134
status=$(cat "$run/status")
[ "$status" -eq 0 ] || fail "the command failed with status $status" "$status"
[ -n "$out" ] || rm -rf "$run"
