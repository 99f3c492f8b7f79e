//! [`Display`]: a progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sekisho_pipeline::Progress;
use tokio::task::JoinHandle;

/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(200);

/// Shows how far a run is, on stderr.
pub(crate) struct Display(Option<(ProgressBar, JoinHandle<()>)>);

impl Display {
    /// Starts to show, where somebody looks.
    pub(crate) fn start(progress: Arc<Progress>, n_objects: Option<usize>, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (bar, template) = match n_objects {
            Some(n_objects) => (
                ProgressBar::new(n_objects as u64),
                "{elapsed_precise} {wide_bar} {pos}/{len} objects\n{msg}",
            ),
            // A bucket is not listed to its end before its first object is read.
            None => (
                ProgressBar::no_length(),
                "{elapsed_precise} {spinner} {pos} objects\n{msg}",
            ),
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let shown = bar.clone();
        let ticker = tokio::spawn(async move {
            loop {
                show(&shown, &progress);
                tokio::time::sleep(TICK).await;
            }
        });
        Self(Some((bar, ticker)))
    }

    /// Takes it away again.
    pub(crate) fn end(self) {
        if let Some((bar, ticker)) = self.0 {
            ticker.abort();
            bar.finish_and_clear();
        }
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let now = progress.snapshot();
    let seconds = bar.elapsed().as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
    let speed = now.bytes as f64 / 1e6 / seconds;
    let books = now.books;
    bar.set_position(now.objects);
    bar.set_message(format!(
        "{} records, {speed:.1} MB/s: {} indexed, {} raw, {} duplicate, {} excluded, {} quarantined",
        books.records, books.indexed, books.raw, books.duplicate, books.excluded, books.quarantined
    ));
}
