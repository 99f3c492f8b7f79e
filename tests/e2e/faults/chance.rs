//! Chances from a seed that is printed, so that a run can be asked for again.

use anyhow::{Context, Result};
use sekisho_tests::node::setting;

/// A small generator (splitmix64): no secrets, only variety.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Takes `SEKISHO_TEST_SEED`, or the seed that CI runs with, and says which.
    pub(crate) fn new(case: &str) -> Result<Self> {
        let seed = match setting("SEKISHO_TEST_SEED") {
            Some(seed) => seed.parse().context("`SEKISHO_TEST_SEED` is no number")?,
            None => 4,
        };
        println!("{case}: SEKISHO_TEST_SEED={seed}");
        Ok(Self(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
