//! The pipeline with an in-memory store, a destination that fails on demand, and a quarantine in memory.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic; clippy does not see helper functions as tests"
)]

mod books;
mod bounds;
mod fake;
mod faults;
mod slices;
mod sources;
