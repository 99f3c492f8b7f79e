//! [`Numbers`]: what one batch has to say of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::metric::{Dimensions, Function, Metric, Shape};

/// What one batch has to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Of the installation.
    pub(crate) all: BTreeMap<Metric, Value>,
    /// By source.
    pub(crate) sources: BTreeMap<String, BTreeMap<Metric, Value>>,
    function: Function,
}

/// One metric's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Samples(Vec<Duration>),
}

impl Numbers {
    /// Nothing happened yet: every number is 0.
    pub fn new(function: Function) -> Self {
        Self {
            all: zeros(function, Dimensions::Installation),
            sources: BTreeMap::new(),
            function,
        }
    }

    /// Adds to a number.
    pub fn add(&mut self, metric: Metric, count: u64) {
        add(&mut self.all, metric, count);
    }

    /// Adds to a number of a source.
    pub fn add_of(&mut self, source: &str, metric: Metric, count: u64) {
        let zeros = || zeros(self.function, Dimensions::Source);
        if !self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), zeros());
        }
        if let Some(of_source) = self.sources.get_mut(source) {
            add(of_source, metric, count);
        }
    }

    /// Adds a time or a delay.
    pub fn sample(&mut self, metric: Metric, sample: Duration) {
        let samples = self.all.entry(metric);
        if let Value::Samples(samples) = samples.or_insert(Value::Samples(Vec::new())) {
            samples.push(sample);
        }
    }

    /// Leaves a number out that is not known: 0 would say something else.
    pub fn leave_out(&mut self, metric: Metric) {
        self.all.remove(&metric);
    }

    /// Gives a number.
    pub fn number(&self, metric: Metric) -> u64 {
        match self.all.get(&metric) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    /// Gives the times or delays.
    pub fn samples(&self, metric: Metric) -> &[Duration] {
        match self.all.get(&metric) {
            Some(Value::Samples(samples)) => samples,
            _ => &[],
        }
    }
}

fn zeros(function: Function, dimensions: Dimensions) -> BTreeMap<Metric, Value> {
    let all = Metric::ALL.iter().copied();
    all.filter(|metric| metric.function() == function && metric.dimensions() == dimensions)
        .filter(|metric| metric.shape() == Shape::Number)
        .map(|metric| (metric, Value::Number(0)))
        .collect()
}

fn add(values: &mut BTreeMap<Metric, Value>, metric: Metric, count: u64) {
    if let Value::Number(number) = values.entry(metric).or_insert(Value::Number(0)) {
        *number += count;
    }
}
