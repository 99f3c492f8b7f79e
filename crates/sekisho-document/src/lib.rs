//! SEED
