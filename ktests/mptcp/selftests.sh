#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftests.sh DIR SCRIPT [ARG]...: in a guest with the module loaded, runs one
# of the kernel's own MPTCP tests (DIR is what ktests/lab/selftests.sh printed)
# with path manager "netlink" in place of upstream's userspace one: where the
# script selects that, ours is selected, and pm_nl_ctl is our stand-in.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 script=$2
shift 2
work=$(mktemp -d)
cp -r "$dir/." "$work"
cd "$work/net/mptcp"
mv pm_nl_ctl pm_nl_ctl.real
export PM_NL_CTL=$PWD/pm_nl_ctl.real
printf '#!/bin/sh\nexec python3 %s "$@"\n' "$here/pm_nl_ctl.py" >pm_nl_ctl
chmod +x pm_nl_ctl
sed -i 's/net\.mptcp\.pm_type=1/net.mptcp.path_manager=netlink/' ./*.sh
# Python takes longer to listen than a connection takes to be made; in virtual
# time a sleep ends when nobody has anything left to do.
sed -i '/pm_nl_ctl events/a sleep 1' ./*.sh
exec "$work/run" "$script" "$@"
