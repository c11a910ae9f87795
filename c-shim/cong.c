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
 * A place in the pool never gets another name. TCP, and whoever has a socket,
 * may so look at ops of the pool at any time.
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
	bool registered;	/* under ccp_congs_lock */
};

static struct ccp_cong ccp_congs[CCP_CONGS_MAX];
/* How many have a name. */
static unsigned int ccp_congs_used;
/*
 * While the module is loaded: agents come before that, and if a later step of
 * its init failed nobody would take their names away.
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

/* Return: 1 when it was not registered before, 0 when it was, or an error. */
static int ccp_cong_add(const char *name)
{
	struct ccp_cong *cong = ccp_cong_find(name);
	int err;

	if (cong && cong->registered)
		return 0;
	if (!cong) {
		if (ccp_congs_used == CCP_CONGS_MAX)
			return -ENOSPC;
		cong = &ccp_congs[ccp_congs_used];
		cong->ops = ccp_tcp_ops;
		cong->reno = ccp_tcp_reno_ops;
		strscpy(cong->ops.name, name);
		strscpy(cong->reno.name, name);
	}
	err = tcp_register_congestion_control(&cong->ops);
	if (err)
		return err;
	cong->registered = true;
	if (cong == &ccp_congs[ccp_congs_used])
		ccp_congs_used++;
	return 1;
}

static void ccp_cong_remove(struct ccp_cong *cong)
{
	if (cong->registered)
		tcp_unregister_congestion_control(&cong->ops);
	cong->registered = false;
}

/**
 * ccp_cong_offer() - have a congestion control for each of an agent's algorithms
 * @algorithms: their names, each with its NUL, checked
 * @len: bytes of them, at most those of CCP_ALGORITHMS_MAX names
 * @error: filled in on failure; then nothing has changed
 *
 * May sleep.
 *
 * Return: 0 or a negative errno.
 */
int ccp_cong_offer(const char *algorithms, u32 len, struct ccp_error *error)
{
	DECLARE_BITMAP(added, CCP_CONGS_MAX) = {};
	const char *algorithm = algorithms;
	char name[TCP_CA_NAME_MAX];
	unsigned int i;
	int ret = 0;

	mutex_lock(&ccp_congs_lock);
	if (!ccp_congs_open) {
		mutex_unlock(&ccp_congs_lock);
		snprintf(error->text, sizeof(error->text),
			 "the module is being loaded or removed: try again");
		return -EAGAIN;
	}
	while (ret >= 0 && algorithm < algorithms + len) {
		snprintf(name, sizeof(name), CCP_CONG_PREFIX "%s", algorithm);
		ret = ccp_cong_add(name);
		if (ret > 0)
			__set_bit(ccp_cong_find(name) - ccp_congs, added);
		algorithm += strlen(algorithm) + 1;
	}
	if (ret < 0) {
		for_each_set_bit(i, added, CCP_CONGS_MAX)
			ccp_cong_remove(&ccp_congs[i]);
		error->attr = CCP_A_AGENT_ALGORITHM;
		if (ret == -ENOSPC)
			snprintf(error->text, sizeof(error->text),
				 "no room for %s: there are %u names already, which stay until the module goes",
				 name, CCP_CONGS_MAX);
		else
			snprintf(error->text, sizeof(error->text),
				 "TCP does not take the name %s: another congestion control has it, or its hash",
				 name);
	}
	mutex_unlock(&ccp_congs_lock);
	return min(ret, 0);
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
	int ret;

	mutex_lock(&ccp_congs_lock);
	ret = ccp_cong_add(CCP_CONG_NAME);
	ccp_congs_open = ret >= 0;
	mutex_unlock(&ccp_congs_lock);
	return min(ret, 0);
}

/**
 * ccp_tcp_unregister() - all names go; there are no flows any more
 */
void ccp_tcp_unregister(void)
{
	unsigned int i;

	mutex_lock(&ccp_congs_lock);
	for (i = 0; i < ccp_congs_used; i++)
		ccp_cong_remove(&ccp_congs[i]);
	/* Agents may still come. */
	ccp_congs_open = false;
	mutex_unlock(&ccp_congs_lock);
}

MODULE_ALIAS("tcp_ccp");
