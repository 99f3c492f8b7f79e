//! [`Trail`]: which of the paths to an array of records the open objects follow.

/// A path of keys to an array of records, outermost first.
pub(crate) type Path = Vec<Box<[u8]>>;

/// How far the open objects follow which paths.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// For each followed object the paths that lead through it, as bits.
    followed: Vec<u64>,
    /// The paths whose next key was the last one.
    pending: u64,
}

impl Trail {
    /// How many objects inside the outermost one are followed.
    pub(super) fn depth(&self) -> usize {
        self.followed.len()
    }

    /// Forgets the last key.
    pub(super) fn drop_key(&mut self) {
        self.pending = 0;
    }

    /// Takes note of a key of the innermost followed object.
    pub(super) fn key(&mut self, paths: &[Path], is_key: impl Fn(&[u8]) -> bool) {
        let depth = self.depth();
        let here = self.followed.last().copied().unwrap_or(u64::MAX);
        self.pending = bits(here, paths)
            .filter(|(_, path)| path.get(depth).is_some_and(|key| is_key(key)))
            .fold(0, |pending, (bit, _)| pending | bit);
    }

    /// Tells whether an array that opens now is one of records.
    pub(super) fn is_records(&self, paths: &[Path]) -> bool {
        let length = self.depth() + 1;
        bits(self.pending, paths).any(|(_, path)| path.len() == length)
    }

    /// Takes note of an opening bracket that is no array of records.
    pub(super) fn open(&mut self, bracket: u8) {
        let pending = std::mem::take(&mut self.pending);
        if pending != 0 && bracket == b'{' {
            self.followed.push(pending);
        }
    }

    /// Takes note of a closing bracket behind which `n_open` ones are open.
    pub(super) fn close(&mut self, n_open: usize) {
        self.followed.truncate(n_open.saturating_sub(1));
    }
}

/// The paths of a set, each with its bit.
fn bits(set: u64, paths: &[Path]) -> impl Iterator<Item = (u64, &Path)> {
    let all = (0..u64::BITS).map(|n| 1_u64 << n);
    all.zip(paths).filter(move |(bit, _)| set & bit != 0)
}
