// SPDX-License-Identifier: GPL-2.0
/*
 * The MPTCP path manager "netlink": the kernel's callbacks, which become
 * events, and commands, which become calls into the kernel.
 *
 * Callbacks come in softirq with the connection's pm.lock held, or in process
 * context; either way none of ours sleeps. Every MPTCP socket that selected
 * this path manager holds a reference to the module.
 */

#include <linux/module.h>
#include <net/net_namespace.h>

#include "mptcp.h"
#include "net.h"

/* Tells Rust what happened, and listeners what Rust makes of it. */
static void ccp_pm_on(struct ccp_conn *conn, enum ccp_mptcp_what what,
		      const struct mptcp_pm_subflow *subflow)
{
	struct ccp_mptcp_event event;

	if (ccp_rs_path_on(ccp_conn_lock(conn), what, subflow, &event))
		ccp_mptcp_send(conn, &event);
	ccp_conn_unlock(conn);
}

static void *ccp_pm_new_session(struct net *net,
				const struct mptcp_pm_subflow *first)
{
	struct ccp_conn *conn = NULL;
	struct ccp_state *state;

	rcu_read_lock();
	state = ccp_net_state(net);
	if (state) {
		struct ccp_net *shim = ccp_rs_net_shim(state);

		conn = ccp_conn_open(net, state, first);
		ccp_net_inc(shim, conn ? CCP_COUNT_MPTCP_CONNECTIONS :
					 CCP_COUNT_MPTCP_REFUSED);
	}
	rcu_read_unlock();
	if (conn)
		ccp_pm_on(conn, CCP_MPTCP_CREATED, first);
	return conn;
}

static void ccp_pm_fully_established(void *conn,
				     const struct mptcp_pm_subflow *first)
{
	ccp_pm_on(conn, CCP_MPTCP_ESTABLISHED, first);
}

static void ccp_pm_subflow_created(void *conn,
				   const struct mptcp_pm_subflow *subflow)
{
	ccp_pm_on(conn, CCP_MPTCP_SUBFLOW_CREATED, subflow);
}

static void ccp_pm_subflow_established(void *conn,
				       const struct mptcp_pm_subflow *subflow)
{
	ccp_pm_on(conn, CCP_MPTCP_SUBFLOW_ESTABLISHED, subflow);
}

static void ccp_pm_subflow_closed(void *conn,
				  const struct mptcp_pm_subflow *subflow)
{
	ccp_pm_on(conn, CCP_MPTCP_SUBFLOW_CLOSED, subflow);
}

static void ccp_pm_priority_changed(void *conn,
				    const struct mptcp_pm_subflow *subflow)
{
	ccp_pm_on(conn, CCP_MPTCP_PRIORITY, subflow);
}

static void ccp_pm_fallback(void *conn)
{
	static const struct mptcp_pm_subflow none;

	ccp_pm_on(conn, CCP_MPTCP_FALLBACK, &none);
}

static void ccp_pm_close_session(void *conn)
{
	static const struct mptcp_pm_subflow none;

	ccp_pm_on(conn, CCP_MPTCP_CLOSED, &none);
}

static void ccp_pm_release(void *conn)
{
	static const struct mptcp_pm_subflow none;

	ccp_pm_on(conn, CCP_MPTCP_RELEASED, &none);
	ccp_conn_close(conn);
}

static int ccp_pm_get_local_id(void *data, const struct mptcp_pm_end *local)
{
	struct ccp_conn *conn = data;
	int id;

	id = ccp_rs_path_local_id(ccp_conn_lock(conn), local);
	ccp_conn_unlock(conn);
	return id;
}

static bool ccp_pm_is_backup(void *data, const struct mptcp_pm_end *local)
{
	struct ccp_conn *conn = data;
	bool backup;

	backup = ccp_rs_path_is_backup(ccp_conn_lock(conn), local);
	ccp_conn_unlock(conn);
	return backup;
}

static bool ccp_pm_allow_subflow(void *data, unsigned int extra)
{
	struct ccp_conn *conn = data;

	if (ccp_rs_path_admits(extra, ccp_mptcp_listened(conn->net),
			       ccp_limit(CCP_LIMIT_MPTCP_JOIN_LIMIT)))
		return true;
	ccp_net_inc(conn->shim, CCP_COUNT_MPTCP_JOINS_REFUSED);
	return false;
}

static bool ccp_pm_add_addr_received(void *data,
				     const struct mptcp_pm_subflow *on,
				     const struct mptcp_pm_end *addr)
{
	struct ccp_mptcp_event event;
	struct ccp_conn *conn = data;

	if (ccp_rs_path_on_address(ccp_conn_lock(conn), addr, &event))
		ccp_mptcp_send(conn, &event);
	ccp_conn_unlock(conn);
	return ccp_rs_path_confirms(ccp_mptcp_listened(conn->net));
}

static void ccp_pm_rm_addr_received(void *data, u8 id)
{
	struct ccp_mptcp_event event;
	struct ccp_conn *conn = data;

	if (ccp_rs_path_on_address_removed(ccp_conn_lock(conn), id, &event))
		ccp_mptcp_send(conn, &event);
	ccp_conn_unlock(conn);
}

static struct mptcp_pm_ops ccp_pm_ops = {
	.new_session		= ccp_pm_new_session,
	.get_local_id		= ccp_pm_get_local_id,
	.is_backup		= ccp_pm_is_backup,
	.allow_subflow		= ccp_pm_allow_subflow,
	.release		= ccp_pm_release,
	.fully_established	= ccp_pm_fully_established,
	.subflow_created	= ccp_pm_subflow_created,
	.subflow_established	= ccp_pm_subflow_established,
	.subflow_closed		= ccp_pm_subflow_closed,
	.priority_changed	= ccp_pm_priority_changed,
	.add_addr_received	= ccp_pm_add_addr_received,
	.rm_addr_received	= ccp_pm_rm_addr_received,
	.fallback		= ccp_pm_fallback,
	.close_session		= ccp_pm_close_session,
	.name			= "netlink",
	.owner			= THIS_MODULE,
};

/*
 * What commands have the kernel do, in process context and without any lock of
 * ours but ccp_conn_begin_command(): it takes the socket's lock, and may call
 * back from inside.
 */

int ccp_mptcp_exists(struct ccp_conn *conn)
{
	return mptcp_pm_cmd_exists(conn->net, conn->token, &ccp_pm_ops);
}

int ccp_mptcp_announce(struct ccp_conn *conn, const struct mptcp_pm_end *addr)
{
	return mptcp_pm_cmd_announce(conn->net, conn->token, &ccp_pm_ops, addr);
}

int ccp_mptcp_withdraw(struct ccp_conn *conn, const struct mptcp_pm_end *addr)
{
	return mptcp_pm_cmd_withdraw(conn->net, conn->token, &ccp_pm_ops, addr);
}

int ccp_mptcp_connect(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		      const struct mptcp_pm_end *remote, bool backup, s32 ifindex)
{
	return mptcp_pm_cmd_connect(conn->net, conn->token, &ccp_pm_ops, local,
				    remote, backup, ifindex);
}

int ccp_mptcp_close(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		    const struct mptcp_pm_end *remote)
{
	return mptcp_pm_cmd_close(conn->net, conn->token, &ccp_pm_ops, local,
				  remote);
}

int ccp_mptcp_priority(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		       const struct mptcp_pm_end *remote, bool backup)
{
	return mptcp_pm_cmd_priority(conn->net, conn->token, &ccp_pm_ops, local,
				     remote, backup);
}

int ccp_mptcp_subflows(struct ccp_conn *conn, struct mptcp_pm_subflow *subflows,
		       u32 max)
{
	return mptcp_pm_cmd_subflows(conn->net, conn->token, &ccp_pm_ops,
				     subflows, max);
}

/**
 * ccp_mptcp_register() - offer the path manager, and the family that drives it
 *
 * Return: 0 or a negative errno.
 */
int ccp_mptcp_register(void)
{
	int err;

	err = ccp_mptcp_netlink_register();
	if (err)
		return err;
	/* Last: connections come from here on. */
	err = mptcp_register_path_manager(&ccp_pm_ops);
	if (err)
		ccp_mptcp_netlink_unregister();
	return err;
}

/**
 * ccp_mptcp_unregister() - undo ccp_mptcp_register(); no connection is left
 */
void ccp_mptcp_unregister(void)
{
	mptcp_unregister_path_manager(&ccp_pm_ops);
	ccp_mptcp_netlink_unregister();
}

/* What the sysctl asks for, also in the out-of-tree kernel. */
MODULE_ALIAS("mptcp_netlink");
