// SPDX-License-Identifier: GPL-2.0

//! Errors of commands: the errnos of the uapi, and words for people.

use ccp_core::mptcp::{
    errno::*,
    Command,
    Conflict,
    Refusal, //
};

const ALL: [Command; 7] = [
    Command::Announce,
    Command::Remove,
    Command::SubCreate,
    Command::SubDestroy,
    Command::SubPriority,
    Command::Exist,
    Command::Query,
];

fn errno(command: Command, err: i32) -> i32 {
    Refusal::of(command, 1, 2, err).errno()
}

#[test]
fn unknown_tokens() {
    for command in ALL {
        let expected = match command {
            Command::SubCreate => EBADR,
            Command::Exist => ENOTCONN,
            _ => EINVAL,
        };
        assert_eq!(errno(command, ENOENT), expected, "{command:?}");
        let text = Refusal::of(command, 0xab, 2, ENOENT).to_string();
        assert!(text.contains("0x000000ab"), "{text}");
    }
}

#[test]
fn states_of_the_connection() {
    for command in ALL {
        assert_eq!(errno(command, EOWNERDEAD), EOWNERDEAD);
        assert_eq!(errno(command, EAGAIN), EAGAIN);
        assert_eq!(errno(command, ENOTCONN), ENOTCONN);
        assert_eq!(errno(command, EBUSY), EBUSY);
        assert_eq!(errno(command, ENOSPC), ENOSPC);
        assert_eq!(errno(command, ENOMEM), ENOMEM);
    }
}

/// The old kernel knew one errno for what isn't there.
#[test]
fn nothing_there() {
    for command in [
        Command::Announce,
        Command::Remove,
        Command::SubDestroy,
        Command::SubPriority,
    ] {
        assert_eq!(errno(command, ESRCH), EINVAL);
    }
    let text = |command| Refusal::of(command, 1, 200, ESRCH).to_string();
    assert!(text(Command::Remove).contains("200"));
    assert!(text(Command::SubDestroy).contains("no subflow"));
    assert!(text(Command::SubPriority).contains("no subflow"));
}

#[test]
fn errors_of_connecting_come_through() {
    for err in [1, ESRCH, 13, EBUSY, 19, 98, 99, 101, 111, 113] {
        assert_eq!(errno(Command::SubCreate, err), err);
    }
}

#[test]
fn conflicts() {
    for (conflict, errno, text) in [
        (Conflict::OtherId(3), EINVAL, "id 3 already, not 9"),
        (Conflict::OtherAddress, EINVAL, "id 9 stands for another"),
        (Conflict::NoIds, ENOSPC, "255 ids"),
        (Conflict::NoMemory, ENOMEM, "no memory"),
    ] {
        let refusal = Refusal::of_conflict(conflict, 9);
        assert_eq!(refusal.errno(), errno);
        assert!(refusal.to_string().contains(text), "{refusal}");
    }
}

#[test]
fn the_attribute_at_fault() {
    use ccp_core::mptcp::Attr;
    let token = Refusal::UnknownToken(Command::Exist, 1);
    for (refusal, attr) in [
        (Refusal::Missing(Attr::RemId), 4),
        (Refusal::Family(3), 2),
        (token, 1),
        (Refusal::IdZero, 3),
        (Refusal::NoPort, 10),
        (Refusal::NoSubflow, 0),
    ] {
        assert_eq!(refusal.attr(), attr, "{refusal}");
    }
    let text = Refusal::Missing(Attr::RemId).to_string();
    assert_eq!(text, "attribute 'rem-id' is missing");
}
