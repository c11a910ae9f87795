#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [COUNT]: COUNT inputs (a million) for the fuzz targets, found by
# libFuzzer, beginning with the corpus. Ends with how many ran and what was
# found; what it works on is in build/fuzz.
# run.sh merge: makes the corpus of what the runs so far found.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/../../lab/lib.sh"
work=$CCP_TOP/build/fuzz
here=ktests/vm/fuzz
bin=/cache/cargo-target/fuzz

# Of 20 inputs each target gets so many, of at most so many bytes.
targets=(program wire acks)
declare -A share=([program]=10 [wire]=9 [acks]=1)
declare -A length=([program]=256 [wire]=2048 [acks]=512)
# What the corpus in the repository keeps: short inputs for all that programs
# do, and for the wire form one for each edge.
declare -A keep=([program]="-max_len=64" [wire]="-max_len=1024 -use_counters=0" [acks]="-max_len=256")
# Inputs of one run of libFuzzer; a new one begins with another seed.
chunk=5000000

build() {
	mkdir -p "$work/found"
	quietly "$work/build.log" in_sysroot env CXX=clang++-19 \
		RUSTC_WRAPPER="/ccp/$here/rustc.sh" \
		cargo build --profile fuzz --features engine --manifest-path "$here/Cargo.toml" \
		--bin program --bin wire --bin acks
}

corpus() {
	in_sysroot cargo run --quiet --release --manifest-path "$here/Cargo.toml" --bin corpus -- "$@"
}

# engine TARGET ARG...: libFuzzer in the sysroot, out of everybody's way.
engine() {
	local target=$1
	shift
	in_sysroot nice -n 10 "$bin/$target" -max_len="${length[$target]}" -timeout=20 -entropic=0 \
		-artifact_prefix="build/fuzz/found/$target-" -print_final_stats=1 "$@"
}

# run TARGET COUNT
run() {
	local target=$1 left=$2 runs log
	[ -d "$work/$target" ] ||
		corpus unpack "$here/corpus/$target.txt" "build/fuzz/$target" >/dev/null
	while [ "$left" -gt 0 ]; do
		runs=$((left < chunk ? left : chunk))
		left=$((left - runs))
		log=$work/$target-$(date +%s%N).log
		if ! engine "$target" -runs="$runs" "build/fuzz/$target" >"$log" 2>&1; then
			grep -v '^#' "$log" | tail -n 40
			echo "$target: an input does what none should; it is in build/fuzz/found."
			echo "To keep it, add it to $here/corpus/$target.txt, in hexadecimal:"
			echo "cargo test --manifest-path $here/Cargo.toml then replays it."
			exit 1
		fi
		awk -v target="$target" '
			/^accepted:/ { accepted = $2; of = $4 }
			/number_of_executed_units/ { runs = $2 }
			/average_exec_per_sec/ { rate = $2 }
			/DONE/ { coverage = $4 }
			END {
				share = of ? sprintf("%.1f %%", 100 * accepted / of) : "too few to say"
				speed = rate ? rate " a second" : "in no time"
				printf "%s: %d executions, %s, accepted %s, %d edges\n",
					target, runs, speed, share, coverage
			}' "$log" | tee -a "$work/history"
	done
}

merge() {
	local target
	for target in "${targets[@]}"; do
		[ -d "$work/$target" ] || continue
		rm -rf "$work/merged"
		mkdir "$work/merged"
		# shellcheck disable=SC2086
		engine "$target" ${keep[$target]} -merge=1 build/fuzz/merged "build/fuzz/$target" >"$work/merge.log" 2>&1 ||
			die "merging failed; see $work/merge.log"
		corpus pack build/fuzz/merged "$here/corpus/$target.txt"
		rm -rf "$work/merged"
	done
}

# A function: bash has then read all of it, should the file change meanwhile.
main() {
	local count=${1:-1000000} target
	build
	if [ "$count" = merge ]; then
		merge
		return
	fi
	[[ $count =~ ^[0-9]+$ ]] || die "usage: run.sh [COUNT|merge]"
	: >"$work/history"
	for target in "${targets[@]}"; do
		run "$target" $((count * share[$target] / 20))
	done
	awk '{ runs += $2 } END { printf "coverage: %d executions, nothing found\n", runs }' \
		"$work/history"
}

main "$@"
