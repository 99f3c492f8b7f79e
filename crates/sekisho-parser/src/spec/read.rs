//! Reads `parser.toml` and says what is wrong with it: file, line and the nearest valid word.

use super::ParserSpec;
use crate::ParserError;
use crate::nearest::nearest;

/// A parser file's name and text, to turn offsets into lines.
#[derive(Debug, Clone)]
pub(crate) struct SpecFile {
    /// The file, relative to the parsers folder.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

impl SpecFile {
    /// Gives the line (from 1) of a byte offset.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self
            .text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
    }

    /// Gives the byte offset of the `n`th (from 0) line that begins with a table's name.
    pub(crate) fn nth(&self, table: &str, n: usize) -> usize {
        let mut lines = self.text.match_indices(table).filter(|(at, _)| {
            let before = self.text.get(..*at).unwrap_or_default();
            before.is_empty() || before.ends_with('\n')
        });
        lines.nth(n).map_or(0, |(at, _)| at)
    }

    /// Gives the text of a line (from 1).
    pub(crate) fn text_of(&self, line: usize) -> &str {
        self.text
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .trim()
    }

    /// Makes an error about the line at a byte offset.
    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> ParserError {
        ParserError::Spec {
            file: self.name.clone(),
            line: self.line(at),
            message: message.into(),
        }
    }
}

/// Reads a `parser.toml`.
pub(crate) fn read_spec(file: &SpecFile) -> Result<ParserSpec, ParserError> {
    toml::from_str(&file.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        match unknown_word(error.message()) {
            Some((found, nearest)) => file.error(
                at_word(&file.text, at, found),
                format!("unknown key `{found}`; did you mean `{nearest}`?"),
            ),
            None => file.error(at, error.message().replace('\n', " ")),
        }
    })
}

/// Reads serde's "unknown field `x`, expected one of `a`, `b`" and gives the word and the nearest valid one.
fn unknown_word(message: &str) -> Option<(&str, &str)> {
    let is_unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut words = message.split('`').skip(1).step_by(2).filter(|_| is_unknown);
    let found = words.next()?;
    Some((found, nearest(found, words)?))
}

/// The error of an array of tables points at the whole table: finds the word inside it.
fn at_word(text: &str, at: usize, word: &str) -> usize {
    let inside = text.get(at..).unwrap_or_default();
    let is_word = |(start, _): &(usize, &str)| {
        let behind = inside
            .get(start + word.len()..)
            .and_then(|rest| rest.chars().next());
        !behind.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    inside
        .match_indices(word)
        .find(is_word)
        .map_or(at, |(start, _)| at + start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let file = SpecFile {
            name: "aws/x/parser.toml".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(read_spec(&file).unwrap_err().to_string(), expected);
    }

    const SOURCE: &str = "[source]\ndataset = \"aws.x\"\ntitle = \"X\"\nreference = \"https://example.com\"\nindex = \"log-aws-x\"\n";

    #[test]
    fn names_file_line_and_nearest_word() {
        check(
            &format!("{SOURCE}indx = 1\n"),
            "aws/x/parser.toml:6: unknown key `indx`; did you mean `index`?",
        );
        check(
            &format!("{SOURCE}[match]\nkyes = []\n"),
            "aws/x/parser.toml:7: unknown key `kyes`; did you mean `keys`?",
        );
        check(
            &format!("{SOURCE}[record]\nformat = \"jsn\"\n"),
            "aws/x/parser.toml:7: unknown key `jsn`; did you mean `json`?",
        );
        check(
            &format!(
                "{SOURCE}[record]\nformat = \"json\"\n[fields]\n\"source.ip\" = {{ form = \"x\" }}\n"
            ),
            "aws/x/parser.toml:9: unknown key `form`; did you mean `from`?",
        );
        check(
            &format!("{SOURCE}[record]\nformat = \"json\"\n[[when]]\nfield = \"x\"\nequal = 1\n"),
            "aws/x/parser.toml:10: unknown key `equal`; did you mean `equals`?",
        );
    }
}
