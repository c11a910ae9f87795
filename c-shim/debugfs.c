// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/ccp_rs/stats: the counters that genl command stats-get
 * gives for one network namespace, and those of MPTCP, summed up over all.
 */

#include <linux/debugfs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "net.h"

static struct dentry *ccp_debugfs_dir;

static const char *const ccp_counter_names[__CCP_COUNTERS] = {
	[CCP_COUNT_FLOWS_CREATED]	= "flows-created",
	[CCP_COUNT_FLOWS_REFUSED]	= "flows-refused",
	[CCP_COUNT_INVOCATIONS]		= "invocations",
	[CCP_COUNT_ABORTS]		= "aborts",
	[CCP_COUNT_REPORTS]		= "reports",
	[CCP_COUNT_REPORT_DROPS]	= "report-drops",
	[CCP_COUNT_EVENTS_DROPPED]	= "events-dropped",
	[CCP_COUNT_FALLBACKS]		= "fallbacks",
	[CCP_COUNT_COMMANDS]		= "commands",
	[CCP_COUNT_COMMAND_ERRORS]	= "command-errors",
	[CCP_COUNT_MPTCP_CONNECTIONS]	= "mptcp-connections",
	[CCP_COUNT_MPTCP_REFUSED]	= "mptcp-refused",
	[CCP_COUNT_MPTCP_JOINS_REFUSED]	= "mptcp-joins-refused",
	[CCP_COUNT_MPTCP_EVENTS]	= "mptcp-events",
};

static const char *const ccp_gauge_names[__CCP_GAUGES] = {
	[CCP_GAUGE_FLOWS]	= "flows",
	[CCP_GAUGE_AGENTS]	= "agents",
	[CCP_GAUGE_PROGRAMS]	= "programs",
};

static int ccp_stats_show(struct seq_file *file, void *unused)
{
	u64 counters[__CCP_COUNTERS] = {};
	u64 gauges[__CCP_GAUGES] = {};
	struct net *net;
	int i;

	rcu_read_lock();
	for_each_net_rcu(net) {
		struct ccp_state *state = ccp_net_state(net);
		const struct ccp_net *shim;

		if (!state)
			continue;
		shim = ccp_rs_net_shim(state);
		for (i = 0; i < __CCP_COUNTERS; i++)
			counters[i] += ccp_net_counter(shim, i);
		for (i = 0; i < __CCP_GAUGES; i++)
			gauges[i] += ccp_net_gauge(shim, i);
	}
	rcu_read_unlock();

	for (i = 0; i < __CCP_GAUGES; i++)
		seq_printf(file, "%s %llu\n", ccp_gauge_names[i], gauges[i]);
	for (i = 0; i < __CCP_COUNTERS; i++)
		seq_printf(file, "%s %llu\n", ccp_counter_names[i], counters[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ccp_stats);

/**
 * ccp_debugfs_create() - make the folder; if that fails, there is just nothing
 */
void ccp_debugfs_create(void)
{
	ccp_debugfs_dir = debugfs_create_dir("ccp_rs", NULL);
	debugfs_create_file("stats", 0400, ccp_debugfs_dir, NULL,
			    &ccp_stats_fops);
}

/**
 * ccp_debugfs_remove() - undo ccp_debugfs_create()
 */
void ccp_debugfs_remove(void)
{
	debugfs_remove(ccp_debugfs_dir);
}
