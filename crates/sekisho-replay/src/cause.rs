//! [`Cause`]: why a message was dead-lettered, as replay finds it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ReplayError;

/// Why a message was dead-lettered; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The object was overwritten since; the newer one has its own message.
    Superseded,
    /// Nobody's fault: the same read may succeed now.
    Transient,
    /// The cluster or the installation refused, or the brake was on.
    State,
    /// A permission that somebody has to grant.
    Permission,
    /// The note cannot be read, or contradicts what is found.
    Unknown,
    /// The last receive left no note: out of memory, out of time, or never invoked.
    Crashed,
    /// The object cannot be finished by this version.
    Object,
    /// The object is gone.
    Missing,
    /// The message cannot be understood.
    Message,
}

/// What a cause says about whether sending back helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nobody's: it is sent back as often as it takes.
    Nobody,
    /// The message's own: it is sent back so many times.
    Own,
    /// Sending back cannot help.
    Hopeless,
    /// There is nothing left to do.
    Settled,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Superseded,
        Self::Transient,
        Self::State,
        Self::Permission,
        Self::Unknown,
        Self::Crashed,
        Self::Object,
        Self::Missing,
        Self::Message,
    ];

    /// Gives the word for files, tables and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Transient => "transient",
            Self::State => "state",
            Self::Permission => "permission",
            Self::Unknown => "unknown",
            Self::Crashed => "crashed",
            Self::Object => "object",
            Self::Missing => "missing",
            Self::Message => "message",
        }
    }

    pub(crate) fn blame(self) -> Blame {
        match self {
            Self::Superseded => Blame::Settled,
            Self::Transient | Self::State => Blame::Nobody,
            Self::Permission | Self::Unknown | Self::Crashed | Self::Object => Blame::Own,
            Self::Missing | Self::Message => Blame::Hopeless,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Cause {
    type Err = ReplayError;

    fn from_str(word: &str) -> Result<Self, ReplayError> {
        let found = Self::ALL.into_iter().find(|cause| cause.name() == word);
        found.ok_or_else(|| ReplayError::NoCause {
            word: word.to_owned(),
            known: Self::ALL.map(|cause| format!("`{cause}`")).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_one_word_everywhere() {
        for cause in Cause::ALL {
            assert_eq!(cause.name().parse::<Cause>().unwrap(), cause);
            let json = serde_json::to_value(cause).unwrap();
            assert_eq!(json, cause.name());
        }
        let message = "slow".parse::<Cause>().unwrap_err().to_string();
        assert!(
            message.starts_with("`slow` is no cause; use one of `superseded`"),
            "{message}"
        );
    }
}
