//! Key patterns: which keys they match, which of two is more specific, and whether two can match the same key.

use globset::{Glob, GlobBuilder, GlobMatcher};

/// One pattern of `[match] keys` or `exclude`.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    pub(crate) rank: Rank,
    matcher: GlobMatcher,
}

/// How specific a pattern is: the more literal characters the better, then the fewer wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    n_literals: usize,
    few_deep: std::cmp::Reverse<usize>,
    few_stars: std::cmp::Reverse<usize>,
}

impl Pattern {
    /// Reads a pattern: `*` stays inside a path segment, `**` crosses; the error is the glob's own.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let glob: Glob = GlobBuilder::new(text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            text: text.to_owned(),
            rank: rank(text),
            matcher: glob.compile_matcher(),
        })
    }

    /// Tells whether the pattern matches a decoded key.
    pub(crate) fn matches(&self, key: &str) -> bool {
        self.matcher.is_match(key)
    }

    /// Tells whether some key matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (ours, theirs) = (expand(&self.text), expand(&other.text));
        ours.iter().any(|a| theirs.iter().any(|b| meet(a, b)))
    }

    /// Tells whether nothing says which of two equally specific patterns is meant: a plain key of one matches the other.
    ///
    /// `**/door/**` and `**/gate/**` have `door/gate/x` in common, but nobody who wrote one of them meant such a key.
    pub(crate) fn ties(&self, other: &Self) -> bool {
        let is_plain = |a: &Self, b: &Self| plain_keys(&a.text).iter().any(|key| b.matches(key));
        self.rank == other.rank
            && self.overlaps(other)
            && (is_plain(self, other) || is_plain(other, self))
    }
}

/// Gives the keys that a pattern is plainly about: nothing but its own text, and as little as possible for the wildcards.
fn plain_keys(text: &str) -> Vec<String> {
    expand(text)
        .iter()
        .map(|tokens| {
            let plain = |token: &Token| match token {
                Token::Literal(c) => *c,
                Token::One(c) => *c,
                Token::Star | Token::Deep => 'x',
            };
            tokens.iter().map(plain).collect()
        })
        .collect()
}

fn rank(text: &str) -> Rank {
    let longest = expand(text)
        .into_iter()
        .map(|tokens| {
            tokens
                .iter()
                .filter(|token| matches!(token, Token::Literal(_)))
                .count()
        })
        .min();
    let n_deep = text.matches("**").count();
    Rank {
        n_literals: longest.unwrap_or_default(),
        few_deep: std::cmp::Reverse(n_deep),
        few_stars: std::cmp::Reverse(text.matches('*').count() - 2 * n_deep),
    }
}

/// A piece of a pattern without alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// One character, no slash; and one that fits.
    One(char),
    /// Any characters, no slash.
    Star,
    /// Any characters.
    Deep,
}

impl Token {
    /// Tells whether a run of this token can swallow another token.
    fn swallows(self, other: Self) -> bool {
        match self {
            Self::Deep => true,
            Self::Star => other != Self::Literal('/'),
            Self::Literal(_) | Self::One(_) => false,
        }
    }

    fn is_run(self) -> bool {
        matches!(self, Self::Star | Self::Deep)
    }

    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::One(_), Self::Literal(c)) | (Self::Literal(c), Self::One(_)) => c != '/',
            _ => true,
        }
    }
}

/// Writes a pattern out into all its alternatives: `{a,b}`, and `**/` which also stands for nothing.
fn expand(text: &str) -> Vec<Vec<Token>> {
    if let Some((before, rest)) = text.split_once('{')
        && let Some((inside, behind)) = rest.split_once('}')
    {
        return inside
            .split(',')
            .flat_map(|choice| expand(&format!("{before}{choice}{behind}")))
            .collect();
    }
    let mut all = vec![Vec::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("**/") {
            let without = all.clone();
            push(&mut all, &[Token::Deep, Token::Literal('/')]);
            all.extend(without);
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("**") {
            push(&mut all, &[Token::Deep]);
            rest = behind;
        } else if let Some((inside, behind)) = rest
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'))
        {
            push(&mut all, &[Token::One(one_of(inside))]);
            rest = behind;
        } else {
            let token = match c {
                '*' => Token::Star,
                '?' => Token::One('x'),
                c => Token::Literal(c),
            };
            push(&mut all, &[token]);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    all
}

/// Gives a character of a class like `ab`, `0-9` or `!a`.
fn one_of(class: &str) -> char {
    match class.chars().next() {
        Some('!' | '^') | None => 'x',
        Some(c) => c,
    }
}

fn push(all: &mut [Vec<Token>], tokens: &[Token]) {
    all.iter_mut()
        .for_each(|list| list.extend_from_slice(tokens));
}

/// Tells whether two token lists have a text in common.
fn meet(a: &[Token], b: &[Token]) -> bool {
    // reach[j]: whether what is left of `a` from here and of `b` from j have a text in common, filled from the end.
    let mut below = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let mut here = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            let at = |row: &[bool], j: usize| row.get(j).copied().unwrap_or(false);
            let found = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some(x), None) => x.is_run() && at(&below, j),
                (None, Some(y)) => y.is_run() && at(&here, j + 1),
                (Some(x), Some(y)) => {
                    (x.is_run() && (at(&below, j) || (x.swallows(*y) && at(&here, j + 1))))
                        || (y.is_run() && (at(&here, j + 1) || (y.swallows(*x) && at(&below, j))))
                        || (!x.is_run() && !y.is_run() && x.equals(*y) && at(&below, j + 1))
                }
            };
            if let Some(cell) = here.get_mut(j) {
                *cell = found;
            }
        }
        below = here;
    }
    below.first().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn matches_inside_and_across_segments() {
        let check = |text: &str, key: &str, expected: bool| {
            assert_eq!(pattern(text).matches(key), expected, "{text} {key}")
        };
        check("**/CloudTrail/**", "AWSLogs/1/CloudTrail/x/y.json.gz", true);
        check("**/CloudTrail/**", "CloudTrail/y.json.gz", true);
        check("**/CloudTrail/**", "AWSLogs/1/CloudTrail-Digest/x", false);
        check("*/a", "x/y/a", false);
        check("**/*vpcflowlogs*", "a/b_vpcflowlogs_c.log.gz", true);
    }

    #[test]
    fn ranks_by_literals_then_by_few_wildcards() {
        assert!(pattern("**/AWSLogs/*/CloudTrail/**").rank > pattern("**/CloudTrail/**").rank);
        assert!(pattern("*/CloudTrail/x").rank > pattern("**/CloudTrail/x").rank);
    }

    #[test]
    fn ties_only_where_a_plain_key_of_one_matches_the_other() {
        let check = |a: &str, b: &str, expected: bool| {
            assert_eq!(pattern(a).ties(&pattern(b)), expected, "{a} {b}");
            assert_eq!(pattern(b).ties(&pattern(a)), expected, "{b} {a}");
        };
        check("**/door/**", "**/door/**", true);
        check("**/door/**", "**/gate/**", false);
        check("**/*door*", "**/*gate*", false);
        check("**/[Dd]oor/**", "**/{door,gate}/**", false);
        check("**/[Dd]oor/*", "**/?oor/*", true);
        check("{a,b}/*.log", "{b,c}/*.log", true);
        check("a/*", "b/*", false);
    }

    #[test]
    fn tells_whether_two_patterns_can_match_one_key() {
        let check = |a: &str, b: &str, expected: bool| {
            assert_eq!(pattern(a).overlaps(&pattern(b)), expected, "{a} {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), expected, "{b} {a}");
        };
        check("**/a/**", "**/b/**", true);
        check("x/a/*", "x/b/*", false);
        check("**/*.log", "**/*.gz", false);
        check("**/*a*", "**/*b*", true);
        check("{x,y}/a", "y/?", true);
        check("a*", "b*", false);
        check("**/a", "a", true);
        check("*/a", "**/b/a", true);
    }
}
