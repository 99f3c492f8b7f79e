//! [`Weather`]: what is down, and what was asked meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use sekisho_tests::fake::{Call, Chaos, Failure, Fault, Moment, Place};

/// What is down, and what was asked meanwhile.
#[derive(Default)]
pub(crate) struct Weather(Mutex<State>);

#[derive(Default)]
struct State {
    cluster_is_down: bool,
    /// Objects whose keys contain such a word cannot be had.
    objects: BTreeMap<&'static str, Failure>,
    /// Only calls about these are counted, and those of the queues.
    watched: BTreeSet<String>,
    counts: BTreeMap<(Place, &'static str), u64>,
}

impl Weather {
    pub(crate) fn set_cluster(&self, is_down: bool) {
        self.0.lock().unwrap().cluster_is_down = is_down;
    }

    /// Lets every object whose key contains the word fail like this, or be had again.
    pub(crate) fn set_objects(&self, word: &'static str, failure: Option<Failure>) {
        let objects = &mut self.0.lock().unwrap().objects;
        match failure {
            Some(failure) => objects.insert(word, failure),
            None => objects.remove(word),
        };
    }

    /// Counts from now on, of store and files only what is about these.
    pub(crate) fn watch(&self, watched: BTreeSet<String>) {
        let mut state = self.0.lock().unwrap();
        state.watched = watched;
        state.counts.clear();
    }

    /// How often each call came.
    pub(crate) fn counts(&self) -> BTreeMap<(Place, &'static str), u64> {
        self.0.lock().unwrap().counts.clone()
    }
}

impl Chaos for Weather {
    fn decide(&self, call: &Call, moment: Moment) -> Fault {
        if moment == Moment::After {
            return Fault::None;
        }
        let mut state = self.0.lock().unwrap();
        let about = call.about.trim_end_matches(" from 0");
        if call.place == Place::Queue || state.watched.contains(about) {
            *state.counts.entry((call.place, call.name)).or_default() += 1;
        }
        let failure = match call.place {
            Place::Bulk | Place::Api if state.cluster_is_down => Some(&Failure::Connection),
            Place::Store => {
                let mut objects = state.objects.iter();
                objects
                    .find(|(word, _)| about.contains(*word))
                    .map(|(_, failure)| failure)
            }
            _ => None,
        };
        failure.map_or(Fault::None, |failure| Fault::Fail(failure.clone()))
    }
}
