//! The pipeline with an in-memory store, a destination that fails on demand, and a quarantine in memory.

mod books;
mod bounds;
mod fake;
mod faults;
mod sources;
