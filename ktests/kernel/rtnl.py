# SPDX-License-Identifier: GPL-2.0
"""Links, addresses, routes and queues by rtnetlink.

In-process, as a run of ip(8) or tc(8) takes some 40 ms in a lab kernel and a
test needs a dozen.
"""

from __future__ import annotations

import socket
import struct

import netlink
from netlink import attr, nest, text, u32

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWQDISC = 16, 20, 24, 28, 36
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400

IFF_UP = 1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD, IFLA_GSO_MAX_SEGS = 1, 3, 18, 28, 40
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1

IFA_ADDRESS, IFA_LOCAL = 1, 2
IFA_F_NODAD = 2
NDA_DST, NDA_LLADDR = 1, 2
NUD_PERMANENT = 0x80
RTA_OIF, RTA_GATEWAY = 4, 5
RT_TABLE_MAIN, RTPROT_STATIC, RTN_UNICAST = 254, 4, 1

TC_H_ROOT = 0xFFFFFFFF
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_NETEM_ECN, TCA_NETEM_LATENCY64 = 7, 10
TCA_TBF_PARMS, TCA_TBF_BURST = 1, 6
LINKLAYER_ETHERNET = 1

ALL = (1 << 32) - 1


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def packed(address: str) -> bytes:
    return socket.inet_pton(family_of(address), address)


class Rtnl:
    """A connection to the network namespace the calling thread is in."""

    def __init__(self) -> None:
        self.nl = netlink.Netlink(strict=False, protocol=socket.NETLINK_ROUTE)

    def __enter__(self) -> Rtnl:
        return self

    def __exit__(self, *_: object) -> None:
        self.nl.close()

    def make(self, kind: int, body: bytes, how: int = NLM_F_EXCL) -> None:
        self.nl.exchange(kind, body, NLM_F_CREATE | how)

    def up(self, index: int) -> None:
        body = struct.pack("=BxHiII", 0, 0, index, IFF_UP, IFF_UP)
        self.nl.exchange(RTM_NEWLINK, body)

    def veth(self, ends: list[tuple[str, int, bytes]], gso_max_segs: int = 0) -> None:
        """A pair of links; each end is (name, namespace, MAC address)."""
        head = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
        half = []
        for name, ns, mac in ends:
            parts = text(IFLA_IFNAME, name) + u32(IFLA_NET_NS_FD, ns) + attr(IFLA_ADDRESS, mac)
            if gso_max_segs:
                parts += u32(IFLA_GSO_MAX_SEGS, gso_max_segs)
            half.append(head + parts)
        info = nest(
            IFLA_LINKINFO,
            attr(IFLA_INFO_KIND, b"veth"),
            nest(IFLA_INFO_DATA, attr(VETH_INFO_PEER, half[1])),
        )
        self.make(RTM_NEWLINK, half[0] + info)

    def address(self, index: int, address: str, prefix: int) -> None:
        family = family_of(address)
        flags = IFA_F_NODAD if family == socket.AF_INET6 else 0
        body = struct.pack("=BBBBI", family, prefix, flags, 0, index)
        local = attr(IFA_LOCAL, packed(address)) + attr(IFA_ADDRESS, packed(address))
        self.make(RTM_NEWADDR, body + local)

    def neighbour(self, index: int, address: str, mac: bytes) -> None:
        body = struct.pack("=BxxxiHBB", family_of(address), index, NUD_PERMANENT, 0, 0)
        parts = attr(NDA_DST, packed(address)) + attr(NDA_LLADDR, mac)
        self.make(RTM_NEWNEIGH, body + parts, NLM_F_REPLACE)

    def default_route(self, index: int, via: str) -> None:
        body = struct.pack(
            "=BBBBBBBBI", family_of(via), 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, RTN_UNICAST, 0
        )
        self.make(RTM_NEWROUTE, body + attr(RTA_GATEWAY, packed(via)) + u32(RTA_OIF, index))

    def qdisc(self, index: int, kind: str, options: bytes) -> None:
        """Make or change the root queue of a device."""
        body = struct.pack("=BxxxiIII", 0, index, 1 << 16, TC_H_ROOT, 0)
        self.make(
            RTM_NEWQDISC, body + text(TCA_KIND, kind) + attr(TCA_OPTIONS, options), NLM_F_REPLACE
        )

    def netem(
        self, index: int, delay_ms: float = 0, loss: bool = False, ecn: bool = False
    ) -> None:
        """Delays all; drops all if `loss`, but only marks it if `ecn` too."""
        options = struct.pack("=IIIIII", 0, 100_000, ALL if loss else 0, 0, 0, 0)
        options += u32(TCA_NETEM_ECN, int(ecn))
        options += attr(TCA_NETEM_LATENCY64, struct.pack("=q", int(delay_ms * 1e6)))
        self.qdisc(index, "netem", options)

    def tbf(self, index: int, rate_mbit: float, burst: int, limit: int) -> None:
        """A bottleneck with a queue of `limit` bytes."""

        def ratespec(rate: float) -> bytes:
            return struct.pack("=BBHhHI", 0, LINKLAYER_ETHERNET, 0, 0, 0, int(rate))

        parms = ratespec(rate_mbit * 1e6 / 8) + bytes(12) + struct.pack("=III", limit, 0, 0)
        options = attr(TCA_TBF_PARMS, parms) + u32(TCA_TBF_BURST, burst)
        self.qdisc(index, "tbf", options)
