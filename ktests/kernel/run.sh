#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [-d FLAVOUR] [-j JOBS] [TOPIC[.NAME]...]
# Runs the tests of ktests/kernel in lab kernels: one guest per test_TOPIC.py,
# JOBS at a time, in virtual time. Prints `ok NAME` or `not ok NAME: reason`
# for each; what a guest's kernel complains about and leaks is a failure too.
# A file can say what it needs: "# Guest memory: 1G", "# Flavours: uml-debug", and
# the real seconds it may take, "# Guest seconds: 900".
#   -d uml|uml-debug   the kernel (uml)
# CCP_TOOLS, the directory with ccpctl as seen in the sysroot, can be given.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/lib.sh"
lab=$CCP_TOP/ktests/lab

flavour=uml jobs=$(nproc)
while getopts d:j: option; do
	case $option in
	d) flavour=$OPTARG ;;
	j) jobs=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

module=$("$lab/module.sh" "$flavour")
kernel=$("$lab/kernel.sh" "$flavour")
ynl=$(readlink "$kernel/source")/tools/net/ynl
tools=${CCP_TOOLS:-/ccp/build/bin}
out=$CCP_TOP/build/kernel-tests/$flavour
mkdir -p "$out"

# guest TOPIC [NAME...]: one guest, its output in $out/TOPIC.txt.
guest() {
	local topic=$1 start=$SECONDS rc=0 mem wanted limit=240 selftests=
	shift
	[ "$topic" != python ] || "$lab/python.sh" >/dev/null
	[ "$topic" != mptcp_selftests ] || selftests=$("$lab/selftests.sh")
	[ "$topic" != portus_clients ] || "$lab/portus.sh" >/dev/null
	[ "$flavour" = uml ] || limit=600
	wanted=$(sed -n 's/^# Guest seconds: //p' "$here/test_$topic.py")
	mem=$(sed -n 's/^# Guest memory: //p' "$here/test_$topic.py")
	"$lab/boot-uml.sh" -d "$flavour" -m "${mem:-512M}" -t "${wanted:-$limit}" -o "$out/$topic" -- \
		env "CCP_MODULE=/ccp${module#"$CCP_TOP"}" "CCP_TOOLS=$tools" "CCP_YNL=$ynl" \
		"CCP_TRACEBACK=${CCP_TRACEBACK:-}" "CCP_SELFTESTS=/ccp${selftests#"$CCP_TOP"}" \
		PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
		python3 ktests/kernel/run.py "ktests/kernel/test_$topic.py" "$@" \
		>"$out/$topic.txt" 2>"$out/$topic.err" || rc=$?
	(
		flock 9
		tr -d '\r' <"$out/$topic.txt" | sed -E "s/^((not )?ok) /\1 $flavour /"
		if [ $rc -ne 0 ]; then
			grep -v '^not ok\|^ok' "$out/$topic.err" >&2 || :
			printf 'not ok %s %s.guest: %s\n' "$flavour" "$topic" \
				"$(tail -n 1 "$out/$topic.err")"
		fi
		say "$flavour $topic: $((SECONDS - start)) s"
	) 9>"$out/.lock"
}

topics=()
names=()
if [ $# -gt 0 ]; then
	for word; do
		topics+=("${word%%.*}")
		[ "$word" = "${word%%.*}" ] || names+=("${word#*.}")
	done
	mapfile -t topics < <(printf '%s\n' "${topics[@]}" | sort -u)
else
	for file in "$here"/test_*.py; do
		topic=${file##*/test_}
		only=$(sed -n 's/^# Flavours: //p' "$file")
		case " ${only:-$flavour} " in *" $flavour "*) topics+=("${topic%.py}") ;; esac
	done
fi

for topic in "${topics[@]}"; do
	[ -e "$here/test_$topic.py" ] || die "no such topic: $topic"
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
	guest "$topic" "${names[@]}" &
done
wait
