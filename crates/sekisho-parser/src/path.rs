//! [`SourcePath`]: where a value comes from, as `parser.toml` writes it.

/// One step below the record or below a value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// `name`
    Key(String),
    /// `[]`: every element of an array.
    Each,
    /// `[name=host]`: the elements whose `name` is `host`, ASCII case ignored.
    Select {
        /// The element's key.
        key: String,
        /// The value that it must have.
        value: String,
    },
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourcePath {
    /// `a.b[].c`: the record.
    Record(Vec<Segment>),
    /// `.user.name`: the document under construction.
    Document(String),
    /// `@key.region`: a group of `[match] capture`.
    Capture(String),
    /// `@envelope.logGroup`: what an envelope says around the record.
    Envelope(Vec<Segment>),
    /// `@record`: the record's text.
    Whole,
}

impl SourcePath {
    /// Reads a path; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(field) = text.strip_prefix('.') {
            return Ok(Self::Document(field.to_owned()));
        }
        if text == "@record" {
            return Ok(Self::Whole);
        }
        if let Some(group) = text.strip_prefix("@key.") {
            return Ok(Self::Capture(group.to_owned()));
        }
        let wrong = || {
            format!(
                "`{text}` is no source path; write it as `a.b`, `a[].b`, `a[name=x].b` or `a.\"b.c\"`"
            )
        };
        if let Some(member) = text.strip_prefix("@envelope.") {
            return segments(member).map(Self::Envelope).ok_or_else(wrong);
        }
        if text.starts_with('@') {
            return Err(format!(
                "unknown source `{text}`; use `@record`, `@key.<group>` or `@envelope.<member>`"
            ));
        }
        segments(text).map(Self::Record).ok_or_else(wrong)
    }

    /// Splits a record path into its leading keys and the rest, which needs the elements of an array.
    pub(crate) fn split(segments: &[Segment]) -> (Vec<&str>, &[Segment]) {
        let keys: Vec<_> = segments
            .iter()
            .map_while(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Each | Segment::Select { .. } => None,
            })
            .collect();
        let rest = segments.get(keys.len()..).unwrap_or_default();
        (keys, rest)
    }
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    let mut rest = text;
    let mut found = Vec::new();
    loop {
        rest = key(rest, &mut found)?;
        while let Some(bracket) = rest.strip_prefix('[') {
            let (inside, behind) = bracket.split_once(']')?;
            found.push(match inside.split_once('=') {
                Some((key, value)) if !key.is_empty() => Segment::Select {
                    key: key.to_owned(),
                    value: value.to_owned(),
                },
                None if inside.is_empty() => Segment::Each,
                _ => return None,
            });
            rest = behind;
        }
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix('.')?;
    }
}

/// Takes one key, quoted or not, and gives what is behind it.
fn key<'t>(text: &'t str, found: &mut Vec<Segment>) -> Option<&'t str> {
    let (key, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => {
            let end = text.find(['.', '[']).unwrap_or(text.len());
            text.split_at_checked(end)?
        }
    };
    if key.is_empty() {
        return None;
    }
    found.push(Segment::Key(key.to_owned()));
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Segment {
        Segment::Key(name.to_owned())
    }

    #[test]
    fn reads_each_form() {
        let record = |segments| Ok(SourcePath::Record(segments));
        assert_eq!(SourcePath::parse("a.b"), record(vec![key("a"), key("b")]));
        assert_eq!(
            SourcePath::parse("a[].b"),
            record(vec![key("a"), Segment::Each, key("b")])
        );
        assert_eq!(
            SourcePath::parse("pkt-srcaddr"),
            record(vec![key("pkt-srcaddr")])
        );
        assert_eq!(
            SourcePath::parse("a.\"b.c\""),
            record(vec![key("a"), key("b.c")])
        );
        let host = Segment::Select {
            key: "name".into(),
            value: "host".into(),
        };
        assert_eq!(
            SourcePath::parse("h.headers[name=host].value"),
            record(vec![key("h"), key("headers"), host, key("value")])
        );
        assert_eq!(
            SourcePath::parse(".user.name"),
            Ok(SourcePath::Document("user.name".into()))
        );
        assert_eq!(
            SourcePath::parse("@key.region"),
            Ok(SourcePath::Capture("region".into()))
        );
        assert_eq!(
            SourcePath::parse("@envelope.detail-type"),
            Ok(SourcePath::Envelope(vec![key("detail-type")]))
        );
        assert_eq!(SourcePath::parse("@record"), Ok(SourcePath::Whole));
    }

    #[test]
    fn refuses_what_is_no_path() {
        for bad in ["", "a..b", "a.", "a[b", "a[b]", "a[]b", "@keys", "a.\"b"] {
            assert!(SourcePath::parse(bad).is_err(), "{bad}");
        }
    }
}
