//! Why a run could not go on.

use std::error::Error;

use sekisho_delivery::DeliveryError;

/// Why a run ended early; the next one goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A queue did not do what was asked.
    #[error("cannot {doing}")]
    Queue {
        /// What was asked.
        doing: &'static str,
        /// Why.
        #[source]
        source: DeliveryError,
    },
    /// A file in the quarantine bucket could not be read, written or deleted.
    #[error("cannot {doing} `{key}`")]
    File {
        /// What was asked.
        doing: &'static str,
        /// The file.
        key: String,
        /// Why.
        #[source]
        source: DeliveryError,
    },
    /// No message of a whole batch could be told apart.
    #[error("no cause could be found for {messages} messages, of one: {reason}")]
    Unclear {
        /// How many.
        messages: usize,
        /// What was in the way for the first.
        reason: String,
    },
    /// Notes and parked messages have no place.
    #[error("there is no quarantine bucket for notes and parked messages; set `quarantine.bucket`")]
    NoBucket,
    /// A word that names no cause.
    #[error("`{word}` is no cause; use one of {known}")]
    NoCause {
        /// The word.
        word: String,
        /// The words that are.
        known: String,
    },
}

/// Gives an error and its causes in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
