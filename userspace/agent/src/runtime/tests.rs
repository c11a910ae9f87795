// SPDX-License-Identifier: GPL-2.0

use super::{compile, datapath::LATE_MAX, kernel::Kernel, serve, Options, Summary};
use crate::{
    Algorithm, Datapath, Error, FallbackReason, Flow, FlowInfo, Notice, Program, Report, Result,
};
use ccp_netlink::{Attached, Event, Fallback, ProgramInfo, RawReport, Refusal, Update};
use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::Rc,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

const AGENT: u32 = 7;

/// A kernel with a script: events come in order, and then the agent is told to
/// stop.
#[derive(Default)]
struct Script {
    flows: Vec<FlowInfo>,
    /// The flows from the second list on.
    later: Option<Vec<FlowInfo>>,
    listed: bool,
    events: VecDeque<Event>,
    log: Vec<String>,
    programs: u32,
    stop: Arc<AtomicBool>,
    timeout_ms: u32,
    /// Programs that cannot be removed.
    busy: Vec<u32>,
}

fn not_found(command: &'static str) -> ccp_netlink::Error {
    ccp_netlink::Error::Kernel(Refusal {
        command,
        errno: 2,
        message: None,
    })
}

impl Kernel for Script {
    fn attach(&mut self, name: &str, algorithms: &[&str]) -> ccp_netlink::Result<Attached> {
        self.log.push(format!("attach {name} {algorithms:?}"));
        Ok(Attached {
            id: AGENT,
            timeout_ms: self.timeout_ms,
            ..Attached::default()
        })
    }
    fn detach(&mut self) -> ccp_netlink::Result<()> {
        self.log.push("detach".into());
        Ok(())
    }
    fn heartbeat(&mut self) -> ccp_netlink::Result<()> {
        self.log.push("heartbeat".into());
        Ok(())
    }
    fn install(&mut self, name: &str, _: &[u8], _: &[u8]) -> ccp_netlink::Result<ProgramInfo> {
        self.programs += 1;
        self.log.push(format!("install {name}"));
        Ok(ProgramInfo {
            id: self.programs,
            ..ProgramInfo::default()
        })
    }
    fn remove_program(&mut self, id: u32) -> ccp_netlink::Result<()> {
        if self.busy.contains(&id) {
            return Err(ccp_netlink::Error::Kernel(Refusal {
                command: "program-remove",
                errno: 16,
                message: None,
            }));
        }
        self.log.push(format!("remove {id}"));
        Ok(())
    }
    fn flows(&mut self) -> ccp_netlink::Result<Vec<FlowInfo>> {
        if std::mem::replace(&mut self.listed, true) {
            self.flows = self.later.take().unwrap_or_else(|| self.flows.clone());
        }
        Ok(self.flows.clone())
    }
    fn flow(&mut self, id: u64) -> ccp_netlink::Result<FlowInfo> {
        let flow = self.flows.iter().find(|flow| flow.id == id);
        flow.cloned().ok_or_else(|| not_found("flow-get"))
    }
    fn set_program(
        &mut self,
        flow: u64,
        program: u32,
        updates: &[Update],
    ) -> ccp_netlink::Result<()> {
        self.flow(flow)?;
        let values: Vec<u64> = updates.iter().map(|update| update.value).collect();
        self.log.push(format!("set {flow} to {program} {values:?}"));
        Ok(())
    }
    fn update(&mut self, flow: u64, updates: &[Update]) -> ccp_netlink::Result<()> {
        self.flow(flow)?;
        let values: Vec<u64> = updates.iter().map(|update| update.value).collect();
        self.log.push(format!("update {flow} {values:?}"));
        Ok(())
    }
    fn next_event(&mut self, _: Duration) -> ccp_netlink::Result<Option<Event>> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(event)
    }
}

const ONE: &str = "(def (Report (value 0)) (level 0)) (when true (:= Report.value level) (report))";
const TWO: &str = "(def (Report (other 0))) (when true (:= Report.other Cwnd) (report))";

/// Answers each report with its value, and does what values above 100 say.
struct Echo(&'static str);

impl Algorithm for Echo {
    fn name(&self) -> &str {
        self.0
    }
    fn programs(&self) -> Vec<Program> {
        vec![Program::new("one", ONE), Program::new("two", TWO)]
    }
    fn new_flow(&self, dp: &mut dyn Datapath, _: &FlowInfo) -> Result<Box<dyn Flow>> {
        dp.set_program("one", &[])?;
        Ok(Box::new(EchoFlow))
    }
}

struct EchoFlow;

impl Flow for EchoFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        match r.get("value")? {
            101 => panic!("out of luck"),
            102 => dp.set_program("two", &[]),
            103 => dp.update(&[("nonsense", 1)]),
            104 => dp.set_program("three", &[]),
            value @ 200.. => {
                let source =
                    format!("(def (Report (value {value})) (level 0)) (when true (report))");
                dp.install(&Program::new("late", source), &[("level", 3)])
            }
            value => dp.update(&[("level", value + r.missed())]),
        }
    }
}

fn flow(id: u64) -> FlowInfo {
    FlowInfo {
        id,
        agent_id: Some(AGENT),
        fallback_reason: FallbackReason::NoAgent,
        ..FlowInfo::default()
    }
}

fn report(flow_id: u64, program_id: u32, seq: u64, value: u64) -> Event {
    Event::Report(RawReport {
        flow_id,
        program_id,
        seq,
        fields: vec![value],
        ..RawReport::default()
    })
}

fn fell(flow_id: u64, reason: FallbackReason) -> Event {
    Event::FlowFallback(Fallback {
        flow_id,
        reason,
        ..Fallback::default()
    })
}

/// Runs a script; gives the kernel's log, from the first flow on, what the
/// agent said of flows, and its summary.
fn play(mut script: Script) -> (Vec<String>, Vec<String>, Summary) {
    let algorithms: Vec<Box<dyn Algorithm>> = vec![Box::new(Echo("echo")), Box::new(Echo("other"))];
    let notices = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&notices);
    let options = Options {
        stop: Arc::clone(&script.stop),
        observe: Box::new(move |notice: &Notice| seen.borrow_mut().push(notice.to_string())),
        ..Options::default()
    };
    let shelves = compile(&algorithms).unwrap();
    let summary = serve(&mut script, &algorithms, shelves, options, &mut || {}).unwrap();
    assert_eq!(
        script.log[..5],
        [
            "attach echo [\"echo\", \"other\"]",
            "install echo.one",
            "install echo.two",
            "install other.one",
            "install other.two"
        ]
    );
    assert_eq!(script.log.last().unwrap(), "detach");
    let log = script.log[5..script.log.len() - 1].to_vec();
    let notices = notices.borrow()[1..].to_vec();
    (log, notices, summary)
}

#[test]
fn live_flows_are_adopted_once() {
    let foreign = FlowInfo {
        agent_id: Some(8),
        ..flow(3)
    };
    let created = FlowInfo {
        adopted: true,
        ..flow(1)
    };
    let (log, _, summary) = play(Script {
        flows: vec![flow(1), flow(2), foreign.clone()],
        events: [
            Event::FlowCreated(created),
            Event::FlowCreated(flow(2)),
            Event::FlowCreated(foreign),
        ]
        .into(),
        ..Script::default()
    });
    assert_eq!(log, ["set 1 to 1 []", "set 2 to 1 []"]);
    assert_eq!((summary.flows, summary.adopted), (2, 2));
}

#[test]
fn a_socket_names_its_algorithm() {
    let named = FlowInfo {
        algorithm: "ccp_other".into(),
        ..flow(1)
    };
    let (log, ..) = play(Script {
        flows: vec![named],
        events: [report(1, 3, 1, 5)].into(),
        ..Script::default()
    });
    assert_eq!(log, ["set 1 to 3 []", "update 1 [5]"]);
}

#[test]
fn reports_are_answered_and_gaps_told() {
    let (log, _, summary) = play(Script {
        flows: vec![flow(1)],
        events: [
            report(1, 1, 1, 5),
            report(1, 1, 4, 6),
            report(9, 1, 1, 5),
            report(1, 99, 5, 5),
        ]
        .into(),
        ..Script::default()
    });
    assert_eq!(log[1..], ["update 1 [5]", "update 1 [8]"]);
    assert_eq!((summary.reports, summary.missed), (2, 2));
}

#[test]
fn a_stale_report_is_no_failure() {
    let (log, notices, summary) = play(Script {
        flows: vec![flow(1)],
        // The second report of program one has the fields of program one.
        events: [report(1, 1, 1, 102), report(1, 1, 2, 5), report(1, 2, 3, 5)].into(),
        ..Script::default()
    });
    // 'level' is not a register of program two, and that report is stale.
    assert_eq!(log, ["set 1 to 1 []", "set 1 to 2 []"]);
    // The report that is not stale has no field 'value'.
    assert_eq!(summary.failures, 1);
    assert!(
        notices[1].contains("does not report 'value', only 'other'"),
        "{notices:?}"
    );
}

#[test]
fn mistakes_of_one_flow_are_its_own() {
    let (log, notices, summary) = play(Script {
        flows: vec![flow(1), flow(2)],
        events: [
            report(1, 1, 1, 103),
            report(2, 1, 1, 5),
            report(1, 1, 2, 104),
            report(1, 1, 3, 6),
        ]
        .into(),
        ..Script::default()
    });
    assert_eq!(log[2..], ["update 2 [5]", "update 1 [6]"]);
    assert_eq!(summary.failures, 2);
    assert!(
        notices[2].ends_with("no register 'nonsense' to set, only 'Cwnd', 'Rate' and 'level'"),
        "{}",
        notices[2]
    );
    assert!(
        notices[3].ends_with("no program 'three', only 'one' and 'two'"),
        "{}",
        notices[3]
    );
}

#[test]
fn a_panic_costs_one_flow_its_state_and_at_last_its_agent() {
    let mut events: VecDeque<Event> = (1..=5).map(|seq| report(1, 1, seq, 101)).collect();
    events.push_back(report(2, 1, 1, 5));
    let (log, notices, _) = play(Script {
        flows: vec![flow(1), flow(2)],
        events,
        ..Script::default()
    });
    assert_eq!(
        log[2..],
        [
            "set 1 to 1 []",
            "set 1 to 1 []",
            "set 1 to 1 []",
            "install (fallback)",
            "set 1 to 5 []",
            "update 2 [5]"
        ]
    );
    assert!(notices
        .iter()
        .any(|n| n == "flow 1: the algorithm panicked: out of luck"));
}

#[test]
fn a_flow_that_fell_back_is_taken_on_again_unless_its_program_is_to_blame() {
    let (log, _, summary) = play(Script {
        flows: vec![flow(1), flow(2)],
        events: [
            fell(1, FallbackReason::AgentSilent),
            // The kernel's own word about it changes nothing then.
            Event::FlowCreated(flow(1)),
            fell(2, FallbackReason::ProgramAborted),
        ]
        .into(),
        ..Script::default()
    });
    assert_eq!(log[2..], ["set 1 to 1 []"]);
    assert_eq!(summary.fallbacks, 2);
}

#[test]
fn after_lost_events_a_list_tells() {
    // Flow 1 closed, flow 2 fell back, flow 4 began, and nobody said so.
    let runs = |id| FlowInfo {
        fallback_reason: FallbackReason::None,
        ..flow(id)
    };
    let silent = FlowInfo {
        fallback_reason: FallbackReason::AgentSilent,
        ..flow(2)
    };
    let (log, notices, _) = play(Script {
        flows: vec![flow(1), flow(2), flow(3)],
        later: Some(vec![silent, runs(3), flow(4)]),
        events: [Event::Overrun, report(4, 1, 1, 9)].into(),
        ..Script::default()
    });
    assert_eq!(log[3..], ["set 2 to 1 []", "set 4 to 1 []", "update 4 [9]"]);
    assert!(
        notices.iter().any(|n| n.contains("1 flows found, 1 gone")),
        "{notices:?}"
    );
}

#[test]
fn a_flow_that_closed_meanwhile_is_no_failure() {
    let (log, notices, summary) = play(Script {
        events: [Event::FlowCreated(flow(1)), report(1, 1, 1, 5)].into(),
        ..Script::default()
    });
    assert!(
        log.is_empty() && notices[..notices.len() - 1].is_empty(),
        "{notices:?}"
    );
    assert_eq!(summary, Summary::default());
}

#[test]
fn a_program_made_at_run_time_is_installed_once() {
    let (log, notices, summary) = play(Script {
        flows: vec![flow(1), flow(2)],
        events: [
            report(1, 1, 1, 200),
            report(2, 1, 1, 200),
            report(1, 5, 2, 7),
            report(2, 5, 2, 201),
        ]
        .into(),
        ..Script::default()
    });
    assert_eq!(
        log[2..],
        [
            "install echo.late.1",
            "set 1 to 5 [3]",
            "set 2 to 5 [3]",
            "update 1 [7]",
            "install echo.late.2",
            "set 2 to 6 [3]"
        ],
        "{notices:?}"
    );
    assert_eq!(summary.failures, 0);
}

#[test]
fn programs_that_no_flow_runs_are_forgotten() {
    let most = LATE_MAX as u64;
    let (log, _, summary) = play(Script {
        flows: vec![flow(1)],
        events: (0..=most + 1)
            .map(|n| report(1, 1, n + 1, 200 + n))
            .collect(),
        busy: vec![5],
        ..Script::default()
    });
    // The first, 5, is busy and stays.
    let removed: Vec<&String> = log.iter().filter(|line| line.starts_with("rem")).collect();
    assert_eq!(removed, ["remove 6", "remove 7"]);
    let second = |line: &&String| line.ends_with("late.2");
    assert_eq!(log.iter().filter(second).count(), 2);
    assert_eq!(summary.failures, 0);
}

#[test]
fn a_timeout_asks_for_heartbeats() {
    let (log, ..) = play(Script {
        timeout_ms: 4,
        events: std::iter::repeat_with(|| Event::Overrun)
            .take(2000)
            .collect(),
        flows: (1..200).map(flow).collect(),
        ..Script::default()
    });
    assert!(log.iter().any(|line| line == "heartbeat"));
}

#[test]
fn nothing_is_attached_when_a_program_does_not_compile() {
    struct Broken;
    impl Algorithm for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        fn programs(&self) -> Vec<Program> {
            vec![
                Program::new("a", "(def) (when true (:= Cwnd (+ Cwnd x)))"),
                Program::new("b", "(when true"),
            ]
        }
        fn new_flow(&self, _: &mut dyn Datapath, _: &FlowInfo) -> Result<Box<dyn Flow>> {
            unreachable!("never attached")
        }
    }
    let Err(Error::Compile(text)) = crate::run(&[Box::new(Broken)], Options::default()) else {
        panic!("it compiles");
    };
    assert!(
        text.contains("broken.a:1:") && text.contains("broken.b:1:"),
        "{text}"
    );
}
