//! [`Value`]: walks the tokens of one JSON value, iteratively, tolerating and noting what is wrong.

use super::layout::{Line, SEAM_BYTES, seam};
use super::sprint::sprint;
use super::token::{Expect, InString, Token, is_word};
use super::trail::{Path, Trail};
use crate::window::Window;

/// How the walk of a value stops.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The window is used up.
    More,
    /// The value ends at the position.
    End,
    /// The array of records begins at the position.
    Records,
    /// The value is broken; it ends at `end` and the next one begins at `next`.
    Next { end: u64, next: u64 },
    /// The value is broken; the brace right before the position begins the next one on a line of its own.
    NextLine,
    /// The value is broken by a line break in a string, right before the position.
    Torn,
}

/// One value under way.
#[derive(Debug)]
pub(crate) struct Value {
    /// Its first byte.
    pub(crate) start: u64,
    /// Indentation of the line on which it begins.
    pub(crate) indent: u64,
    /// It is the first token of its line.
    pub(crate) own_line: bool,
    /// It is the rest of an object whose array of records was read.
    pub(crate) envelope: bool,
    /// What is wrong with it.
    pub(crate) broken: Option<&'static str>,
    /// It nests deeper than the limit.
    pub(crate) too_deep: bool,
    /// The array of records is looked for in it.
    candidate: bool,
    /// Open brackets, up to the limit.
    pub(super) stack: Vec<u8>,
    /// Open brackets beyond the limit.
    beyond: u64,
    pub(super) expect: Expect,
    token: Token,
    /// The opening quote of the last string.
    pub(super) quote: u64,
    /// The last token was a string; its closing quote.
    pub(super) unquote: Option<u64>,
    /// How far the open objects follow the paths to the records.
    trail: Trail,
}

/// What stays the same for all values of an object.
pub(crate) struct Rules {
    /// The paths to arrays of records.
    pub(crate) paths: Vec<Path>,
    /// The deepest nesting.
    pub(crate) max_depth: usize,
}

impl Value {
    pub(crate) fn new(start: u64, line: Line, own_line: bool, candidate: bool) -> Self {
        Self {
            start,
            indent: line.indent,
            own_line,
            envelope: false,
            broken: None,
            too_deep: false,
            candidate,
            stack: Vec::new(),
            beyond: 0,
            expect: Expect::Value,
            token: Token::None,
            quote: start,
            unquote: None,
            trail: Trail::default(),
        }
    }

    /// Goes on behind the array of records.
    pub(crate) fn resume(&mut self, at: u64, line: Line) {
        self.start = at;
        self.indent = line.indent;
        self.own_line = false;
        self.envelope = true;
        self.broken = None;
        self.too_deep = false;
        self.expect = Expect::CommaOrEnd;
    }

    /// It is a lone string, which no bracket surrounds.
    pub(crate) fn is_bare(&self) -> bool {
        !self.started()
    }

    /// Walks on from `pos`, which moves.
    pub(crate) fn walk<R>(
        &mut self,
        window: &Window<R>,
        pos: &mut u64,
        line: &mut Line,
        rules: &Rules,
    ) -> Found {
        let origin = *pos;
        let bytes = window.from(origin);
        let mut at = 0;
        let found = loop {
            if !line.fresh && self.may_sprint() {
                let (end, ended) = sprint(self, bytes, origin, at, rules.max_depth);
                at = end;
                if ended {
                    break Found::End;
                }
            }
            let Some(&byte) = bytes.get(at) else {
                break Found::More;
            };
            match self.token {
                Token::None => {}
                Token::Word if is_word(byte) => {
                    at += 1;
                    continue;
                }
                Token::Word => self.token = Token::None,
                Token::String | Token::Escape => match self.token.read_string(bytes, &mut at) {
                    InString::Closed => {
                        self.closed(window, origin + at as u64, rules);
                        if !self.started() {
                            break Found::End;
                        }
                        continue;
                    }
                    InString::LineBreak => {
                        self.broken = Some("a line break inside a string (an unclosed quote?)");
                        break Found::Torn;
                    }
                    InString::More => break Found::More,
                },
            }
            at += 1;
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => *line = Line::starting_at(origin + at as u64),
                _ => {
                    let here = origin + at as u64 - 1;
                    let first = line.token(here);
                    match self.significant(byte, here, first.then_some(*line), window, rules) {
                        Found::More => {}
                        found => break found,
                    }
                }
            }
        };
        *pos = origin + at as u64;
        found
    }

    /// Takes one token's first byte; `More` means that the walk goes on.
    fn significant<R>(
        &mut self,
        byte: u8,
        here: u64,
        first: Option<Line>,
        window: &Window<R>,
        rules: &Rules,
    ) -> Found {
        let unquote = self.unquote.take();
        let right = match byte {
            b'"' => self.open_string(here),
            b'{' | b'[' => return self.open(byte, here, first, unquote, window, rules),
            b'}' | b']' => self.close(byte),
            b':' => self.colon(),
            b',' => self.comma(),
            _ => self.word(),
        };
        if let Err(reason) = right {
            let next = self.missing_quote(reason, unquote, window);
            if next != Found::More {
                return next;
            }
        }
        match byte {
            b'}' | b']' if !self.started() => Found::End,
            _ => Found::More,
        }
    }

    fn open_string(&mut self, here: u64) -> Result<(), &'static str> {
        self.token = Token::String;
        self.quote = here;
        match self.expect {
            Expect::Colon | Expect::CommaOrEnd => Err(self.expect.reason()),
            _ => Ok(()),
        }
    }

    /// Takes note of a string that ends before `end`.
    fn closed<R>(&mut self, window: &Window<R>, end: u64, rules: &Rules) {
        self.token = Token::None;
        self.unquote = Some(end - 1);
        self.trail.drop_key();
        match self.expect {
            Expect::Key | Expect::KeyOrEnd => {
                self.expect = Expect::Colon;
                if self.candidate && self.stack.len() == self.trail.depth() + 1 && self.beyond == 0
                {
                    let quote = self.quote;
                    self.trail.key(&rules.paths, |key| {
                        end - quote == key.len() as u64 + 2
                            && window.slice(quote + 1, end - 1) == key
                    });
                }
            }
            Expect::Anything => {}
            _ => self.expect = Expect::CommaOrEnd,
        }
    }

    fn open<R>(
        &mut self,
        bracket: u8,
        here: u64,
        first: Option<Line>,
        unquote: Option<u64>,
        window: &Window<R>,
        rules: &Rules,
    ) -> Found {
        let allowed = matches!(
            self.expect,
            Expect::Value | Expect::ValueOrEnd | Expect::Anything
        );
        if bracket == b'{' && self.started() && (!allowed || self.is_broken()) {
            if first.is_some_and(|line| line.may_begin(self.indent)) {
                self.note(self.expect.reason());
                return Found::NextLine;
            }
            if let Some(end) = seam(window, self.start, here).filter(|_| !allowed) {
                self.note(self.expect.reason());
                return Found::Next { end, next: here };
            }
        }
        if !allowed {
            let reason = self.expect.reason();
            let next = self.missing_quote(reason, unquote, window);
            if next != Found::More {
                return next;
            }
        }
        self.push(bracket, rules)
    }

    fn push(&mut self, bracket: u8, rules: &Rules) -> Found {
        if bracket == b'[' && self.trail.is_records(&rules.paths) {
            self.trail.drop_key();
            self.expect = Expect::CommaOrEnd;
            return Found::Records;
        }
        if self.beyond > 0 || self.stack.len() >= rules.max_depth {
            self.trail.drop_key();
            self.too_deep = true;
            self.beyond += 1;
            self.expect = Expect::Anything;
            return Found::More;
        }
        self.trail.open(bracket);
        self.stack.push(bracket);
        self.expect = match bracket {
            b'{' => Expect::KeyOrEnd,
            _ => Expect::ValueOrEnd,
        };
        Found::More
    }

    fn close(&mut self, bracket: u8) -> Result<(), &'static str> {
        if self.beyond > 0 {
            self.beyond -= 1;
            if self.beyond == 0 {
                self.expect = Expect::CommaOrEnd;
            }
            return Ok(());
        }
        let mut right = match (self.expect, bracket) {
            (Expect::CommaOrEnd, _) | (Expect::KeyOrEnd, b'}') | (Expect::ValueOrEnd, b']') => {
                Ok(())
            }
            _ => Err(self.expect.reason()),
        };
        let opening = if bracket == b'}' { b'{' } else { b'[' };
        if self.stack.last() != Some(&opening) {
            right = Err("a closing bracket does not match the opening one");
            // The inner one was never closed if the bracket matches the one around it; else the bracket is too many.
            if self.stack.iter().rev().nth(1) != Some(&opening) {
                return right;
            }
            self.stack.pop();
        }
        self.stack.pop();
        self.trail.close(self.stack.len());
        self.expect = Expect::CommaOrEnd;
        right
    }

    fn colon(&mut self) -> Result<(), &'static str> {
        match std::mem::replace(&mut self.expect, Expect::Value) {
            Expect::Colon => Ok(()),
            Expect::Anything => {
                self.expect = Expect::Anything;
                Ok(())
            }
            other => Err(other.reason()),
        }
    }

    fn comma(&mut self) -> Result<(), &'static str> {
        if self.expect == Expect::Anything {
            return Ok(());
        }
        let next = match self.stack.last() {
            Some(b'{') => Expect::Key,
            _ => Expect::Value,
        };
        match std::mem::replace(&mut self.expect, next) {
            Expect::CommaOrEnd => Ok(()),
            other => Err(other.reason()),
        }
    }

    fn word(&mut self) -> Result<(), &'static str> {
        self.token = Token::Word;
        self.trail.drop_key();
        match self.expect {
            Expect::Anything => Ok(()),
            Expect::Value | Expect::ValueOrEnd => {
                self.expect = Expect::CommaOrEnd;
                Ok(())
            }
            other => Err(other.reason()),
        }
    }

    /// Takes note of an error; if the string before it ran over the seam to the next value, its closing quote is missing.
    fn missing_quote<R>(
        &mut self,
        reason: &'static str,
        unquote: Option<u64>,
        window: &Window<R>,
    ) -> Found {
        self.note(reason);
        let Some(unquote) = unquote else {
            return Found::More;
        };
        let from = (self.quote + 1).max(unquote.saturating_sub(SEAM_BYTES));
        let text = window.slice(from, unquote).trim_ascii_end();
        if !text.ends_with(b"{") {
            return Found::More;
        }
        let next = from + text.len() as u64 - 1;
        match seam(window, self.quote, next) {
            Some(end) => Found::Next { end, next },
            None => Found::More,
        }
    }

    /// Nothing asks for care: neither a cut token, nor an error, nor the path to the records.
    fn may_sprint(&self) -> bool {
        self.token == Token::None && !self.candidate && !self.is_broken() && !self.stack.is_empty()
    }

    fn note(&mut self, reason: &'static str) {
        self.broken.get_or_insert(reason);
    }

    fn is_broken(&self) -> bool {
        self.too_deep || self.broken.is_some()
    }

    /// Its first bracket was taken.
    fn started(&self) -> bool {
        !self.stack.is_empty() || self.beyond > 0
    }
}
