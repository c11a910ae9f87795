// SPDX-License-Identifier: GPL-2.0
/*
 * Genl family "ccp": what its commands have in common, its registration, and
 * the end of its sockets. A command unpacks the request, asks Rust, and packs
 * the reply; the policies in ccp_nl_gen.c have checked types and lengths.
 */

#include <linux/module.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "ccp_nl_gen.h"
#include "messages.h"
#include "net.h"
#include "netlink.h"
#include "trace.h"

/* Room for the reply to any command but a dump. */
#define CCP_REPLY_BYTES		1024

/**
 * ccp_nl_explain() - say why a command failed
 * @skb: the request
 * @info: the request
 * @err: its outcome
 * @error: why, if @err; may be NULL
 *
 * A text that doesn't fit into the extack goes out with an
 * ACK of our own, after which the core must send none: -EINTR.
 *
 * Return: what the command returns.
 */
int ccp_nl_explain(struct sk_buff *skb, struct genl_info *info, int err,
		   const struct ccp_error *error)
{
	struct netlink_ext_ack *extack = info->extack;

	if (!err || !error || !error->text[0])
		return err;
	if (error->attr && info->attrs && info->attrs[error->attr])
		NL_SET_BAD_ATTR(extack, info->attrs[error->attr]);
	if (strnlen(error->text, sizeof(error->text)) < NETLINK_MAX_FMTMSG_LEN) {
		NL_SET_ERR_MSG_FMT(extack, "%s", error->text);
		return err;
	}
	extack->_msg = error->text;
	netlink_ack(skb, (struct nlmsghdr *)info->nlhdr, err, extack);
	extack->_msg = NULL;
	return -EINTR;
}

/**
 * ccp_nl_end() - end a command
 * @skb: the request
 * @info: the request
 * @caller: from ccp_nl_begin()
 * @err: its outcome
 * @error: why, if @err; may be NULL
 *
 * Return: what the command returns.
 */
int ccp_nl_end(struct sk_buff *skb, struct genl_info *info,
	       const struct ccp_caller *caller, int err,
	       const struct ccp_error *error)
{
	struct ccp_net *net = ccp_rs_net_shim(caller->state);

	ccp_net_inc(net, CCP_COUNT_COMMANDS);
	if (err)
		ccp_net_inc(net, CCP_COUNT_COMMAND_ERRORS);
	trace_ccp_command(info->genlhdr->cmd, err, caller->port);
	return ccp_nl_explain(skb, info, err, error);
}

/**
 * ccp_nl_begin() - begin a command
 * @skb: the request
 * @info: the request
 * @caller: set to who asks
 *
 * Return: 0, or -ENODEV while the network namespace goes away.
 */
int ccp_nl_begin(struct sk_buff *skb, struct genl_info *info,
		 struct ccp_caller *caller)
{
	*caller = (struct ccp_caller) {
		.state = ccp_net_state(genl_info_net(info)),
		.socket = NETLINK_CB(skb).sk,
		.port = info->snd_portid,
	};
	if (!caller->state)
		return -ENODEV;
	ccp_rs_heard(caller);
	return 0;
}

/**
 * ccp_nl_no_attrs() - check a request that has no attributes, hence no policy
 * @info: the request
 * @error: filled in if it has some
 *
 * Return: 0 or -EINVAL.
 */
int ccp_nl_no_attrs(struct genl_info *info, struct ccp_error *error)
{
	if (nlmsg_len(info->nlhdr) <= GENL_HDRLEN)
		return 0;
	strscpy(error->text, "this command takes no attributes");
	return -EINVAL;
}

/**
 * ccp_nl_reply() - begin a reply
 * @info: the request
 * @header: set to what ccp_nl_send() needs
 *
 * Return: the message, or NULL without memory.
 */
struct sk_buff *ccp_nl_reply(struct genl_info *info, void **header)
{
	struct sk_buff *reply = genlmsg_new(CCP_REPLY_BYTES, GFP_KERNEL);

	if (!reply)
		return NULL;
	*header = genlmsg_put_reply(reply, info, &ccp_nl_family, 0,
				    info->genlhdr->cmd);
	return reply;
}

/**
 * ccp_nl_send() - send or drop a reply
 * @info: the request
 * @reply: from ccp_nl_reply()
 * @header: from ccp_nl_reply()
 * @err: drop it if not 0
 *
 * Return: @err, or the outcome of sending.
 */
int ccp_nl_send(struct genl_info *info, struct sk_buff *reply,
		void *header, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

/**
 * ccp_nl_missing() - check that an attribute is there
 * @info: the request
 * @attr: its number
 * @error: filled in if it isn't
 * @name: its name
 *
 * Return: 0 or -EINVAL.
 */
int ccp_nl_missing(struct genl_info *info, int attr,
		   struct ccp_error *error, const char *name)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	snprintf(error->text, sizeof(error->text), "attribute '%s' is missing",
		 name);
	return -EINVAL;
}

int ccp_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	void *header;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_no_attrs(info, &error);
	if (!err) {
		reply = ccp_nl_reply(info, &header);
		err = !reply ? -ENOMEM :
		      ccp_nl_send(info, reply, header,
				  ccp_put_stats(reply, ccp_rs_net_shim(caller.state)));
	}
	return ccp_nl_end(skb, info, &caller, err, &error);
}

/*
 * A netlink socket was closed: maybe an agent's. Process context. Its port is
 * free by now, and may have been taken by another agent.
 */
static int ccp_nl_release(struct notifier_block *block, unsigned long event,
			  void *data)
{
	const struct netlink_notify *notify = data;
	struct ccp_state *state;

	/* Portus clients are on the other. */
	if (event != NETLINK_URELEASE || (notify->protocol != NETLINK_GENERIC &&
					  notify->protocol != NETLINK_USERSOCK))
		return NOTIFY_DONE;
	/* The socket being closed keeps its namespace. */
	state = ccp_net_state(notify->net);
	if (state)
		ccp_rs_port_closed(state, notify->portid);
	return NOTIFY_DONE;
}

/**
 * ccp_socket_hold() - keep the address of a netlink socket from being reused
 * @socket: the socket
 */
void ccp_socket_hold(struct sock *socket)
{
	sock_hold(socket);
}

/**
 * ccp_socket_put() - undo ccp_socket_hold()
 * @socket: the socket
 *
 * Process context.
 */
void ccp_socket_put(struct sock *socket)
{
	sock_put(socket);
}

/**
 * ccp_socket_closed() - whether a netlink socket was closed
 * @socket: the socket, held
 */
bool ccp_socket_closed(const struct sock *socket)
{
	return sock_flag(socket, SOCK_DEAD);
}

static struct notifier_block ccp_nl_notifier = {
	.notifier_call = ccp_nl_release,
};

/**
 * ccp_netlink_register() - offer genl family "ccp"
 *
 * Return: 0 or a negative errno.
 */
int ccp_netlink_register(void)
{
	int err;

	err = netlink_register_notifier(&ccp_nl_notifier);
	if (err)
		return err;
	err = genl_register_family(&ccp_nl_family);
	if (err)
		netlink_unregister_notifier(&ccp_nl_notifier);
	return err;
}

/**
 * ccp_netlink_unregister() - undo ccp_netlink_register()
 *
 * Returns when no command and no end of a socket is being handled any more.
 */
void ccp_netlink_unregister(void)
{
	genl_unregister_family(&ccp_nl_family);
	netlink_unregister_notifier(&ccp_nl_notifier);
}
