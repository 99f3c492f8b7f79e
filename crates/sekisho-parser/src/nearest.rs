//! The word that somebody may have meant.

/// Gives the word most like a wrong one.
pub(crate) fn nearest<'a>(wrong: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words.max_by(|a, b| {
        let likeness = |word| strsim::jaro_winkler(wrong, word);
        likeness(a).total_cmp(&likeness(b))
    })
}
