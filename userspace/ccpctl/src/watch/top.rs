// SPDX-License-Identifier: GPL-2.0
//! `ccpctl top`: flows in the whole terminal.

mod state;
mod view;

use super::Lister;
use crate::{cli::TopArgs, stop, Failure};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use state::State;
use std::{
    io::IsTerminal,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Longest wait for a key, so that the stop flag is seen.
const PATIENCE: Duration = Duration::from_millis(100);

pub(crate) fn top(args: &TopArgs) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Err(Failure::Input(
            "top needs a terminal; 'ccpctl monitor --live' writes lines".into(),
        ));
    }
    let stop = stop::on_signal()?;
    let start = Instant::now();
    let mut lister = Lister::new(start)?;
    // What the kernel refuses is to be read on the screen as it was.
    let mut state = State::new(lister.picture()?);
    let interval = Duration::from_millis(args.interval);
    let mut due = interval;

    let mut terminal = ratatui::try_init().map_err(Failure::system("terminal"))?;
    let outcome = loop {
        if let Err(error) = terminal.draw(|frame| view::draw(frame, &mut state)) {
            break Err(Failure::system("terminal")(error));
        }
        let wait = due.saturating_sub(start.elapsed()).min(PATIENCE);
        match key(wait) {
            Ok(Some(key)) if leaves(key) => break Ok(()),
            Ok(Some(key)) => state.key(key.code),
            Ok(None) => {}
            Err(error) => break Err(error),
        }
        if stop.load(Ordering::Relaxed) {
            break Ok(());
        }
        if start.elapsed() >= due {
            due = (due + interval).max(start.elapsed());
            match lister.picture() {
                Ok(picture) => state.show(picture),
                Err(error) => break Err(error),
            }
        }
    };
    ratatui::try_restore().map_err(Failure::system("terminal"))?;
    outcome
}

fn key(wait: Duration) -> Result<Option<KeyEvent>, Failure> {
    let read = || -> std::io::Result<Option<KeyEvent>> {
        if !event::poll(wait)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => Some(key),
            _ => None,
        })
    };
    read().map_err(Failure::system("keyboard"))
}

/// The terminal gives no signals for keys meanwhile.
fn leaves(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
        || key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}
