//! JSON lines on standard output.

use lambda_runtime::Context;
use tracing::Span;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard output, which Lambda keeps.
///
/// `crates` are those whose words are for operators, by their names in Rust; of the other libraries only warnings are.
pub fn start_logging(crates: &[&str]) {
    let crates = crates.iter().map(|name| format!(",{name}=info"));
    let levels = format!(
        "warn,{}=info{}",
        env!("CARGO_CRATE_NAME"),
        crates.collect::<String>()
    );
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(levels))
        .init();
}

/// Gives the span of an invocation: every line within it carries the request's id, by which Lambda's own lines are found.
pub fn invocation(context: &Context) -> Span {
    tracing::info_span!("invocation", request_id = context.request_id)
}

/// Logs why an invocation, or the start, failed as a whole, and makes it the runtime's error.
pub fn refused(error: anyhow::Error) -> lambda_runtime::Error {
    let message = format!("{error:#}");
    tracing::error!(error = message, "invocation failed");
    message.into()
}
