#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# boot-uml.sh [-d FLAVOUR] [-m MEM] [-t SECONDS] [-o DIR] [-a ARG]... [-i] -- CMD...
# Runs CMD in /ccp as root of a lab kernel whose root is the sysroot, in
# virtual time; CMD's output is ours as it comes, and so is its exit status.
# A kernel splat, a panic (134), a leak or no end within SECONDS (124) fails
# even when CMD doesn't.
#   -d uml|uml-debug   the kernel (uml)
#   -m MEM             guest memory (256M)
#   -t SECONDS         real time it may take (300)
#   -o DIR             where dmesg, status, kmemleak go (below build/; a new
#                      directory in build/run/ that goes away on success)
#   -a ARG             one more kernel argument
#   -r                 real time, for measurements
#   -i                 interactive: real time, no limit, keyboard on stdin
set -eu
. "$(dirname "$0")/lib.sh"
lab=$CCP_TOP/ktests/lab

flavour=uml mem=256M limit=300 out='' interactive='' clock=time-travel=inf-cpu
args=()
while getopts d:m:t:o:a:ri option; do
	case $option in
	d) flavour=$OPTARG ;;
	m) mem=$OPTARG ;;
	t) limit=$OPTARG ;;
	o) out=$OPTARG ;;
	a) args+=("$OPTARG") ;;
	r) clock= ;;
	i) interactive=1 clock= ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || die "no command"
kernel=$("$lab/uml.sh" "$flavour")

mkdir -p "$CCP_TOP/build/run"
if [ -n "$out" ]; then
	mkdir -p "$out"
	run=$(cd "$out" && pwd)
else
	run=$(mktemp -d "$CCP_TOP/build/run/$flavour.XXXXXX")
fi
case $run in
"$CCP_TOP"/build/*) ;;
*) die "$run is not below $CCP_TOP/build, the only place a guest can write to" ;;
esac
rm -f "$run/status" "$run/kmemleak"
printf '%q ' "$@" >"$run/command"

console='con0=null,fd:1'
if [ -n "$interactive" ]; then
	console='con0=fd:0,fd:1'
	limit=0
fi
[ -z "$clock" ] || args+=("$clock")

# The guest takes the terminal, so nobody but it hears that it was closed, and it
# doesn't care.
# shellcheck disable=SC2016
start='log=$1
	shift
	if [ -t 0 ]; then
		exec 3<&0
		while sleep 1; do stty -g <&3 >/dev/null 2>&1 || kill -KILL $$; done &
		exec 3<&-
	fi
	exec "$@" 2>"$log"'

# A PID namespace, so that nothing of the guest outlives it.
rc=0
in_sysroot unshare --pid --fork --kill-child --mount-proc \
	timeout --foreground -k 5 "$limit" bash -c "$start" \
	bash "/ccp${run#"$CCP_TOP"}/dmesg" \
	"/cache${kernel#"$CCP_CACHE"}/linux" "mem=$mem" "uml_dir=/tmp/uml/" \
	root=/dev/root rootfstype=hostfs rootflags=/ ro \
	init=/ccp/ktests/lab/guest-init.sh "ccp_run=/ccp${run#"$CCP_TOP"}" \
	stderr=1 console=tty1 con1=null,fd:2 con=null "$console" "${args[@]}" || rc=$?

fail() {
	say "$flavour: $1; see $run"
	exit "$2"
}
if [ -n "$interactive" ] && [ $rc -eq 137 ]; then
	[ -n "$out" ] || rm -rf "$run"
	exit 129
fi
case $rc in 124 | 137) fail "no end within $limit s" 124 ;; esac
splats='BUG:|WARNING:|KASAN:|UBSAN:|INFO: (task|rcu)|possible recursive locking|possible circular locking|suspicious RCU usage|inconsistent lock state|ODEBUG:|Kernel panic|Oops|refcount_t:|leaked reference'
! grep -aqE "$splats" "$run/dmesg" || {
	grep -aE "$splats" "$run/dmesg" | head -n 5 >&2
	fail "the kernel complains" 134
}
[ -s "$run/status" ] || fail "the guest died (exit status $rc)" 134
status=$(cat "$run/status")
[ "$status" -eq 0 ] || fail "the command failed with status $status" "$status"
[ ! -s "$run/kmemleak" ] || {
	head -n 20 "$run/kmemleak" >&2
	fail "memory leaked" 135
}
[ -n "$out" ] || rm -rf "$run"
