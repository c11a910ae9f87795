// SPDX-License-Identifier: GPL-2.0

//! Commands of genl family "mptcp".
//!
//! Each looks up the connection in the caller's network namespace, keeps other
//! commands from it, checks and plans under its lock, has the kernel act
//! without that lock, and then notes how it went. So a command does all of
//! what it says or nothing.
//!
//! C side: `c-shim/mptcp_netlink.c`, which has unpacked the attributes.

use kernel::{
    ffi::c_int,
    prelude::*, //
};

use crate::{
    commands::Caller,
    mptcp::{
        Attr,
        Command,
        Pair,
        Refusal,
        Request, //
    },
    shim::{
        mptcp::Conn,
        CommandError,
        Refused, //
    },
};

/// Commands by their numbers in the uapi.
fn command(cmd: u8) -> Option<Command> {
    Some(match cmd {
        4 => Command::Announce,
        5 => Command::Remove,
        8 => Command::SubCreate,
        9 => Command::SubDestroy,
        12 => Command::SubPriority,
        15 => Command::Exist,
        _ => return None,
    })
}

/// Why a command ends early.
enum End {
    Refusal(Refusal),
    Error(Error),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> End {
        End::Refusal(refusal)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Error(error)
    }
}

fn run(caller: &Caller, command: Command, request: &Request) -> core::result::Result<(), End> {
    let token = request.token()?;
    let pair = match command {
        Command::SubDestroy | Command::SubPriority => Some(Pair::of(request)?),
        _ => None,
    };
    // What is wrong with the request itself comes before who is meant.
    let unknown = Refusal::UnknownToken(command, token);
    let Some(conn) = Conn::find(&caller.net().shim, token) else {
        check(command, request)?;
        return Err(unknown.into());
    };
    let _alone = conn.begin_command()?;
    let outcome = |err: c_int| match err {
        0 => Ok(()),
        err => Err(Refusal::of(
            command,
            token,
            request.loc_id,
            err.wrapping_neg(),
        )),
    };
    match (command, pair) {
        (Command::Announce, _) => {
            let plan = conn.with(|connection| connection.begin_announce(request))?;
            let done = outcome(conn.announce(&plan.end));
            conn.with(|connection| connection.end_announce(&plan, done.is_ok()));
            done?;
        }
        (Command::Remove, _) => {
            let end = conn.with(|connection| connection.begin_remove(request))?;
            outcome(conn.withdraw(&end))?;
            conn.with(|connection| connection.end_remove(&end));
        }
        (Command::SubCreate, _) => {
            let plan = conn.with(|connection| connection.begin_join(request))?;
            let done = outcome(conn.connect(&plan));
            conn.with(|connection| connection.end_join(&plan));
            done?;
        }
        (Command::SubDestroy, Some(pair)) => outcome(conn.close(&pair))?,
        (Command::SubPriority, Some(pair)) => outcome(conn.priority(&pair, request.is_backup()))?,
        _ => outcome(conn.exists())?,
    }
    Ok(())
}

/// What can be said against a request without its connection.
fn check(command: Command, request: &Request) -> core::result::Result<(), Refusal> {
    match command {
        Command::Announce => {
            request.needs(&[Attr::Family, Attr::LocId])?;
            request.source().map(drop)
        }
        Command::Remove => request.needs(&[Attr::LocId]),
        Command::SubCreate => {
            request.needs(&[Attr::Family, Attr::LocId, Attr::RemId])?;
            request.destination().map(drop)
        }
        _ => Ok(()),
    }
}

fn refuse(refusal: Refusal, error: &mut CommandError) -> Refused {
    let errno = refusal.errno().unsigned_abs();
    error.refuse(errno, refusal.attr(), format_args!("{refusal}"))
}

/// Does a command; 0 or a negative errno.
#[no_mangle]
extern "C" fn ccp_rs_mptcp_command(
    caller: &Caller,
    cmd: u8,
    request: &Request,
    error: &mut CommandError,
) -> c_int {
    let Some(command) = command(cmd) else {
        return EINVAL.to_errno();
    };
    match run(caller, command, request) {
        Ok(()) => 0,
        Err(End::Refusal(refusal)) => refuse(refusal, error).errno(),
        Err(End::Error(error)) => error.to_errno(),
    }
}

/// Says that a query asked for an unknown connection.
#[no_mangle]
extern "C" fn ccp_rs_mptcp_unknown(token: u32, error: &mut CommandError) {
    refuse(Refusal::UnknownToken(Command::Query, token), error);
}
