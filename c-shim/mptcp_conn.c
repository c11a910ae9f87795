// SPDX-License-Identifier: GPL-2.0
/*
 * MPTCP connections of this path manager: their memory, and from a token to
 * its connection in a network namespace.
 *
 * A connection can be found from ccp_conn_open() to ccp_conn_close(). The
 * kernel may give its token to another connection before that, as after a
 * FASTCLOSE it has forgotten the token: the newer one then gets no state.
 */

#include <linux/slab.h>

#include "mptcp.h"
#include "net.h"

static struct ccp_conn *ccp_conn_of(const struct rb_node *node)
{
	return node ? rb_entry(node, struct ccp_conn, node) : NULL;
}

static int ccp_conn_compare(struct rb_node *left, const struct rb_node *right)
{
	u32 a = ccp_conn_of(left)->token, b = ccp_conn_of(right)->token;

	return a < b ? -1 : a > b;
}

static int ccp_conn_compare_token(const void *token, const struct rb_node *node)
{
	u32 a = *(const u32 *)token, b = ccp_conn_of(node)->token;

	return a < b ? -1 : a > b;
}

static void ccp_conn_free(struct kref *refs)
{
	struct ccp_conn *conn = container_of(refs, struct ccp_conn, refs);

	ccp_rs_path_free(conn->path);
	kfree(conn);
}

/**
 * ccp_conn_put() - done with a connection
 * @conn: what ccp_conn_find() or ccp_conn_next() returned
 */
void ccp_conn_put(struct ccp_conn *conn)
{
	kref_put(&conn->refs, ccp_conn_free);
}

/**
 * ccp_conn_open() - make a connection known
 * @net: its network namespace
 * @state: that of @net
 * @first: its first subflow
 *
 * Any context but hard interrupts.
 *
 * Return: the connection, to be closed, or NULL: no memory, or another one has
 * the token.
 */
struct ccp_conn *ccp_conn_open(struct net *net, struct ccp_state *state,
			       const struct mptcp_pm_subflow *first)
{
	struct ccp_net *shim = ccp_rs_net_shim(state);
	struct ccp_conn *conn;
	struct rb_node *other;

	conn = kzalloc(sizeof(*conn), GFP_ATOMIC | __GFP_NOWARN);
	if (!conn)
		return NULL;
	kref_init(&conn->refs);
	mutex_init(&conn->commands);
	spin_lock_init(&conn->lock);
	conn->token = first->token;
	conn->net = net;
	conn->shim = shim;
	conn->state = state;
	conn->path = ccp_rs_path_open(state, first);
	if (!conn->path) {
		kfree(conn);
		return NULL;
	}
	spin_lock_bh(&shim->conns_lock);
	other = rb_find_add(&conn->node, &shim->conns, ccp_conn_compare);
	spin_unlock_bh(&shim->conns_lock);
	if (other) {
		ccp_conn_put(conn);
		return NULL;
	}
	return conn;
}

/**
 * ccp_conn_close() - undo ccp_conn_open()
 * @conn: the connection
 */
void ccp_conn_close(struct ccp_conn *conn)
{
	spin_lock_bh(&conn->shim->conns_lock);
	rb_erase(&conn->node, &conn->shim->conns);
	spin_unlock_bh(&conn->shim->conns_lock);
	ccp_conn_put(conn);
}

/**
 * ccp_conn_find() - the connection with a token
 * @net: the network namespace to look in
 * @token: the token
 *
 * Return: the connection, for ccp_conn_put(), or NULL.
 */
struct ccp_conn *ccp_conn_find(struct ccp_net *net, u32 token)
{
	struct ccp_conn *conn;

	spin_lock_bh(&net->conns_lock);
	conn = ccp_conn_of(rb_find(&token, &net->conns, ccp_conn_compare_token));
	if (conn)
		kref_get(&conn->refs);
	spin_unlock_bh(&net->conns_lock);
	return conn;
}

/**
 * ccp_conn_next() - the connection with the smallest token from one on
 * @net: the network namespace to look in
 * @token: the token, or more than any
 *
 * Return: the connection, for ccp_conn_put(), or NULL.
 */
struct ccp_conn *ccp_conn_next(struct ccp_net *net, u64 token)
{
	struct ccp_conn *conn, *found = NULL;
	struct rb_node *node;

	spin_lock_bh(&net->conns_lock);
	node = net->conns.rb_node;
	while (node) {
		conn = ccp_conn_of(node);
		if (conn->token >= token) {
			found = conn;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	if (found)
		kref_get(&found->refs);
	spin_unlock_bh(&net->conns_lock);
	return found;
}

/**
 * ccp_conn_begin_command() - keep other commands from a connection
 * @conn: the connection
 *
 * May sleep: another command may wait for the connection's process to let go
 * of the socket.
 *
 * Return: 0, or -EINTR when a signal came first.
 */
int ccp_conn_begin_command(struct ccp_conn *conn)
{
	return mutex_lock_interruptible(&conn->commands);
}

/**
 * ccp_conn_end_command() - undo ccp_conn_begin_command()
 * @conn: the connection
 */
void ccp_conn_end_command(struct ccp_conn *conn)
{
	mutex_unlock(&conn->commands);
}

/**
 * ccp_conn_lock() - keep everybody else from what is known of a connection
 * @conn: the connection
 *
 * Nothing may sleep until ccp_conn_unlock().
 *
 * Return: what is known.
 */
struct ccp_path *ccp_conn_lock(struct ccp_conn *conn) __acquires(&conn->lock)
{
	spin_lock_bh(&conn->lock);
	return conn->path;
}

/**
 * ccp_conn_unlock() - undo ccp_conn_lock()
 * @conn: the connection
 */
void ccp_conn_unlock(struct ccp_conn *conn) __releases(&conn->lock)
{
	spin_unlock_bh(&conn->lock);
}
