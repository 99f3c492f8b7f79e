//! `[record]`: how the bytes of an object become records.

use sekisho_record::{Delimited, FirstLine, Format, Framing};

use super::place;
use crate::spec::{FormatSpec, ParserSpec, SpecFile};
use crate::{ParserError, ParserSettings};

/// Decides the framing of a parser's objects.
pub(super) fn framing(
    file: &SpecFile,
    spec: &ParserSpec,
    settings: &ParserSettings,
) -> Result<Framing, ParserError> {
    let record = &spec.record;
    let at = place(file, "[record]");
    let is_delimited = record.format == FormatSpec::Delimited;
    if !is_delimited
        && (record.separator.is_some()
            || !record.columns.is_empty()
            || !record.default_columns.is_empty()
            || record.fields_line.is_some()
            || record.comment.is_some())
    {
        return Err(file.error(
            at,
            "`separator`, `columns`, `default_columns`, `fields_line` and `comment` are for `format = \"delimited\"`",
        ));
    }
    if record.or_json && matches!(record.format, FormatSpec::Json | FormatSpec::Ndjson) {
        return Err(file.error(at, "`or_json` is for `lines` and `delimited`"));
    }
    if record.first_line.is_some() && record.format != FormatSpec::Multiline {
        return Err(file.error(at, "`first_line` is for `format = \"multiline\"`"));
    }
    if record.records.is_some() && record.format != FormatSpec::Json {
        return Err(file.error(at, "`records` is for `format = \"json\"`"));
    }
    let format = match record.format {
        FormatSpec::Json => Format::Json {
            records: record
                .records
                .iter()
                .flat_map(|paths| &paths.0)
                .map(|path| path.split('.').map(str::to_owned).collect())
                .collect(),
        },
        FormatSpec::Ndjson => Format::Ndjson,
        FormatSpec::Lines => Format::Lines,
        FormatSpec::Multiline => {
            let missing = || "`format = \"multiline\"` needs `first_line`, a regular expression";
            let pattern = record.first_line.as_deref().ok_or_else(missing);
            let first_line = pattern.map_err(str::to_owned).and_then(FirstLine::new);
            Format::Multiline(first_line.map_err(|message| file.error(at, message))?)
        }
        FormatSpec::Delimited => {
            let separator = match record.separator.as_deref().unwrap_or(" ").as_bytes() {
                [byte] => *byte,
                _ => return Err(file.error(at, "`separator` must be one ASCII character")),
            };
            let default_columns = settings
                .default_columns
                .get(&spec.source.dataset)
                .unwrap_or(&record.default_columns)
                .clone();
            Format::Delimited(Delimited {
                separator,
                known: record.columns.clone(),
                default_columns,
                fields_line: record.fields_line.clone(),
                comment: record.comment.clone(),
                or_json: record.or_json,
            })
        }
    };
    Ok(Framing {
        format,
        max_record_bytes: settings.max_record_bytes,
        max_depth: settings.max_depth,
    })
}
