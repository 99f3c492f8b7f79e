//! [`Batch`]: the messages of one event, the slices that each of them waits for, and how each of these ended.

use sekisho_delivery::CauseClass;
use sekisho_event::{
    Event, IgnoreReason, Ignored, IgnoredKeys, MessageError, ObjectRef, ObjectSlice, Receipt,
};
use sekisho_pipeline::Work;

/// The messages of one event.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What is acknowledged without reading.
    pub(crate) ignored: Vec<Ignored>,
    /// The messages that can be understood.
    pub(crate) messages: Vec<Waiting>,
    /// The messages that cannot be understood.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A message that cannot be understood.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: String,
    pub(crate) receipt: Receipt,
    pub(crate) error: MessageError,
}

/// One message and what it waits for.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) receipt: Receipt,
    pub(crate) slices: Vec<Pending>,
}

/// One slice of a message.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) slice: ObjectSlice,
    pub(crate) state: State,
}

/// How a slice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has tried it in this invocation.
    Untried,
    Done,
    Failed(Failure),
}

/// Why a slice failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: CauseClass,
    /// The error with its causes.
    pub(crate) error: String,
}

impl Waiting {
    /// Tells whether the message can be forgotten.
    pub(crate) fn is_done(&self) -> bool {
        self.slices
            .iter()
            .all(|pending| pending.state == State::Done)
    }

    /// What is left to read of it.
    pub(crate) fn work(&self) -> Vec<Work> {
        // The queue says how often; where nobody says it, the service behind may be repeating.
        let is_first = self.receipt.receive_count == 1;
        let slices = self.slices.iter().map(|pending| &pending.slice);
        slices
            .map(|slice| Work {
                ask_ledger: !is_first || !slice.is_whole(),
                slice: slice.clone(),
            })
            .collect()
    }

    /// Fails what nobody has tried.
    pub(crate) fn give_back(&mut self, failure: &Failure) {
        for pending in &mut self.slices {
            if pending.state == State::Untried {
                pending.state = State::Failed(failure.clone());
            }
        }
    }
}

impl Batch {
    /// Takes an event apart.
    pub(crate) fn new(event: Event, ignored_keys: &IgnoredKeys, quarantine_bucket: &str) -> Self {
        let mut batch = Self::default();
        for message in event.messages {
            let (id, receipt) = (message.id, message.receipt);
            match message.notifications {
                Ok(notifications) => {
                    batch.ignored.extend(notifications.ignored);
                    let mut slices = Vec::with_capacity(notifications.slices.len());
                    for mut slice in notifications.slices {
                        // What comes again, or goes on from that, is late whatever happens now.
                        if receipt.replayed {
                            slice.object.event_time = None;
                        }
                        match ignore(&slice.object, ignored_keys, quarantine_bucket) {
                            Some(reason) => batch.ignored.push(Ignored {
                                object: Some(slice.object),
                                reason,
                            }),
                            None => slices.push(Pending {
                                slice,
                                state: State::Untried,
                            }),
                        }
                    }
                    batch.messages.push(Waiting {
                        id,
                        receipt,
                        slices,
                    });
                }
                Err(error) => batch.unreadable.push(Unreadable { id, receipt, error }),
            }
        }
        batch
    }

    /// Gives the ids of the messages to deliver again.
    pub(crate) fn failed(&self) -> Vec<String> {
        let waiting = self.messages.iter().filter(|message| !message.is_done());
        let unreadable = self.unreadable.iter().map(|message| &message.id);
        unreadable
            .chain(waiting.map(|message| &message.id))
            .cloned()
            .collect()
    }
}

fn ignore(
    object: &ObjectRef,
    ignored_keys: &IgnoredKeys,
    quarantine_bucket: &str,
) -> Option<IgnoreReason> {
    // What is quarantined must not be read and quarantined again.
    if object.bucket == quarantine_bucket {
        return Some(IgnoreReason::Quarantine);
    }
    let pattern = ignored_keys.matching(&object.key)?;
    Some(IgnoreReason::Pattern(pattern.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(messages: &[(&str, &[&str])]) -> Event {
        let records: Vec<serde_json::Value> = messages
            .iter()
            .map(|(id, keys)| {
                let s3 = |key: &&str| serde_json::json!({"s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 1}}});
                let body = if keys.contains(&"?") {
                    "no json".to_owned()
                } else {
                    serde_json::json!({"Records": keys.iter().map(s3).collect::<Vec<_>>()}).to_string()
                };
                serde_json::json!({"messageId": id, "eventSource": "aws:sqs", "body": body})
            })
            .collect();
        Event::read(&serde_json::json!({ "Records": records }).to_string()).unwrap()
    }

    /// Ends slices by their keys.
    fn end(batch: &mut Batch, done: &[&str]) {
        for pending in batch.messages.iter_mut().flat_map(|m| &mut m.slices) {
            if done.contains(&pending.slice.object.key.as_str()) {
                pending.state = State::Done;
            }
        }
    }

    fn read(messages: &[(&str, &[&str])]) -> Batch {
        Batch::new(event(messages), &IgnoredKeys::default(), "")
    }

    #[test]
    fn a_message_fails_with_any_of_its_objects_and_alone() {
        let messages: &[(&str, &[&str])] = &[("1", &["a", "b"]), ("2", &["c"]), ("3", &["d"])];
        let mut batch = read(messages);
        end(&mut batch, &["a", "c", "d"]);
        assert_eq!(batch.failed(), ["1"]);
        end(&mut batch, &["b"]);
        assert!(batch.failed().is_empty());
        let mut batch = read(messages);
        end(&mut batch, &["a", "b", "c"]);
        assert_eq!(batch.failed(), ["3"]);
        assert_eq!(read(messages).failed(), ["1", "2", "3"]);
    }

    #[test]
    fn an_unreadable_message_fails_alone() {
        let mut batch = read(&[("1", &["a"]), ("2", &["?"])]);
        assert_eq!(batch.failed(), ["2", "1"]);
        end(&mut batch, &["a"]);
        assert_eq!(batch.failed(), ["2"]);
    }

    #[test]
    fn messages_without_objects_are_done() {
        assert!(read(&[("1", &[])]).failed().is_empty());
    }

    #[test]
    fn the_quarantine_is_no_input() {
        let batch = Batch::new(event(&[("1", &["a"])]), &IgnoredKeys::default(), "b");
        assert_eq!(batch.ignored[0].reason, IgnoreReason::Quarantine);
        assert!(batch.failed().is_empty());
    }

    #[test]
    fn ignored_keys_are_counted_and_done() {
        let ignored = IgnoredKeys::new(&["tmp/**".to_owned()]).unwrap();
        let mut batch = Batch::new(
            event(&[("1", &["tmp/a"]), ("2", &["b", "tmp/c/d"])]),
            &ignored,
            "",
        );
        assert_eq!(batch.ignored.len(), 2);
        assert_eq!(
            batch.ignored[0].reason,
            IgnoreReason::Pattern("tmp/**".to_owned())
        );
        assert_eq!(batch.failed(), ["2"]);
        end(&mut batch, &["b"]);
        assert!(batch.failed().is_empty());
    }
}
