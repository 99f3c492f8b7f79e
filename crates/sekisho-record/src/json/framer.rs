//! [`JsonFramer`]: finds the values, opens the array of records, and goes on after what is broken.

mod words;

use std::sync::Arc;

use memchr::{memchr, memchr2};

use super::envelope::Envelope;
use super::layout::{Line, seam, tail};
use super::scalar::is_scalar;
use super::value::{Found, Rules, Value};
use crate::cut::{Cut, Step};
use crate::frame::FaultReason;
use crate::line::BOM;
use crate::window::Window;

use words::NO_VALUE;

/// Frames JSON of any layout.
pub(crate) struct JsonFramer {
    rules: Rules,
    state: State,
    /// Up to where the bytes are understood.
    pos: u64,
    line: Line,
    array: Option<Array>,
    envelope: Envelope,
    /// A comma (or the start) stands before the next value.
    comma: bool,
}

/// Where the framer stands.
enum State {
    /// Between two values.
    Between,
    /// In a value.
    In(Box<Value>),
    /// In text that may be a number or a literal.
    Word { start: u64 },
    /// In text that is no JSON, up to the next line or brace.
    Garbage { start: u64 },
    /// Behind a string that a line break tore, up to where a record can begin.
    Torn(Box<Value>),
}

/// The array whose elements are records.
struct Array {
    /// The object around it, to go on with behind it; none for an array that stands alone.
    envelope: Option<Box<Value>>,
}

/// What one state says.
enum Turn {
    Go,
    More,
    Cut(Cut),
}

impl JsonFramer {
    pub(crate) fn new(
        records: Vec<Vec<String>>,
        max_record_bytes: usize,
        max_depth: usize,
    ) -> Self {
        let bytes = |key: String| key.into_bytes().into_boxed_slice();
        let paths = records.into_iter();
        let paths = paths.map(|path| path.into_iter().map(bytes).collect());
        Self {
            rules: Rules {
                paths: paths.collect(),
                max_depth,
            },
            state: State::Between,
            pos: 0,
            line: Line::starting_at(0),
            array: None,
            envelope: Envelope::new(max_record_bytes),
            comma: true,
        }
    }

    /// Frames the events of CloudWatch Logs subscriptions.
    pub(crate) fn cloudwatch_logs(max_record_bytes: usize, max_depth: usize) -> Self {
        let records = vec![vec!["logEvents".to_owned()]];
        Self {
            envelope: Envelope::new(max_record_bytes).with_control(),
            ..Self::new(records, max_record_bytes, max_depth)
        }
    }

    /// What stands before the array of records that the framer is in.
    pub(crate) fn envelope(&self) -> Option<&Arc<[u8]>> {
        self.array.as_ref()?.envelope.as_ref()?;
        self.envelope.before()
    }

    /// Tells whether the array's elements are messages of no log.
    pub(crate) fn is_control(&self) -> bool {
        let is_in_object = self
            .array
            .as_ref()
            .is_some_and(|array| array.envelope.is_some());
        is_in_object && self.envelope.is_control()
    }

    pub(crate) fn position(&self) -> u64 {
        self.pos
    }

    pub(crate) fn hold(&self) -> Option<u64> {
        match &self.state {
            State::Between => None,
            State::Word { start } | State::Garbage { start } => Some(*start),
            State::In(value) | State::Torn(value) => Some(value.start),
        }
    }

    pub(crate) fn advance<R>(&mut self, window: &Window<R>) -> Step {
        loop {
            let turn = match std::mem::replace(&mut self.state, State::Between) {
                State::Between => self.between(window),
                State::In(value) => self.inside(value, window),
                State::Word { start } => self.word(start, window),
                State::Garbage { start } => self.garbage(start, window),
                State::Torn(value) => self.torn(value, window),
            };
            match turn {
                Turn::Go => {}
                Turn::More => return Step::More,
                Turn::Cut(cut) => return Step::Cut(cut),
            }
        }
    }

    /// Gives what the end of the stream leaves open.
    pub(crate) fn finish<R>(&mut self, window: &Window<R>) -> Option<Cut> {
        let end = window.end();
        let array = self.array.take();
        let state = std::mem::replace(&mut self.state, State::Between);
        self.pos = end;
        let (start, reason) = match state {
            // An array that nobody closed lost what would have followed; a read error says so itself.
            State::Between if array.is_some() && !window.torn() => (end, FaultReason::Truncated),
            State::Between => return None,
            State::In(value) => (value.start, self.reason(&value, FaultReason::Truncated)),
            State::Torn(value) => (value.start, self.reason(&value, FaultReason::Truncated)),
            State::Garbage { start } => (start, NO_VALUE),
            State::Word { start } if array.is_some() || window.torn() => {
                (start, FaultReason::Truncated)
            }
            State::Word { start } if is_scalar(window.slice(start, end)) => {
                return Some(record(start, end));
            }
            State::Word { start } => (start, NO_VALUE),
        };
        Some(Cut::Fault {
            start,
            end: tail(window, start, end).end.max(start),
            reason,
            open: true,
        })
    }

    fn between<R>(&mut self, window: &Window<R>) -> Turn {
        let origin = self.pos;
        for (at, byte) in (origin..).zip(window.from(origin)) {
            self.pos = at + 1;
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => self.line = Line::starting_at(at + 1),
                b',' => {
                    self.line.token(at);
                    self.comma = true;
                }
                b']' if self.array.is_some() => {
                    self.line.token(at);
                    self.close_array();
                    return Turn::Go;
                }
                b'{' | b'[' | b'"' => {
                    self.pos = at;
                    return self.begin(*byte, at);
                }
                _ => {
                    self.pos = at;
                    return self.other(at, window);
                }
            }
        }
        Turn::More
    }

    /// Begins a value.
    fn begin(&mut self, byte: u8, at: u64) -> Turn {
        let own_line = self.line.token(at);
        if byte == b'{' && own_line && self.line.indent == 0 && !self.comma && self.array.is_some()
        {
            // Elements are separated by commas: this one belongs to no array any more.
            self.array = None;
            self.line.fresh = true;
            return Turn::Cut(Cut::Fault {
                start: at,
                end: at,
                reason: FaultReason::NotJson("the array of records before this is not closed"),
                open: false,
            });
        }
        let top = self.array.is_none();
        if byte == b'[' && top {
            self.pos = at + 1;
            self.array = Some(Array { envelope: None });
            self.comma = true;
            return Turn::Go;
        }
        let candidate = top && byte == b'{' && !self.rules.paths.is_empty();
        self.state = State::In(Box::new(Value::new(at, self.line, own_line, candidate)));
        Turn::Go
    }

    /// Begins what is no bracket and no string.
    fn other<R>(&mut self, at: u64, window: &Window<R>) -> Turn {
        let rest = window.from(at);
        let mark = rest.get(..BOM.len().min(rest.len())).unwrap_or_default();
        if BOM.starts_with(mark) && self.array.is_none() {
            if mark.len() == BOM.len() {
                self.pos = at + BOM.len() as u64;
                if self.line.fresh && self.line.start == at {
                    self.line.start = self.pos;
                }
                return Turn::Go;
            }
            if !window.ended() {
                return Turn::More;
            }
        }
        self.line.token(at);
        self.pos = at + 1;
        self.state = State::Word { start: at };
        Turn::Go
    }

    fn close_array(&mut self) {
        self.comma = false;
        let envelope = self.array.take().and_then(|array| array.envelope);
        if let Some(mut envelope) = envelope {
            envelope.resume(self.pos, self.line);
            self.state = State::In(envelope);
        }
    }

    fn inside<R>(&mut self, mut value: Box<Value>, window: &Window<R>) -> Turn {
        let found = value.walk(window, &mut self.pos, &mut self.line, &self.rules);
        match found {
            Found::More => {
                self.state = State::In(value);
                Turn::More
            }
            Found::End => {
                self.comma = false;
                self.ended(&value)
            }
            Found::Records => {
                self.comma = true;
                self.envelope.open(&value, self.pos, window);
                self.array = Some(Array {
                    envelope: Some(value),
                });
                Turn::Go
            }
            Found::Next { end, next } => {
                self.pos = next;
                self.comma = true;
                Turn::Cut(self.fault(&value, end))
            }
            Found::NextLine => self.next_line(&value, window),
            Found::Torn => {
                self.line = Line::starting_at(self.pos);
                if value.is_bare() {
                    return Turn::Cut(self.fault(&value, self.pos - 1));
                }
                self.state = State::Torn(value);
                Turn::Go
            }
        }
    }

    fn ended(&self, value: &Value) -> Turn {
        if value.too_deep || value.broken.is_some() {
            return Turn::Cut(self.fault(value, self.pos));
        }
        if value.envelope {
            return Turn::Go;
        }
        Turn::Cut(record(value.start, self.pos))
    }

    /// Ends a broken value before the brace right before the position, which begins a line.
    fn next_line<R>(&mut self, value: &Value, window: &Window<R>) -> Turn {
        self.pos -= 1;
        let tail = tail(window, value.start, self.line.start);
        if !tail.goes_on && self.line.indent == 0 {
            self.array = None;
        }
        self.line.fresh = true;
        self.comma = true;
        Turn::Cut(self.fault(value, tail.end))
    }

    /// Looks for a line that may begin the next record, or within an array on one line for the seam before it.
    fn torn<R>(&mut self, value: Box<Value>, window: &Window<R>) -> Turn {
        let seams = self.array.is_some() && !value.own_line;
        loop {
            let rest = window.from(self.pos);
            if self.line.fresh {
                let blank = rest
                    .iter()
                    .take_while(|b| matches!(b, b' ' | b'\t' | b'\r'));
                let blank = blank.count();
                self.pos += blank as u64;
                match rest.get(blank) {
                    None => break,
                    Some(b'\n') => {}
                    Some(byte) => {
                        self.line.token(self.pos);
                        if *byte == b'{' && self.line.may_begin(value.indent) {
                            self.pos += 1;
                            return self.next_line(&value, window);
                        }
                    }
                }
            }
            let rest = window.from(self.pos);
            let next = if seams {
                memchr2(b'\n', b'{', rest)
            } else {
                memchr(b'\n', rest)
            };
            let Some(length) = next else {
                self.pos = window.end();
                break;
            };
            self.pos += length as u64;
            if rest.get(length) == Some(&b'\n') {
                self.line = Line::starting_at(self.pos + 1);
            } else if let Some(end) = seam(window, value.start, self.pos) {
                self.comma = true;
                return Turn::Cut(self.fault(&value, end));
            }
            self.pos += 1;
        }
        self.state = State::Torn(value);
        Turn::More
    }

    fn fault(&self, value: &Value, end: u64) -> Cut {
        Cut::Fault {
            start: value.start,
            end,
            reason: self.reason(value, FaultReason::Truncated),
            open: false,
        }
    }

    fn reason(&self, value: &Value, otherwise: FaultReason) -> FaultReason {
        match value.broken {
            _ if value.too_deep => FaultReason::TooDeep {
                limit: self.rules.max_depth,
            },
            Some(reason) => FaultReason::NotJson(reason),
            None => otherwise,
        }
    }
}

fn record(start: u64, end: u64) -> Cut {
    Cut::Record {
        start,
        end,
        columns: None,
    }
}
