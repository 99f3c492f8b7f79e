//! [`Envelope`]: what stands before the array of records in the object around it.

use std::sync::Arc;

use memchr::memmem;

use super::value::Value;
use crate::window::Window;

/// The longest one that is kept; those of the known services have some hundred bytes.
const MAX_BYTES: u64 = 16 << 10;

/// The members before the array of records, closed so that they are an object of their own.
#[derive(Debug)]
pub(crate) struct Envelope {
    max_bytes: u64,
    before: Option<Arc<[u8]>>,
    /// The object says that its records are no log, where such an object exists.
    control: Option<bool>,
}

impl Envelope {
    /// Keeps one that the window holds whole, however the bytes come.
    pub(crate) fn new(max_record_bytes: usize) -> Self {
        Self {
            max_bytes: MAX_BYTES.min(max_record_bytes as u64),
            before: None,
            control: None,
        }
    }

    /// Looks also for control messages.
    pub(crate) fn with_control(self) -> Self {
        let control = Some(false);
        Self { control, ..self }
    }

    pub(crate) fn before(&self) -> Option<&Arc<[u8]>> {
        self.before.as_ref()
    }

    pub(crate) fn is_control(&self) -> bool {
        self.control == Some(true)
    }

    /// Takes note of the object whose array of records begins.
    pub(super) fn open<R>(&mut self, value: &Value, pos: u64, window: &Window<R>) {
        if value.envelope {
            // A second array of one object: what stands before the first one holds for both.
            return;
        }
        let is_held = pos - value.start <= self.max_bytes;
        self.before = is_held.then(|| members(value, window)).flatten();
        if let Some(control) = &mut self.control {
            *control = self.before.as_deref().is_some_and(is_control);
        }
    }
}

/// Copies what stands between the opening brace and the key of the array.
fn members<R>(value: &Value, window: &Window<R>) -> Option<Arc<[u8]>> {
    if value.broken.is_some() || value.too_deep {
        return None;
    }
    let bytes = window.slice(value.start, value.quote).trim_ascii_end();
    let bytes = bytes.strip_suffix(b",").unwrap_or(bytes);
    let closing = value.stack.iter().map(|_| b'}');
    Some(bytes.iter().copied().chain(closing).collect())
}

/// Tells whether `messageType` is `CONTROL_MESSAGE`. Inside a string its quotes would be escaped, so no value can imitate the member.
fn is_control(object: &[u8]) -> bool {
    let key = br#""messageType""#;
    memmem::find_iter(object, key).any(|at| {
        let behind = object.get(at + key.len()..).unwrap_or_default();
        behind
            .trim_ascii_start()
            .strip_prefix(b":")
            .is_some_and(|value| {
                value
                    .trim_ascii_start()
                    .starts_with(br#""CONTROL_MESSAGE""#)
            })
    })
}
