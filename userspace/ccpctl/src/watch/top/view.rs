// SPDX-License-Identifier: GPL-2.0
//! Drawing it.

use super::state::{History, Row, State};
use crate::{
    format::{bit_rate, ms, scaled},
    show::{address, runs},
    watch::Picture,
};
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::Line,
    widgets::{Block, Cell, Paragraph, Sparkline, Table},
    Frame,
};
use std::collections::VecDeque;

const HEAD: [&str; 10] = [
    "FLOW", "PEER", "PROGRAM", "CWND", "GOODPUT", "PACING", "RTT-MS", "QUEUE", "LOST", "REPORTS",
];
const WIDTHS: [Constraint; 10] = [
    Constraint::Length(7),
    Constraint::Fill(2),
    Constraint::Fill(1),
    Constraint::Length(7),
    Constraint::Length(9),
    Constraint::Length(9),
    Constraint::Length(8),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(9),
];
/// Height of the chosen flow's past, frame included.
const PAST: u16 = 6;
/// Below this many lines there is room for the table only.
const LOW: u16 = 16;

pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let past = if frame.area().height < LOW { 0 } else { PAST };
    let [head, table, below, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(past),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(summary(state), head);
    draw_table(frame, table, state);
    if let Some((id, history)) = state.chosen().filter(|_| past > 0) {
        draw_past(frame, below, id, history);
    }
    let pause = if state.paused { "go on" } else { "pause" };
    let text = format!(
        " q quit   arrows choose   s sort ({})   space {pause}",
        state.order.name()
    );
    frame.render_widget(
        Paragraph::new(text).style(Style::new().add_modifier(Modifier::DIM)),
        keys,
    );
}

fn summary(state: &State) -> Paragraph<'static> {
    let Picture { flows, agents, .. } = state.picture();
    let fallen = flows.iter().filter(|flow| flow.program_id == 0).count();
    // An empty sum would be -0.
    let goodput = state
        .rows
        .iter()
        .fold(0.0, |sum, row| sum + row.goodput.unwrap_or(0.0));
    let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    let agents = if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    };
    let paused = if state.paused { "   PAUSED" } else { "" };
    Paragraph::new(Line::from(format!(
        " {} flows, {fallen} on fallback   {}bit/s   agents: {agents}{paused}",
        flows.len(),
        scaled(goodput),
    )))
    .style(Style::new().add_modifier(Modifier::BOLD))
}

fn draw_table(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let programs = &state.picture().programs;
    let row = |row: &Row| {
        let flow = &row.flow;
        let number = |value: Option<f64>, text: fn(f64) -> String| {
            value.map_or_else(|| "-".to_owned(), text)
        };
        let cells = [
            flow.id.to_string(),
            address(flow.remote),
            runs(flow, programs),
            flow.cwnd.to_string(),
            number(row.goodput, scaled),
            bit_rate(flow.rate),
            ms(flow.srtt_us),
            number(row.queue, |packets| format!("{packets:.0}")),
            flow.lost.to_string(),
            flow.reports.to_string(),
        ];
        ratatui::widgets::Row::new(cells.map(Cell::from))
    };
    let rows: Vec<_> = state.rows.iter().map(row).collect();
    let head =
        ratatui::widgets::Row::new(HEAD).style(Style::new().add_modifier(Modifier::REVERSED));
    let table = Table::new(rows, WIDTHS)
        .header(head)
        .row_highlight_style(Style::new().add_modifier(Modifier::BOLD))
        .highlight_symbol(">");
    frame.render_stateful_widget(table, area, &mut state.table);
}

fn draw_past(frame: &mut Frame<'_>, area: Rect, id: u64, history: &History) {
    let last = |values: &VecDeque<u64>| values.back().copied().unwrap_or(0);
    let rtt = u32::try_from(last(&history.srtt)).unwrap_or(u32::MAX);
    let parts = [
        (
            format!(
                "flow {id}: goodput {}bit/s",
                scaled(last(&history.goodput) as f64)
            ),
            &history.goodput,
        ),
        (format!("RTT {} ms", ms(rtt)), &history.srtt),
        (format!("cwnd {}", last(&history.cwnd)), &history.cwnd),
    ];
    let areas: [Rect; 3] = Layout::horizontal([Constraint::Fill(1); 3]).areas(area);
    for ((title, values), area) in parts.into_iter().zip(areas) {
        let room = usize::from(area.width.saturating_sub(2));
        // The newest at the right edge.
        let shown: Vec<u64> = values.iter().rev().take(room).rev().copied().collect();
        let line = Sparkline::default()
            .block(Block::bordered().title(title))
            .data(shown);
        frame.render_widget(line, area);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::state::tests::picture, *};
    use ratatui::{backend::TestBackend, Terminal};

    fn screen(width: u16, height: u16, state: &mut State) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn shows_flows_and_the_past_of_one() {
        let mut state = State::new(picture(1));
        state.show(picture(2));
        let text = screen(110, 24, &mut state);
        for part in [
            "2 flows, 2 on fallback   3.0Mbit/s   agents: none",
            "FLOW",
            "2.0M",
            "1.0M",
            "flow 1: goodput 2.0Mbit/s",
            "RTT 20.0 ms",
            "sort (goodput)",
        ] {
            assert!(text.contains(part), "no '{part}' in\n{text}");
        }
    }

    #[test]
    fn nothing_is_a_number_too() {
        let text = screen(60, 10, &mut State::new(Picture::default()));
        assert!(text.contains("0 flows, 0 on fallback   0bit/s"), "{text}");
    }

    #[test]
    fn any_size_of_terminal_will_do() {
        for (width, height) in [(1, 1), (20, 3), (40, 16), (300, 100)] {
            let mut state = State::new(picture(1));
            screen(width, height, &mut state);
            state.show(Picture::default());
            screen(width, height, &mut state);
        }
    }
}
