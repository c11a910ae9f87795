# SPDX-License-Identifier: GPL-2.0
# CPU time of the network softirqs, where packets and ACKs are handled, as the
# kernel's tracepoints tell it: every entry and exit is timed. Sourced.
# shellcheck shell=bash

tracing=/sys/kernel/tracing

softirq_start() {
	echo 'softirq_span unsigned int vec; u64 ns' >>$tracing/synthetic_events
	echo 'hist:keys=vec:entry=common_timestamp' >$tracing/events/irq/softirq_entry/trigger
	echo 'hist:keys=vec:span=common_timestamp-$entry:onmatch(irq.softirq_entry).softirq_span(vec,$span)' \
		>$tracing/events/irq/softirq_exit/trigger
	echo 'hist:keys=vec:vals=ns' >$tracing/events/synthetic/softirq_span/trigger
}

# Nanoseconds so far in the softirqs NET_TX (2) and NET_RX (3).
softirq_ns() {
	awk '/vec: +[23] }/ { ns += $NF } END { printf "%.0f\n", ns }' \
		$tracing/events/synthetic/softirq_span/hist
}

softirq_stop() {
	echo '!hist:keys=vec:vals=ns' >$tracing/events/synthetic/softirq_span/trigger
	echo '!hist:keys=vec:span=common_timestamp-$entry:onmatch(irq.softirq_entry).softirq_span(vec,$span)' \
		>$tracing/events/irq/softirq_exit/trigger
	echo '!hist:keys=vec:entry=common_timestamp' >$tracing/events/irq/softirq_entry/trigger
	echo '!softirq_span unsigned int vec; u64 ns' >>$tracing/synthetic_events
}
