//! What the installation's settings mean for parsers, objects and the pipeline: the one translation, for Lambda and command line alike.

use std::time::Duration;

use sekisho_bulk::{BulkSettings, retired_alias};
use sekisho_config::{EventOriginal, Rotation, Settings};
use sekisho_document::{DocumentError, IndexNaming};
use sekisho_object::ObjectLimits;
use sekisho_parser::{Cidr, KeepOriginal, ParserError, ParserSettings, Redactor};

use crate::PipelineSettings;

/// Gives the settings of the parsers.
///
/// # Errors
/// When the index prefix is none that OpenSearch takes, or `redact` names what cannot be redacted or kept.
pub fn parser_settings(settings: &Settings) -> Result<ParserSettings, ParserError> {
    let Settings {
        index,
        limits,
        record,
        document,
        redact,
        ..
    } = settings;
    let networks = document.trusted_proxies.iter();
    Ok(ParserSettings {
        index: index_naming(settings)?,
        rotation: index
            .rotation
            .iter()
            .map(|(dataset, rotation)| (dataset.clone(), rotation_of(*rotation)))
            .collect(),
        keep_original: match document.event_original {
            EventOriginal::Always => KeepOriginal::Always,
            EventOriginal::Never => KeepOriginal::Never,
            EventOriginal::Unparsed => KeepOriginal::Unparsed,
        },
        trusted_proxies: networks
            .map(|network| network.to_string().parse::<Cidr>())
            .collect::<Result<_, _>>()?,
        default_columns: record
            .default_columns
            .iter()
            .map(|(dataset, columns)| (dataset.clone(), words(columns)))
            .collect(),
        timezones: record.timezone.clone(),
        max_record_bytes: limits.max_record_bytes,
        max_depth: limits.max_depth,
        unknown_records: limits.unknown_lines,
        redactor: Redactor::new(&redact.fields, &redact.query_keys, &redact.keep)?,
        ..ParserSettings::default()
    })
}

fn index_naming(settings: &Settings) -> Result<IndexNaming, DocumentError> {
    let index = &settings.index;
    IndexNaming::new(
        &index.prefix,
        index.timezone.name(),
        u64::from(index.days_before),
        u64::from(index.days_after),
    )
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn rotation_of(rotation: Rotation) -> sekisho_document::Rotation {
    match rotation {
        Rotation::Daily => sekisho_document::Rotation::Daily,
        Rotation::Monthly => sekisho_document::Rotation::Monthly,
    }
}

/// Gives the limits of one object.
pub fn object_limits(settings: &Settings) -> ObjectLimits {
    ObjectLimits {
        max_compressed_bytes: settings.limits.max_compressed_bytes,
        max_decompressed_bytes: settings.limits.max_decompressed_bytes,
        max_ratio: settings.limits.max_ratio,
        max_entries: settings.limits.archive_entries,
    }
}

/// Gives what a cluster as destination needs.
pub fn bulk_settings(settings: &Settings) -> BulkSettings {
    BulkSettings {
        max_bulk_bytes: settings.bulk.max_bulk_bytes,
        retry_budget: Duration::from_millis(settings.bulk.retry_budget_ms),
        max_in_flight: settings.bulk.in_flight,
        retired_alias: retired_alias(&settings.index.prefix),
    }
}

impl From<&Settings> for PipelineSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            objects_in_flight: settings.limits.objects_in_flight,
            buffered_bytes: settings.limits.buffered_bytes,
            max_bulk_bytes: settings.bulk.max_bulk_bytes,
            bulks_in_flight: settings.bulk.in_flight,
            split_bytes: settings.delivery.split_bytes,
            ..Self::default()
        }
    }
}
