// SPDX-License-Identifier: GPL-2.0
//! Reading what `--record` wrote.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

/// One sample of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) time: f64,
    /// Packets.
    pub(super) cwnd: Option<f64>,
    pub(super) ssthresh: Option<f64>,
    /// Milliseconds.
    pub(super) srtt: Option<f64>,
    pub(super) min_rtt: Option<f64>,
    /// Megabits per second.
    pub(super) goodput: Option<f64>,
    pub(super) pacing: Option<f64>,
    /// Packets.
    pub(super) in_flight: Option<f64>,
    pub(super) queue: Option<f64>,
    pub(super) delivered: Option<f64>,
    pub(super) lost: Option<f64>,
    /// The fallback program ran.
    pub(super) fallback: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) time: f64,
    pub(super) text: String,
}

#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) flows: BTreeMap<u64, Vec<Sample>>,
    pub(super) marks: Vec<Mark>,
    /// Address families of the flows whose peers are told.
    families: BTreeMap<u64, &'static str>,
    /// End of the time axis.
    pub(super) end: f64,
}

impl Trace {
    /// Reads the columns by their names in the first line, so that traces of
    /// other versions and sources work too. Without `wanted`, all flows.
    pub(super) fn parse(text: &str, wanted: &[u64]) -> Result<Self, String> {
        let mut lines = text.lines().enumerate();
        let (_, head) = lines.next().ok_or("the file is empty")?;
        let columns: HashMap<String, usize> = fields(head).into_iter().zip(0..).collect();
        for name in ["time_s", "flow", "event"] {
            if !columns.contains_key(name) {
                return Err(format!(
                    "line 1: no column '{name}'; is this a trace of 'ccpctl --record'?"
                ));
            }
        }
        let mut trace = Self::default();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let row = Row {
                columns: &columns,
                fields: fields(line),
            };
            trace
                .add(&row, wanted)
                .map_err(|error| format!("line {}: {error}", number + 1))?;
        }
        if trace.flows.is_empty() {
            return Err(match wanted {
                [] => "no samples of any flow".into(),
                _ => format!("no samples of flow {wanted:?}"),
            });
        }
        Ok(trace)
    }

    /// What to call a flow.
    pub(super) fn name(&self, flow: u64) -> String {
        match self.families.get(&flow) {
            Some(family) => format!("flow {flow} ({family})"),
            None => format!("flow {flow}"),
        }
    }

    fn add(&mut self, row: &Row<'_>, wanted: &[u64]) -> Result<(), String> {
        let time = row.number("time_s")?.ok_or("no time")?;
        self.end = self.end.max(time);
        let flow = match row.text("flow") {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| format!("flow '{text}' is not a number"))?,
            ),
        };
        if flow.is_some_and(|flow| !wanted.is_empty() && !wanted.contains(&flow)) {
            return Ok(());
        }
        if let (Some(flow), "sample") = (flow, row.text("event")) {
            let scaled = |name, factor: f64| row.number(name).map(|v| v.map(|v| v * factor));
            let sample = Sample {
                time,
                cwnd: row.number("cwnd_pkts")?,
                ssthresh: row.number("ssthresh_pkts")?,
                srtt: scaled("srtt_us", 1e-3)?.filter(|&ms| ms > 0.0),
                min_rtt: scaled("min_rtt_us", 1e-3)?.filter(|&ms| ms > 0.0),
                goodput: scaled("goodput_bps", 1e-6)?,
                pacing: scaled("rate_bps", 1e-6)?,
                in_flight: row.number("in_flight")?,
                queue: row.number("queue_pkts")?,
                delivered: row.number("delivered")?,
                lost: row.number("lost")?,
                fallback: row.text("program") == "fallback",
            };
            self.flows.entry(flow).or_default().push(sample);
            return Ok(());
        }
        let detail = row.text("detail");
        if let (Some(flow), "created" | "adopted" | "closed") = (flow, row.text("event")) {
            if let Ok(peer) = detail.parse::<SocketAddr>() {
                let family = if peer.is_ipv6() { "IPv6" } else { "IPv4" };
                self.families.insert(flow, family);
            }
        }
        let text = match row.text("event") {
            "agent-attached" => format!("agent '{detail}' attached"),
            "agent-gone" => format!("agent '{detail}' gone"),
            "fallback" => format!("fallback ({detail})"),
            "adopted" => "adopted".to_owned(),
            "overrun" => "events lost".to_owned(),
            // Visible where their lines begin and end.
            _ => return Ok(()),
        };
        self.marks.push(Mark { time, text });
        Ok(())
    }
}

struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    fields: Vec<String>,
}

impl Row<'_> {
    fn text(&self, column: &str) -> &str {
        let index = self.columns.get(column);
        index
            .and_then(|&index| self.fields.get(index))
            .map_or("", String::as_str)
    }

    fn number(&self, column: &str) -> Result<Option<f64>, String> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(format!("{column} '{text}' is not a number")),
            },
        }
    }
}

/// The fields of one line of CSV. Fields with line breaks are not supported;
/// nothing here writes them.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                if let Some(last) = fields.last_mut() {
                    last.push('"');
                }
            }
            ('"', _) => quoted = !quoted,
            (',', false) => fields.push(String::new()),
            (other, _) => {
                if let Some(last) = fields.last_mut() {
                    last.push(other);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "time_s,flow,event,detail,program,cwnd_pkts,srtt_us,rate_bps\n\
                        0.0,,agent-attached,\"a,\"\"b\",,,,\n\
                        0.1,3,created,[fd00::2]:5201,,,,\n\
                        0.1,3,sample,,reno,10,40000,\n\
                        0.2,4,sample,,fallback,5,,20000000\n";

    #[test]
    fn columns_are_found_by_name() {
        let trace = Trace::parse(TEXT, &[]).unwrap();
        assert_eq!(trace.marks[0].text, "agent 'a,\"b' attached");
        assert_eq!(trace.flows[&3][0].srtt, Some(40.0));
        assert_eq!(trace.flows[&3][0].pacing, None);
        assert_eq!(trace.flows[&4][0].pacing, Some(20.0));
        assert!(trace.flows[&4][0].fallback);
        assert_eq!(trace.name(3), "flow 3 (IPv6)");
        assert_eq!(trace.name(4), "flow 4");
        assert_eq!(Trace::parse(TEXT, &[4]).unwrap().flows.len(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text, wanted: &[u64]| Trace::parse(text, wanted).unwrap_err();
        assert!(error("", &[]).contains("empty"));
        assert!(error("a,b\n", &[]).contains("'time_s'"));
        assert!(error(TEXT, &[9]).contains("flow [9]"));
        let broken = TEXT.replace("40000", "4x");
        assert_eq!(error(&broken, &[]), "line 4: srtt_us '4x' is not a number");
    }
}
