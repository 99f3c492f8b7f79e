//! `[record] unwrap`: transport envelopes around a record, opened before the record is read.
//!
//! What is inside is the record; the members of the envelopes are the sources `@envelope.<name>`.

use sekisho_document::json::{Kind, Raw, Scanner, unescape};
use sekisho_record::{Format, Record};
use serde::Deserialize;

/// How many envelopes are opened one in another; what a fifth one holds is the record.
const MAX_ENVELOPES: usize = 4;

/// How deep what may be an envelope nests; a text inside one was not measured by framing, and reading it takes stack.
const MAX_DEPTH: usize = 256;

/// A transport envelope that a parser's records may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Envelope {
    /// `detail` beside `detail-type`.
    Eventbridge,
    /// `Message` of a `Notification`.
    Sns,
    /// `message` of an element of `logEvents`; decided for the whole object, see [`framing`].
    CloudwatchLogs,
    /// `log` beside `container_id` or `container_name`.
    Firelens,
}

/// What was opened around a record, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// What stands before the array of records, as an object.
    around: Option<String>,
    /// What each opened envelope held, and the member that held it; the first of them is the record's own text.
    inside: Vec<(&'static str, String)>,
}

/// Decides by an object's first bytes whether its records are the events of CloudWatch Logs subscriptions.
pub(crate) fn framing(unwrap: &[Envelope], head: &[u8]) -> Option<Format> {
    let is_subscription = unwrap.contains(&Envelope::CloudwatchLogs) && is_subscription(head);
    is_subscription.then_some(Format::CloudwatchLogs)
}

/// Opens the envelopes of a record; the error says what the innermost one lacks.
pub(crate) fn open(
    unwrap: &[Envelope],
    format: &Format,
    record: &Record<'_>,
    text: &str,
) -> Result<Opened, String> {
    let mut opened = Opened::default();
    if unwrap.is_empty() {
        return Ok(opened);
    }
    let around = record.envelope.as_deref();
    opened.around = around.map(|around| String::from_utf8_lossy(around).into_owned());
    if *format == Format::CloudwatchLogs {
        match inside(&[Envelope::CloudwatchLogs], text) {
            Some(message) => opened.inside.push(message),
            None if around.is_some() => {
                return Err("the CloudWatch Logs event has no `message`".to_owned());
            }
            None => {}
        }
    }
    while opened.inside.len() < MAX_ENVELOPES
        && let Some(found) = inside(unwrap, opened.text().unwrap_or(text))
    {
        opened.inside.push(found);
    }
    Ok(opened)
}

impl Opened {
    /// The text of the record inside, if there was an envelope around it.
    pub(crate) fn text(&self) -> Option<&str> {
        self.inside.last().map(|(_, text)| text.as_str())
    }

    /// Tells whether there are members to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.around.is_none() && self.inside.is_empty()
    }

    /// The envelopes as JSON objects, innermost first, each with the member that is no member of the envelope but the record.
    pub(crate) fn objects<'o>(
        &'o self,
        text: &'o str,
    ) -> impl Iterator<Item = (&'o str, Option<&'static str>)> {
        let outer = self.inside.iter().map(|(_, text)| text.as_str());
        let holders = std::iter::once(text).chain(outer);
        let opened = holders.zip(self.inside.iter().map(|(member, _)| Some(*member)));
        let around = self.around.iter().map(|around| (around.as_str(), None));
        let mut objects: Vec<_> = around.chain(opened).collect();
        objects.reverse();
        objects.into_iter()
    }
}

/// The members of an object that tell an envelope.
#[derive(Default)]
struct Members<'a> {
    detail_type: bool,
    detail: Option<Raw<'a>>,
    notification: bool,
    sns: Option<Raw<'a>>,
    event: bool,
    message: Option<Raw<'a>>,
    container: bool,
    log: Option<Raw<'a>>,
}

impl<'a> Members<'a> {
    /// Reads the members of an object; nothing if the text is no JSON object.
    fn read(text: &'a str) -> Option<Self> {
        let mut members = Self::default();
        let mut scanner = Scanner::new(text, MAX_DEPTH);
        scanner.open_object().ok()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(first).ok()? {
            first = false;
            let value = scanner.value().ok()?;
            match key {
                "detail-type" => members.detail_type = value.kind == Kind::String,
                "detail" => members.detail = Some(value),
                "Type" => members.notification = value.text == "Notification",
                "Message" => members.sns = Some(value),
                "id" | "timestamp" => members.event = true,
                "message" => members.message = Some(value),
                "container_id" | "container_name" => members.container = true,
                "log" => members.log = Some(value),
                _ => {}
            }
        }
        scanner.end().ok()?;
        Some(members)
    }

    /// Gives what an envelope of this kind holds, and under which name.
    fn held(&self, envelope: Envelope) -> Option<(&'static str, Raw<'a>)> {
        let (is_one, member, held) = match envelope {
            Envelope::Eventbridge => (self.detail_type, "detail", self.detail),
            Envelope::Sns => (self.notification, "Message", self.sns),
            Envelope::CloudwatchLogs => (self.event, "message", self.message),
            Envelope::Firelens => (self.container, "log", self.log),
        };
        held.filter(|_| is_one).map(|held| (member, held))
    }
}

/// Opens one envelope of these kinds: which member holds what.
fn inside(kinds: &[Envelope], text: &str) -> Option<(&'static str, String)> {
    let may_be = text.trim_start().starts_with('{')
        && kinds
            .iter()
            .any(|kind| memchr::memmem::find(text.as_bytes(), kind.mark()).is_some());
    if !may_be {
        return None;
    }
    let members = Members::read(text)?;
    kinds.iter().find_map(|kind| {
        let (member, held) = members.held(*kind)?;
        let text = match held.kind {
            Kind::String => unescape(held.text).into_owned(),
            Kind::Object => held.text.to_owned(),
            Kind::Number | Kind::Bool | Kind::Null | Kind::Array => return None,
        };
        Some((member, text))
    })
}

impl Envelope {
    /// What stands in every text that may be one; a search for it is cheaper than a walk over the members.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Eventbridge => b"\"detail-type\"",
            Self::Sns => b"\"Notification\"",
            Self::CloudwatchLogs => b"\"message\"",
            Self::Firelens => b"\"log\"",
        }
    }
}

/// Tells whether an object begins like a CloudWatch Logs subscription, by the members that stand in its head.
fn is_subscription(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    // The head may end inside a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    let mut scanner = Scanner::new(text, MAX_DEPTH);
    let mut first = true;
    if scanner.open_object().is_err() {
        return false;
    }
    while let Ok(Some(key)) = scanner.next_key(first) {
        first = false;
        if key == "logEvents" {
            return scanner.peek() == Some(b'[');
        }
        let Ok(value) = scanner.value() else {
            return false;
        };
        if key == "messageType" {
            return matches!(value.text, "DATA_MESSAGE" | "CONTROL_MESSAGE");
        }
    }
    false
}
