// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters. All but "portus" can be changed at run time: a new limit
 * holds for what is created from then on, a new timeout from the next ACK on.
 */

#include <linux/module.h>
#include <linux/moduleparam.h>

#include "shim.h"

struct ccp_bounds {
	unsigned int min;
	unsigned int max;
};

struct ccp_param {
	unsigned int value;
	struct ccp_bounds bounds;
};

static int ccp_param_set(const char *text, const struct kernel_param *kp)
{
	const struct ccp_param *param = kp->arg;

	return param_set_uint_minmax(text, kp, param->bounds.min,
				     param->bounds.max);
}

static const struct kernel_param_ops ccp_param_ops = {
	.set = ccp_param_set,
	.get = param_get_uint,
};

static struct ccp_param agent_timeout_ms = { 10000, { 0, 3600 * 1000 } };
module_param_cb(agent_timeout_ms, &ccp_param_ops, &agent_timeout_ms, 0644);
MODULE_PARM_DESC(agent_timeout_ms,
		 "Silence in ms after which an agent's flows fall back; 0 is never (default 10000)");

static struct ccp_param max_flows = { 0, { 0, UINT_MAX } };
module_param_cb(max_flows, &ccp_param_ops, &max_flows, 0644);
MODULE_PARM_DESC(max_flows,
		 "Most flows per network namespace, more run the kernel's reno; 0 is no limit (default 0)");

static struct ccp_param max_agents = { 64, { 1, 4096 } };
module_param_cb(max_agents, &ccp_param_ops, &max_agents, 0644);
MODULE_PARM_DESC(max_agents,
		 "Most agents per network namespace (default 64)");

static struct ccp_param max_programs = { 256, { 1, 65536 } };
module_param_cb(max_programs, &ccp_param_ops, &max_programs, 0644);
MODULE_PARM_DESC(max_programs,
		 "Most programs per agent (default 256)");

static struct ccp_param max_program_bytes = { 4 << 20, { 4096, 1 << 30 } };
module_param_cb(max_program_bytes, &ccp_param_ops, &max_program_bytes, 0644);
MODULE_PARM_DESC(max_program_bytes,
		 "Most memory for the programs of one agent in bytes (default 4 MiB)");

static struct ccp_param portus = { 0, { 0, 1 } };
module_param_cb(portus, &ccp_param_ops, &portus, 0444);
MODULE_PARM_DESC(portus,
		 "Whether Portus clients are served, on NETLINK_USERSOCK and /dev/ccpkp: 0 or 1 (default 0)");

#ifdef CCP_MPTCP
static struct ccp_param mptcp_join_limit = { 2, { 0, 255 } };
module_param_cb(mptcp_join_limit, &ccp_param_ops, &mptcp_join_limit, 0644);
MODULE_PARM_DESC(mptcp_join_limit,
		 "Most subflows besides the first that peers may open while nobody listens for MPTCP events (default 2)");
#endif

/**
 * ccp_limit() - the value of a module parameter now
 * @which: an enum ccp_limit
 */
u32 ccp_limit(u32 which)
{
	switch (which) {
	case CCP_LIMIT_AGENT_TIMEOUT_MS:
		return READ_ONCE(agent_timeout_ms.value);
	case CCP_LIMIT_MAX_FLOWS:
		return READ_ONCE(max_flows.value);
	case CCP_LIMIT_MAX_AGENTS:
		return READ_ONCE(max_agents.value);
	case CCP_LIMIT_MAX_PROGRAMS:
		return READ_ONCE(max_programs.value);
	case CCP_LIMIT_MAX_PROGRAM_BYTES:
		return READ_ONCE(max_program_bytes.value);
	case CCP_LIMIT_PORTUS:
		return READ_ONCE(portus.value);
#ifdef CCP_MPTCP
	case CCP_LIMIT_MPTCP_JOIN_LIMIT:
		return READ_ONCE(mptcp_join_limit.value);
#endif
	}
	return 0;
}
