#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# regen.sh [--check]: generates the uapi header and the module's policies from
# specs/ccp.yaml with the stock kernel's own generator. --check changes
# nothing and fails when the files in the tree are not what would come out.
set -eu
. "$(dirname "$0")/../../ktests/lab/lib.sh"

check=
case ${1:-} in
--check) check=1 ;;
'') ;;
*) die "usage: regen.sh [--check]" ;;
esac

FILES=(include/uapi/linux/ccp.h c-shim/ccp_nl_gen.h c-shim/ccp_nl_gen.c)

source=$(readlink "$("$CCP_TOP/ktests/lab/stock.sh")/source")
stage=$(mktemp -d "$CCP_CACHE/ynl.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# The generator looks for the schema two folders above the spec, and climbs
# from the spec until it meets a MAINTAINERS file.
mkdir -p "$stage/netlink/specs"
touch "$stage/MAINTAINERS"
cp "$CCP_TOP/docs/netlink/specs/ccp.yaml" "$stage/netlink/specs/"
cp "$CCP_CACHE/${source#/cache/}/Documentation/netlink/genetlink.yaml" "$stage/netlink/"

# generate OUTPUT MODE...
generate() {
	local output=/cache/${stage#"$CCP_CACHE/"}/${1##*/}
	shift
	in_sysroot python3 "$source/tools/net/ynl/pyynl/ynl_gen_c.py" "$@" \
		--spec "${output%/*}/netlink/specs/ccp.yaml" -o "$output"
}
generate ccp.h --mode uapi --header
generate ccp_nl_gen.h --mode kernel --header
generate ccp_nl_gen.c --mode kernel --source

# The generator ignores the flags of multicast groups: without this one any
# user could listen to the events.
from='{ "events", }'
to='{ .name = "events", .flags = GENL_MCAST_CAP_NET_ADMIN, }'
[ "$(grep -cF "$from" "$stage/ccp_nl_gen.c")" -eq 1 ] ||
	die "the generator's table of multicast groups looks different; adapt $0"
sed -i "s/$from/$to/" "$stage/ccp_nl_gen.c"
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
