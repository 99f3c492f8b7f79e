//! SEED
fn main() {}
