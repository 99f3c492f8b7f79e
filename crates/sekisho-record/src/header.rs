//! [`Header`]: which line of delimited text names the columns, and which names are in force.

use std::collections::HashSet;
use std::sync::Arc;

use crate::cut::Cut;
use crate::frame::{Columns, Delimited, FaultReason, Quotes, Skip};

/// How many columns of a line must be unknown before a line after the first is taken for data without a full look.
const GLANCE: usize = 3;

/// The columns in force, and how to tell a header from data.
pub(crate) struct Header {
    separator: u8,
    quotes: Quotes,
    known: HashSet<Box<[u8]>>,
    /// First bytes of known names, so that a look at a data line costs no hashing.
    initials: Box<[bool; 256]>,
    columns: Option<Arc<Columns>>,
    first_line: bool,
    fields_line: Option<String>,
    comment: Option<String>,
    or_json: bool,
}

impl Header {
    pub(crate) fn new(delimited: Delimited) -> Self {
        let known: HashSet<Box<[u8]>> = delimited
            .known
            .into_iter()
            .map(|name| name.into_bytes().into_boxed_slice())
            .collect();
        let mut initials = Box::new([false; 256]);
        for initial in known.iter().filter_map(|name| name.first()) {
            if let Some(slot) = initials.get_mut(usize::from(*initial)) {
                *slot = true;
            }
        }
        let columns = (!delimited.default_columns.is_empty()).then(|| {
            Arc::new(Columns {
                separator: delimited.separator,
                quotes: delimited.quotes,
                names: delimited.default_columns,
            })
        });
        Self {
            separator: delimited.separator,
            quotes: delimited.quotes,
            known,
            initials,
            columns,
            first_line: true,
            fields_line: delimited.fields_line,
            comment: delimited.comment,
            or_json: delimited.or_json,
        }
    }

    /// Decides what a line is: a header, a record under the columns in force, or a fault.
    pub(crate) fn cut(&mut self, line: &[u8], start: u64, end: u64) -> Cut {
        let first_line = std::mem::take(&mut self.first_line);
        if let Some(names) = self.header(line, first_line) {
            self.columns = Some(Arc::new(Columns {
                separator: self.separator,
                quotes: self.quotes,
                names,
            }));
            return Cut::Skipped(Skip::Header);
        }
        if begins(line, self.comment.as_deref()) {
            return Cut::Skipped(Skip::Comment);
        }
        let is_json = self.or_json && line.trim_ascii_start().starts_with(b"{");
        match &self.columns {
            _ if is_json => Cut::Record {
                start,
                end,
                columns: None,
            },
            Some(columns) => Cut::Record {
                start,
                end,
                columns: Some(Arc::clone(columns)),
            },
            None => Cut::Fault {
                start,
                end,
                reason: FaultReason::NoHeader,
                open: false,
            },
        }
    }

    /// Reads the names of a header line; nothing for any other.
    fn header(&self, line: &[u8], first_line: bool) -> Option<Vec<String>> {
        if let Some(start) = &self.fields_line {
            let names = line.strip_prefix(start.as_bytes())?;
            let names = String::from_utf8_lossy(names);
            return Some(names.split_whitespace().map(str::to_owned).collect());
        }
        let is_header = (first_line || self.glance(line)) && self.is_header(line);
        is_header.then(|| self.names(line))
    }

    fn glance(&self, line: &[u8]) -> bool {
        self.split(line).take(GLANCE).any(|name| self.knows(name))
    }

    fn is_header(&self, line: &[u8]) -> bool {
        let (mut known, mut all) = (0_usize, 0_usize);
        for name in self.split(line) {
            all += 1;
            known += usize::from(self.knows(name));
        }
        known > 0 && known * 2 >= all
    }

    fn knows(&self, name: &[u8]) -> bool {
        let Some(initial) = name.first() else {
            return false;
        };
        self.initials.get(usize::from(*initial)) == Some(&true) && self.known.contains(name)
    }

    fn names(&self, line: &[u8]) -> Vec<String> {
        self.split(line)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    fn split<'l>(&self, line: &'l [u8]) -> impl Iterator<Item = &'l [u8]> {
        let (separator, quotes) = (self.separator, self.quotes);
        let line = if separator == b' ' {
            line.trim_ascii()
        } else {
            line
        };
        line.split(move |byte| *byte == separator)
            .map(move |name| match quotes {
                Quotes::None => name,
                Quotes::Csv => bare(name),
            })
    }
}

/// Takes the quotes of a name away, and the blanks around it.
fn bare(name: &[u8]) -> &[u8] {
    let name = name.trim_ascii();
    let inside = name
        .strip_prefix(b"\"")
        .and_then(|name| name.strip_suffix(b"\""));
    inside.unwrap_or(name)
}

fn begins(line: &[u8], start: Option<&str>) -> bool {
    start.is_some_and(|start| line.starts_with(start.as_bytes()))
}
