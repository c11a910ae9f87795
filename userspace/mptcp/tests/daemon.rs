// SPDX-License-Identifier: GPL-2.0
//! The daemon between a scripted kernel and scripted addresses.

use ccp_mptcp::{
    backend::{Backend, Counters, PathManager},
    config::Config,
    daemon::{run, Addresses, Options, Summary},
    policy::Address,
    Command, Connection, Error, Event, Kind, Phase, Record, Result, Subflow,
};
use ccp_netlink::Refusal;
use std::{
    collections::VecDeque,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex,
    },
    time::Duration,
};

/// What the kernel says next.
enum Line {
    Event(Event),
    /// A message that cannot be read.
    Garbage,
    /// Ends the daemon.
    Stop,
}

struct Script {
    lines: VecDeque<Line>,
    /// What is said on the other socket; `None`: there is none.
    deferred: Option<VecDeque<Line>>,
    dump: Vec<Connection>,
    dumps: usize,
    /// What has been said up to this dump is all.
    stop_after: usize,
    lists: bool,
    refuse: VecDeque<i32>,
    commands: Vec<Command>,
    stop: Arc<AtomicBool>,
    pipe: UnixStream,
}

impl PathManager for Script {
    fn backend(&self) -> Backend {
        Backend::Netlink
    }

    fn subscribe(&mut self, _: &[Kind], _: &[Kind]) -> Result<()> {
        Ok(())
    }

    fn take_deferred(&mut self) -> Result<bool> {
        let taken = self.lines.is_empty();
        if taken {
            self.lines
                .extend(self.deferred.iter_mut().flat_map(|it| it.drain(..)));
        }
        Ok(taken)
    }

    fn event(&mut self, _: Option<Duration>) -> Result<Option<Event>> {
        match self.lines.pop_front() {
            Some(Line::Event(event)) => Ok(Some(event)),
            Some(Line::Garbage) => Err(Error::Netlink(ccp_netlink::Error::Malformed(
                "an attribute",
            ))),
            Some(Line::Stop) => {
                self.stop.store(true, Ordering::Relaxed);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn execute(&mut self, command: &Command) -> Result<()> {
        self.commands.push(command.clone());
        match self.refuse.pop_front() {
            None => Ok(()),
            Some(errno) => Err(Error::Netlink(ccp_netlink::Error::Kernel(Refusal {
                command: "sub-create",
                errno,
                message: None,
            }))),
        }
    }

    fn connections(&mut self) -> Result<Vec<Connection>> {
        self.dumps += 1;
        if self.dumps == self.stop_after {
            self.lines.push_back(Line::Stop);
        }
        if self.lists {
            Ok(self.dump.clone())
        } else {
            Err(Error::Unsupported("no list"))
        }
    }

    fn counters(&mut self) -> Result<Option<Counters>> {
        Ok(None)
    }

    fn audit(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn has_more(&self) -> bool {
        !self.lines.is_empty()
    }

    fn has_queued(&self) -> bool {
        false
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    fn deferred_fd(&self) -> Option<BorrowedFd<'_>> {
        self.deferred.as_ref().map(|_| self.pipe.as_fd())
    }
}

struct Fixed {
    pipe: UnixStream,
}

impl Addresses for Fixed {
    fn list(&mut self) -> Result<Vec<Address>> {
        let address = |ip: [u8; 4], ifindex| Address {
            ip: ip.into(),
            ifindex,
            interface: format!("eth{ifindex}"),
        };
        Ok(vec![address([10, 0, 1, 1], 2), address([10, 0, 2, 1], 3)])
    }

    fn changed(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

fn event(kind: Kind) -> Line {
    let record = Record {
        token: Some(1),
        local_id: Some(0),
        remote_id: Some(0),
        local: Some([10, 0, 1, 1].into()),
        remote: Some([192, 0, 2, 1].into()),
        local_port: Some(4000),
        remote_port: Some(80),
        ..Record::default()
    };
    Line::Event(Event { kind, record })
}

struct Outcome {
    summary: Summary,
    commands: Vec<Command>,
    dumps: usize,
    log: String,
}

fn play(lines: Vec<Line>, dump: Vec<Connection>, change: impl FnOnce(&mut Script)) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    // Closed at the other end they are readable: the daemon never sleeps.
    let (pipe, _) = UnixStream::pair().unwrap();
    let (changes, _) = UnixStream::pair().unwrap();
    let mut script = Script {
        lines: lines.into(),
        deferred: None,
        dump,
        dumps: 0,
        stop_after: 1,
        lists: true,
        refuse: VecDeque::new(),
        commands: Vec::new(),
        stop: Arc::clone(&stop),
        pipe,
    };
    change(&mut script);
    let log = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&log);
    let options = Options {
        config: Config::default(),
        stop,
        log: Box::new(move |line| {
            let mut log = lines.lock().unwrap();
            *log += line;
            log.push('\n');
        }),
        verbose: true,
    };
    let summary = run(&mut script, &mut Fixed { pipe: changes }, options).unwrap();
    let log = log.lock().unwrap().clone();
    Outcome {
        summary,
        commands: script.commands,
        dumps: script.dumps,
        log,
    }
}

fn is_second(command: &Command) -> bool {
    let second = "10.0.2.1:0".parse().unwrap();
    matches!(command, Command::Connect { token: 1, local_id: 1, local, .. } if *local == second)
}

#[test]
fn a_connection_gets_its_second_subflow() {
    let outcome = play(
        vec![event(Kind::Created), event(Kind::Established)],
        Vec::new(),
        |_| {},
    );
    assert!(
        matches!(&outcome.commands[..], [one] if is_second(one)),
        "{:?}",
        outcome.commands
    );
    let summary = Summary {
        connections: 1,
        subflows: 1,
        refused: 0,
        resyncs: 0,
    };
    assert_eq!(outcome.summary, summary);
    assert_eq!(
        outcome.log,
        "address 10.0.1.1 on eth2\n\
         address 10.0.2.1 on eth3\n\
         listed: 0 connections, 0 subflows\n\
         00000001: connection 10.0.1.1:4000 to 192.0.2.1:80, client\n\
         00000001: subflow 10.0.2.1:0 (id 1) to 192.0.2.1:80 (id 0): fullmesh\n"
    );
}

#[test]
fn what_is_there_at_the_start_counts() {
    let subflow = Subflow {
        local: "10.0.1.1:4000".parse().unwrap(),
        remote: "192.0.2.1:80".parse().unwrap(),
        local_id: 0,
        remote_id: 0,
        backup: false,
        ifindex: 0,
        id: Some(1),
        initial: true,
    };
    let dump = Connection {
        token: 1,
        phase: Phase::Established,
        subflows: vec![subflow],
        ..Connection::default()
    };
    let outcome = play(Vec::new(), vec![dump], |_| {});
    assert!(
        matches!(&outcome.commands[..], [one] if is_second(one)),
        "{:?}",
        outcome.commands
    );
    assert!(outcome.log.contains("listed: 1 connections, 1 subflows"));
}

#[test]
fn lost_and_unreadable_events_bring_a_dump() {
    for line in [
        Line::Garbage,
        Line::Event(ccp_netlink::Notification::overrun()),
        // Of a connection nobody told of.
        event(Kind::SubflowEstablished),
    ] {
        let outcome = play(vec![line], Vec::new(), |script| script.stop_after = 2);
        assert_eq!((outcome.dumps, outcome.summary.resyncs), (2, 1));
        assert!(outcome.commands.is_empty());
    }
}

#[test]
fn deferred_events_wake_the_daemon_and_come_before_a_dump() {
    let mut ended = event(Kind::Closed);
    if let Line::Event(event) = &mut ended {
        event.record.token = Some(2);
    }
    let outcome = play(Vec::new(), Vec::new(), |script| {
        script.deferred = Some(VecDeque::from([event(Kind::SubflowEstablished), ended]));
        script.stop_after = 2;
    });
    // The first one is of no known connection.
    assert_eq!((outcome.dumps, outcome.summary.resyncs), (2, 1));
    let closed = outcome.log.find("00000002: closed").unwrap();
    assert!(closed < outcome.log.rfind("listed:").unwrap());
}

#[test]
fn what_is_deferred_while_a_dump_is_due_comes_first() {
    let outcome = play(vec![Line::Garbage], Vec::new(), |script| {
        script.deferred = Some(VecDeque::from([event(Kind::Closed)]));
        script.stop_after = 2;
    });
    assert_eq!((outcome.dumps, outcome.summary.resyncs), (2, 1));
    let closed = outcome.log.find("00000001: closed").unwrap();
    assert!(closed < outcome.log.rfind("listed:").unwrap());
}

#[test]
fn refusals_are_told_and_tried_again_only_when_it_helps() {
    let lines = || vec![event(Kind::Created), event(Kind::Established)];
    let outcome = play(lines(), Vec::new(), |script| script.refuse = [101].into());
    assert_eq!(outcome.summary.refused, 1);
    assert!(
        outcome.log.contains("Network is unreachable"),
        "{}",
        outcome.log
    );
    assert_eq!(outcome.commands.len(), 1);
}

#[test]
fn without_lists_new_connections_count() {
    let lines = vec![event(Kind::Created), event(Kind::Established)];
    let outcome = play(lines, Vec::new(), |script| script.lists = false);
    assert!(outcome.log.contains("no list"), "{}", outcome.log);
    assert_eq!(outcome.commands.len(), 1);
}
