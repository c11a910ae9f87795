// SPDX-License-Identifier: GPL-2.0
//! Listing what the module has: flows, programs, agents, counters.

use crate::{
    cli::{FlowsAction, Form, ProgramsAction},
    format::{bit_rate, json, ms, table},
    Failure,
};
use ccp_netlink::{AgentInfo, Client, FallbackReason, FlowInfo, ProgramInfo};
use std::{collections::HashMap, io::Write, net::SocketAddr};

/// Names of programs by their ids.
pub(crate) fn program_names(programs: &[ProgramInfo]) -> HashMap<u32, String> {
    programs
        .iter()
        .map(|program| (program.id, program.name.clone()))
        .chain([(0, "fallback".into())])
        .collect()
}

/// What a flow runs, for people.
pub(crate) fn runs(flow: &FlowInfo, names: &HashMap<u32, String>) -> String {
    let known = names.get(&flow.program_id).cloned();
    let name = known.unwrap_or_else(|| format!("#{}", flow.program_id));
    match flow.fallback_reason {
        FallbackReason::None => name,
        reason => format!("{name}:{reason}"),
    }
}

/// An address, or `-`.
pub(crate) fn address(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "-".into(), |address| address.to_string())
}

fn number(id: Option<u32>) -> String {
    id.map_or_else(|| "-".into(), |id| id.to_string())
}

pub(crate) fn flows(form: Form, action: Option<&FlowsAction>) -> Result<(), Failure> {
    let mut client = Client::connect()?;
    let flows = match action {
        Some(FlowsAction::Show { id: Some(id) }) => vec![client.flow(*id)?],
        Some(FlowsAction::Show { id: None }) | None => client.flows()?,
    };
    if form.json {
        return json(&flows);
    }
    let names = program_names(&client.programs()?);
    let mut out = std::io::stdout().lock();
    if form.details {
        for flow in &flows {
            writeln!(out, "{}", details(flow, &names))?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = flows
        .iter()
        .map(|flow| {
            vec![
                flow.id.to_string(),
                address(flow.local),
                address(flow.remote),
                number(flow.agent_id),
                runs(flow, &names),
                flow.cwnd.to_string(),
                bit_rate(flow.rate),
                ms(flow.srtt_us),
                flow.delivered.to_string(),
                flow.lost.to_string(),
                flow.reports.to_string(),
            ]
        })
        .collect();
    let head = [
        "ID",
        "LOCAL",
        "REMOTE",
        "AGENT",
        "PROGRAM",
        "CWND",
        "RATE",
        "RTT-MS",
        "DELIVERED",
        "LOST",
        "REPORTS",
    ];
    table(&mut out, &head, &rows)
}

fn details(flow: &FlowInfo, names: &HashMap<u32, String>) -> String {
    let threshold = match flow.ssthresh {
        0 | 0x7fff_ffff.. => "-".into(),
        value => value.to_string(),
    };
    let connection = match (flow.mptcp_token, flow.mptcp_subflow) {
        (Some(token), Some(subflow)) => format!("\n    mptcp {token:08x} subflow {subflow}"),
        _ => String::new(),
    };
    format!(
        "flow {id}: {local} -> {remote}{connection}\n    \
         algorithm {algorithm} agent {agent} program {runs} cookie {cookie:x} age {age:.1}s\n    \
         cwnd {cwnd} ssthresh {threshold} rate {rate} mss {mss} init-cwnd {init} bytes\n    \
         srtt {srtt}ms min-rtt {min}ms in-flight {in_flight} delivered {delivered} lost {lost} \
         retransmits {retransmits} bytes-acked {bytes}\n    \
         invocations {invocations} reports {reports} report-drops {drops} aborts {aborts} \
         fallbacks {fallbacks}",
        id = flow.id,
        local = address(flow.local),
        remote = address(flow.remote),
        algorithm = flow.algorithm,
        agent = number(flow.agent_id),
        runs = runs(flow, names),
        cookie = flow.cookie,
        age = flow.age_ms as f64 / 1000.0,
        cwnd = flow.cwnd,
        rate = bit_rate(flow.rate),
        mss = flow.mss,
        init = flow.init_cwnd,
        srtt = ms(flow.srtt_us),
        min = ms(flow.min_rtt_us),
        in_flight = flow.in_flight,
        delivered = flow.delivered,
        lost = flow.lost,
        retransmits = flow.retransmits,
        bytes = flow.bytes_acked,
        invocations = flow.invocations,
        reports = flow.reports,
        drops = flow.report_drops,
        aborts = flow.aborts,
        fallbacks = flow.fallbacks,
    )
}

pub(crate) fn programs(form: Form, action: Option<&ProgramsAction>) -> Result<(), Failure> {
    let mut client = Client::connect()?;
    let programs = match action {
        Some(ProgramsAction::Fallback { id }) => return Ok(client.set_fallback(*id)?),
        Some(ProgramsAction::Show { id: Some(id) }) => vec![client.program(*id)?],
        Some(ProgramsAction::Show { id: None }) | None => client.programs()?,
    };
    if form.json {
        return json(&programs);
    }
    let rows: Vec<Vec<String>> = programs
        .iter()
        .map(|program| {
            vec![
                program.id.to_string(),
                program.name.clone(),
                number(program.agent_id),
                program.flows.to_string(),
                program.cost.to_string(),
                program.report_fields.to_string(),
                program.registers.to_string(),
                program.bytes.to_string(),
                if program.fallback { "yes" } else { "no" }.into(),
            ]
        })
        .collect();
    let head = [
        "ID",
        "NAME",
        "AGENT",
        "FLOWS",
        "COST",
        "FIELDS",
        "REGISTERS",
        "BYTES",
        "FALLBACK",
    ];
    table(&mut std::io::stdout().lock(), &head, &rows)
}

pub(crate) fn agents(form: Form) -> Result<(), Failure> {
    let agents: Vec<AgentInfo> = Client::connect()?.agents()?;
    if form.json {
        return json(&agents);
    }
    let rows: Vec<Vec<String>> = agents
        .iter()
        .map(|agent| {
            vec![
                agent.id.to_string(),
                agent.name.clone(),
                agent.algorithms.join(","),
                agent.flows.to_string(),
                agent.programs.to_string(),
                agent.timeout_ms.to_string(),
                if agent.silent { "silent" } else { "alive" }.into(),
                agent.port_id.to_string(),
            ]
        })
        .collect();
    let head = [
        "ID",
        "NAME",
        "ALGORITHMS",
        "FLOWS",
        "PROGRAMS",
        "TIMEOUT-MS",
        "STATE",
        "PORT",
    ];
    table(&mut std::io::stdout().lock(), &head, &rows)
}

pub(crate) fn stats(form: Form) -> Result<(), Failure> {
    let stats = Client::connect()?.stats()?;
    if form.json {
        return json(&stats);
    }
    let value = serde_json::to_value(&stats).map_err(|error| Failure::System(error.to_string()))?;
    let mut out = std::io::stdout().lock();
    for (name, value) in value.as_object().into_iter().flatten() {
        writeln!(out, "{:<16} {value}", name.replace('_', "-"))?;
    }
    Ok(())
}

/// The algorithms `run` knows.
pub(crate) fn algorithms(form: Form) -> Result<(), Failure> {
    let known = ccp_algorithms::CATALOGUE;
    if form.json {
        let list: Vec<_> = known
            .iter()
            .map(|entry| {
                let parameters: Vec<_> = entry
                    .parameters
                    .iter()
                    .map(|p| serde_json::json!({"name": p.name, "default": p.default, "help": p.help}))
                    .collect();
                serde_json::json!({"name": entry.name, "summary": entry.summary, "parameters": parameters})
            })
            .collect();
        return json(&list);
    }
    let mut out = std::io::stdout().lock();
    for entry in known {
        writeln!(out, "{:<8} {}", entry.name, entry.summary)?;
        for parameter in entry.parameters {
            let default = match parameter.default {
                "" => String::new(),
                value => format!(" [default: {value}]"),
            };
            writeln!(
                out,
                "         {}=  {}{default}",
                parameter.name, parameter.help
            )?;
        }
    }
    Ok(())
}
