#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# regen.sh [--check]: generates the uapi headers and the module's policies from
# specs/ with the stock kernel's own generator. --check changes nothing and
# fails when the files in the tree are not what would come out.
set -eu
. "$(dirname "$0")/../../ktests/lab/lib.sh"

check=
case ${1:-} in
--check) check=1 ;;
'') ;;
*) die "usage: regen.sh [--check]" ;;
esac

FILES=(
	include/uapi/linux/ccp.h c-shim/ccp_nl_gen.h c-shim/ccp_nl_gen.c
	include/uapi/linux/ccp_mptcp.h c-shim/mptcp_nl_gen.h c-shim/mptcp_nl_gen.c
)

source=$(readlink "$("$CCP_TOP/ktests/lab/stock.sh")/source")
stage=$(mktemp -d "$CCP_CACHE/ynl.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# The generator looks for the schema two folders above the spec, and climbs
# from the spec until it meets a MAINTAINERS file.
mkdir -p "$stage/netlink/specs"
touch "$stage/MAINTAINERS"
cp "$CCP_TOP"/docs/netlink/specs/*.yaml "$stage/netlink/specs/"
cp "$CCP_CACHE/${source#/cache/}"/Documentation/netlink/genetlink{,-legacy}.yaml "$stage/netlink/"

# generate FAMILY OUTPUT MODE...
generate() {
	local spec=$1.yaml output=/cache/${stage#"$CCP_CACHE/"}/$2
	shift 2
	in_sysroot python3 "$source/tools/net/ynl/pyynl/ynl_gen_c.py" "$@" \
		--spec "${output%/*}/netlink/specs/$spec" -o "$output"
}
for family in ccp mptcp; do
	generate "$family" "${family}_nl_gen.h" --mode kernel --header
	generate "$family" "${family}_nl_gen.c" --mode kernel --source
done
generate ccp ccp.h --mode uapi --header
generate mptcp ccp_mptcp.h --mode uapi --header

# The generator ignores the flags of multicast groups: without this one any
# user could listen to the events.
for file in ccp:1 mptcp:2; do
	code=$stage/${file%:*}_nl_gen.c
	[ "$(grep -c '_NLGRP_.* = { "[a-z_]*", },$' "$code")" -eq "${file#*:}" ] ||
		die "the generator's table of multicast groups looks different; adapt $0"
	sed -i -E '/_NLGRP_/s/\{ ("[a-z_]*"), \}/{ .name = \1, .flags = GENL_MCAST_CAP_NET_ADMIN, }/' "$code"
done
# It makes no family struct of the older kind, so that the groups would be lost.
from='static const struct genl_multicast_group mptcp_nl_mcgrps[]'
grep -qF "$from" "$stage/mptcp_nl_gen.c" || die "the generator's groups look different; adapt $0"
sed -i "s/^${from//[/\\[}/const struct genl_multicast_group mptcp_nl_mcgrps[]/" "$stage/mptcp_nl_gen.c"
sed -i -e 's|^/\* To regenerate run: .*|/* To regenerate run: docs/netlink/regen.sh */|' \
	-e 's|^/\*\tnetlink/specs|/*\tdocs/netlink/specs|' "$stage"/*.[ch]

stale=0
for file in "${FILES[@]}"; do
	if cmp -s "$stage/${file##*/}" "$CCP_TOP/$file"; then
		continue
	elif [ -n "$check" ]; then
		diff -u "$CCP_TOP/$file" "$stage/${file##*/}" || true
		stale=1
	else
		mkdir -p "$(dirname "$CCP_TOP/$file")"
		cp "$stage/${file##*/}" "$CCP_TOP/$file"
		say "wrote $file"
	fi
done
[ "$stale" -eq 0 ] || die "generated files are out of date; run docs/netlink/regen.sh and commit"
