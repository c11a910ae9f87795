// SPDX-License-Identifier: GPL-2.0
//! Congestion-control algorithms, one folder each: what it is and when to use
//! it in `README.md`, what the kernel runs in the `.ccp` file, what decides in
//! `mod.rs`.

#![forbid(unsafe_code)]

pub mod aimd;
pub mod bbr;
pub mod constant;
pub mod copa;
pub mod cubic;
pub mod lia;
pub mod nimbus;
mod parameters;
pub mod reno;
#[cfg(test)]
mod testing;
pub mod vegas;

use ccp_agent::Algorithm;
pub use parameters::{Parameter, Values};

/// An algorithm users can choose by name.
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// Makes it; the error is a sentence about a parameter.
    make: fn(&Values) -> Result<Box<dyn Algorithm>, String>,
}

/// Every algorithm.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: "reno",
        summary: "NewReno: halve on loss, add a packet each round trip (RFC 5681, 6582)",
        parameters: reno::PARAMETERS,
        make: |values| Ok(Box::new(reno::Reno::from_values(values)?)),
    },
    Entry {
        name: "cubic",
        summary: "CUBIC: the window is a cubic function of the time since loss (RFC 9438)",
        parameters: cubic::PARAMETERS,
        make: |values| Ok(Box::new(cubic::Cubic::from_values(values)?)),
    },
    Entry {
        name: "lia",
        summary: "Reno for MPTCP: subflows together take what one flow would (RFC 6356)",
        parameters: lia::PARAMETERS,
        make: |_| Ok(Box::new(lia::Lia::default())),
    },
    Entry {
        name: "aimd",
        summary: "AIMD(a, b): additive increase, multiplicative decrease, no slow start",
        parameters: aimd::PARAMETERS,
        make: |values| Ok(Box::new(aimd::Aimd::from_values(values)?)),
    },
    Entry {
        name: "vegas",
        summary: "Vegas: a few packets in the queue, seen by their delay",
        parameters: vegas::PARAMETERS,
        make: |values| Ok(Box::new(vegas::Vegas::from_values(values)?)),
    },
    Entry {
        name: "copa",
        summary: "Copa: 1/delta packets in the queue; holds its own against Reno and CUBIC",
        parameters: copa::PARAMETERS,
        make: |values| Ok(Box::new(copa::Copa::from_values(values)?)),
    },
    Entry {
        name: "bbr",
        summary: "BBR: paces at the bottleneck's rate, with twice the BDP in flight at most",
        parameters: bbr::PARAMETERS,
        make: |values| Ok(Box::new(bbr::Bbr::from_values(values)?)),
    },
    Entry {
        name: "nimbus",
        summary: "Nimbus: pulses its rate to see whether others give way, and adapts to them",
        parameters: nimbus::PARAMETERS,
        make: |values| Ok(Box::new(nimbus::Nimbus::from_values(values)?)),
    },
    Entry {
        name: "const",
        summary: "a fixed window or a fixed rate, for measurements on paths of your own",
        parameters: constant::PARAMETERS,
        make: |values| Ok(Box::new(constant::Const::from_values(values)?)),
    },
];

/// The algorithm of this name, with parameters given as `NAME=VALUE`. The
/// error is a sentence for the user.
pub fn make(name: &str, parameters: &[String]) -> Result<Box<dyn Algorithm>, String> {
    let entry = CATALOGUE
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
            format!(
                "there is no algorithm '{name}'; known are {}",
                known.join(", ")
            )
        })?;
    let values =
        Values::parse(entry.parameters, parameters).map_err(|error| format!("{name}: {error}"))?;
    (entry.make)(&values).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_compiles_without_warnings() {
        for entry in CATALOGUE {
            let parameters: &[String] = if entry.name == "const" {
                &["cwnd=10".into()]
            } else {
                &[]
            };
            let algorithm = make(entry.name, parameters).unwrap();
            assert_eq!(algorithm.name(), entry.name);
            let checked = ccp_agent::check(&[algorithm]).unwrap();
            assert_eq!(checked.warnings, "");
            assert!(checked.programs > 0);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let error = |name: &str, parameters: &[&str]| {
            let parameters: Vec<String> = parameters.iter().map(|&p| p.to_owned()).collect();
            make(name, &parameters).err().unwrap()
        };
        assert_eq!(
            error("rino", &[]),
            "there is no algorithm 'rino'; known are reno, cubic, lia, aimd, vegas, copa, bbr, nimbus, const"
        );
        assert_eq!(error("reno", &["beta"]), "reno: 'beta' is not NAME=VALUE");
        assert_eq!(
            error("reno", &["bet=1"]),
            "reno: there is no parameter 'bet'; known are beta, limit"
        );
        assert_eq!(
            error("reno", &["beta=1.5"]),
            "reno: beta=1.5 is not a number from 0.1 to 0.95"
        );
        assert_eq!(error("const", &[]), "const: give cwnd=PACKETS or rate=MBIT");
    }
}
