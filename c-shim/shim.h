/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border between the kernel's C interfaces and the Rust half.
 *
 * C flattens kernel structs into the ones below, calls Rust, and applies the
 * answer; every decision about congestion, agents and programs is in Rust.
 * The structs are mirrored in rust/shim.rs and rust/core/tcp/ack.rs, with
 * static asserts of size and offsets on both sides.
 *
 * Names: ccp_rs_*() are implemented in Rust and called from C, all other
 * ccp_*() are implemented here.
 */
#ifndef _CCP_SHIM_H
#define _CCP_SHIM_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <uapi/linux/ccp.h>

/* The generated policies use it; 6.12 does not have it yet. */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(_len)	NLA_POLICY_MAX(NLA_BINARY, _len)
#endif

struct ccp_flow;	/* Rust: flows::Flow */
struct ccp_state;	/* Rust: net::Net */
struct ccp_net;		/* net.c */
struct ccp_portus_net;	/* portus.c */
struct ccp_table;	/* table.c */
struct genl_info;
struct net;
struct sk_buff;
struct sock;

/*
 * What the kernel knows at one ACK or retransmission timeout. Totals may wrap;
 * packets are segments. rs_*: the rate sample, 0 on a timeout.
 */
struct ccp_ack {
	u64 now_us;		/* TCP timestamp clock, monotonic */
	u64 bytes_acked;	/* total */
	u64 pacing_rate;	/* bytes/s; U64_MAX: unlimited */
	u64 max_pacing_rate;	/* bytes/s; U64_MAX: unlimited */
	s64 rs_interval_us;	/* <= 0: invalid */
	s64 rs_rtt_us;		/* <= 0: none */
	s32 rs_delivered;	/* packets; <= 0: invalid */
	u32 rs_snd_interval_us;
	u32 rs_rcv_interval_us;
	u32 snd_cwnd;		/* packets */
	u32 snd_cwnd_clamp;	/* packets */
	u32 ssthresh;		/* packets */
	u32 mss;		/* bytes */
	u32 srtt_us;		/* 0: none yet */
	u32 min_rtt_us;		/* U32_MAX: none yet */
	u32 in_flight;		/* packets */
	u32 sacked_out;		/* packets */
	u32 delivered;		/* packets, total */
	u32 delivered_ce;	/* packets, total */
	u32 lost;		/* packets, total */
	u32 write_seq;
	u32 snd_nxt;
	u8 ca_state;		/* TCP_CA_* */
	u8 ece;			/* the ACK carries ECE */
	u8 ecn_ok;		/* ECN was negotiated */
	u8 cwnd_limited;
	u8 app_limited;
	u8 timeout;		/* no ACK: the retransmission timer fired */
	u8 pad[2];
};

/* What Rust makes of it. */
struct ccp_verdict {
	u64 rate;		/* pacing rate to set, bytes/s; 0: leave */
	u32 cwnd;		/* window to set, packets; 0: leave */
	u32 program;		/* that ran */
	u8 paced;		/* the program wants the rate enforced */
	u8 abort;		/* 0, or why the program aborted (vm::Abort + 1) */
	u8 reported;
	u8 reserved[5];
};

/* Rust's half of what is known about a flow. */
struct ccp_flow_info {
	u64 id;
	u64 age_ms;
	u64 reports;
	u64 report_drops;
	u64 invocations;
	u64 aborts;
	u64 fallbacks;
	u32 agent;		/* 0: none */
	u32 program;
	u32 reason;		/* enum ccp_fallback_reason */
	u32 init_cwnd;		/* bytes */
};

struct ccp_agent_info {
	u32 id;
	u32 port;
	u32 flows;
	u32 programs;
	u32 silent;
	u32 algorithms_len;
	char name[CCP_NAME_MAX + 1];
	char algorithms[256];	/* one after the other, each with its NUL */
};

struct ccp_program_info {
	u32 id;
	u32 agent;
	u32 cost;
	u32 report_fields;
	u32 registers;
	u32 bytes;
	u32 flows;
	u32 fallback;
	char name[CCP_NAME_MAX + 1];
};

struct ccp_report {
	u64 flow;
	u64 seq;
	u64 time_us;
	u64 cwnd;		/* bytes */
	u64 rate;		/* bytes/s */
	const u64 *fields;
	u32 nfields;
	u32 program;
};

struct ccp_update {
	u64 value;
	u32 index;
	u32 class;
};

/* Why a command failed, for people. */
struct ccp_error {
	u32 attr;		/* at fault in the request; 0: none */
	char text[252];
};

/* How an agent is spoken to. */
enum ccp_wire {
	CCP_WIRE_GENL,
	CCP_WIRE_PORTUS_NETLINK,
	CCP_WIRE_PORTUS_DEVICE,
};

/* Who asks. A port can belong to another socket tomorrow, @socket cannot. */
struct ccp_caller {
	struct ccp_state *state;
	struct sock *socket;
	u32 port;
	u32 wire;		/* enum ccp_wire */
};

/* The ends of a flow for Portus clients, as on the network; 0 for IPv6. */
struct ccp_portus_ends {
	__be32 local;
	__be32 remote;
	__be16 local_port;
	__be16 remote_port;
};

#define CCP_PORTUS_READY_BYTES	12

/* Of the congestion control, as sockets choose it; "ccp_NAME" for NAME only. */
#define CCP_CONG_NAME		"ccp"
#define CCP_CONG_ALGORITHM_LEN	12	/* of NAME, with the NUL */

#define CCP_UPDATES_MAX		32
#define CCP_ALGORITHMS_MAX	16
#define CCP_ALGORITHM_LEN	16	/* TCP_CA_NAME_MAX, with the NUL */

static_assert(sizeof(struct ccp_ack) == 120);
static_assert(offsetof(struct ccp_ack, rs_delivered) == 48);
static_assert(offsetof(struct ccp_ack, ca_state) == 112);
static_assert(sizeof(struct ccp_verdict) == 24);
static_assert(sizeof(struct ccp_flow_info) == 72);
static_assert(sizeof(struct ccp_agent_info) == 312);
static_assert(sizeof(struct ccp_program_info) == 64);
static_assert(sizeof(struct ccp_report) == 56);
static_assert(sizeof(struct ccp_update) == 16);
static_assert(sizeof(struct ccp_error) == 256);
static_assert(sizeof(struct ccp_caller) == 24);
static_assert(sizeof(struct ccp_portus_ends) == 12);

/* Counters of a network namespace. */
enum ccp_counter {
	CCP_COUNT_FLOWS_CREATED,
	CCP_COUNT_FLOWS_REFUSED,
	CCP_COUNT_INVOCATIONS,
	CCP_COUNT_ABORTS,
	CCP_COUNT_REPORTS,
	CCP_COUNT_REPORT_DROPS,
	CCP_COUNT_EVENTS_DROPPED,
	CCP_COUNT_FALLBACKS,
	CCP_COUNT_COMMANDS,
	CCP_COUNT_COMMAND_ERRORS,
	CCP_COUNT_MPTCP_CONNECTIONS,
	CCP_COUNT_MPTCP_REFUSED,
	CCP_COUNT_MPTCP_JOINS_REFUSED,
	CCP_COUNT_MPTCP_EVENTS,
	__CCP_COUNTERS
};

/* Objects a network namespace has now. */
enum ccp_gauge {
	CCP_GAUGE_FLOWS,
	CCP_GAUGE_AGENTS,
	CCP_GAUGE_PROGRAMS,
	__CCP_GAUGES
};

enum ccp_limit {
	CCP_LIMIT_AGENT_TIMEOUT_MS,
	CCP_LIMIT_MAX_FLOWS,
	CCP_LIMIT_MAX_AGENTS,
	CCP_LIMIT_MAX_PROGRAMS,
	CCP_LIMIT_MAX_PROGRAM_BYTES,
	CCP_LIMIT_MPTCP_JOIN_LIMIT,
	CCP_LIMIT_PORTUS,
};

/* params.c */
u32 ccp_limit(u32 which);

/* table.c: objects by id, in the order of their ids. */
int ccp_table_insert(struct ccp_table *table, u64 id, void *object);
void *ccp_table_remove(struct ccp_table *table, u64 id);
void ccp_table_lock(struct ccp_table *table);
void ccp_table_unlock(struct ccp_table *table);
void *ccp_table_load(struct ccp_table *table, u64 id);
void *ccp_table_next(struct ccp_table *table, u64 *id);

/* net.c: state of a network namespace. */
int ccp_net_register(void);
void ccp_net_unregister(void);
void ccp_net_free(struct ccp_net *net);
struct ccp_table *ccp_net_agents(struct ccp_net *net);
struct ccp_table *ccp_net_programs(struct ccp_net *net);
void *ccp_net_fallback(const struct ccp_net *net);
void *ccp_net_set_fallback(struct ccp_net *net, void *program);
void ccp_net_lock(struct ccp_net *net);
void ccp_net_unlock(struct ccp_net *net);
void ccp_net_sweep(struct ccp_net *net);
void ccp_net_count(struct ccp_net *net, u32 counter);
u64 ccp_net_counter(const struct ccp_net *net, u32 counter);
u32 ccp_net_gauge(const struct ccp_net *net, u32 gauge);
struct ccp_state *ccp_net_state(struct net *net);

/* flow_table.c: memory of flows; from a flow's id to its locked socket. */
int ccp_flow_cache_create(size_t size, size_t align);
void ccp_flow_cache_destroy(void);
void *ccp_flow_alloc(void);
void ccp_flow_free(void *flow);
int ccp_flow_insert(struct ccp_net *net, u64 id, struct sock *sk);
void ccp_flow_remove(struct ccp_net *net, u64 id);
struct sock *ccp_flow_next(struct ccp_net *net, u64 *id);
void ccp_flow_put(struct sock *sk);
int ccp_flow_trylock(struct sock *sk, struct ccp_net *net, u64 id);
int ccp_flow_trylock_until(struct sock *sk, struct ccp_net *net, u64 id,
			   unsigned long deadline);
int ccp_flow_lock(struct ccp_net *net, u64 id, struct sock **found);
void ccp_flow_unlock(struct sock *sk);

/* cong.c: names of congestion controls. */
int ccp_tcp_register(void);
void ccp_tcp_unregister(void);
u32 ccp_cong_algorithm(const struct sock *sk, char *name);

/* tcp.c: what they do. */
struct ccp_flow *ccp_tcp_flow(const struct sock *sk, const struct ccp_net *net,
			      u64 *id);
bool ccp_tcp_peek(const struct sock *sk, const struct ccp_net *net, u64 id,
		  struct ccp_flow_info *info);
void ccp_tcp_publish(struct sock *sk, u32 agent, u32 program, u32 reason);
void ccp_tcp_facts(struct sock *sk, struct ccp_ack *ack);
void ccp_tcp_apply(struct sock *sk, u32 cwnd, u64 rate, u8 paced);
u64 ccp_tcp_clock_us(void);

/* netlink.c, events.c: genl family "ccp". */
int ccp_netlink_register(void);
void ccp_netlink_unregister(void);
void ccp_socket_hold(struct sock *socket);
void ccp_socket_put(struct sock *socket);
bool ccp_socket_closed(const struct sock *socket);
int ccp_event_report(struct sock *sk, u32 port, const struct ccp_report *report);
int ccp_event_flow(struct sock *sk, u32 port, u8 cmd,
		   const struct ccp_flow_info *info, u8 adopted);

/* portus.c: clients that speak libccp's protocol. */
int ccp_portus_register(void);
void ccp_portus_unregister(void);
int ccp_portus_send(u32 wire, struct sock *socket, u32 port,
		    const void *message, u32 len);
bool ccp_portus_waiting(const struct sock *socket);
void ccp_portus_ends(const struct sock *sk, struct ccp_portus_ends *ends);
void ccp_portus_announce(struct ccp_portus_net *portus, const void *message,
			 u32 len);

/* trace.c */
void ccp_trace_fallback(u64 flow, u32 agent, u32 program, u32 reason);
void ccp_trace_command(u8 command, int err, u32 port);

/* debugfs.c */
void ccp_debugfs_create(void);
void ccp_debugfs_remove(void);

/* rust/tcp.rs */
struct ccp_flow *ccp_rs_flow_open(struct sock *sk, struct ccp_state *state,
				  const struct ccp_ack *ack, u64 *id);
void ccp_rs_flow_close(struct sock *sk, struct ccp_flow *flow);
void ccp_rs_ack(struct sock *sk, struct ccp_flow *flow,
		const struct ccp_ack *ack, struct ccp_verdict *verdict);
void ccp_rs_flow_info(const struct ccp_flow *flow, struct ccp_flow_info *info);

/* rust/net.rs */
struct ccp_state *ccp_rs_net_open(struct ccp_net *net);
void ccp_rs_net_close(struct ccp_state *state);
void ccp_rs_net_sweep(struct ccp_state *state);
struct ccp_net *ccp_rs_net_shim(const struct ccp_state *state);

/* rust/commands.rs: 0, or a negative errno with *error filled in. */
void ccp_rs_heard(const struct ccp_caller *caller);
int ccp_rs_agent_attach(const struct ccp_caller *caller, const char *name,
			u32 name_len, const char *algorithms, u32 algorithms_len,
			struct ccp_agent_info *info, struct ccp_error *error);
int ccp_rs_agent_detach(const struct ccp_caller *caller, struct ccp_error *error);
int ccp_rs_agent_heartbeat(const struct ccp_caller *caller,
			   struct ccp_error *error);
void ccp_rs_agent_ready(const struct ccp_caller *caller);
void ccp_rs_port_closed(struct ccp_state *state, u32 port);
bool ccp_rs_agent_next(struct ccp_state *state, u64 *id,
		       struct ccp_agent_info *info);
u32 ccp_rs_isa_version(void);
u32 ccp_rs_max_instructions(void);
u32 ccp_rs_max_events(void);
int ccp_rs_program_install(const struct ccp_caller *caller, const char *name,
			   u32 name_len, const u8 *events, u32 events_len,
			   const u8 *instructions, u32 instructions_len,
			   struct ccp_program_info *info, struct ccp_error *error);
int ccp_rs_program_remove(const struct ccp_caller *caller, u32 id,
			  struct ccp_error *error);
int ccp_rs_program_get(const struct ccp_caller *caller, u32 id,
		       struct ccp_program_info *info, struct ccp_error *error);
bool ccp_rs_program_next(struct ccp_state *state, u64 *id,
			 struct ccp_program_info *info);
int ccp_rs_fallback_set(const struct ccp_caller *caller, u32 id,
			struct ccp_error *error);
int ccp_rs_flow_set_program(const struct ccp_caller *caller, u64 flow, u32 program,
			    const struct ccp_update *updates, u32 nupdates,
			    struct ccp_error *error);
int ccp_rs_flow_update(const struct ccp_caller *caller, u64 flow,
		       const struct ccp_update *updates, u32 nupdates,
		       struct ccp_error *error);

/* rust/portus_hook.rs */
int ccp_rs_portus_message(const struct ccp_caller *caller, const u8 *message,
			  u32 len, struct ccp_error *error);
void ccp_rs_portus_refused(struct ccp_state *state);
void ccp_rs_portus_ready(u8 *message);
bool ccp_rs_portus_known(struct ccp_state *state, struct sock *socket);
bool ccp_rs_portus_watch(struct ccp_state *state, struct ccp_portus_net *portus);
void ccp_rs_portus_closed(struct ccp_state *state, struct sock *socket);

#endif
