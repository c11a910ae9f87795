#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh MODULE AGENT...: the demo's part inside the stock kernel; AGENT is the
# command that runs the algorithm. Leaves in /out:
# NAME.json (the traffic's own measurement) and NAME.cpu (softirq nanoseconds)
# of each flow, stats.json (the module's counters), trace.csv, agent.log.
set -eu
. ktests/demo/path.sh
. ktests/demo/softirq.sh
module=$1
shift
run_agent=("$@")
export PYTHONPATH=/ccp/python
out=/out
seconds=30 kill_at=10 restart_at=18
agent='' monitor=''

heading() { printf '\n%s\n' "$*"; }
note() { printf '  %s\n' "$*"; }
fail() {
	printf '  error: %s\n' "$*"
	exit 1
}

# The kernel's messages since the module came, with their levels.
kernel_says() { dmesg -r | sed '1,/demo: the module comes/d'; }

# Shows what the exit status alone does not.
explain() {
	local status=$?
	[ $status -ne 0 ] || return 0
	note "stopped with status $status; what the kernel and the programs said last:"
	kernel_says | tail -n 5
	tail -n 5 $out/*.log 2>/dev/null
}
trap explain EXIT

# wait_for SECONDS CMD...: until CMD succeeds.
wait_for() {
	local tries=$(($1 * 20))
	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# field NAME: the first value of that name in JSON on stdin.
field() { grep -oE "\"$1\": *[^,}]+" | head -n1 | sed -E 's/^[^:]*: *//; s/"//g'; }

agent_attached() { in_sender ccpctl -j agents | grep -q '"id"'; }
flow_state() { in_sender ccpctl -j flows; }
flow_falls_back() { [ "$(flow_state | field fallback_reason)" != none ]; }
flow_is_steered() { [ "$(flow_state | field fallback_reason)" = none ]; }

# Background commands are ip's own, not functions: $! is then the program.
start_agent() {
	ip netns exec sender "${run_agent[@]}" >>$out/agent.log 2>&1 &
	agent=$!
	wait_for 5 agent_attached || fail "the agent does not attach"
}

load() {
	heading "2. The module in Linux $(uname -r), as Debian ships it"
	echo 'demo: the module comes' >/dev/kmsg
	insmod "$module" || fail "insmod failed"
	note "insmod ${module##*/}: $(dmesg | grep -o 'ccp_rs: .*' | tail -n1)"
	note "sysctl $(sysctl -w net.ipv4.tcp_congestion_control=ccp)"
}

# flow_start NAME ADDRESS: bulk traffic in the background.
flow_start() {
	path_queues
	softirq_begin=$(softirq_ns)
	ip netns exec sender ccpctl -j traffic send "$2" --seconds $seconds --interval 50 \
		>$out/"$1".json 2>>$out/traffic.log &
	flow=$!
}
flow_end() {
	wait "$flow" || fail "the transfer failed: $(tail -n1 $out/traffic.log)"
	echo $(($(softirq_ns) - softirq_begin)) >$out/"$1".cpu
	note "$(($(field bytes <$out/"$1".json) / 1000)) kB delivered, $(field retransmits <$out/"$1".json) retransmits"
}

steered_flows() {
	heading "3. '${run_agent[*]}' steers a flow over IPv4, then one over IPv6, $seconds s each"
	note "path: $((rate_bits / 1000000)) Mbit/s, RTT $rtt_ms ms, queue $((queue_bytes / 1000)) kB (1 BDP); network namespaces, veth, netem, tbf"
	start_agent
	note "agent: $(in_sender ccpctl agents | tail -n1)"
	ip netns exec sender ccpctl monitor --live --record $out/trace.csv 2>>$out/monitor.log &
	monitor=$!
	flow_start ccp4 10.0.0.2
	flow_end ccp4

	flow_start ccp6 fd00::2
	lose_agent
	flow_end ccp6
	in_sender ccpctl -j stats >$out/stats.json
	stop "$monitor" || fail "ccpctl monitor: $(tail -n1 $out/monitor.log)"
	stop "$agent" || fail "the agent did not detach cleanly: $(tail -n1 $out/agent.log)"
}

# An orderly end, and its exit status. In the background, programs may ignore
# Ctrl-C.
stop() {
	kill -TERM "$1"
	wait "$1"
}

# In the IPv6 flow: the agent dies and comes back.
lose_agent() {
	local before after
	sleep $kill_at
	flow_is_steered || fail "no agent steers the flow"
	! rmmod ccp_rs 2>/dev/null || fail "rmmod went through while a flow used the module"
	heading "4. SIGKILL to the agent, the flow goes on"
	kill -KILL "$agent"
	wait "$agent" 2>/dev/null || true
	wait_for 1 flow_falls_back || fail "the flow did not fall back"
	before=$(flow_state | field bytes_acked)
	sleep $((restart_at - kill_at))
	after=$(flow_state | field bytes_acked)
	[ "$after" -gt "$before" ] || fail "the flow stalled without the agent"
	note "without an agent: $(((after - before) / 1000)) kB in $((restart_at - kill_at)) s, under the fallback program"
	note "the agent starts again"
	start_agent
	wait_for 2 flow_is_steered || fail "the agent did not adopt the flow"
	note "it has adopted the flow"
}

kernel_reno() {
	heading "5. The kernel's own reno on the same path, $seconds s"
	in_sender sysctl -qw net.ipv4.tcp_congestion_control=reno
	flow_start reno4 10.0.0.2
	flow_end reno4
}

unload() {
	heading "6. The module goes"
	note "rmmod was refused while a flow used the module"
	path_delete
	sysctl -qw net.ipv4.tcp_congestion_control=cubic
	rmmod ccp_rs || fail "rmmod failed"
	note "rmmod ccp_rs: done"
	# Loading any module from outside the kernel taints it and says so.
	complaints=$(kernel_says | grep '^<[0-4]>' | grep -vE 'taint|verification failed') &&
		fail "the kernel complained: $complaints"
	note "no complaint in the kernel log"
}

load
path_create
in_sender sysctl -qw net.ipv4.tcp_congestion_control=ccp
ip netns exec receiver ccpctl traffic recv --count 0 2>>$out/traffic.log &
receiver=$!
softirq_start
steered_flows
kernel_reno
softirq_stop
kill $receiver
unload
