// SPDX-License-Identifier: GPL-2.0
/*
 * What the N of all senders add up to, and those of each user.
 */

#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "dccp.h"

/* Guards both sums; taken with sockets' locks held, also in softirqs. */
static DEFINE_SPINLOCK(ccp_dccp_lock);
/* The N of all senders, in 2^-16. */
static u64 ccp_dccp_sum;
/* Those of a user's, by uid; nothing for 0. */
static DEFINE_XARRAY(ccp_dccp_users);

/* Who made the socket, or that which listened for it. */
static uid_t ccp_dccp_uid(const struct sock *sk)
{
	return from_kuid(&init_user_ns, sock_net_uid(sock_net(sk), sk));
}

static u64 ccp_dccp_user_sum(uid_t uid)
{
	void *entry = xa_load(&ccp_dccp_users, uid);

	return entry ? xa_to_value(entry) : 0;
}

/* Allocates only for a user's first sender. */
static int ccp_dccp_set_user_sum(uid_t uid, u64 sum)
{
	if (!sum) {
		xa_erase(&ccp_dccp_users, uid);
		return 0;
	}
	return xa_err(xa_store(&ccp_dccp_users, uid, xa_mk_value(sum), GFP_ATOMIC));
}

/**
 * ccp_dccp_admit() - count a sender's N
 * @half: the sender; its old N doesn't count any more on success
 * @flows: its new N, in 2^-16
 *
 * Return: 0, -ERANGE for an N that can't be, -ENOSPC if a sum is too large,
 * -ENOMEM.
 */
int ccp_dccp_admit(struct ccp_dccp_half *half, u32 flows)
{
	/* It may be given to another user in between: that is the first's still. */
	uid_t uid = half->admitted ? half->uid : ccp_dccp_uid(half->sk);
	struct ccp_dccp_sums sums = {
		.all_most = ccp_dccp_max_flows(),
		.user_most = ccp_dccp_user_flows(),
	};
	int err;

	spin_lock_bh(&ccp_dccp_lock);
	sums.all = ccp_dccp_sum;
	sums.user = ccp_dccp_user_sum(uid);
	err = ccp_rs_dccp_admit(&sums, half->admitted, flows);
	if (!err)
		err = ccp_dccp_set_user_sum(uid, sums.user);
	if (!err) {
		ccp_dccp_sum = sums.all;
		half->uid = uid;
		half->admitted = flows;
	}
	spin_unlock_bh(&ccp_dccp_lock);
	return err;
}

/**
 * ccp_dccp_release() - a sender ends: its N doesn't count any more
 */
void ccp_dccp_release(struct ccp_dccp_half *half)
{
	struct ccp_dccp_sums sums = {};

	spin_lock_bh(&ccp_dccp_lock);
	sums.all = ccp_dccp_sum;
	sums.user = ccp_dccp_user_sum(half->uid);
	ccp_rs_dccp_release(&sums, half->admitted);
	/* An entry that is there is replaced or erased: that can't fail. */
	ccp_dccp_set_user_sum(half->uid, sums.user);
	ccp_dccp_sum = sums.all;
	half->admitted = 0;
	spin_unlock_bh(&ccp_dccp_lock);
}
