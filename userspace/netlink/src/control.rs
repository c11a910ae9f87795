// SPDX-License-Identifier: GPL-2.0
//! The "nlctrl" family: which number our family has.

use crate::{
    socket::{Repeat, Socket},
    uapi,
    wire::Request,
    Error, Result,
};
use nix::errno::Errno;

const GENL_ID_CTRL: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

pub(crate) struct Family {
    pub(crate) id: u16,
    pub(crate) events_group: Option<u32>,
}

pub(crate) fn resolve(socket: &mut Socket) -> Result<Family> {
    let request = || {
        Request::new(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1)
            .string(CTRL_ATTR_FAMILY_NAME, uapi::FAMILY)
    };
    let mut id = None;
    let mut events_group = None;
    let found = socket.command("find the family", Repeat::Safe, request, |attributes| {
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                CTRL_ATTR_FAMILY_ID => id = Some(attribute.u16()?),
                CTRL_ATTR_MCAST_GROUPS => {
                    for group in attribute.nested() {
                        let (mut name, mut number) = (String::new(), None);
                        for part in group?.nested() {
                            let part = part?;
                            match part.kind {
                                CTRL_ATTR_MCAST_GRP_NAME => name = part.string(),
                                CTRL_ATTR_MCAST_GRP_ID => number = Some(part.u32()?),
                                _ => {}
                            }
                        }
                        if name == uapi::GROUP_EVENTS {
                            events_group = number;
                        }
                    }
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
