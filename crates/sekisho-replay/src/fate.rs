//! [`Fate`]: what becomes of a message, a pure function of its cause and how often it was sent back.

use crate::cause::{Blame, Cause};

/// What becomes of a message while the cluster takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent back.
    SendBack {
        /// With this replay count.
        replays: u32,
        /// To be worked on alone.
        alone: bool,
    },
    /// It is parked until somebody asks for it.
    Park,
    /// It is deleted: nothing of it is missing.
    Delete,
}

impl Fate {
    pub(crate) fn of(cause: Cause, replays: u32, alone: bool, max_replays: u32) -> Self {
        match cause.blame() {
            Blame::Settled => Self::Delete,
            Blame::Hopeless => Self::Park,
            // An outage is no fault of the message, however long it lasts.
            Blame::Nobody => Self::SendBack { replays, alone },
            Blame::Own if replays >= max_replays => Self::Park,
            Blame::Own => Self::SendBack {
                replays: replays + 1,
                alone: alone || cause == Cause::Crashed,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cause: Cause, replays: u32, expected: Fate) {
        assert_eq!(Fate::of(cause, replays, false, 3), expected, "{cause}");
    }

    fn back(replays: u32, alone: bool) -> Fate {
        Fate::SendBack { replays, alone }
    }

    #[test]
    fn an_outage_never_raises_the_count() {
        for cause in [Cause::Transient, Cause::State] {
            check(cause, 0, back(0, false));
            check(cause, 3, back(3, false));
        }
    }

    #[test]
    fn an_own_fault_has_so_many_tries() {
        for cause in [Cause::Permission, Cause::Unknown, Cause::Object] {
            check(cause, 0, back(1, false));
            check(cause, 2, back(3, false));
            check(cause, 3, Fate::Park);
        }
        check(Cause::Crashed, 0, back(1, true));
        check(Cause::Crashed, 3, Fate::Park);
    }

    #[test]
    fn what_sending_back_cannot_help_is_not_sent_back() {
        check(Cause::Missing, 0, Fate::Park);
        check(Cause::Message, 0, Fate::Park);
        check(Cause::Superseded, 0, Fate::Delete);
    }

    #[test]
    fn a_killer_stays_alone_when_something_else_fails_it() {
        let fate = Fate::of(Cause::State, 1, true, 3);
        assert_eq!(fate, back(1, true));
    }
}
