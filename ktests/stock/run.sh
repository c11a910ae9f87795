#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [NAME...]: in a stock guest (boot-stock.sh -p), runs the tests of
# test_stock.py with NAME in their names; prints "ok NAME" or "not ok NAME:
# reason" for each, and one line for the kernel's own complaints.
# CCP_MODULE is the module; ccpctl is in build/bin.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
CCP_MODULE=${CCP_MODULE:-$top/build/module/stock/ccp_rs.ko} CCP_TOOLS=$top/build/bin \
	PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
	python3 "$top/ktests/kernel/run.py" "$here/test_stock.py" "$@" |
	sed -uE 's/ # .*//; s/^((not )?ok) stock\./\1 stock /'
status=${PIPESTATUS[0]}

# An out-of-tree module taints the kernel and says so; nothing else may be said.
complaints=$(dmesg --level=emerg,alert,crit,err,warn 2>/dev/null |
	grep -E 'ccp|WARNING|BUG|Call Trace|Oops|RIP:|refcount_t|leak' |
	grep -vE 'ccp_rs: (loading out-of-tree module taints kernel|module verification failed)' |
	head -n 1)
if [ -z "$complaints" ]; then
	echo "ok stock kernel_has_no_complaints"
else
	echo "not ok stock kernel_has_no_complaints: $complaints"
fi
exit "$status"
