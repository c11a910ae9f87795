// SPDX-License-Identifier: GPL-2.0
/*
 * The names under which TCP knows us: "ccp", and "ccp_NAME" for each algorithm
 * NAME that an agent has offered.
 *
 * A name is registered when it is offered first, and stays until the module
 * goes: sockets, routes and sysctls that have it go on working, with the
 * fallback program while no agent offers it. Names belong to the machine, as
 * all of TCP's do, though agents belong to a network namespace. So an agent may
 * bring new ones only if it has its rights in the initial user namespace.
 *
 * A place in the pool never gets another name once TCP took it. Nobody can say
 * whether a name is in use: sockets that aren't connected and sysctls hold a
 * reference to the module, not to the name, and routes have its hash only. So a
 * name can't be given back, and there are 64: TCP has room for the names of 128
 * congestion controls in all where it lists them, and warns if that is too few.
 */

#include <linux/mutex.h>
#include <linux/string.h>
#include <net/tcp.h>

#include "cong.h"

#define CCP_CONGS_MAX		64
#define CCP_CONG_PREFIX		CCP_CONG_NAME "_"

struct ccp_cong {
	struct tcp_congestion_ops ops;
	/* Never registered: what a socket without a flow is switched to. */
	struct tcp_congestion_ops reno;
};

static struct ccp_cong ccp_congs[CCP_CONGS_MAX];
/* How many TCP knows; under ccp_congs_lock while they are open. */
static unsigned int ccp_congs_used;
/*
 * While the module is loaded: agents come before that, and if a later step of
 * its init failed nobody would take their names away. Under ccp_congs_lock.
 */
static bool ccp_congs_open;
/*
 * Held while names are registered, in process context only. TCP takes its own
 * lock inside; nothing that TCP calls takes this one.
 */
static DEFINE_MUTEX(ccp_congs_lock);

static_assert(sizeof(CCP_CONG_PREFIX) - 1 + CCP_CONG_ALGORITHM_LEN ==
	      TCP_CA_NAME_MAX);

/* By the address alone: other modules' ops may be gone. */
static struct ccp_cong *ccp_cong_of(const struct tcp_congestion_ops *ops)
{
	unsigned long at = (unsigned long)ops - (unsigned long)ccp_congs;

	return at < sizeof(ccp_congs) ? &ccp_congs[at / sizeof(*ccp_congs)] :
					NULL;
}

/**
 * ccp_cong_is_ours() - whether sockets with these ops have a flow
 * @ops: of any congestion control
 */
bool ccp_cong_is_ours(const struct tcp_congestion_ops *ops)
{
	const struct ccp_cong *cong = ccp_cong_of(ops);

	return cong && ops == &cong->ops;
}

/**
 * ccp_cong_reno() - what a socket that gets no flow is left with
 * @ops: ours
 */
const struct tcp_congestion_ops *ccp_cong_reno(const struct tcp_congestion_ops *ops)
{
	return &ccp_cong_of(ops)->reno;
}

/**
 * ccp_cong_ops() - undo ccp_cong_reno()
 * @reno: from there
 */
const struct tcp_congestion_ops *ccp_cong_ops(const struct tcp_congestion_ops *reno)
{
	return &ccp_cong_of(reno)->ops;
}

/**
 * ccp_cong_name() - the name of the congestion control a flow has
 * @sk: its socket; without the lock it may have another by now
 */
const char *ccp_cong_name(const struct sock *sk)
{
	const struct ccp_cong *cong;

	cong = ccp_cong_of(READ_ONCE(inet_csk(sk)->icsk_ca_ops));
	return cong ? cong->ops.name : CCP_CONG_NAME;
}

/**
 * ccp_cong_algorithm() - the algorithm a flow is for
 * @sk: its socket, locked
 * @name: set to its name, without NUL, of CCP_CONG_ALGORITHM_LEN - 1 bytes at
 *        most
 *
 * Return: the length of the name, 0 when any algorithm will do.
 */
u32 ccp_cong_algorithm(const struct sock *sk, char *name)
{
	const char *whole = ccp_cong_name(sk);
	size_t prefix = str_has_prefix(whole, CCP_CONG_PREFIX);
	size_t len = strlen(whole + prefix);

	if (!prefix)
		return 0;
	memcpy(name, whole + prefix, len);
	return len;
}

static struct ccp_cong *ccp_cong_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ccp_congs_used; i++)
		if (!strcmp(ccp_congs[i].ops.name, name))
			return &ccp_congs[i];
	return NULL;
}

/* A name that TCP refuses leaves the place to the next one: nobody saw it. */
static int ccp_cong_add(const char *name)
{
	struct ccp_cong *cong = &ccp_congs[ccp_congs_used];
	int err;

	cong->ops = ccp_tcp_ops;
	cong->reno = ccp_tcp_reno_ops;
	strscpy(cong->ops.name, name);
	strscpy(cong->reno.name, name);
	err = tcp_register_congestion_control(&cong->ops);
	if (!err)
		ccp_congs_used++;
	return err;
}

/* From one name to the next one: each ends with a NUL. */
static const char *ccp_cong_next(const char *algorithm)
{
	return algorithm + strlen(algorithm) + 1;
}

/* Whether TCP doesn't know it yet, and it wasn't in the list before: @name. */
static bool ccp_cong_is_missing(const char *algorithms, const char *algorithm,
				char *name)
{
	const char *before;

	for (before = algorithms; before < algorithm; before = ccp_cong_next(before))
		if (!strcmp(before, algorithm))
			return false;
	snprintf(name, TCP_CA_NAME_MAX, CCP_CONG_PREFIX "%s", algorithm);
	return !ccp_cong_find(name);
}

/* There is room for all. */
static void ccp_cong_add_missing(const char *algorithms, u32 len, char *without)
{
	const char *algorithm, *end = algorithms + len;
	char name[TCP_CA_NAME_MAX];

	for (algorithm = algorithms; algorithm < end;
	     algorithm = ccp_cong_next(algorithm))
		if (ccp_cong_is_missing(algorithms, algorithm, name) &&
		    ccp_cong_add(name))
			snprintf(without, CCP_CONG_TEXT,
				 "TCP does not take %s: another has the name, or its hash",
				 name);
}

/**
 * ccp_cong_offer() - have a congestion control for each of an agent's algorithms
 * @algorithms: their names, each with its NUL, checked
 * @len: bytes of them, at most those of CCP_ALGORITHMS_MAX names
 * @without: what the agent has to do without, for people, in CCP_CONG_TEXT
 *           bytes; empty if nothing
 * @error: filled in on failure
 *
 * Without room for all names that are missing none is added.
 *
 * May sleep.
 *
 * Return: 0 or a negative errno.
 */
int ccp_cong_offer(const char *algorithms, u32 len, char *without,
		   struct ccp_error *error)
{
	const char *algorithm, *end = algorithms + len;
	char name[TCP_CA_NAME_MAX];
	unsigned int missing = 0;

	without[0] = '\0';
	mutex_lock(&ccp_congs_lock);
	if (!ccp_congs_open) {
		mutex_unlock(&ccp_congs_lock);
		strscpy(error->text,
			"the module is being loaded or removed: try again");
		return -EAGAIN;
	}
	for (algorithm = algorithms; algorithm < end;
	     algorithm = ccp_cong_next(algorithm))
		missing += ccp_cong_is_missing(algorithms, algorithm, name);
	if (missing > CCP_CONGS_MAX - ccp_congs_used)
		snprintf(without, CCP_CONG_TEXT,
			 "no room for %u names ccp_NAME, there are %u of %u: none was added",
			 missing, ccp_congs_used, CCP_CONGS_MAX);
	else
		ccp_cong_add_missing(algorithms, len, without);
	mutex_unlock(&ccp_congs_lock);
	return 0;
}

/**
 * ccp_tcp_register() - offer the congestion control "ccp"
 *
 * To be called last: no step of the module's init may fail any more.
 *
 * Return: 0 or a negative errno.
 */
int ccp_tcp_register(void)
{
	int err;

	mutex_lock(&ccp_congs_lock);
	err = ccp_cong_add(CCP_CONG_NAME);
	ccp_congs_open = !err;
	mutex_unlock(&ccp_congs_lock);
	return err;
}

/**
 * ccp_tcp_unregister() - all names go; there are no flows any more
 */
void ccp_tcp_unregister(void)
{
	unsigned int i;

	/* Agents may still come: each name takes a grace period, without them. */
	mutex_lock(&ccp_congs_lock);
	ccp_congs_open = false;
	mutex_unlock(&ccp_congs_lock);
	for (i = 0; i < ccp_congs_used; i++)
		tcp_unregister_congestion_control(&ccp_congs[i].ops);
}

MODULE_ALIAS("tcp_ccp");
