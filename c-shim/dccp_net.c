// SPDX-License-Identifier: GPL-2.0
/*
 * What network namespaces have for CCID 5: sysctl net.dccp.ccid5_flows, the N of
 * senders that choose none, and /proc/net/ccp_dccp.
 */

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "dccp.h"

/* Longer than any number that can be. */
#define CCP_DCCP_TEXT	32

struct ccp_dccp_net {
	struct ctl_table_header *header;
	/* N in 2^-16; 0 until it was written: parameter ccid5_flows. Any context. */
	u32 flows;
};

static unsigned int ccp_dccp_net_id;

/**
 * ccp_dccp_default_flows() - N of senders that choose none, in 2^-16
 */
u32 ccp_dccp_default_flows(struct net *net)
{
	const struct ccp_dccp_net *ours = net_generic(net, ccp_dccp_net_id);

	return READ_ONCE(ours->flows) ?: ccp_dccp_param_flows();
}

static int ccp_dccp_flows_handler(const struct ctl_table *table, int write,
				  void *buffer, size_t *lenp, loff_t *ppos)
{
	struct net *net = table->extra1;
	struct ccp_dccp_net *ours = net_generic(net, ccp_dccp_net_id);
	char text[CCP_DCCP_TEXT];
	const struct ctl_table line = { .data = text, .maxlen = sizeof(text) };
	u32 flows = ccp_dccp_default_flows(net);
	int err;

	/* Nothing written at all changes nothing. */
	if (write && !*lenp)
		return 0;
	snprintf(text, sizeof(text), "%u.%06u", flows >> 16, ccp_dccp_millionths(flows));
	/* Nor does what is written past the beginning belong to what is there. */
	if (write)
		text[0] = '\0';
	err = proc_dostring(&line, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	/* What is as long was cut. */
	if (strlen(text) == sizeof(text) - 1)
		return -EINVAL;
	err = ccp_rs_dccp_flows(text, strlen(text), CCP_DCCP_MOST_FLOWS, &flows);
	if (!err)
		WRITE_ONCE(ours->flows, flows);
	return err;
}

static int __net_init ccp_dccp_net_init(struct net *net)
{
	struct ccp_dccp_net *ours = net_generic(net, ccp_dccp_net_id);
	struct ctl_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int err;

	if (!table)
		return -ENOMEM;
	*table = (struct ctl_table) {
		.procname = "ccid5_flows",
		.mode = 0644,
		.proc_handler = ccp_dccp_flows_handler,
		.extra1 = net,
	};
	ours->header = register_net_sysctl_sz(net, "net/dccp", table, 1);
	if (!ours->header) {
		kfree(table);
		return -ENOMEM;
	}
	err = ccp_dccp_proc_init(net);
	if (err) {
		unregister_net_sysctl_table(ours->header);
		kfree(table);
	}
	return err;
}

static void __net_exit ccp_dccp_net_exit(struct net *net)
{
	struct ccp_dccp_net *ours = net_generic(net, ccp_dccp_net_id);
	const struct ctl_table *table = ours->header->ctl_table_arg;

	ccp_dccp_proc_exit(net);
	unregister_net_sysctl_table(ours->header);
	kfree(table);
}

static struct pernet_operations ccp_dccp_net_ops = {
	.init = ccp_dccp_net_init,
	.exit = ccp_dccp_net_exit,
	.id = &ccp_dccp_net_id,
	.size = sizeof(struct ccp_dccp_net),
};

/**
 * ccp_dccp_net_register() - for all network namespaces, before the first
 * half-connection
 *
 * Return: 0 or a negative errno.
 */
int ccp_dccp_net_register(void)
{
	return register_pernet_subsys(&ccp_dccp_net_ops);
}

/**
 * ccp_dccp_net_unregister() - undo it, after the last half-connection
 */
void ccp_dccp_net_unregister(void)
{
	unregister_pernet_subsys(&ccp_dccp_net_ops);
}
