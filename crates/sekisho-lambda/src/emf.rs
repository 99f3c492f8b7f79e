//! Numbers in CloudWatch's embedded metric format.
//!
//! See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use crate::metric::{Dimensions, Metric, Unit};
use crate::numbers::{Numbers, Value};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Sekisho";

/// What the sources without metrics of their own are counted under.
pub const OTHER: &str = "other";

/// A target member of the format holds at most so many values.
const MOST_VALUES: usize = 100;

/// Writes one document for the installation and, since a dimension has one value in a document, one for each source.
pub(crate) fn documents(numbers: &Numbers, installation: &str, at: DateTime<Utc>) -> Vec<String> {
    let all = document(
        &numbers.all,
        Dimensions::Installation,
        &[("Installation", installation)],
        at,
    );
    let sources = numbers.sources.iter().map(|(source, values)| {
        let named = [("Installation", installation), ("Source", source.as_str())];
        document(values, Dimensions::Source, &named, at)
    });
    std::iter::once(all).chain(sources).collect()
}

fn document(
    values: &BTreeMap<Metric, Value>,
    dimensions: Dimensions,
    named: &[(&str, &str)],
    at: DateTime<Utc>,
) -> String {
    let definition =
        |metric: &Metric| json!({ "Name": metric.name(), "Unit": metric.unit().name() });
    let directive = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions.names()],
        "Metrics": values.keys().map(definition).collect::<Vec<_>>(),
    });
    let mut root = Map::new();
    let metadata = json!({ "Timestamp": at.timestamp_millis(), "CloudWatchMetrics": [directive] });
    root.insert("_aws".to_owned(), metadata);
    for (name, value) in named {
        root.insert((*name).to_owned(), json!(value));
    }
    for (metric, value) in values {
        let value = match value {
            Value::Number(number) => json!(number),
            Value::Samples(samples) => spread(samples)
                .into_iter()
                .map(|sample| in_unit(sample, metric.unit()))
                .collect(),
        };
        root.insert(metric.name().to_owned(), value);
    }
    Json::Object(root).to_string()
}

/// Gives at most as many samples as the format takes, in order: the least, the greatest, and between them those that divide the rest evenly.
fn spread(samples: &[Duration]) -> Vec<Duration> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let Some(last) = sorted.len().checked_sub(1).filter(|&n| n >= MOST_VALUES) else {
        return sorted;
    };
    let places = (0..MOST_VALUES).map(|n| n * last / (MOST_VALUES - 1));
    places
        .filter_map(|place| sorted.get(place).copied())
        .collect()
}

fn in_unit(sample: Duration, unit: Unit) -> Json {
    match unit {
        Unit::Seconds => json!((sample.as_secs_f64() * 1000.0).round() / 1000.0),
        Unit::Milliseconds | Unit::Count | Unit::Bytes => {
            json!(u64::try_from(sample.as_millis()).unwrap_or(u64::MAX))
        }
    }
}

#[cfg(test)]
mod tests;
