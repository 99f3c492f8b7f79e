//! [`Search`]: finds the places of a text where a name may stand, as quickly as vector instructions go.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, packed};

use super::names::Names;

/// The length of the piece of a word that is looked for.
const PIECE_BYTES: usize = 4;

/// What is looked for beside the names: letters written as escapes.
const ESCAPE: &str = "\\u00";

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
        let mut pieces = BTreeSet::from([ESCAPE.to_owned()]);
        for name in names.written() {
            add_pieces(&mut pieces, name);
        }
        if let Some(searcher) = packed::Searcher::new(&pieces) {
            return Self::Packed(searcher);
        }
        AhoCorasick::new(&pieces).map_or(Self::Everything, Self::Automaton)
    }

    /// Finds the next piece behind `from`: where it begins and ends.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = bytes.get(from..)?;
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

/// Adds the pieces of a name: one word is enough to find it, and inside of a word only all-small and all-capital letters are seen.
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
    if let Some(piece) = long.last() {
        pieces.insert(piece.to_ascii_uppercase());
        pieces.insert(piece.clone());
        return;
    }
    add_short(pieces, &words);
}

/// Adds the ways to write a name of short words.
fn add_short(pieces: &mut BTreeSet<String>, words: &[&str]) {
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    let Some((last, before)) = words.split_last() else {
        return;
    };
    let Some(before) = before.last() else {
        pieces.extend([last.to_string(), last.to_ascii_uppercase(), capital(last)]);
        return;
    };
    // The end of one word and the beginning of the next.
    let tail = before
        .get(before.len().saturating_sub(2)..)
        .unwrap_or(before);
    let head = last.get(..2).unwrap_or(last);
    let mut tails = vec![tail.to_owned()];
    if tail == *before {
        tails.push(capital(tail));
    }
    for separator in ["-", "_", ""] {
        pieces.insert(format!("{tail}{separator}{head}").to_ascii_uppercase());
        for tail in &tails {
            pieces.insert(format!("{tail}{separator}{head}"));
            pieces.insert(format!("{tail}{separator}{}", capital(head)));
        }
    }
}
