//! A progress bar on standard error: in a terminal only, and only for work that lasts.

#![allow(clippy::disallowed_methods, reason = "a clock decides whether a bar is shown, and never what is found")]

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    sync::Once,
    time::{Duration, Instant},
};

/// Work that is done sooner has no bar.
const PATIENCE: Duration = Duration::from_millis(400);

/// Counts files; may be told from any thread. Disappears when it goes out of scope.
pub(super) struct Progress {
    bar: ProgressBar,
    start: Option<Instant>,
    shown: Once,
}

impl Progress {
    /// For work on `files` files.
    pub(super) fn over(files: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
        let start = io::stderr().is_terminal().then(Instant::now);
        Self { bar, start, shown: Once::new() }
    }

    /// One more file is done.
    pub(super) fn step(&self) {
        let Some(start) = self.start else { return };
        self.bar.inc(1);
        if start.elapsed() > PATIENCE {
            self.shown.call_once(|| self.show());
        }
    }

    fn show(&self) {
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} files").expect("the template is valid");
        self.bar.set_style(style);
        self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Says what is being done, one thing at a time. Disappears when it goes out of scope.
pub(super) struct Steps {
    bar: ProgressBar,
}

impl Steps {
    /// In a terminal something, elsewhere nothing.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("the template is valid");
            bar.set_style(style);
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// This is being done now.
    pub(super) fn show(&self, step: &str) {
        self.bar.set_message(step.to_owned());
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
