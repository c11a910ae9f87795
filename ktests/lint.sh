#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh [STEP]...: formats, lints and generated files; all steps, or those
# named. Ends with what failed; the output of each step is in build/lint/.
set -u
. "$(dirname "$0")/lab/lib.sh"
. "$CCP_TOP/ktests/lab/packages.sh"
lab=$CCP_TOP/ktests/lab
logs=$CCP_TOP/build/lint
cd "$CCP_TOP" || exit
mkdir -p "$logs"

# tracked PATTERN...: the files of the checkout, also those not yet added.
tracked() { git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"; }

step_rustfmt() {
	local -a files
	mapfile -t files < <(tracked 'rust/*.rs' ':!rust/core')
	[ ${#files[@]} -eq 0 ] || in_sysroot rustfmt --check --edition 2021 "${files[@]}" &&
		in_sysroot cargo fmt --check --all --manifest-path rust/core/Cargo.toml &&
		in_sysroot cargo fmt --check --all --manifest-path userspace/Cargo.toml &&
		in_sysroot cargo fmt --check --manifest-path ktests/vm/Cargo.toml &&
		in_sysroot cargo fmt --check --manifest-path ktests/vm/fuzz/Cargo.toml &&
		in_sysroot cargo fmt --check --manifest-path ktests/portus/Cargo.toml &&
		# From stdin: the files its modules are in come when it is built.
		in_sysroot bash -c 'rustfmt --check --edition 2021 <ktests/bench/ccp_bench.rs'
}

step_clippy() {
	local workspace
	for workspace in rust/core userspace ktests/vm ktests/vm/fuzz ktests/portus; do
		in_sysroot cargo clippy --quiet --workspace --all-targets \
			--manifest-path "$workspace/Cargo.toml" -- -D warnings || return
	done
}

step_module() { "$lab/module.sh" -c uml; }

step_nopanic() { ktests/nopanic.sh; }

# checkpatch IGNORED FILE...
checkpatch() {
	local kernel ignored=$1
	shift
	[ $# -gt 0 ] || return 0
	kernel=$("$lab/uml.sh" uml) || return
	in_sysroot "/cache${kernel#"$CCP_CACHE"}/source/scripts/checkpatch.pl" --no-tree --strict \
		--no-summary --terse --show-types --ignore "$ignored" -f "$@"
}

# The same source builds for two kernels, hence LINUX_VERSION_CODE; tracepoints
# are laid out as everywhere in the kernel, which checkpatch doesn't know.
step_cstyle() {
	local rc=0
	local -a code events
	mapfile -t code < <(tracked 'c-shim/*.[ch]' ':!c-shim/*_gen.[ch]' ':!c-shim/*trace.h')
	mapfile -t events < <(tracked 'c-shim/*trace.h')
	checkpatch LINUX_VERSION_CODE,CONST_STRUCT "${code[@]}" || rc=1
	checkpatch LINUX_VERSION_CODE,PARENTHESIS_ALIGNMENT "${events[@]}" || rc=1
	return $rc
}

step_shellcheck() {
	local -a files
	mapfile -t files < <(tracked '*.sh' .ci/run)
	in_sysroot shellcheck -x "${files[@]}"
}

# Debian's linters, unpacked for the time they run. What people import has types
# and is for Python 3.9; the rest is for the sysroot's.
python_lints() {
	local deb
	for deb in "${debs[@]}"; do
		dpkg-deb --fsys-tarfile "/cache/$deb" | tar -x -C /tmp ./usr/lib/python3
	done
	export PYTHONPATH=/tmp/usr/lib/python3/dist-packages MYPYPATH=userspace/pyccp/python
	python3 -m pyflakes "${files[@]}"
	python3 -m mypy --cache-dir=/tmp/mypy --python-version 3.9 --strict userspace/pyccp/python/*
	python3 -m mypy --cache-dir=/tmp/mypy --python-version 3.9 userspace/pyccp/examples/*.py
}

step_python() {
	local package version
	local -a files debs
	# pyportus has the names of portus, whatever they are.
	mapfile -t files < <(tracked '*.py' '*.pyi' ':!*/pyportus/*')
	for package in python3-{pyflakes,mypy,mypy-extensions,typing-extensions,psutil}; do
		version=$(once_a_day "$package" deb_version "$package" "$CCP_SUITE") || return
		debs+=("$(deb_file "$package" "$version")")
	done
	in_sysroot bash -c "set -euo pipefail; $(declare -p files debs); $(declare -f python_lints); python_lints"
}

# The simulator builds where there is no Linux: here, where there is no system
# at all. The standard library for that is Debian's, and of the same compiler.
elsewhere() {
	local std
	dpkg-deb --fsys-tarfile "/cache/$1" | tar -x -C /tmp --wildcards '*/wasm32-unknown-unknown/*'
	std=$(dirname /tmp/usr/lib/rustlib/*/lib/libstd-*.rlib)
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-L $std -D warnings" \
		cargo check --target wasm32-unknown-unknown --manifest-path userspace/Cargo.toml \
		-p ccp-agent -p ccp-algorithms
}

step_elsewhere() {
	local version deb
	version=$(in_sysroot dpkg-query -W -f '${Version}' libstd-rust-dev) || return
	deb=$(deb_file libstd-rust-dev-wasm32 "$version") || return
	in_sysroot bash -c "set -euo pipefail; $(declare -f elsewhere); elsewhere '$deb'"
}

step_yaml() { in_sysroot yamllint --strict docs/netlink; }

step_generated() {
	if [ -e docs/netlink/regen.sh ]; then
		docs/netlink/regen.sh --check
	else
		echo "docs/netlink/regen.sh is not there yet"
	fi
}

steps=("$@")
[ $# -gt 0 ] || steps=(rustfmt shellcheck python yaml generated cstyle nopanic clippy elsewhere module)
failed=()
for step in "${steps[@]}"; do
	declare -F "step_$step" >/dev/null || die "no such step: $step"
	begin=$SECONDS
	if ("step_$step") >"$logs/$step.log" 2>&1; then
		say "lint: $step ok ($((SECONDS - begin)) s)"
	else
		failed+=("$step")
		tail -n 60 "$logs/$step.log"
		say "lint: $step FAILED ($((SECONDS - begin)) s)"
	fi
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "lint: failed: ${failed[*]} (logs in build/lint)"
	exit 1
fi
echo "lint: ok (${#steps[@]} steps)"
