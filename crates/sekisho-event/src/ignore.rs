//! Key patterns of objects that are acknowledged and not read.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("pattern `{pattern}` in `ignore.keys` is invalid: {reason}")]
pub struct IgnoreError {
    /// The pattern as written.
    pub pattern: String,
    /// Why.
    pub reason: String,
}

/// The installation's `ignore.keys`: `*` stays inside one path segment, `**` crosses.
#[derive(Debug, Clone, Default)]
pub struct IgnoredKeys {
    set: GlobSet,
    patterns: Vec<String>,
}

impl IgnoredKeys {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// When a pattern is no glob.
    pub fn new(patterns: &[String]) -> Result<Self, IgnoreError> {
        let wrong = |pattern: &str, error: &globset::Error| IgnoreError {
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        };
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            builder.add(glob.map_err(|error| wrong(pattern, &error))?);
        }
        let set = builder
            .build()
            .map_err(|error| wrong(error.glob().unwrap_or("all together"), &error))?;
        Ok(Self {
            set,
            patterns: patterns.to_vec(),
        })
    }

    /// Gives the first pattern that the decoded key matches.
    pub fn matching(&self, key: &str) -> Option<&str> {
        let first = self.set.matches(key).into_iter().next()?;
        self.patterns.get(first).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(patterns: &[&str], key: &str) -> bool {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        IgnoredKeys::new(&patterns).unwrap().matching(key).is_some()
    }

    #[test]
    fn stars_know_path_segments() {
        assert!(ignored(&["tmp/*"], "tmp/a"));
        assert!(!ignored(&["tmp/*"], "tmp/a/b"));
        assert!(ignored(&["tmp/**"], "tmp/a/b"));
        assert!(ignored(&["**/*.md5"], "a.md5"));
        assert!(ignored(&["x", "**/日本/*"], "a/日本/b"));
        assert!(!ignored(&[], "a"));
    }

    #[test]
    fn the_matching_pattern_is_named() {
        let keys = IgnoredKeys::new(&["a/*".to_owned(), "b/*".to_owned()]).unwrap();
        assert_eq!(keys.matching("b/x"), Some("b/*"));
        let message = IgnoredKeys::new(&["a/[".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("pattern `a/[` in `ignore.keys` is invalid: "),
            "{message}"
        );
    }
}
