/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border between the MPTCP path manager's C and Rust halves.
 *
 * C has the kernel's callbacks, objects and messages; which events are sent,
 * which ids addresses have and what commands may do is decided in Rust. The
 * structs are mirrored in rust/core/mptcp/, those of net/mptcp_pm.h as well,
 * with static asserts on both sides.
 */
#ifndef _CCP_MPTCP_H
#define _CCP_MPTCP_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <net/mptcp_pm.h>

#include <uapi/linux/ccp_mptcp.h>

#include "shim.h"

struct ccp_path;	/* Rust: mptcp::Path */

/* What happened to a connection; mptcp::What. */
enum ccp_mptcp_what {
	CCP_MPTCP_CREATED,
	CCP_MPTCP_ESTABLISHED,
	CCP_MPTCP_SUBFLOW_CREATED,
	CCP_MPTCP_SUBFLOW_ESTABLISHED,
	CCP_MPTCP_SUBFLOW_CLOSED,
	CCP_MPTCP_PRIORITY,
	CCP_MPTCP_FALLBACK,
	CCP_MPTCP_CLOSED,
	CCP_MPTCP_RELEASED,
};

/* What an event carries beside the token. */
#define CCP_MPTCP_HAS_SUBFLOW	BIT(0)
#define CCP_MPTCP_HAS_ERROR	BIT(1)
#define CCP_MPTCP_HAS_RESET	BIT(2)
#define CCP_MPTCP_HAS_SIDE	BIT(3)
#define CCP_MPTCP_HAS_ADDRESS	BIT(4)
#define CCP_MPTCP_HAS_REMOTE_ID	BIT(5)
#define CCP_MPTCP_HAS_INITIAL	BIT(6)

/* An event, or a subflow in an answer. */
struct ccp_mptcp_event {
	struct mptcp_pm_end local;
	struct mptcp_pm_end remote;
	u32 has;		/* CCP_MPTCP_HAS_* */
	u32 token;
	u32 subflow_id;
	s32 ifindex;
	u32 reset_reason;
	u32 reset_flags;
	u16 sport;		/* host order */
	u16 dport;		/* host order */
	u16 bit;		/* of a filter that wants it */
	u8 cmd;
	u8 error;
	u8 backup;
	u8 server_side;
	u8 deny_join_id0;
	u8 reserved;
};

/* A request, as far as its attributes have the right sizes. */
struct ccp_mptcp_request {
	u32 has;		/* bit n: attribute n is there */
	u32 token;
	s32 ifindex;
	__be32 saddr4;
	__be32 daddr4;
	struct in6_addr saddr6;
	struct in6_addr daddr6;
	u16 family;
	u16 sport;		/* host order */
	u16 dport;		/* host order */
	u16 flags;
	u8 loc_id;
	u8 rem_id;
	u8 backup;
	u8 reserved;
};

/* A connection, as answers to queries show it. */
struct ccp_mptcp_conn_info {
	struct ccp_mptcp_event first;
	u32 state;
	u32 extra_subflows;
};

/* A local address of a connection, as answers to queries show it. */
struct ccp_mptcp_local {
	struct mptcp_pm_end end;
	s32 ifindex;
	u32 refs;
	u16 port;		/* host order */
	u8 announced;
	u8 backup;
};

static_assert(sizeof(struct mptcp_pm_end) == 24);
static_assert(sizeof(struct mptcp_pm_subflow) == 68);
static_assert(sizeof(struct ccp_mptcp_event) == 84);
static_assert(sizeof(struct ccp_mptcp_request) == 64);
static_assert(sizeof(struct ccp_mptcp_conn_info) == 92);
static_assert(sizeof(struct ccp_mptcp_local) == 36);

/*
 * A connection. The kernel's socket holds one reference until release(), each
 * command or dump that looks at it another.
 *
 * Locks, outermost first: commands, the socket's lock, pm.lock, lock, then
 * those of struct ccp_net that say so. The first is taken by commands only,
 * and not by any callback, as those run inside of commands.
 */
struct ccp_conn {
	struct rb_node node;	/* under conns_lock of ccp_net */
	struct kref refs;
	u32 token;		/* ours: the kernel's own goes first */
	struct net *net;	/* kept by the connection's or the caller's socket */
	struct ccp_net *shim;	/* kept by path */
	struct ccp_state *state;	/* kept by path */
	/* One command at a time, from its plan to its end. Sleeps. */
	struct mutex commands;
	/* *path, and that events leave in their order. Taken with BH off. */
	spinlock_t lock;
	struct ccp_path *path;
};

/* mptcp_conn.c: connections of a network namespace by their tokens. */
struct ccp_conn *ccp_conn_open(struct net *net, struct ccp_state *state,
			       const struct mptcp_pm_subflow *first);
void ccp_conn_close(struct ccp_conn *conn);
struct ccp_conn *ccp_conn_find(struct ccp_net *net, u32 token);
struct ccp_conn *ccp_conn_next(struct ccp_net *net, u64 token);
void ccp_conn_put(struct ccp_conn *conn);
int ccp_conn_begin_command(struct ccp_conn *conn);
void ccp_conn_end_command(struct ccp_conn *conn);
struct ccp_path *ccp_conn_lock(struct ccp_conn *conn);
void ccp_conn_unlock(struct ccp_conn *conn);

/* mptcp.c: the path manager, and what it has the kernel do. May sleep. */
int ccp_mptcp_register(void);
void ccp_mptcp_unregister(void);
int ccp_mptcp_exists(struct ccp_conn *conn);
int ccp_mptcp_announce(struct ccp_conn *conn, const struct mptcp_pm_end *addr);
int ccp_mptcp_withdraw(struct ccp_conn *conn, const struct mptcp_pm_end *addr);
int ccp_mptcp_connect(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		      const struct mptcp_pm_end *remote, bool backup, s32 ifindex);
int ccp_mptcp_close(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		    const struct mptcp_pm_end *remote);
int ccp_mptcp_priority(struct ccp_conn *conn, const struct mptcp_pm_end *local,
		       const struct mptcp_pm_end *remote, bool backup);
int ccp_mptcp_subflows(struct ccp_conn *conn, struct mptcp_pm_subflow *subflows,
		       u32 max);

/* mptcp_events.c, mptcp_netlink.c: genl family "mptcp". */
bool ccp_mptcp_listened(struct net *net);
void ccp_mptcp_send(struct ccp_conn *conn, const struct ccp_mptcp_event *event);
int ccp_mptcp_put_subflow(struct sk_buff *skb, const struct ccp_mptcp_event *subflow);
int ccp_mptcp_netlink_register(void);
void ccp_mptcp_netlink_unregister(void);

/* rust/mptcp_hook.rs */
struct ccp_path *ccp_rs_path_open(struct ccp_state *state,
				  const struct mptcp_pm_subflow *first);
void ccp_rs_path_free(struct ccp_path *path);
bool ccp_rs_path_on(struct ccp_path *path, u32 what,
		    const struct mptcp_pm_subflow *subflow,
		    struct ccp_mptcp_event *event);
bool ccp_rs_path_on_address(struct ccp_path *path, const struct mptcp_pm_end *addr,
			    struct ccp_mptcp_event *event);
bool ccp_rs_path_on_address_removed(struct ccp_path *path, u8 id,
				    struct ccp_mptcp_event *event);
int ccp_rs_path_local_id(struct ccp_path *path, const struct mptcp_pm_end *local);
bool ccp_rs_path_is_backup(struct ccp_path *path, const struct mptcp_pm_end *local);
bool ccp_rs_path_admits(u32 extra, bool listened, u32 limit);
bool ccp_rs_path_confirms(bool listened);
bool ccp_rs_path_info(struct ccp_path *path, struct ccp_mptcp_conn_info *info);
bool ccp_rs_path_local(struct ccp_path *path, u32 index, struct ccp_mptcp_local *local);
bool ccp_rs_path_remote(struct ccp_path *path, u32 index, struct mptcp_pm_end *remote);
bool ccp_rs_path_is_pending(struct ccp_path *path, u32 subflow);
void ccp_rs_subflow_info(const struct mptcp_pm_subflow *subflow,
			 struct ccp_mptcp_event *info);
u64 ccp_rs_mptcp_number(struct ccp_state *state, u8 cmd);
void ccp_rs_mptcp_dropped(struct ccp_state *state);
u64 ccp_rs_mptcp_drops(struct ccp_state *state);
bool ccp_rs_mptcp_count(struct ccp_state *state, u32 index, u8 *cmd, u64 *last);
u16 ccp_rs_mptcp_filter(u16 flags);
u16 ccp_rs_mptcp_filter_default(void);

/* rust/mptcp_commands.rs: 0, or a negative errno with *error filled in. */
int ccp_rs_mptcp_command(const struct ccp_caller *caller, u8 cmd,
			 const struct ccp_mptcp_request *request,
			 struct ccp_error *error);
void ccp_rs_mptcp_unknown(u32 token, struct ccp_error *error);

#endif
