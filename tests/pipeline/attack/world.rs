//! [`World`]: one case as it happens: first everything at once, then calm until nothing moves any more.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use sekisho_tests::fake::{Batch, Chaos as _, Failure};

use crate::case::{Case, Day, Later, Oddity, Source, Wrapper};
use crate::expect::{Need, Put};
use crate::installation::{Ended, Installation, Process};
use crate::notification;
use crate::records::Made;
use crate::versions::{Version, key, made};

/// How many rounds of the calm are enough for everything.
const CALM_ROUNDS: usize = 400;

/// One case as it happens.
pub(crate) struct World<'c> {
    pub(crate) case: &'c Case,
    pub(crate) installation: Installation,
    process: Option<Process>,
    /// What was put, oldest first.
    pub(crate) puts: Vec<Put>,
    /// Bodies that were not sent yet.
    announcements: Vec<String>,
    /// Objects that something happens to later.
    later: Vec<usize>,
    pub(crate) read_only: BTreeSet<String>,
    pub(crate) closed: BTreeSet<String>,
    blocked: BTreeSet<String>,
    /// What was seen to be wrong on the way.
    pub(crate) wrong: Vec<String>,
}

impl<'c> World<'c> {
    pub(crate) fn new(case: &'c Case) -> Self {
        let mut world = Self {
            case,
            installation: Installation::new(case),
            process: None,
            puts: Vec::new(),
            announcements: Vec::new(),
            later: Vec::new(),
            read_only: BTreeSet::new(),
            closed: BTreeSet::new(),
            blocked: BTreeSet::new(),
            wrong: Vec::new(),
        };
        world.put_all();
        world
    }

    /// Everything at once, then calm until nothing moves.
    pub(crate) fn run(&mut self) {
        for _ in 0..self.case.steps {
            self.step();
        }
        self.calm();
    }

    fn put_all(&mut self) {
        let mut together = Vec::new();
        for (number, spec) in self.case.objects.iter().enumerate() {
            let object = self.put(number, &made(number, spec, Version::First));
            if spec.later != Later::Nothing {
                self.later.push(number);
            }
            if spec.wrapper == Wrapper::Shared {
                together.push(object);
                continue;
            }
            let body = notification::body(&[object], spec.wrapper);
            self.announce(&body, spec.announced);
        }
        if !together.is_empty() {
            let body = notification::body(&together, Wrapper::Bare);
            self.announce(&body, 1);
        }
        for oddity in &self.case.oddities {
            self.announce(&notification::odd(*oddity), 1);
        }
    }

    fn announce(&mut self, body: &str, times: u8) {
        for _ in 0..times {
            self.announcements.push(body.to_owned());
        }
    }

    fn put(&mut self, number: usize, made: &Made) -> sekisho_event::ObjectRef {
        let spec = &self.case.objects[number];
        let now = self.installation.clock.time();
        let key = key(number, spec);
        let store = &self.installation.store;
        let object = store.put("logs", &key, made.stored.clone(), now);
        if !self.case.versioned {
            // The bytes before can only be read until now.
            let before = self.puts.iter_mut();
            before
                .filter(|put| put.object.key == key)
                .for_each(|put| put.need = Need::May);
        }
        self.puts.push(Put {
            object: object.clone(),
            source: spec.source,
            dated: spec.dated,
            made: made.clone(),
            at: now,
            need: Need::Must,
            removed: false,
        });
        object
    }

    fn note(&self, line: String) {
        let time = self.installation.clock.time().format("%d %H:%M:%S%.3f");
        self.installation.storm.note(format!("{time} {line}"));
    }

    fn below(&self, n: usize) -> usize {
        usize::try_from(self.installation.storm.below(n as u64)).unwrap()
    }

    fn step(&mut self) {
        match self.below(40) {
            0..=7 => self.send_one(),
            8..=20 => self.invoke(),
            21..=25 => self.wait(Duration::from_secs(self.below(120) as u64)),
            26..=29 => self.wait(self.installation.hide()),
            30 => self.wait(Duration::from_secs(self.below(12 * 3600) as u64)),
            31 | 32 => {
                self.replay(false);
            }
            33 => self.something_later(),
            34 => self.retire(Day::ReadOnly),
            35 => self.retire(Day::Closed),
            36 => self.block(),
            37 => self.outage(),
            38 => self.disk_or_clock(),
            _ => self.restart(),
        }
    }

    fn send_one(&mut self) {
        if self.announcements.is_empty() {
            return self.invoke();
        }
        let chosen = self.below(self.announcements.len());
        let body = self.announcements.remove(chosen);
        let id = self.installation.queue.put(body.clone());
        self.note(format!("sent {id}: {body}"));
    }

    fn wait(&self, time: Duration) {
        self.installation.clock.advance(time);
        self.note(format!("waited {time:?}"));
    }

    fn restart(&mut self) {
        self.process = None;
        self.note("the process is stopped while nothing runs".to_owned());
    }

    fn take(&self) -> Option<Batch> {
        let installation = &self.installation;
        let most = 1 + self.below(installation.limits.batch);
        installation.queue.take_batch(most, installation.hide())
    }

    fn invoke(&mut self) {
        let mut batches: Vec<Batch> = self.take().into_iter().collect();
        if !batches.is_empty() && self.below(4) == 0 {
            batches.extend(self.take());
        }
        if batches.is_empty() {
            return;
        }
        let sizes: Vec<_> = batches.iter().map(Batch::len).collect();
        self.note(format!("invoked with {sizes:?} messages"));
        let installation = &self.installation;
        let process = self.process.take();
        let process = process.unwrap_or_else(|| Process::start(installation));
        let Some(ends) = process.answer(installation, &batches) else {
            return;
        };
        if process.tasks() > 0 {
            let left = format!("{} tasks outlive an answer", process.tasks());
            self.wrong.push(left);
        }
        for (batch, ended) in batches.iter().zip(ends) {
            self.note(format!("{ended:?}"));
            match ended {
                Ended::Answered(failed) => self.installation.queue.settle(batch, &failed),
                Ended::Error(error) => self.wrong.push(format!("an invocation failed: {error}")),
            }
        }
        self.process = Some(process);
        self.look_for_bugs();
    }

    /// No fault of the surroundings may look like one of ours.
    fn look_for_bugs(&mut self) {
        let files = &self.installation.files;
        for key in files.keys("failures/") {
            let bytes = files.bytes(&key).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let words = ["a bug stopped", "do not balance", "verdicts for"];
            if words.iter().any(|word| text.contains(word)) {
                self.wrong.push(format!("a note tells of a bug: {text}"));
            }
        }
    }

    fn replay(&mut self, parked_too: bool) {
        self.note("replay".to_owned());
        match self.installation.run_replay(parked_too) {
            Some(report) => self.note(format!("{report:?}")),
            None => self.note("replay died".to_owned()),
        }
        // The next invocation is one of another process.
        if self.installation.storm.is_dead() {
            self.process = None;
        }
    }

    fn something_later(&mut self) {
        if self.later.is_empty() {
            return;
        }
        let chosen = self.below(self.later.len());
        let number = self.later.remove(chosen);
        self.happen(number);
    }

    fn happen(&mut self, number: usize) {
        let spec = &self.case.objects[number];
        let key = key(number, spec);
        self.note(format!("{key}: {:?}", spec.later));
        let version = match spec.later {
            Later::Nothing => return,
            Later::Removed => {
                self.installation.store.remove("logs", &key);
                for put in self.puts.iter_mut().filter(|put| put.object.key == key) {
                    put.need = Need::May;
                    put.removed = true;
                }
                return;
            }
            Later::Same => Version::First,
            Later::Longer => Version::Longer,
            Later::Other => Version::Other,
        };
        let object = self.put(number, &made(number, spec, version));
        self.announce(&notification::body(&[object], Wrapper::Bare), 1);
    }

    fn retire(&mut self, day: Day) {
        let sources = [
            Source::App,
            Source::Unique,
            Source::Envelope,
            Source::Columns,
        ];
        let source = sources[self.below(sources.len())];
        let Some(date) = day.date() else { return };
        let index = format!("{}-{}", source.index(), date.format("%Y.%m.%d"));
        let closed = day == Day::Closed;
        self.note(format!("retired {index}, closed: {closed}"));
        self.installation.cluster.retire(&index, closed);
        if closed {
            self.closed.insert(index);
        } else {
            self.read_only.insert(index);
        }
    }

    fn block(&mut self) {
        let index = format!("{}-2026.11.23", Source::App.index());
        let blocks = self.blocked.insert(index.clone());
        if !blocks {
            self.blocked.remove(&index);
        }
        self.note(format!("{index} blocked by an operator: {blocks}"));
        self.installation.cluster.block(&index, blocks);
    }

    fn outage(&mut self) {
        let outage = match self.below(5) {
            0 => Some(Failure::Status(403)),
            1 => Some(Failure::Connection),
            2 => Some(Failure::Status(503)),
            3 => Some(Failure::Status(401)),
            _ => None,
        };
        self.note(format!("outage: {outage:?}"));
        self.installation.storm.set_outage(outage);
    }

    fn disk_or_clock(&mut self) {
        if self.below(2) == 0 {
            let percent = [10, 80][self.below(2)];
            self.note(format!("{percent} % of the disk free"));
            self.installation.cluster.set_free_percent(percent);
        } else {
            let skew = i64::try_from(self.below(7200)).unwrap() - 3600;
            self.note(format!("the clock is wrong by {skew} s"));
            self.installation.clock.skew(TimeDelta::seconds(skew));
        }
    }

    /// Nothing goes wrong any more, and everything that was left over happens.
    fn calm(&mut self) {
        while let Some(number) = self.later.pop() {
            self.happen(number);
        }
        while !self.announcements.is_empty() {
            self.send_one();
        }
        self.note("calm".to_owned());
        self.installation.storm.calm_down();
        self.installation.clock.skew(TimeDelta::zero());
        self.installation.cluster.set_free_percent(80);
        for index in std::mem::take(&mut self.blocked) {
            self.installation.cluster.block(&index, false);
        }
        self.quieten();
        if !self.wrong.is_empty() {
            return;
        }
        // What was parked for faults that are over is asked for by hand.
        self.replay(true);
        self.quieten();
    }

    fn quieten(&mut self) {
        for _ in 0..CALM_ROUNDS {
            let installation = &self.installation;
            let now = installation.clock.time();
            if let Some(visible) = installation.queue.next_visible() {
                if let Ok(time) = (visible - now).to_std() {
                    self.wait(time);
                }
                self.invoke();
                continue;
            }
            let dead = installation.dead_letters.next_visible();
            let waiting = installation.files.keys("parked/waiting/");
            if dead.is_none() && waiting.is_empty() {
                return;
            }
            if let Some(time) = dead.and_then(|visible| (visible - now).to_std().ok()) {
                self.wait(time);
            }
            self.wait(Duration::from_secs(300));
            self.replay(false);
        }
        self.wrong.push("it does not become quiet".to_owned());
    }

    /// The messages that must end parked: by a word of their bodies.
    pub(crate) fn hopeless_oddities(&self) -> Vec<&'static str> {
        let oddities = self.case.oddities.iter();
        oddities
            .filter_map(|oddity| match oddity {
                Oddity::NoJson => Some("no json"),
                Oddity::Nowhere => Some("app/nowhere"),
                _ => None,
            })
            .collect()
    }
}
