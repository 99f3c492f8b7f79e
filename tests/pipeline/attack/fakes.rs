//! The fakes answer as the real parts do, where the product depends on it.

mod cluster;
mod delivery;

use std::sync::{Arc, Mutex};

use sekisho_tests::fake::{Call, Chaos, Failure, FakeClock, Fault, Moment, Place};

/// Gives one fault, to the first call of a place and moment.
struct Once(Mutex<Option<(Place, Moment, Fault)>>);

impl Once {
    fn at(place: Place, moment: Moment, failure: Failure) -> Arc<dyn Chaos> {
        let fault = Fault::Fail(failure);
        Arc::new(Self(Mutex::new(Some((place, moment, fault)))))
    }
}

impl Chaos for Once {
    fn decide(&self, call: &Call, at: Moment) -> Fault {
        let mut open = self.0.lock().unwrap();
        match open.take() {
            Some((place, moment, fault)) if place == call.place && moment == at => fault,
            other => {
                *open = other;
                Fault::None
            }
        }
    }
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::new("2026-11-23T01:00:00Z".parse().unwrap()))
}
