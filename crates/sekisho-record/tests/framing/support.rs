//! Renders frames as lines of text, and readers that give bytes in chosen steps.

use std::io::{self, Read};

use sekisho_record::{
    Delimited, Encoding, FirstLine, Format, Frame, Framing, Quotes, Record, RecordError,
    RecordReader,
};

pub(crate) fn framing(format: Format) -> Framing {
    Framing {
        format,
        encoding: Encoding::Utf8,
        max_record_bytes: 8 * 1024 * 1024,
        max_depth: 100,
    }
}

pub(crate) fn json(path: &[&str]) -> Framing {
    let paths = [path].into_iter().filter(|path| !path.is_empty());
    json_any(&paths.collect::<Vec<_>>())
}

/// JSON whose array of records lies under one of several paths.
pub(crate) fn json_any(paths: &[&[&str]]) -> Framing {
    let keys = |path: &&[&str]| path.iter().map(ToString::to_string).collect();
    let records = paths.iter().map(keys).collect();
    framing(Format::Json { records })
}

pub(crate) fn delimited(default_columns: &[&str]) -> Framing {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    framing(Format::Delimited(Delimited {
        separator: b' ',
        quotes: Quotes::None,
        known: names(&["version", "account-id", "action"]),
        default_columns: names(default_columns),
        fields_line: None,
        comment: None,
        or_json: false,
    }))
}

/// The W3C Extended Log File Format with tabs between columns, or JSON lines in its place.
pub(crate) fn w3c(default_columns: &[&str]) -> Framing {
    let mut framing = delimited(default_columns);
    if let Format::Delimited(delimited) = &mut framing.format {
        delimited.separator = b'\t';
        delimited.fields_line = Some("#Fields:".to_owned());
        delimited.comment = Some("#".to_owned());
        delimited.or_json = true;
    }
    framing
}

/// Records of RFC 4180, with a header.
pub(crate) fn csv(default_columns: &[&str]) -> Framing {
    let mut framing = delimited(default_columns);
    if let Format::Delimited(delimited) = &mut framing.format {
        delimited.separator = b',';
        delimited.quotes = Quotes::Csv;
    }
    framing
}

/// Lines joined to records.
pub(crate) fn multiline(first_line: &str) -> Framing {
    framing(Format::Multiline(FirstLine::new(first_line).unwrap()))
}

/// Gives `bytes` in steps of the given sizes (the last one repeats), then an error if there is one.
pub(crate) struct Steps<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) steps: Vec<usize>,
    pub(crate) error: Option<&'static str>,
}

impl Read for Steps<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty()
            && let Some(error) = self.error.take()
        {
            return Err(io::Error::other(error));
        }
        let step = match self.steps.len() {
            0 => into.len(),
            1 => self.steps[0],
            _ => self.steps.remove(0),
        };
        self.bytes.read(&mut into[..step.max(1)])
    }
}

/// All frames, one line of text each: `offset text`, `offset !fault text`, `-skipped`, and last `read error`.
pub(crate) fn render(read: impl Read, framing: &Framing) -> Vec<String> {
    let mut reader = RecordReader::new(read, framing.clone());
    let mut lines = Vec::new();
    let (mut records, mut skipped) = (0, 0);
    loop {
        lines.push(match reader.next() {
            Ok(None) => break,
            Err(RecordError::Read { offset, source }) => format!("{offset} read error: {source}"),
            Ok(Some(Frame::Skipped(skip))) => {
                skipped += 1;
                format!("-{skip:?}")
            }
            Ok(Some(Frame::Record(record))) => {
                records += 1;
                format!(
                    "{} {}{}",
                    record.offset,
                    columns(&record),
                    record.bytes.escape_ascii()
                )
            }
            Ok(Some(Frame::Fault(fault))) => {
                records += 1;
                assert!(
                    fault.bytes.len() as u64 == fault.length
                        || fault.bytes.len() == 64 * 1024
                        || fault.length > framing.max_record_bytes as u64
                );
                format!(
                    "{} !{} {} {:02x?} {}",
                    fault.offset,
                    name(&fault.reason),
                    fault.length,
                    &fault.digest[..2],
                    fault.bytes.escape_ascii()
                )
            }
        });
    }
    assert_eq!((reader.records(), reader.skipped()), (records, skipped));
    lines
}

fn name(reason: &sekisho_record::FaultReason) -> String {
    let debug = format!("{reason:?}");
    debug
        .split([' ', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Checks the frames of `input`, where `!` marks a fault, and that each one's bytes stand at its offset, in order.
///
/// Lengths and digests of faults are left out here.
pub(crate) fn check(framing: &Framing, input: &[u8], expected: &[&str]) {
    let mut reader = RecordReader::new(input, framing.clone());
    let mut frames = Vec::new();
    let mut behind = 0;
    while let Some(frame) = reader.next().unwrap() {
        let (offset, bytes, text) = match frame {
            Frame::Skipped(skip) => {
                frames.push(format!("-{skip:?}"));
                continue;
            }
            Frame::Record(record) => (record.offset, record.bytes, columns(&record)),
            Frame::Fault(fault) => (
                fault.offset,
                fault.bytes,
                format!("!{} ", name(&fault.reason)),
            ),
        };
        let offset = usize::try_from(offset).unwrap();
        assert!(offset >= behind, "frames overlap at {offset}: {frames:?}");
        behind = offset + bytes.len();
        assert_eq!(&input[offset..behind], bytes, "at {offset}");
        frames.push(format!("{text}{}", bytes.escape_ascii()));
    }
    let input = input.escape_ascii().to_string();
    assert_eq!(frames, expected, "of {}", &input[..input.len().min(400)]);
}

fn columns(record: &Record<'_>) -> String {
    match &record.columns {
        Some(columns) => format!("[{}] ", columns.names.join("|")),
        None => String::new(),
    }
}
