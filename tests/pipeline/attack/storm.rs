//! [`Storm`]: the chance that decides what goes wrong, and what happened, for people.

use std::sync::Mutex;
use std::time::Duration;

use sekisho_tests::fake::{Call, Chaos, Failure, Fault, ItemFault, Moment, Place};
use tokio::sync::Notify;

use crate::case::Weather;

/// Decides by a seed.
pub(crate) struct Storm {
    state: Mutex<State>,
    /// Rings when the process of now dies.
    death: Notify,
}

struct State {
    weather: Weather,
    random: u64,
    raging: bool,
    dead: bool,
    /// What every call to the cluster meets, as long as it lasts.
    outage: Option<Failure>,
    trace: Vec<String>,
    figures: Figures,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) calls: u64,
    pub(crate) crashes: u64,
    pub(crate) failures: u64,
    pub(crate) lost_answers: u64,
    pub(crate) delays: u64,
    /// Processes that were killed for their time.
    pub(crate) killed: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.lost_answers += other.lost_answers;
        self.delays += other.delays;
        self.killed += other.killed;
    }
}

impl State {
    /// SplitMix64: small, and any seed will do.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn happens(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    fn one_of(&mut self, statuses: &[u16]) -> Failure {
        let place = usize::try_from(self.below(statuses.len() as u64)).unwrap();
        Failure::Status(statuses[place])
    }

    fn failure(&mut self, place: Place, moment: Moment) -> Failure {
        if moment == Moment::After {
            let is_cluster = matches!(place, Place::Bulk | Place::Api);
            return if is_cluster && self.happens(300) {
                self.one_of(&[502, 503, 504])
            } else {
                Failure::Connection
            };
        }
        match place {
            Place::Store => match self.below(10) {
                0..=3 => Failure::Status(503),
                4 => Failure::Status(403),
                5 => Failure::Status(404),
                6 => Failure::BreakAndCrash(self.bytes()),
                _ => Failure::Break(self.bytes()),
            },
            Place::Queue => match self.below(4) {
                0 => Failure::Connection,
                1 => Failure::Status(403),
                2 => Failure::Status(503),
                _ => Failure::Items(ItemFault::Unavailable, self.next()),
            },
            Place::Files => self.one_of(&[503, 503, 403, 500]),
            Place::Bulk => match self.below(10) {
                0 => Failure::Connection,
                1..=3 => self.one_of(&[400, 401, 403, 429, 429, 502, 503, 503, 504]),
                _ => {
                    let fault = match self.below(11) {
                        0..=3 => ItemFault::Rejected,
                        4 => ItemFault::Unavailable,
                        5 => ItemFault::Security,
                        6 => ItemFault::WriteBlock,
                        7 => ItemFault::Watermark,
                        8 => ItemFault::ShardLimit,
                        9 => ItemFault::NotFound,
                        _ => ItemFault::Unknown,
                    };
                    Failure::Items(fault, self.next() & self.next())
                }
            },
            Place::Api => match self.below(4) {
                0 | 1 => Failure::Connection,
                _ => self.one_of(&[401, 403, 429, 429, 500, 502, 503, 503]),
            },
        }
    }

    fn bytes(&mut self) -> usize {
        usize::try_from(self.below(3000)).unwrap()
    }
}

impl Storm {
    pub(crate) fn new(weather: Weather) -> Self {
        Self {
            state: Mutex::new(State {
                weather,
                random: weather.seed,
                raging: false,
                dead: false,
                outage: None,
                trace: Vec::new(),
                figures: Figures::default(),
            }),
            death: Notify::new(),
        }
    }

    /// Draws from [0, n).
    pub(crate) fn below(&self, n: u64) -> u64 {
        self.state.lock().unwrap().below(n)
    }

    /// Lets the cluster refuse everything, or not.
    pub(crate) fn set_outage(&self, outage: Option<Failure>) {
        self.state.lock().unwrap().outage = outage;
    }

    /// Begins.
    pub(crate) fn rage(&self) {
        self.state.lock().unwrap().raging = true;
    }

    /// Ends all faults.
    pub(crate) fn calm_down(&self) {
        let mut state = self.state.lock().unwrap();
        state.raging = false;
        state.outage = None;
    }

    /// Writes a line of the trace.
    pub(crate) fn note(&self, line: impl Into<String>) {
        self.state.lock().unwrap().trace.push(line.into());
    }

    /// Notes that the time of a process was up.
    pub(crate) fn killed(&self) {
        let mut state = self.state.lock().unwrap();
        state.figures.killed += 1;
        state.trace.push("  killed: the time was up".to_owned());
    }

    pub(crate) fn trace(&self) -> String {
        self.state.lock().unwrap().trace.join("\n")
    }

    pub(crate) fn figures(&self) -> Figures {
        self.state.lock().unwrap().figures
    }

    /// A new process lives.
    pub(crate) fn revive(&self) {
        self.state.lock().unwrap().dead = false;
    }

    /// Waits until the process of now dies.
    pub(crate) async fn death(&self) {
        loop {
            let rings = self.death.notified();
            if self.is_dead() {
                return;
            }
            rings.await;
        }
    }

    fn draw(state: &mut State, call: &Call, moment: Moment) -> Fault {
        let Weather {
            crash,
            fail,
            delay,
            slow,
            ..
        } = state.weather;
        let is_cluster = matches!(call.place, Place::Bulk | Place::Api);
        if let Some(outage) = state.outage.clone()
            && is_cluster
            && moment == Moment::Before
        {
            return Fault::Fail(outage);
        }
        // Between a ledger entry and the messages that follow it a crash is worth most, and such calls are few.
        let is_rare = matches!(call.place, Place::Queue | Place::Api);
        if state.happens(if is_rare { crash * 3 } else { crash }) {
            return Fault::Crash;
        }
        // Answers are lost less often than calls are refused.
        let fail = if moment == Moment::After {
            fail / 3
        } else {
            fail
        };
        if state.happens(fail) {
            return Fault::Fail(state.failure(call.place, moment));
        }
        if call.place == Place::Bulk && moment == Moment::Before && state.happens(slow) {
            return Fault::Delay(Duration::from_millis(state.below(4_000)));
        }
        if state.happens(delay) {
            let longest = if state.happens(100) { 60_000 } else { 3_000 };
            return Fault::Delay(Duration::from_millis(state.below(longest)));
        }
        Fault::None
    }
}

impl Chaos for Storm {
    fn decide(&self, call: &Call, moment: Moment) -> Fault {
        let mut state = self.state.lock().unwrap();
        if moment == Moment::Before {
            state.figures.calls += 1;
        }
        let fault = if state.raging {
            Self::draw(&mut state, call, moment)
        } else {
            Fault::None
        };
        let figures = &mut state.figures;
        match &fault {
            Fault::None => {}
            Fault::Delay(_) => figures.delays += 1,
            Fault::Fail(_) if moment == Moment::After => figures.lost_answers += 1,
            Fault::Fail(_) => figures.failures += 1,
            Fault::Crash => {}
        }
        let Call { place, name, about } = call;
        match (&fault, moment) {
            (Fault::None, Moment::After) => {}
            (Fault::None, Moment::Before) => {
                state.trace.push(format!("  {place:?} {name} {about}"))
            }
            (fault, moment) => {
                let line = format!("  {place:?} {name} {about}: {moment:?} {fault:?}");
                state.trace.push(line);
            }
        }
        fault
    }

    fn crashed(&self, call: &Call) {
        let mut state = self.state.lock().unwrap();
        state.dead = true;
        state.figures.crashes += 1;
        state
            .trace
            .push(format!("  the process died at {}", call.name));
        drop(state);
        self.death.notify_one();
    }

    fn is_dead(&self) -> bool {
        self.state.lock().unwrap().dead
    }

    fn pick(&self, n: usize) -> usize {
        let mut state = self.state.lock().unwrap();
        if !state.raging {
            return 0;
        }
        usize::try_from(state.below(n as u64)).unwrap()
    }

    fn delivers_twice(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let twice = state.weather.twice;
        state.raging && state.happens(twice)
    }
}
