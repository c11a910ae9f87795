// SPDX-License-Identifier: GPL-2.0

use super::{
    elasticity::{pulse, Cross, LENGTH, STEP},
    Nimbus,
};
use crate::{constant::Const, reno::Reno, testing::path, testing::standing_queue};
use ccp_agent::{
    sim::{FlowId, Path, Sim},
    Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result,
};
use std::{cell::RefCell, f64::consts::TAU, rc::Rc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

/// What the agent told the program of the others, report by report.
type Opinions = Rc<RefCell<Vec<(u64, bool)>>>;

/// Nimbus, watched.
struct Watched(Nimbus, Opinions);

struct WatchedFlow(Box<dyn Flow>, Opinions);

impl Algorithm for Watched {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn programs(&self) -> Vec<Program> {
        self.0.programs()
    }
    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let flow = self.0.new_flow(dp, info)?;
        Ok(Box::new(WatchedFlow(flow, Rc::clone(&self.1))))
    }
}

impl Flow for WatchedFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let opinion = (r.time_us(), r.flag("competing")?);
        self.1.borrow_mut().push(opinion);
        self.0.on_report(dp, r)
    }
}

fn watched() -> (Watched, Opinions) {
    let opinions = Opinions::default();
    let nimbus = Nimbus {
        // Payload of 20 Mbit/s.
        link: Some(2_500_000.0 * 1448.0 / 1514.0),
        ..Nimbus::default()
    };
    (Watched(nimbus, Rc::clone(&opinions)), opinions)
}

/// Share of the time since `from` in which others were thought elastic.
fn elastic(opinions: &Opinions, from: Duration) -> f64 {
    let all = opinions.borrow();
    let later = all
        .iter()
        .filter(|(time, _)| u128::from(*time) > from.as_micros());
    let count = later.clone().count();
    later.filter(|(_, elastic)| *elastic).count() as f64 / count as f64
}

fn rate(sim: &mut Sim, flow: FlowId, length: Duration) -> f64 {
    let before = sim.delivered(flow);
    sim.run_for(length);
    f64::from(sim.delivered(flow) - before) * 1514.0 * 8.0 / length.as_secs_f64() / 1e6
}

/// Four bandwidth-delay products of queue.
fn deep() -> Path {
    Path {
        queue: 264,
        ..path()
    }
}

#[test]
fn alone_it_keeps_its_delay() {
    let mut sim = Sim::new(deep());
    let (nimbus, opinions) = watched();
    let flow = sim.add_flow(&nimbus).unwrap();
    sim.run_for(SECOND * 20);
    let (_, mean, _) = standing_queue(&mut sim, SECOND * 40);
    let ms = mean * 1514.0 * 8.0 / 20_000.0;
    assert!((6.0..20.0).contains(&ms), "{ms}");
    assert!(sim.utilisation(SECOND * 20) > 0.95);
    assert!(elastic(&opinions, SECOND * 20) < 0.1);
    assert_eq!(sim.lost(flow), 0);
    assert!(sim.errors().is_empty(), "{:?}", sim.errors());
}

#[test]
fn traffic_that_does_not_answer_leaves_it_in_delay_mode() {
    let mut sim = Sim::new(deep());
    let steady = Const::from_window(1000);
    let cross = sim.add_limited_flow(&steady, 8_000_000).unwrap();
    let (nimbus, opinions) = watched();
    let flow = sim.add_flow(&nimbus).unwrap();
    sim.run_for(SECOND * 20);
    let (_, mean, _) = standing_queue(&mut sim, SECOND * 20);
    let ms = mean * 1514.0 * 8.0 / 20_000.0;
    let share = elastic(&opinions, SECOND * 20);
    assert!(share < 0.1, "{share}");
    assert!(ms < 30.0, "{ms}");
    let got = rate(&mut sim, cross, SECOND * 10);
    assert!(got > 7.8, "{got}");
    let got = rate(&mut sim, flow, SECOND * 10);
    assert!(got > 10.0, "{got}");
}

#[test]
fn traffic_that_answers_is_competed_with() {
    let mut sim = Sim::new(path());
    let reno = sim.add_flow(&Reno::default()).unwrap();
    let (nimbus, opinions) = watched();
    let flow = sim.add_flow(&nimbus).unwrap();
    sim.run_for(SECOND * 20);
    let got = rate(&mut sim, flow, SECOND * 100);
    let share = elastic(&opinions, SECOND * 20);
    assert!(share > 0.7, "{share}");
    assert!((5.0..15.0).contains(&got), "{got}");
    assert!(sim.delivered(reno) > 0);
}

#[test]
fn it_notices_when_the_others_change() {
    let mut sim = Sim::new(deep());
    let (nimbus, opinions) = watched();
    sim.add_flow(&nimbus).unwrap();
    sim.run_for(SECOND * 20);
    sim.add_flow(&Reno::default()).unwrap();
    sim.run_for(SECOND * 15);
    let share = elastic(&opinions, SECOND * 30);
    assert!(share > 0.7, "{share}");
}

#[test]
fn the_pulses_are_those_of_the_paper() {
    let steps: Vec<f64> = (0..2000).map(|k| pulse(f64::from(k) * 1e-4)).collect();
    let sum: f64 = steps.iter().sum::<f64>() / 2000.0;
    assert!(sum.abs() < 1e-4, "{sum}");
    let most = steps.iter().copied().fold(0.0, f64::max);
    let least = steps.iter().copied().fold(0.0, f64::min);
    assert!((most - 0.25).abs() < 1e-3 && (least + 1.0 / 12.0).abs() < 1e-3);
}

#[test]
fn the_spectrum_tells() {
    let cross = |wave: &dyn Fn(f64) -> f64| {
        let mut cross = Cross::default();
        for k in 0..LENGTH {
            assert_eq!(cross.is_elastic(1.0), None);
            cross.push(0.5 + wave(k as f64 * STEP));
        }
        cross.is_elastic(1.0).unwrap()
    };
    assert!(cross(&|t| 0.1 * (TAU * 5.0 * t).sin()));
    assert!(cross(
        &|t| 0.1 * (TAU * 5.0 * t).sin() + 0.04 * (TAU * 7.0 * t).sin()
    ));
    assert!(!cross(
        &|t| 0.1 * (TAU * 5.0 * t).sin() + 0.06 * (TAU * 7.0 * t).sin()
    ));
    assert!(!cross(&|t| 0.1 * (TAU * 3.0 * t).sin()));
    // Too little to be an answer.
    assert!(!cross(&|t| 0.01 * (TAU * 5.0 * t).sin()));
}
