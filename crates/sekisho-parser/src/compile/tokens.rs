//! `[[tokens]]`: checked for what cannot be meant, tied to the schema.

use std::collections::BTreeSet;

use regex::Regex;

use super::{Compiler, place};
use crate::nearest::nearest;
use crate::program::Check;
use crate::spec::{FormatSpec, RecordSpec, TokenWhenSpec, TokensSpec};
use crate::tokens::{Alternative, Dissect, FieldSteps, Kv, Place, Quoting, Split, Tokens, Way};
use crate::{ParserError, ParserSettings};

impl Compiler<'_> {
    /// Compiles every step; the schema must be finished.
    pub(super) fn tokens(&self, settings: &ParserSettings) -> Result<Tokens, ParserError> {
        let columns = settings.default_columns.get(&self.spec.source.dataset);
        let mut tokens = Tokens::default();
        let mut known = Names::of_columns(&self.spec.record);
        for (n, spec) in self.spec.tokens.iter().enumerate() {
            let fail = |message: String| self.file.error(self.file.nth("[[tokens]]", n), message);
            if spec.asks_setting() && columns.is_none() {
                known.add(spec).map_err(fail)?;
                continue;
            }
            let alternative = self.alternative(spec, columns).map_err(fail)?;
            match &spec.from {
                None if self.splits_lines() => {
                    return Err(fail(
                        "the columns already split the record; give `from`".into(),
                    ));
                }
                None if self.is_json() => {
                    return Err(fail(
                        "a JSON record has its fields; `[[tokens]]` are for text".into(),
                    ));
                }
                None if spec.decode.is_some() => {
                    return Err(fail("`decode` is for a field; give `from`".into()));
                }
                None => tokens.record.push(alternative),
                Some(from) => {
                    if !known.knows(from) {
                        return Err(fail(format!("no step before this one gives `{from}`")));
                    }
                    let last = tokens.fields.iter_mut().find(|steps| steps.from == *from);
                    match last {
                        Some(steps) if steps.decodes != spec.decode.is_some() => {
                            return Err(fail(format!(
                                "the steps of `{from}` disagree on `decode`"
                            )));
                        }
                        Some(steps) => steps.alternatives.push(alternative),
                        None => tokens.fields.push(FieldSteps {
                            from: from.clone(),
                            decodes: spec.decode.is_some(),
                            alternatives: vec![alternative],
                        }),
                    }
                }
            }
            known.add(spec).map_err(fail)?;
        }
        self.sources_are_known(&known)?;
        Ok(tokens)
    }

    fn is_json(&self) -> bool {
        matches!(
            self.spec.record.format,
            FormatSpec::Json | FormatSpec::Ndjson
        )
    }

    fn splits_lines(&self) -> bool {
        self.spec.record.has_columns()
    }

    /// Refuses a path that no step can give: a misspelt name would be silently absent.
    fn sources_are_known(&self, known: &Names) -> Result<(), ParserError> {
        let is_open = known.open || self.spec.record.or_json;
        if is_open || self.spec.tokens.is_empty() {
            return Ok(());
        }
        let used = crate::uses::list(self.spec, self.file);
        let mut paths: Vec<_> = used
            .iter()
            .map(|used| (used.path.as_str(), used.line))
            .collect();
        for (key, listed) in [
            ("require", &self.spec.record.require),
            ("unique_by", &self.spec.record.unique_by),
        ] {
            let line = self.file.line(place(self.file, key));
            paths.extend(listed.iter().map(|path| (path.as_str(), line)));
        }
        let is_record = |path: &str| !path.starts_with(['.', '@']);
        let wrong = paths
            .into_iter()
            .find(|(path, _)| is_record(path) && !known.knows(&path.replace('"', "")));
        let Some((path, line)) = wrong else {
            return Ok(());
        };
        let nearest = nearest(path, known.names.iter().map(String::as_str));
        let nearest = nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        Err(ParserError::Spec {
            file: self.file.name.clone(),
            line,
            message: format!("no step of `[[tokens]]` gives `{path}`{nearest}"),
        })
    }

    /// Compiles a step; `columns` are what this installation calls those that the parser does not name.
    fn alternative(
        &self,
        spec: &TokensSpec,
        columns: Option<&Vec<String>>,
    ) -> Result<Alternative, String> {
        let splits = [
            (&spec.delimited, Quoting::None, " "),
            (&spec.quoted, Quoting::Quotes, " "),
            (&spec.csv, Quoting::Csv, ","),
        ];
        let n_ways = splits.iter().filter(|(names, ..)| names.is_some()).count()
            + usize::from(spec.kv.is_some())
            + usize::from(spec.dissect.is_some())
            + usize::from(spec.cef)
            + usize::from(spec.regex.is_some());
        if n_ways != 1 {
            return Err("give exactly one of `delimited`, `quoted`, `csv`, `kv`, `dissect`, `cef = true` and `regex`".into());
        }
        let split = splits
            .into_iter()
            .find_map(|(names, quoting, separator)| Some((names.as_ref()?, quoting, separator)));
        if split.is_none() && spec.separator.is_some() {
            return Err("`separator` is for `delimited`, `quoted` and `csv`".into());
        }
        if split.is_none() && spec.kv.is_none() && spec.require.is_some() {
            return Err("`require` is for `delimited`, `quoted`, `csv` and `kv`".into());
        }
        let way = match split {
            Some((names, quoting, separator)) => {
                let names = columns.filter(|_| names.is_empty()).unwrap_or(names);
                Way::Split(self.split(spec, names, quoting, separator)?)
            }
            None => self.way(spec)?,
        };
        let when = spec.when.as_ref().map_or_else(|| Ok(Vec::new()), checks)?;
        Ok(Alternative { when, way })
    }

    fn split(
        &self,
        spec: &TokensSpec,
        names: &[String],
        quoting: Quoting,
        separator: &str,
    ) -> Result<Split, String> {
        let separator = spec.separator.as_deref().unwrap_or(separator);
        let require = spec.require.unwrap_or(names.len());
        if separator.is_empty() || names.is_empty() {
            return Err("a `separator` and at least one name are needed".into());
        }
        if require > names.len() {
            return Err(format!(
                "`require = {require}` asks for more columns than the {} names",
                names.len()
            ));
        }
        Ok(Split {
            places: names.iter().map(|name| self.place(name)).collect(),
            separator: separator.to_owned(),
            quoting,
            require,
            trims: spec.asks_setting(),
        })
    }

    fn way(&self, spec: &TokensSpec) -> Result<Way, String> {
        if let Some(kv) = &spec.kv {
            if kv.separator.is_empty() || kv.assign.is_empty() {
                return Err("`kv` needs a `separator` and an `assign` that are not empty".into());
            }
            return Ok(Way::Kv(Kv {
                separator: kv.separator.clone(),
                assign: kv.assign.clone(),
                quote: kv.quote.clone(),
                require: spec.require.unwrap_or(1),
            }));
        }
        if let Some(pattern) = &spec.dissect {
            let dissect = Dissect::parse(pattern, &self.schema)
                .map_err(|message| format!("`dissect`: {message}"))?;
            return Ok(Way::Dissect(dissect));
        }
        let Some(text) = &spec.regex else {
            return Ok(Way::Cef);
        };
        let regex = regex(text, "regex")?;
        let names = regex.capture_names().enumerate();
        let groups: Vec<_> = names
            .filter_map(|(n, name)| Some((n, self.place(name?))))
            .collect();
        if groups.is_empty() {
            return Err("`regex` has no named group; write one as `(?<name>…)`".into());
        }
        Ok(Way::Regex(regex, groups))
    }

    fn place(&self, name: &str) -> Place {
        Place::new(name, &self.schema)
    }
}

fn checks(spec: &TokenWhenSpec) -> Result<Vec<Check>, String> {
    let matches = spec.matches.as_ref().map(|text| regex(text, "matches"));
    let checks = [
        spec.starts_with.clone().map(Check::StartsWith),
        spec.ends_with.clone().map(Check::EndsWith),
        spec.contains.clone().map(Check::Contains),
        matches.transpose()?.map(Check::Matches),
    ];
    let checks: Vec<_> = checks.into_iter().flatten().collect();
    match checks.is_empty() {
        true => Err(
            "`when` tests nothing; give it `starts_with`, `ends_with`, `contains` or `matches`"
                .into(),
        ),
        false => Ok(checks),
    }
}

fn regex(text: &str, key: &str) -> Result<Regex, String> {
    Regex::new(text)
        .map_err(|error| format!("`{key}` is no regular expression: {error}").replace('\n', " "))
}

/// The names that steps give.
struct Names {
    names: BTreeSet<String>,
    /// Whether records bring names of their own.
    open: bool,
}

impl Names {
    fn of_columns(record: &RecordSpec) -> Self {
        Self {
            names: BTreeSet::new(),
            open: record.has_columns(),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.open || self.names.contains(name) || name.starts_with("column_")
    }

    fn add(&mut self, spec: &TokensSpec) -> Result<(), String> {
        self.open |= spec.is_open();
        let mut own = BTreeSet::new();
        for name in spec.names() {
            if name.trim().is_empty() {
                return Err("a name is empty".into());
            }
            if !own.insert(name) {
                return Err(format!("`{name}` is named twice"));
            }
        }
        self.names.extend(own.into_iter().map(str::to_owned));
        Ok(())
    }
}
