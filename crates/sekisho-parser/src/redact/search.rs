//! [`Search`]: finds the places of a text where a name may stand, as quickly as vector instructions go.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, packed};

use super::names::Names;

/// The length of the piece of a word that is looked for.
const PIECE_BYTES: usize = 4;

/// What is looked for beside the names: letters written as escapes.
const ALWAYS: [&str; 1] = ["\\u00"];

/// No piece is longer.
const MAX_PIECE_BYTES: usize = 8;

/// How much text is looked at at once.
const WINDOW_BYTES: usize = 1024;

/// Finds pieces of names.
#[derive(Debug)]
pub(crate) enum Search {
    /// A few pieces, by vector instructions.
    Packed(packed::Searcher),
    /// Many pieces, or a processor without such instructions.
    Automaton(AhoCorasick),
    /// No search can be built: every place counts.
    Everything,
}

impl Search {
    pub(crate) fn new(names: &Names) -> Self {
        let mut pieces: BTreeSet<String> = ALWAYS.map(str::to_owned).into();
        for name in names.written() {
            add_pieces(&mut pieces, name);
        }
        if let Some(searcher) = packed::Searcher::new(&pieces) {
            return Self::Packed(searcher);
        }
        AhoCorasick::new(&pieces).map_or(Self::Everything, Self::Automaton)
    }

    /// Tells whether a piece begins at a place that passes; every place before it is tried in order.
    ///
    /// Letters are made small in a buffer that stays in the cache: with vector instructions that costs less than looking for three spellings, and sees all of them.
    pub(crate) fn any(&self, bytes: &[u8], mut passes: impl FnMut(usize) -> bool) -> bool {
        let mut small = [0; WINDOW_BYTES];
        let mut start = 0;
        let mut next = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let length = rest.len().min(WINDOW_BYTES);
            let (Some(window), Some(text)) = (small.get_mut(..length), rest.get(..length)) else {
                return false;
            };
            window.copy_from_slice(text);
            window.make_ascii_lowercase();
            while let Some((found, end)) = self.next(window, next - start) {
                if passes(start + found) {
                    return true;
                }
                next = start + end;
            }
            if length == rest.len() {
                return false;
            }
            // A piece may lie across the end of the window.
            start += length - MAX_PIECE_BYTES;
            next = next.max(start);
        }
        false
    }

    /// Finds the next piece behind `from`: where it begins and ends.
    fn next(&self, small: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = small.get(from..)?;
        match self {
            Self::Packed(searcher) => searcher
                .find(rest)
                .map(|found| (from + found.start(), from + found.end())),
            Self::Automaton(automaton) => automaton
                .find(rest)
                .map(|found| (from + found.start(), from + found.end())),
            Self::Everything => (!rest.is_empty()).then_some((from, from + 1)),
        }
    }
}

/// Adds the pieces of a name in small letters: one word is enough to find it.
fn add_pieces(pieces: &mut BTreeSet<String>, name: &str) {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name
        .split(['-', '_'])
        .filter(|word| !word.is_empty())
        .collect();
    let inside = |word: &&str| word.get(1..=PIECE_BYTES).map(str::to_owned);
    let long: Vec<String> = words.iter().filter_map(inside).collect();
    if long.iter().any(|piece| pieces.contains(piece)) {
        return;
    }
    match long.last() {
        Some(piece) => {
            pieces.insert(piece.clone());
        }
        None => add_short(pieces, &words),
    }
}

/// Adds the ways to write a name of short words.
fn add_short(pieces: &mut BTreeSet<String>, words: &[&str]) {
    let Some((last, before)) = words.split_last() else {
        return;
    };
    let Some(before) = before.last() else {
        pieces.insert((*last).to_owned());
        return;
    };
    // The end of one word and the beginning of the next.
    let tail = before
        .get(before.len().saturating_sub(2)..)
        .unwrap_or(before);
    let head = last.get(..2).unwrap_or(last);
    for separator in ["-", "_", ""] {
        pieces.insert(format!("{tail}{separator}{head}"));
    }
}
