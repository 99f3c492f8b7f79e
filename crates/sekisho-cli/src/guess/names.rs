//! [`Names`]: what a new parser is called and which keys it claims.

use sekisho_document::key_date;

use super::Doubt;

/// What a new parser is called and which keys it claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// `module.name`
    pub(crate) dataset: String,
    /// The key of the case.
    pub(crate) key: String,
    /// The pattern of `[match]`.
    pub(crate) pattern: String,
}

impl Names {
    /// The folder below the folder of parsers.
    pub(crate) fn folder(&self) -> String {
        self.dataset.replacen('.', "/", 1)
    }

    /// The index without the day.
    pub(crate) fn index(&self) -> String {
        format!("log-{}", self.dataset.replace(['.', '_'], "-"))
    }
}

/// Takes what the user says, and guesses the rest from the sample's name.
pub(crate) fn names(
    dataset: Option<&str>,
    key: Option<&str>,
    sample: &str,
    doubts: &mut Vec<Doubt>,
) -> Names {
    let dataset = dataset.map_or_else(|| dataset_of(sample, key, doubts), str::to_owned);
    let folder = dataset.replacen('.', "/", 1);
    let Some(key) = key else {
        let pattern = format!("**/{folder}/**");
        doubts.push(Doubt::new(
            format!("the keys: `{pattern}`"),
            "say with `--key` where the objects lie, or edit `[match] keys`",
        ));
        return Names {
            key: format!("{folder}/2026/11/23/{sample}"),
            pattern,
            dataset,
        };
    };
    let pattern = pattern(key);
    if key_date(key).is_none() {
        doubts.push(Doubt::new(
            format!("the day of an object: its LastModified, since the key `{key}` carries no date"),
            "put a date into the keys, like `…/2026/11/23/…`: a copy of the object then keeps its day",
        ));
    }
    doubts.push(Doubt::new(
        format!("the keys: `{pattern}`"),
        "narrow or widen `[match] keys`; `sekisho route KEY` shows what a key selects",
    ));
    Names {
        key: key.to_owned(),
        pattern,
        dataset,
    }
}

fn dataset_of(sample: &str, key: Option<&str>, doubts: &mut Vec<Doubt>) -> String {
    let stem = sample.split('.').next().unwrap_or_default();
    let mut words: Vec<String> = literal_segments(key.unwrap_or_default())
        .map(word)
        .chain([word(stem)])
        .filter(|word| !word.is_empty() && !matches!(word.as_str(), "logs" | "log" | "sample"))
        .collect();
    words.dedup();
    let dataset = match words.as_slice() {
        [] => "custom.log".to_owned(),
        [one] => match one.split_once('_') {
            Some((module, name)) => format!("{module}.{name}"),
            None => format!("custom.{one}"),
        },
        [module, name, ..] => format!("{module}.{name}"),
    };
    doubts.push(Doubt::new(
        format!("the name: `{dataset}`"),
        "give `--dataset module.name`: vendor and product, or team and application",
    ));
    dataset
}

/// Lower case, with letters at its beginning and `_` for all that no dataset can hold.
fn word(text: &str) -> String {
    let lower: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let words = lower
        .split('_')
        .filter(|part| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit()));
    words.collect::<Vec<_>>().join("_")
}

/// The folders of a key up to the first that differs from object to object.
fn literal_segments(key: &str) -> impl Iterator<Item = &str> {
    let folders = key.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders
        .split('/')
        .take_while(|segment| !segment.is_empty() && !is_variable(segment))
}

/// A date, a number, an id.
fn is_variable(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    segment.contains('=') || digits * 2 >= segment.len() || digits >= 6
}

/// `app/audit/2026/11/23/x.json.gz` is one of `**/app/audit/**`.
fn pattern(key: &str) -> String {
    let segments: Vec<String> = literal_segments(key).map(escape).collect();
    if segments.is_empty() {
        let file = key.rsplit('/').next().unwrap_or_default();
        let stem = file.trim_end_matches(|c: char| c != '-' && c != '_');
        let literal = if stem.is_empty() { file } else { stem };
        let star = if stem.is_empty() { "" } else { "*" };
        return format!("**/{}{star}", escape(literal));
    }
    format!("**/{}/**", segments.join("/"))
}

/// What a pattern would read as a wildcard.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if "*?[]{}\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_pattern() {
        for (key, expected) in [
            ("app/audit/2026/11/23/x.json.gz", "**/app/audit/**"),
            ("app/year=2026/x", "**/app/**"),
            ("logs/111122223333/app/x.log", "**/logs/**"),
            ("audit-2026-11-23.log", "**/audit-2026-11-*"),
            ("x.log", "**/x.log"),
            ("a[1]/x.log", "**/a\\[1\\]/**"),
        ] {
            assert_eq!(pattern(key), expected, "{key}");
        }
    }

    #[test]
    fn names_come_from_what_is_said() {
        let mut doubts = Vec::new();
        let found = names(Some("acme.app"), None, "x.log", &mut doubts);
        assert_eq!(found.key, "acme/app/2026/11/23/x.log");
        assert_eq!(found.index(), "log-acme-app");
        assert_eq!(doubts.len(), 1);
        let found = names(
            None,
            Some("acme/door-system/2026/11/23/x"),
            "x",
            &mut doubts,
        );
        assert_eq!(found.dataset, "acme.door_system");
        assert_eq!(
            names(None, None, "door-2026.log", &mut doubts).dataset,
            "custom.door"
        );
        assert_eq!(
            names(None, None, "2026.log", &mut doubts).dataset,
            "custom.log"
        );
    }
}
