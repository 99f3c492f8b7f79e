//! Lines and seams: where the next record may begin when the one before is broken.

use crate::window::Window;

/// How far back from a brace the end of the value before it is looked for.
pub(super) const SEAM_BYTES: u64 = 64;

/// The deepest indentation at which a line can begin a record again; less than the bytes that the window keeps behind.
const MAX_INDENT: u64 = 512;

/// The line under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Where the line begins.
    pub(crate) start: u64,
    /// White space before its first token, in bytes.
    pub(crate) indent: u64,
    /// Nothing but white space was seen on it.
    pub(crate) fresh: bool,
}

impl Line {
    pub(crate) fn starting_at(start: u64) -> Self {
        Self {
            start,
            indent: 0,
            fresh: true,
        }
    }

    /// Takes note of a token; says whether it is the first one of its line.
    pub(crate) fn token(&mut self, at: u64) -> bool {
        let first = std::mem::take(&mut self.fresh);
        if first {
            self.indent = at - self.start;
        }
        first
    }

    /// Says whether its first token can begin a record again after one that stands on a line of the given indentation.
    pub(crate) fn may_begin(&self, indent: u64) -> bool {
        self.indent <= indent.min(MAX_INDENT)
    }
}

/// Gives the end of the value that closes right before `brace`, with at most a comma and white space between.
pub(crate) fn seam<R>(window: &Window<R>, start: u64, brace: u64) -> Option<u64> {
    let from = (start + 1).max(brace.saturating_sub(SEAM_BYTES));
    let before = window.slice(from, brace).trim_ascii_end();
    let before = before.strip_suffix(b",").unwrap_or(before).trim_ascii_end();
    (before.ends_with(b"}")).then(|| from + before.len() as u64)
}

/// How a broken record ends before a line.
pub(crate) struct Tail {
    /// The end of its bytes, without white space and comma.
    pub(crate) end: u64,
    /// What stands last before the line says that an array goes on: a comma or an opening bracket.
    pub(crate) goes_on: bool,
}

/// Trims the bytes between `start` and `end`.
pub(crate) fn tail<R>(window: &Window<R>, start: u64, end: u64) -> Tail {
    let from = (start + 1).max(end.saturating_sub(SEAM_BYTES)).min(end);
    let all = window.slice(from, end).trim_ascii_end();
    let kept = match all.strip_suffix(b",") {
        Some(kept) => kept.trim_ascii_end(),
        None => all,
    };
    Tail {
        end: from + kept.len() as u64,
        goes_on: all.ends_with(b",") || all.ends_with(b"["),
    }
}
