# SPDX-License-Identifier: GPL-2.0
# The demo's network, in the guest: namespaces "sender" and "receiver" joined
# by a veth pair, with a bottleneck towards the receiver. Sourced.
# shellcheck shell=bash

# The bottleneck's rate on the link, the round trip time of an empty path, and
# the bottleneck's queue: one bandwidth-delay product.
rate_bits=20000000
rtt_ms=40
queue_bytes=$((rate_bits * rtt_ms / 8000))
mtu=1500
# shellcheck disable=SC2034 # for those who source this
packet=$((mtu + 14)) # on the link, with the Ethernet header

in_sender() { ip netns exec sender "$@"; }
in_receiver() { ip netns exec receiver "$@"; }

path_create() {
	local ns host peer
	ip -batch - <<-END
		netns add sender
		netns add receiver
		link add veth address 02:00:00:00:00:01 netns sender type veth peer name veth address 02:00:00:00:00:02 netns receiver
	END
	for ns in sender:1 receiver:2; do
		host=${ns#*:} ns=${ns%:*} peer=$((3 - host))
		# Segments travel in pairs, the least that TCP hands to a device with
		# segmentation offload. Neighbours are known: no flow begins with a
		# search for them.
		ip -n "$ns" -batch - <<-END
			link set lo up
			link set veth gso_max_segs 2 mtu $mtu up
			addr add 10.0.0.$host/24 dev veth
			addr add fd00::$host/64 dev veth nodad
			neigh add 10.0.0.$peer lladdr 02:00:00:00:00:0$peer dev veth
			neigh add fd00::$peer lladdr 02:00:00:00:00:0$peer dev veth
		END
		# Nothing a flow learned reaches the next one.
		ip netns exec "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1
	done
	# New namespaces inherit the choice; this one has no agent.
	in_receiver sysctl -qw net.ipv4.tcp_congestion_control=cubic
}

# Fresh queues. Packets queue on the way to the receiver; the delay is on the
# way back. The least of delays on the way there makes netem take packets off
# the sender's account: TCP then meets the bottleneck's queue and its drops as
# it would those of a router.
path_queues() {
	local ns
	for ns in sender receiver; do
		tc -n $ns qdisc del dev veth root 2>/dev/null || true
	done
	tc -n sender -batch - <<-END
		qdisc add dev veth root handle 1: netem delay 64ns limit 10000
		qdisc add dev veth parent 1:1 handle 2: tbf rate ${rate_bits}bit burst 4kb limit $queue_bytes
	END
	tc -n receiver qdisc add dev veth root netem delay ${rtt_ms}ms limit 10000
}

path_delete() {
	ip -batch - <<-END
		netns del sender
		netns del receiver
	END
}
