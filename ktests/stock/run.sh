#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh [FILTER]: in a stock guest, runs the test_*.sh beside it whose names
# contain FILTER; prints "ok NAME" or "not ok NAME" for each.
here=$(dirname "$0")
bad=0
for test in "$here"/test_*.sh; do
	name=$(basename "$test" .sh)
	case $name in *"${1:-}"*) ;; *) continue ;; esac
	if timeout 300 bash "$test" >"/tmp/$name.log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/    /' "/tmp/$name.log"
		bad=1
	fi
done
exit $bad
