// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters of CCID 5. Other than ccid5_number they can be changed at
 * run time, for what begins from then on.
 */

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "dccp.h"

struct ccp_dccp_decimal {
	u32 value;	/* in 2^-16 */
	u32 most;
};

static int ccp_dccp_decimal_set(const char *text, const struct kernel_param *kp)
{
	struct ccp_dccp_decimal *decimal = kp->arg;
	u32 value;
	int err;

	err = ccp_rs_dccp_flows(text, strcspn(text, "\n"), decimal->most, &value);
	if (!err)
		WRITE_ONCE(decimal->value, value);
	return err;
}

/* What of a number in 2^-16 is behind the point. */
u32 ccp_dccp_millionths(u32 value)
{
	return ((u64)(value & 0xffff) * 1000000 + 0x8000) >> 16;
}

static int ccp_dccp_decimal_get(char *text, const struct kernel_param *kp)
{
	const struct ccp_dccp_decimal *decimal = kp->arg;
	u32 value = READ_ONCE(decimal->value);

	return sysfs_emit(text, "%u.%06u\n", value >> 16, ccp_dccp_millionths(value));
}

static const struct kernel_param_ops ccp_dccp_decimal_ops = {
	.set = ccp_dccp_decimal_set,
	.get = ccp_dccp_decimal_get,
};

static u8 ccid5_number = 5;
module_param(ccid5_number, byte, 0444);
MODULE_PARM_DESC(ccid5_number, "Number of CCID 5, 4 to 255 (default 5)");

static bool ccid5_debug;
module_param(ccid5_debug, bool, 0644);
MODULE_PARM_DESC(ccid5_debug, "Log what half-connections of CCID 5 do (default 0)");

static unsigned int rto_min_ms = 100;
module_param(rto_min_ms, uint, 0644);
MODULE_PARM_DESC(rto_min_ms,
		 "CCID 5: least length of the nofeedback timer in ms (default 100)");

static struct ccp_dccp_decimal ccid5_flows = { 1 << 16, CCP_DCCP_MOST_FLOWS };
module_param_cb(ccid5_flows, &ccp_dccp_decimal_ops, &ccid5_flows, 0644);
MODULE_PARM_DESC(ccid5_flows,
		 "CCID 5: N of a sender that chooses none, above 0, up to 64 (default 1)");

static struct ccp_dccp_decimal ccid5_max_flows = { 1024 << 16, 65535U << 16 };
module_param_cb(ccid5_max_flows, &ccp_dccp_decimal_ops, &ccid5_max_flows, 0644);
MODULE_PARM_DESC(ccid5_max_flows,
		 "CCID 5: most that the N of all senders add up to (default 1024)");

static struct ccp_dccp_decimal ccid5_user_flows = { 256 << 16, 65535U << 16 };
module_param_cb(ccid5_user_flows, &ccp_dccp_decimal_ops, &ccid5_user_flows, 0644);
MODULE_PARM_DESC(ccid5_user_flows,
		 "CCID 5: most that the N of a user's senders add up to (default 256)");

static bool ccid5_tfrc;
module_param(ccid5_tfrc, bool, 0644);
MODULE_PARM_DESC(ccid5_tfrc,
		 "CCID 5: as CCID 3, N times the rate of TFRC, whatever j is (default 0)");

u32 ccp_dccp_number(void)
{
	return ccid5_number;
}

bool ccp_dccp_debug(void)
{
	return READ_ONCE(ccid5_debug);
}

/* A minute at most: the timer keeps within its range. */
u32 ccp_dccp_rto_min_ms(void)
{
	return min(READ_ONCE(rto_min_ms), 60U * 1000);
}

u32 ccp_dccp_param_flows(void)
{
	return READ_ONCE(ccid5_flows.value);
}

u32 ccp_dccp_max_flows(void)
{
	return READ_ONCE(ccid5_max_flows.value);
}

u32 ccp_dccp_user_flows(void)
{
	return READ_ONCE(ccid5_user_flows.value);
}

bool ccp_dccp_tfrc(void)
{
	return READ_ONCE(ccid5_tfrc);
}
