// SPDX-License-Identifier: GPL-2.0
//! The "nlctrl" family: which number our family has.

use crate::{
    socket::{Repeat, Socket},
    uapi,
    wire::malformed,
    Error, Result,
};
use netlink_packet_core::Parseable;
use netlink_packet_generic::ctrl::{
    nlas::{GenlCtrlAttrs, McastGrpAttrs},
    GenlCtrl, GenlCtrlCmd,
};
use nix::errno::Errno;

pub(crate) struct Family {
    pub(crate) id: u16,
    pub(crate) events_group: Option<u32>,
}

pub(crate) fn resolve(socket: &mut Socket) -> Result<Family> {
    let request = || GenlCtrl {
        cmd: GenlCtrlCmd::GetFamily,
        nlas: vec![GenlCtrlAttrs::FamilyName(uapi::FAMILY.to_owned())],
    };
    let mut id = None;
    let mut events_group = None;
    let found = socket.command("find the family", Repeat::Safe, request, |attributes| {
        for attribute in attributes {
            let attribute = attribute.map_err(malformed("an attribute"))?;
            // One by one: the crate refuses those newer than itself.
            match GenlCtrlAttrs::parse(&attribute) {
                Ok(GenlCtrlAttrs::FamilyId(number)) => id = Some(number),
                Ok(GenlCtrlAttrs::McastGroups(groups)) => {
                    let name = McastGrpAttrs::Name(uapi::GROUP_EVENTS.to_owned());
                    let events = groups.iter().find(|group| group.contains(&name));
                    events_group = events.into_iter().flatten().find_map(|part| match part {
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
        Err(error) if error.errno() == Some(Errno::ENOENT as i32) => return Err(Error::NotLoaded),
        other => other?,
    }
    Ok(Family {
        id: id.ok_or(Error::Malformed("a family without number"))?,
        events_group,
    })
}
