// SPDX-License-Identifier: GPL-2.0
/*
 * Portus clients on /dev/ccpkp. Whoever opens it is called at once, in the
 * network namespace he is in then; a read is one message, and so is a write.
 *
 * An open file is a struct sock, of no protocol: its queue has a limit, and it
 * is held, and found dead, like the sockets of other agents.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/sock.h>

#include "portus.h"

/* Messages and what the kernel needs for them. */
#define CCP_PORTUS_QUEUE_BYTES	1048576

struct ccp_portus_file {
	struct sock sk;		/* first, as sk_alloc() makes it */
	struct socket socket;	/* for its wait queue */
};

static struct proto ccp_portus_proto = {
	.name = "ccpkp",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct ccp_portus_file),
};

/* Senders may have queued messages until now. */
static void ccp_portus_file_destruct(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
}

/**
 * ccp_portus_device_send() - send a message to who has the device open
 * @sk: from the file, held
 * @message: the message
 * @len: its length
 *
 * Any context but hard interrupts.
 *
 * Return: 0, or a negative errno when it isn't queued.
 */
int ccp_portus_device_send(struct sock *sk, const void *message, u32 len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_ATOMIC | __GFP_NOWARN);
	int err;

	if (!skb)
		return -ENOMEM;
	skb_put_data(skb, message, len);
	err = sock_queue_rcv_skb(sk, skb);
	if (err)
		kfree_skb(skb);
	return err;
}

static int ccp_portus_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct ccp_portus_file *portus;
	u8 ready[CCP_PORTUS_READY_BYTES];
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	/* Open files aren't waited for if the module's init fails. */
	if (READ_ONCE(THIS_MODULE->state) != MODULE_STATE_LIVE)
		return -ENXIO;
	portus = (struct ccp_portus_file *)sk_alloc(net, AF_UNSPEC, GFP_KERNEL,
						    &ccp_portus_proto, 0);
	if (!portus)
		return -ENOMEM;
	init_waitqueue_head(&portus->socket.wq.wait);
	sock_init_data_uid(&portus->socket, &portus->sk, current_fsuid());
	portus->sk.sk_destruct = ccp_portus_file_destruct;
	portus->sk.sk_rcvbuf = CCP_PORTUS_QUEUE_BYTES;
	/* As portus sets it for its netlink sockets. */
	portus->sk.sk_rcvtimeo = HZ;
	ccp_rs_portus_ready(ready);
	err = ccp_portus_device_send(&portus->sk, ready, sizeof(ready));
	if (err) {
		sock_put(&portus->sk);
		return err;
	}
	file->private_data = portus;
	return stream_open(inode, file);
}

static int ccp_portus_release(struct inode *inode, struct file *file)
{
	struct ccp_portus_file *portus = file->private_data;
	struct ccp_state *state = ccp_net_state(sock_net(&portus->sk));

	sock_orphan(&portus->sk);
	if (state)
		ccp_rs_portus_closed(state, &portus->sk);
	skb_queue_purge(&portus->sk.sk_receive_queue);
	sock_put(&portus->sk);
	return 0;
}

static ssize_t ccp_portus_read(struct file *file, char __user *buf, size_t len,
			       loff_t *pos)
{
	struct ccp_portus_file *portus = file->private_data;
	struct sock *sk = &portus->sk;
	struct sk_buff *skb;
	int done;

	skb = skb_recv_datagram(sk, file->f_flags & O_NONBLOCK ? MSG_DONTWAIT : 0,
				&done);
	if (!skb)
		return done;
	done = skb->len;
	if (len < skb->len)
		done = -EMSGSIZE;
	else if (copy_to_user(buf, skb->data, skb->len))
		done = -EFAULT;
	/* What wasn't read whole can be read again. */
	if (done < 0)
		skb_queue_head(&sk->sk_receive_queue, skb);
	else
		consume_skb(skb);
	return done;
}

static ssize_t ccp_portus_write(struct file *file, const char __user *buf,
				size_t len, loff_t *pos)
{
	struct ccp_portus_file *portus = file->private_data;
	struct net *net = sock_net(&portus->sk);
	struct ccp_caller caller = {
		.state = ccp_net_state(net),
		.socket = &portus->sk,
		.wire = CCP_WIRE_PORTUS_DEVICE,
	};
	void *message;
	int err;

	if (!caller.state)
		return -ENODEV;
	/* Who opened it may have given it away. */
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	/* The length in a message has 16 bits. */
	if (len > U16_MAX)
		return -EMSGSIZE;
	message = vmemdup_user(buf, len);
	if (IS_ERR(message))
		return PTR_ERR(message);
	err = ccp_portus_request(&caller, message, len);
	kvfree(message);
	return err ?: len;
}

static __poll_t ccp_portus_poll(struct file *file, poll_table *wait)
{
	struct ccp_portus_file *portus = file->private_data;
	__poll_t ready = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &portus->socket.wq.wait, wait);
	if (ccp_portus_waiting(&portus->sk))
		ready |= EPOLLIN | EPOLLRDNORM;
	return ready;
}

static const struct file_operations ccp_portus_fops = {
	.owner = THIS_MODULE,
	.open = ccp_portus_open,
	.release = ccp_portus_release,
	.read = ccp_portus_read,
	.write = ccp_portus_write,
	.poll = ccp_portus_poll,
};

static struct miscdevice ccp_portus_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ccpkp",
	.mode = 0600,
	.fops = &ccp_portus_fops,
};

/**
 * ccp_portus_device_register() - offer /dev/ccpkp
 *
 * Return: 0 or a negative errno.
 */
int ccp_portus_device_register(void)
{
	return misc_register(&ccp_portus_device);
}

/**
 * ccp_portus_device_unregister() - undo ccp_portus_device_register()
 */
void ccp_portus_device_unregister(void)
{
	misc_deregister(&ccp_portus_device);
}
