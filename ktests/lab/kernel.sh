#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh TARGET: the directory of that kernel, built when it isn't there.
set -eu
lab=$(dirname "$0")
case ${1:-} in
uml | uml-debug) exec "$lab/uml.sh" "$1" ;;
stock | x86) exec "$lab/$1.sh" ;;
*)
	echo "usage: kernel.sh uml|uml-debug|stock|x86" >&2
	exit 2
	;;
esac
