#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh CMD...: runs a command in the sysroot, in the checkout (/ccp there).
set -eu
# shellcheck source=ktests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
in_sysroot "$@"
