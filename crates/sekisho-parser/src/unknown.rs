//! The fallback for what nobody claims: every record raw, up to a cap, and binary refused.

use std::sync::Arc;

use sekisho_document::SourceMapping;
use sekisho_record::{Encoding, Format, Framing};

use crate::compile::compile;
use crate::files::ParserFiles;
use crate::plan::ObjectPlan;
use crate::program::Program;
use crate::spec::{SpecFile, read_spec};
use crate::{ObjectContext, ParserError, ParserSettings};

/// `event.dataset` of what nobody claims.
/// The dataset of what no parser claims.
pub const DATASET: &str = "sekisho.unknown";
/// Its index.
const INDEX: &str = "log-unknown";

const SPEC: &str = r#"
[source]
dataset = "sekisho.unknown"
title = "Objects that no parser claims"
reference = "https://www.elastic.co/docs/reference/ecs/ecs-event"
index = "log-unknown"
[record]
format = "lines"
"#;

/// Compiles what raw documents of such objects need.
pub(crate) fn program(settings: &ParserSettings) -> Result<Arc<Program>, ParserError> {
    let file = SpecFile {
        name: DATASET.to_owned(),
        text: SPEC.to_owned(),
    };
    compile(&file, &read_spec(&file)?, &ParserFiles::default(), settings).map(Arc::new)
}

/// Lists the fields of raw documents.
pub(crate) fn mapping(program: &Program) -> SourceMapping {
    let mut fields: Vec<_> = program
        .outputs
        .iter()
        .map(|output| (output.name.clone(), output.kind))
        .collect();
    fields.sort();
    SourceMapping {
        dataset: DATASET.to_owned(),
        index: INDEX.to_owned(),
        fields,
    }
}

/// Plans an object that nobody claims: JSON values or lines by its first byte, binary refused.
pub(crate) fn plan(
    program: Arc<Program>,
    object: ObjectContext,
    head: &[u8],
    settings: Arc<ParserSettings>,
) -> Result<ObjectPlan, ParserError> {
    let encoding = Encoding::Utf8.marked(head);
    if encoding == Encoding::Utf8 && is_binary(head) {
        return Err(ParserError::UnknownBinary { key: object.key });
    }
    let format = if is_json(head) {
        Format::Json {
            records: Vec::new(),
        }
    } else {
        Format::Lines
    };
    let framing = Framing {
        format,
        encoding,
        max_record_bytes: settings.max_record_bytes,
        max_depth: settings.max_depth,
    };
    Ok(ObjectPlan::unclaimed(
        program, framing, INDEX, object, settings,
    ))
}

/// Text in any of the encodings that logs come in has no control characters but white space and escape.
fn is_binary(head: &[u8]) -> bool {
    let is_utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let n_controls = head
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
        .count();
    !is_utf16 && n_controls * 50 > head.len()
}

fn is_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut bytes = head.iter().filter(|byte| !byte.is_ascii_whitespace());
    match bytes.next() {
        Some(b'{') => matches!(bytes.next(), Some(b'"' | b'}') | None),
        // `[` also starts the line of many a text log.
        Some(b'[') => matches!(bytes.next(), Some(b'{' | b'"' | b'[')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_binary_json_and_text_apart() {
        assert!(is_binary(b"\x7fELF\x02\x01\x01\x00\x00\x00\x00"));
        assert!(!is_binary("日本語のログ\n".as_bytes()));
        assert!(!is_binary(b""));
        assert!(!is_binary(b"caf\xe9 ol\xe9 latin-1 line\n"));
        assert!(is_json(b"\xef\xbb\xbf \n{\"a\":1}"));
        assert!(is_json(b"[{\"a\":1}]"));
        assert!(!is_json(b"[Mon Nov 23 10:15:00 2026] [error] x"));
        assert!(!is_json(b"{braces} in text"));
    }
}
