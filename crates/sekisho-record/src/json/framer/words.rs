//! What is no bracketed value: numbers and literals, and text that is no JSON.

use super::{JsonFramer, State, Turn, record};
use crate::cut::{Cut, LOOKBACK};
use crate::frame::FaultReason;
use crate::json::layout::tail;
use crate::json::scalar::is_scalar;
use crate::window::Window;

impl JsonFramer {
    pub(super) fn word<R>(&mut self, start: u64, window: &Window<R>) -> Turn {
        let rest = window.from(self.pos);
        let length = rest.iter().position(|byte| {
            matches!(
                byte,
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'{' | b'[' | b']' | b'}' | b'"' | b':'
            )
        });
        let Some(length) = length else {
            self.pos = window.end();
            self.state = State::Word { start };
            return Turn::More;
        };
        self.pos += length as u64;
        // A longer one is no number that a log carries, and may have left the window.
        if self.pos - start < LOOKBACK && is_scalar(window.slice(start, self.pos)) {
            self.comma = false;
            return Turn::Cut(record(start, self.pos));
        }
        self.state = State::Garbage { start };
        Turn::Go
    }

    pub(super) fn garbage<R>(&mut self, start: u64, window: &Window<R>) -> Turn {
        let array = self.array.is_some();
        let rest = window.from(self.pos);
        let length = rest.iter().position(|byte| match byte {
            b'\n' | b'{' => true,
            b',' | b']' => array,
            _ => false,
        });
        let Some(length) = length else {
            self.pos = window.end();
            self.state = State::Garbage { start };
            return Turn::More;
        };
        self.pos += length as u64;
        Turn::Cut(Cut::Fault {
            start,
            end: tail(window, start, self.pos).end,
            reason: NO_VALUE,
            open: false,
        })
    }
}

/// The reason of text between values.
pub(super) const NO_VALUE: FaultReason =
    FaultReason::NotJson("text where a JSON value should begin");
