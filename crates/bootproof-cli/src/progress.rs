//! Shows on a terminal how far a boot is: one bar for the step under way, one line for every step that took a while.

use std::io::{self, Write};
use std::time::Duration;

use bootproof::{Event, FleetEvent, FleetObserver, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step that is shorter leaves no line behind.
const WORTH_A_LINE: Duration = Duration::from_millis(200);
/// The bar counts in thousandths.
const WHOLE: u64 = 1_000;
/// At most 80 columns.
const TEMPLATE: &str = "{spinner} {prefix:<40} {bar:16} {msg}";

/// The bar at the bottom of the terminal. Hidden, it does nothing.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error, if that is a terminal and somebody wants to see it.
    pub(crate) fn new(is_wanted: bool) -> Self {
        let target = if is_wanted { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(WHOLE), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Whether anybody sees it: on a pipe nobody does.
    pub(crate) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// Writes to standard error without tearing the bar.
    pub(crate) fn print(&self, text: &[u8]) -> io::Result<()> {
        self.0.suspend(|| io::stderr().lock().write_all(text))
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Progress {
    fn notice(&self, event: Event) {
        match event {
            Event::Started(step) => {
                self.0.reset();
                self.0.set_prefix(step.to_string());
                self.0.set_message("");
            }
            Event::Progress { done, remaining, .. } => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousandths")]
                let position = (done * 1e3) as u64;
                self.0.set_position(position);
                self.0.set_message(remaining.map_or_else(String::new, |rest| left(position / 10, rest)));
                self.0.tick();
            }
            Event::Finished { step, took } => {
                self.0.set_message("");
                if took >= WORTH_A_LINE && self.is_shown() {
                    // Nobody is left to be told that standard error is closed.
                    let _ =
                        self.print(format!("  {:<40} {:>8.1} s\n", step.to_string(), took.as_secs_f64()).as_bytes());
                }
            }
            _ => {}
        }
    }
}

impl FleetObserver for Progress {
    fn notice(&self, event: FleetEvent<'_>) {
        match event {
            FleetEvent::Found { databases } => {
                self.0.reset();
                self.0.set_length(databases as u64);
                self.0.set_prefix(format!("booting {databases} databases"));
            }
            FleetEvent::Finished { done, .. } => {
                self.0.set_position(done as u64);
                self.0.set_message(format!("{done} done"));
            }
            _ => {}
        }
    }
}

/// ` 43%, about 7 s`
fn left(percent: u64, remaining: Duration) -> String {
    let seconds = remaining.as_secs() + 1;
    let rest = if seconds < 100 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) };
    format!("{percent:>3}%, about {rest}")
}
