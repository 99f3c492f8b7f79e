//! [`Batch`]: which message waits for which objects, and which messages failed in the end.

use sekisho_event::{Event, IgnoreReason, Ignored, IgnoredKeys, MessageError, ObjectRef};

/// The messages of one event and the objects that they name.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The objects to read, over all messages.
    pub(crate) objects: Vec<ObjectRef>,
    /// What is acknowledged without reading.
    pub(crate) ignored: Vec<Ignored>,
    /// The messages that cannot be understood, by id.
    pub(crate) unreadable: Vec<(String, MessageError)>,
    messages: Vec<Waiting>,
}

/// One message and the places of its objects in [`Batch::objects`].
#[derive(Debug)]
struct Waiting {
    id: String,
    objects: Vec<usize>,
}

impl Batch {
    /// Takes an event apart.
    pub(crate) fn new(event: Event, ignored_keys: &IgnoredKeys, quarantine_bucket: &str) -> Self {
        let mut batch = Self::default();
        for message in event.messages {
            match message.notifications {
                Ok(notifications) => {
                    batch.ignored.extend(notifications.ignored);
                    let mut places = Vec::with_capacity(notifications.slices.len());
                    for object in notifications.slices.into_iter().map(|slice| slice.object) {
                        match ignore(&object, ignored_keys, quarantine_bucket) {
                            Some(reason) => batch.ignored.push(Ignored {
                                object: Some(object),
                                reason,
                            }),
                            None => {
                                places.push(batch.objects.len());
                                batch.objects.push(object);
                            }
                        }
                    }
                    batch.messages.push(Waiting {
                        id: message.id,
                        objects: places,
                    });
                }
                Err(error) => batch.unreadable.push((message.id, error)),
            }
        }
        batch
    }

    /// Gives the ids of the messages to deliver again: unreadable ones, and those with an object that is not done.
    ///
    /// `done` tells for each of [`Batch::objects`] whether it is finished; a missing entry is not.
    pub(crate) fn failed(&self, done: &[bool]) -> Vec<String> {
        let is_done = |place: &usize| done.get(*place).copied().unwrap_or(false);
        let waiting = self
            .messages
            .iter()
            .filter(|message| !message.objects.iter().all(is_done));
        let unreadable = self.unreadable.iter().map(|(id, _)| id);
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

    #[test]
    fn a_message_fails_with_any_of_its_objects_and_alone() {
        let batch = Batch::new(
            event(&[("1", &["a", "b"]), ("2", &["c"]), ("3", &["d"])]),
            &IgnoredKeys::default(),
            "",
        );
        assert_eq!(batch.objects.len(), 4);
        assert_eq!(batch.failed(&[true, false, true, true]), ["1"]);
        assert_eq!(batch.failed(&[true, true, true, false]), ["3"]);
        assert!(batch.failed(&[true; 4]).is_empty());
    }

    #[test]
    fn an_object_without_a_report_is_not_done() {
        let batch = Batch::new(
            event(&[("1", &["a"]), ("2", &["b"])]),
            &IgnoredKeys::default(),
            "",
        );
        assert_eq!(batch.failed(&[true]), ["2"]);
        assert_eq!(batch.failed(&[]), ["1", "2"]);
    }

    #[test]
    fn an_unreadable_message_fails_alone() {
        let batch = Batch::new(
            event(&[("1", &["a"]), ("2", &["?"])]),
            &IgnoredKeys::default(),
            "",
        );
        assert_eq!(batch.failed(&[true]), ["2"]);
        assert_eq!(batch.failed(&[false]), ["2", "1"]);
    }

    #[test]
    fn messages_without_objects_are_done() {
        let batch = Batch::new(event(&[("1", &[])]), &IgnoredKeys::default(), "");
        assert!(batch.failed(&[]).is_empty());
    }

    #[test]
    fn the_quarantine_is_no_input() {
        let batch = Batch::new(event(&[("1", &["a"])]), &IgnoredKeys::default(), "b");
        assert_eq!(batch.ignored[0].reason, IgnoreReason::Quarantine);
        assert!(batch.failed(&[]).is_empty());
    }

    #[test]
    fn ignored_keys_are_counted_and_done() {
        let ignored = IgnoredKeys::new(&["tmp/**".to_owned()]).unwrap();
        let batch = Batch::new(
            event(&[("1", &["tmp/a"]), ("2", &["b", "tmp/c/d"])]),
            &ignored,
            "",
        );
        assert_eq!(batch.ignored.len(), 2);
        assert_eq!(
            batch.ignored[0].reason,
            IgnoreReason::Pattern("tmp/**".to_owned())
        );
        assert_eq!(batch.objects.len(), 1);
        assert!(batch.failed(&[true]).is_empty());
        assert_eq!(batch.failed(&[false]), ["2"]);
    }
}
