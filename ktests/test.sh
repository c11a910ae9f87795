#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh [host|uml|uml-debug|stock] [FILTER]: all tests or one part of them;
# FILTER picks tests: TOPIC or TOPIC.NAME in the lab kernels, else a part of the
# name. Ends with "N passed, N failed".
# The output of every part is in build/test/.
#
# host: the tests of cargo and of the Python package. uml, uml-debug:
# ktests/kernel/ in the lab kernels, in virtual time. stock: ktests/stock/ in
# Debian's unmodified kernel.
set -u
. "$(dirname "$0")/lab/lib.sh"
lab=$CCP_TOP/ktests/lab
logs=$CCP_TOP/build/test
mkdir -p "$logs"

case ${1:-all} in
all) parts=(host uml uml-debug stock) ;;
host | uml | uml-debug | stock) parts=("$1") ;;
*) die "usage: test.sh [host|uml|uml-debug|stock] [FILTER]" ;;
esac
filter=${2:-}
passed=0 failed=0 failures=()

count() {
	passed=$((passed + $1))
	failed=$((failed + $2))
}
fails() {
	failures+=("$1")
	count 0 1
	say "FAILED: $1"
}

# cargo_tests NAME MANIFEST: a result line per test binary.
cargo_tests() {
	local log=$logs/$1.log rc=0 bad
	in_sysroot cargo test --quiet --workspace --no-fail-fast --manifest-path "$2" -- \
		${filter:+"$filter"} >"$log" 2>&1 || rc=$?
	# shellcheck disable=SC2046
	count $(awk '/^test result: / { ok += $4; bad += $6 } END { print ok + 0, bad + 0 }' "$log")
	bad=$(awk '/^test result: / { bad += $6 } END { print bad + 0 }' "$log")
	[ "$rc" -eq 0 ] || tail -n 40 "$log"
	if [ "$bad" -gt 0 ]; then
		failures+=("$1: $bad")
	elif [ "$rc" -ne 0 ]; then
		fails "$1: cargo test ended with status $rc"
	fi
}

# guest_tests NAME CMD...: tests that print "ok NAME" or "not ok NAME". A
# guest (or a program) that dies, complains or runs nothing is one more failure.
guest_tests() {
	local name=$1 log=$logs/$1.log rc=0 good bad
	shift
	rm -rf "${logs:?}/$name"
	"$@" </dev/null 2>&1 | tee "$log"
	rc=${PIPESTATUS[0]}
	good=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log")
	count "$good" "$bad"
	while IFS= read -r line; do failures+=("$name: ${line#not ok }"); done < <(grep '^not ok ' "$log")
	if [ "$rc" -ne 0 ] && { [ "$bad" -eq 0 ] || [ "$rc" -ge 124 ]; }; then
		fails "$name: the suite ended with status $rc"
	elif [ $((good + bad)) -eq 0 ] && [ -z "$filter" ]; then
		fails "$name: no test ran"
	fi
}

part_host() {
	cargo_tests host-core "$(manifest rust/core)"
	cargo_tests host-userspace "$(manifest userspace)"
	cargo_tests host-vm "$(manifest ktests/vm)"
	guest_tests host-python in_sysroot env PYTHONPATH=/ccp/build/python \
		python3 userspace/pyccp/tests/run.py ${filter:+"$filter"}
}
manifest() { printf '/ccp/%s/Cargo.toml\n' "$1"; }

part_uml() {
	guest_tests "$1" env CCP_TOOLS=/ccp/build/bin \
		"$CCP_TOP/ktests/kernel/run.sh" -d "$1" ${filter:+"$filter"}
}

part_stock() {
	guest_tests stock "$lab/boot-stock.sh" -p -m 1G -t 900 -o "$logs/stock" \
		-f ktests -f build/bin -f build/portus -f build/module/stock/ccp_rs.ko -- \
		env CCP_MODULE=/ccp/build/module/stock/ccp_rs.ko \
		ktests/stock/run.sh ${filter:+"$filter"}
}

# Everything is built before anything runs: a build error is seen at once.
build_part() {
	say "building what tests need: $1"
	"$lab/python.sh" >/dev/null || return
	[ "$1" != host ] || return 0
	"$lab/userspace.sh" >/dev/null && "$lab/portus.sh" >/dev/null &&
		"$lab/module.sh" "$1" >/dev/null
}

begin=$SECONDS
runnable=()
for part in "${parts[@]}"; do
	if (build_part "$part"); then
		runnable+=("$part")
	else
		fails "$part: does not build"
	fi
done
say "built in $((SECONDS - begin)) s"

for part in ${runnable[@]+"${runnable[@]}"}; do
	begin=$SECONDS
	say "tests: $part"
	case $part in
	host) part_host ;;
	uml | uml-debug) part_uml "$part" ;;
	stock) part_stock ;;
	esac
	say "tests: $part took $((SECONDS - begin)) s"
done

[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
