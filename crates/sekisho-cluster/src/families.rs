//! [`Family`]: the indices of one name, whatever their day, and what the settings say of them.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_config::{Ages, Rotation, Settings};
use sekisho_document::SourceMapping;

use crate::report::{Finding, FindingKind};

/// Sources of one index name; without an index, all that have no template of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    /// The index name without prefix and day.
    pub(crate) index: String,
    /// What decides between two families whose patterns both match.
    pub(crate) priority: usize,
    /// When its indices go from one state to the next.
    pub(crate) ages: Ages,
    /// How many days may lie between an index's creation and the last day that it covers.
    pub(crate) span_days: u16,
}

/// An index may be created by a record of the day before its own, and covers one day or one month.
const DAILY_SPAN: u16 = 2;
const MONTHLY_SPAN: u16 = 32;

/// Above what a cluster may have for everything, below those of single sources; in templates and policies.
pub(crate) const OVERLAY_PRIORITY: usize = 50;

/// Of two patterns that both match, the longer names the source.
pub(crate) fn source_priority(index: &str) -> usize {
    500 + index.len()
}

/// Gives one family for each index name, and one for the rest.
pub(crate) fn families(settings: &Settings, sources: &[SourceMapping]) -> Vec<Family> {
    let known: BTreeSet<&str> = sources.iter().map(|s| s.dataset.as_str()).collect();
    let rotation = &settings.index.rotation;
    let is_monthly = |dataset: &str| rotation.get(dataset) == Some(&Rotation::Monthly);
    let mut others = rotation
        .keys()
        .filter(|dataset| !known.contains(dataset.as_str()));
    let mut all = vec![Family {
        index: "log".to_owned(),
        priority: OVERLAY_PRIORITY,
        ages: settings.lifecycle.ages(""),
        span_days: span(others.any(|dataset| is_monthly(dataset))),
    }];
    let mut by_index: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        let datasets = by_index.entry(&source.index).or_default();
        datasets.push(&source.dataset);
    }
    for (index, datasets) in by_index {
        let ages = datasets
            .iter()
            .map(|dataset| settings.lifecycle.ages(dataset));
        let Some(ages) = ages.reduce(longest) else {
            continue;
        };
        all.push(Family {
            index: index.to_owned(),
            priority: source_priority(index),
            ages,
            span_days: span(datasets.iter().any(|dataset| is_monthly(dataset))),
        });
    }
    all
}

fn span(is_monthly: bool) -> u16 {
    if is_monthly { MONTHLY_SPAN } else { DAILY_SPAN }
}

/// Sources that share an index keep what the most patient of them keeps.
fn longest(one: Ages, other: Ages) -> Ages {
    let later = |one: Option<u16>, other: Option<u16>| Some(one?.max(other?));
    Ages {
        read_only: later(one.read_only, other.read_only),
        warm: later(one.warm, other.warm),
        cold: later(one.cold, other.cold),
        delete: later(one.delete, other.delete),
    }
}

/// Names what the settings say of sources that are not there; a typing error would change nothing and stay unseen.
pub(crate) fn unknown(settings: &Settings, sources: &[SourceMapping]) -> Vec<Finding> {
    let template = &settings.template;
    let datasets = [
        (
            "template.shards_of",
            template.shards_of.keys().collect::<Vec<_>>(),
        ),
        (
            "template.replicas_of",
            template.replicas_of.keys().collect(),
        ),
    ];
    let is_dataset = |name: &str| sources.iter().any(|source| source.dataset == name);
    let is_module = |name: &str| {
        let module = |source: &SourceMapping| source.dataset.split('.').next() == Some(name);
        sources.iter().any(module)
    };
    let of_dataset = datasets
        .iter()
        .flat_map(|(setting, names)| names.iter().map(|name| (*setting, name.as_str())))
        .filter(|(_, name)| !is_dataset(name));
    let lifecycle: BTreeSet<&str> = settings.lifecycle.named().collect();
    let readers = settings.access.reader_sources.iter();
    let of_either = lifecycle
        .into_iter()
        .map(|name| ("lifecycle.*_days_of", name))
        .chain(readers.map(|name| ("access.reader_sources", name.as_str())))
        .filter(|(_, name)| !is_dataset(name) && !is_module(name));
    let finding = |(setting, name): (&str, &str)| Finding {
        kind: FindingKind::UnknownSource,
        name: setting.to_owned(),
        text: format!(
            "no source is called `{name}`, so it has no effect; `sekisho parser list` lists them"
        ),
    };
    of_dataset.chain(of_either).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dataset: &str, index: &str) -> SourceMapping {
        SourceMapping {
            dataset: dataset.into(),
            index: index.into(),
            fields: Vec::new(),
        }
    }

    #[test]
    fn a_family_is_as_patient_as_its_most_patient_source() {
        let mut settings = Settings::default();
        settings.lifecycle.delete_days_of = [("aws.elb".into(), 0), ("aws.nlb".into(), 400)].into();
        settings.lifecycle.read_only_days_of = [("aws.elb".into(), 40)].into();
        settings.index.rotation = [("aws.nlb".into(), Rotation::Monthly)].into();
        let sources = [
            source("aws.elb", "log-aws"),
            source("aws.nlb", "log-aws"),
            source("aws.waf", "log-aws-waf"),
        ];
        let all = families(&settings, &sources);
        let names: Vec<_> = all.iter().map(|family| family.index.as_str()).collect();
        assert_eq!(names, ["log", "log-aws", "log-aws-waf"]);
        assert_eq!(all[1].ages.delete, None);
        assert_eq!(all[1].ages.read_only, Some(40));
        assert_eq!((all[1].span_days, all[2].span_days), (32, 2));
        assert!(all[2].priority > all[1].priority && all[1].priority > all[0].priority);
        assert_eq!(all[0].span_days, 2);
        assert_eq!(unknown(&settings, &sources), []);
    }

    #[test]
    fn names_of_no_source_are_told() {
        let mut settings = Settings::default();
        settings.template.shards_of = [("aws.wfa".into(), 2)].into();
        settings.lifecycle.delete_days_of = [("linux".into(), 400)].into();
        settings.access.reader_sources = vec!["aws".into(), "aws.wfa".into()];
        let found = unknown(&settings, &[source("aws.waf", "log-aws-waf")]);
        let names: Vec<_> = found.iter().map(|finding| finding.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "template.shards_of",
                "lifecycle.*_days_of",
                "access.reader_sources"
            ]
        );
        // A module that the run-time parsers bring.
        settings.index.rotation = [("linux.secure".into(), Rotation::Monthly)].into();
        assert_eq!(families(&settings, &[])[0].span_days, 32);
    }
}
