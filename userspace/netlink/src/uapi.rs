// SPDX-License-Identifier: GPL-2.0
//! Numbers of the family's commands and attributes.
//!
//! `docs/netlink/specs/ccp.yaml` defines them by order; the test below holds
//! this file to it.

/// Name of the generic netlink family.
pub(crate) const FAMILY: &str = "ccp";
/// Name of the multicast group that carries every event.
pub(crate) const GROUP_EVENTS: &str = "events";
/// Most bytes of code one attribute carries.
pub(crate) const CODE_CHUNK_MAX: usize = 32752;

/// Constants numbered from 1 in the order written, and their names.
macro_rules! numbered {
    ($(#[$doc:meta])* $module:ident as $type:ty: $($name:ident)+) => {
        $(#[$doc])*
        #[allow(dead_code, reason = "the list is complete even where the client has no use for a number")]
        pub(crate) mod $module {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "counts, never named elsewhere")]
            enum Order { _ZERO, $($name),+ }
            $(pub(crate) const $name: $type = Order::$name as $type;)+
            #[cfg(test)]
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),+];
        }
    };
}

numbered! {
    /// Commands and events.
    cmd as u8:
    AGENT_ATTACH AGENT_DETACH AGENT_HEARTBEAT AGENT_GET
    PROGRAM_INSTALL PROGRAM_REMOVE PROGRAM_GET FALLBACK_SET
    FLOW_GET FLOW_SET_PROGRAM FLOW_UPDATE STATS_GET
    FLOW_CREATED FLOW_CLOSED FLOW_FALLBACK REPORT
}

numbered! {
    /// Attributes of an agent.
    agent as u16:
    ID NAME ALGORITHM PORT_ID TIMEOUT_MS SILENT FLOWS PROGRAMS
    ISA_VERSION MAX_INSTRUCTIONS MAX_EVENTS
}

numbered! {
    /// Attributes of a program.
    program as u16:
    ID AGENT_ID NAME EVENTS INSTRUCTIONS COST REPORT_FIELDS REGISTERS BYTES
    FLOWS FALLBACK
}

numbered! {
    /// Attributes of one register update.
    update as u16:
    CLASS INDEX VALUE
}

numbered! {
    /// Attributes of a flow.
    flow as u16:
    ID AGENT_ID PROGRAM_ID FALLBACK_REASON ALGORITHM COOKIE FAMILY
    LOCAL_ADDR LOCAL_PORT REMOTE_ADDR REMOTE_PORT
    MSS INIT_CWND CWND SSTHRESH RATE SRTT_US MIN_RTT_US IN_FLIGHT
    DELIVERED LOST RETRANSMITS BYTES_ACKED REPORTS REPORT_DROPS
    INVOCATIONS ABORTS FALLBACKS UPDATES AGE_MS ADOPTED
    MPTCP_TOKEN MPTCP_SUBFLOW
}

numbered! {
    /// Attributes of a report.
    report as u16:
    FLOW_ID PROGRAM_ID SEQ TIME_US FIELDS CWND RATE
}

numbered! {
    /// Counters.
    stats as u16:
    FLOWS FLOWS_CREATED FLOWS_REFUSED INVOCATIONS ABORTS REPORTS
    REPORT_DROPS EVENTS_DROPPED FALLBACKS COMMANDS COMMAND_ERRORS
    AGENTS PROGRAMS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = include_str!("../../../docs/netlink/specs/ccp.yaml");

    /// The `name:` values exactly `indent` deep in one top-level section,
    /// each with the names two list levels below it.
    fn section(title: &str) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        let mut inside = false;
        for line in SPEC.lines() {
            if !line.starts_with([' ', '#']) {
                inside = line == format!("{title}:");
            }
            let text = line.trim_start();
            let Some(name) = text.strip_prefix("name: ").filter(|_| inside) else {
                continue;
            };
            match (line.len() - text.len(), found.last_mut()) {
                (4, _) => found.push((name.to_owned(), Vec::new())),
                (8, Some((_, below))) => below.push(name.to_owned()),
                (6, _) if title == "operations" => found.push((name.to_owned(), Vec::new())),
                _ => {}
            }
        }
        found
    }

    fn spec_names(names: &[&str]) -> Vec<String> {
        names
            .iter()
            .map(|name| name.to_lowercase().replace('_', "-"))
            .collect()
    }

    #[test]
    fn attributes_match_the_specification() {
        let ours = [
            ("agent", agent::NAMES),
            ("program", program::NAMES),
            ("update", update::NAMES),
            ("flow", flow::NAMES),
            ("report", report::NAMES),
            ("stats", stats::NAMES),
        ];
        let theirs = section("attribute-sets");
        assert_eq!(ours.len(), theirs.len(), "attribute sets");
        for ((name, names), (spec_name, spec)) in ours.iter().zip(&theirs) {
            assert_eq!(name, spec_name);
            assert_eq!(&spec_names(names), spec, "attributes of {name}");
        }
    }

    #[test]
    fn commands_match_the_specification() {
        let theirs: Vec<String> = section("operations").into_iter().map(|op| op.0).collect();
        assert_eq!(spec_names(cmd::NAMES), theirs);
        assert_eq!(cmd::AGENT_ATTACH, 1);
        assert_eq!(cmd::REPORT, 16);
    }

    #[test]
    fn constants_match_the_specification() {
        assert!(SPEC.contains(&format!(
            "name: code-chunk-max\n    type: const\n    value: {CODE_CHUNK_MAX}\n"
        )));
        assert!(SPEC.starts_with("# SPDX") && SPEC.contains(&format!("\nname: {FAMILY}\n")));
        assert!(SPEC.contains(&format!(
            "mcast-groups:\n  list:\n    -\n      name: {GROUP_EVENTS}\n"
        )));
    }
}
