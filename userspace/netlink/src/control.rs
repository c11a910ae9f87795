// SPDX-License-Identifier: GPL-2.0
//! The "nlctrl" family: which numbers a family and its groups have.

use crate::{
    socket::{Repeat, Socket},
    wire::{self, malformed},
    Error, Result,
};
use netlink_packet_core::Parseable;
use netlink_packet_generic::ctrl::{
    nlas::{GenlCtrlAttrs, McastGrpAttrs},
    GenlCtrl, GenlCtrlCmd,
};
use netlink_sys::protocols::NETLINK_GENERIC;
use nix::errno::Errno;

pub(crate) struct Numbers {
    pub(crate) family: u16,
    pub(crate) group: Option<u32>,
}

/// The numbers of a family and of one of its multicast groups.
pub(crate) fn resolve(family: &'static str, group: &str) -> Result<Numbers> {
    let request = |flags, sequence| {
        let request = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(family.to_owned())],
        };
        // The crate knows this family's own number.
        wire::datagram(request, None, flags, sequence)
    };
    let mut id = None;
    let mut number = None;
    let mut socket: Socket<()> = Socket::open(NETLINK_GENERIC, Box::new(|_| Ok(None)))?;
    let found = socket.command("find the family", Repeat::Safe, request, |message| {
        let (_, attributes) = wire::generic(message)?;
        for attribute in attributes {
            let attribute = attribute.map_err(malformed("an attribute"))?;
            // One by one: the crate refuses those newer than itself.
            match GenlCtrlAttrs::parse(&attribute) {
                Ok(GenlCtrlAttrs::FamilyId(family)) => id = Some(family),
                Ok(GenlCtrlAttrs::McastGroups(groups)) => {
                    let name = McastGrpAttrs::Name(group.to_owned());
                    let wanted = groups.iter().find(|group| group.contains(&name));
                    number = wanted.into_iter().flatten().find_map(|part| match part {
                        McastGrpAttrs::Id(number) => Some(*number),
                        McastGrpAttrs::Name(_) => None,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    });
    match found {
        Err(error) if error.errno() == Some(Errno::ENOENT as i32) => {
            return Err(Error::NoFamily(family))
        }
        other => other?,
    }
    Ok(Numbers {
        family: id.ok_or(Error::Malformed("a family without number"))?,
        group: number,
    })
}
