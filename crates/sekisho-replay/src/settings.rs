//! [`ReplaySettings`].

use std::num::NonZeroU32;

use chrono::TimeDelta;
use sekisho_config::Settings;

/// What decides how messages are sent back.
#[derive(Debug, Clone)]
pub struct ReplaySettings {
    /// How many messages are sent back a second.
    pub rate: NonZeroU32,
    /// How often a message is sent back that failed for its own fault.
    pub max_replays: u32,
    /// How long before SQS forgets a message it is parked while the cluster takes nothing.
    pub park_before: TimeDelta,
    /// How long SQS keeps a message.
    pub retention: TimeDelta,
    /// Nothing is sent back while a data node has less free storage than this, in percent.
    pub free_storage_percent: u8,
    /// After how many receives a message is dead-lettered: a note of an earlier receive is not of the last one.
    pub max_receive_count: u32,
}

impl From<&Settings> for ReplaySettings {
    fn from(settings: &Settings) -> Self {
        let days = |days: u16| TimeDelta::days(i64::from(days));
        Self {
            rate: NonZeroU32::new(settings.replay.rate).unwrap_or(NonZeroU32::MIN),
            max_replays: settings.replay.max_replays,
            park_before: days(settings.replay.park_days),
            retention: days(settings.queue.retention_days),
            free_storage_percent: settings.replay.free_storage_percent,
            max_receive_count: settings.queue.max_receive_count,
        }
    }
}
