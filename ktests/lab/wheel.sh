#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# wheel.sh: builds a wheel of the Python package pyccp and prints its path below
# build/wheels. maturin is Debian's.
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=ktests/lab/packages.sh
. "$CCP_TOP/ktests/lab/packages.sh"

build() {
	rm -rf build/wheels/new
	dpkg-deb --fsys-tarfile "/cache/$1" | tar -x -C /tmp ./usr/bin/maturin
	/tmp/usr/bin/maturin build --release --strip --locked -m userspace/pyccp/Cargo.toml \
		-o build/wheels/new
	rm -f build/wheels/*.whl
	mv build/wheels/new/*.whl build/wheels
	rmdir build/wheels/new
}

version=$(once_a_day maturin deb_version python3-maturin "$CCP_SUITE")
deb=$(deb_file python3-maturin "$version")
with_lock cargo quietly "$CCP_TOP/build/wheel.log" \
	in_sysroot bash -c "set -euo pipefail; $(declare -f build); build \"\$1\"" bash "$deb"
compgen -G "$CCP_TOP/build/wheels/*.whl"
