//! `[record]`: how the bytes of an object become records.

use sekisho_record::{Delimited, Encoding, FirstLine, Format, Framing, Quotes};

use super::place;
use crate::spec::{EncodingSpec, FormatSpec, ParserSpec, RecordSpec, SpecFile};
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
    if !is_delimited && (record.fields_line.is_some() || record.comment.is_some()) {
        return Err(file.error(
            at,
            "`fields_line` and `comment` are for `format = \"delimited\"`",
        ));
    }
    if !is_delimited
        && record.format != FormatSpec::Csv
        && (record.separator.is_some()
            || !record.columns.is_empty()
            || !record.default_columns.is_empty())
    {
        return Err(file.error(
            at,
            "`separator`, `columns` and `default_columns` are for `format = \"delimited\"` and `\"csv\"`",
        ));
    }
    let is_line = matches!(
        record.format,
        FormatSpec::Lines | FormatSpec::Multiline | FormatSpec::Delimited
    );
    if record.or_json && !is_line {
        return Err(file.error(at, "`or_json` is for `lines`, `multiline` and `delimited`"));
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
        FormatSpec::Csv if !record.has_columns() => Format::Csv {
            separator: separator(record, ",").map_err(|message| file.error(at, message))?,
        },
        FormatSpec::Delimited => {
            let separator = separator(record, " ").map_err(|message| file.error(at, message))?;
            Format::Delimited(columns(spec, settings, separator, Quotes::None))
        }
        FormatSpec::Csv => {
            let separator = separator(record, ",").map_err(|message| file.error(at, message))?;
            Format::Delimited(columns(spec, settings, separator, Quotes::Csv))
        }
    };
    Ok(Framing {
        encoding: encoding(record, &format).map_err(|message| file.error(at, message))?,
        format,
        max_record_bytes: settings.max_record_bytes,
        max_depth: settings.max_depth,
    })
}

/// Gives how the bytes of lines are text.
fn encoding(record: &RecordSpec, format: &Format) -> Result<Encoding, &'static str> {
    let encoding = match record.encoding {
        EncodingSpec::Utf8 => Encoding::Utf8,
        EncodingSpec::ShiftJis => Encoding::ShiftJis,
        EncodingSpec::EucJp => Encoding::EucJp,
        EncodingSpec::Utf16Le => Encoding::Utf16Le,
    };
    if encoding.reads(format) {
        return Ok(encoding);
    }
    match encoding {
        Encoding::Utf16Le => Err("`encoding = \"utf-16le\"` is for `lines` and `delimited`"),
        Encoding::Utf8 | Encoding::ShiftJis | Encoding::EucJp => {
            Err("`encoding` is for lines; JSON is UTF-8")
        }
    }
}

/// Gives the byte between columns.
fn separator(record: &RecordSpec, default: &str) -> Result<u8, &'static str> {
    match record.separator.as_deref().unwrap_or(default).as_bytes() {
        [b'"' | b'\r' | b'\n'] => Err("`separator` cannot be a quote or a line's end"),
        [byte] => Ok(*byte),
        _ => Err("`separator` must be one ASCII character"),
    }
}

/// Gives how lines are told from headers, and which columns they have.
fn columns(
    spec: &ParserSpec,
    settings: &ParserSettings,
    separator: u8,
    quotes: Quotes,
) -> Delimited {
    let record = &spec.record;
    let default_columns = settings
        .default_columns
        .get(&spec.source.dataset)
        .unwrap_or(&record.default_columns)
        .clone();
    Delimited {
        separator,
        quotes,
        known: record.columns.clone(),
        default_columns,
        fields_line: record.fields_line.clone(),
        comment: record.comment.clone(),
        or_json: record.or_json,
    }
}
