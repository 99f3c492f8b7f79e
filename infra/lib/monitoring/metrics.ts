/**
 * The metrics that the functions write, by name: the one place of these names in TypeScript.
 *
 * Their home is the crate `sekisho-lambda`, whose METRICS.md a test compares with this table.
 */
import type { Duration } from "aws-cdk-lib";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";

/** The CloudWatch namespace of every metric of Sekisho. */
export const NAMESPACE = "Sekisho";

/** At most so many sources have metrics of their own, the rest counts as `other` (setting `metrics.max_sources`). */
export const MAX_SOURCES = 20;

/** Which function writes a metric. */
export type Writer = "ingest" | "replay" | "apply";

/** What tells the series of one metric apart. */
export type Dimensions = "Installation" | "Installation, Source";

/** One metric. */
export interface MetricSpec {
  readonly unit: "Count" | "Bytes" | "Seconds" | "Milliseconds";
  readonly writer: Writer;
  readonly dimensions: Dimensions;
}

const spec = (
  unit: MetricSpec["unit"],
  writer: Writer,
  dimensions: Dimensions = "Installation",
): MetricSpec => ({ unit, writer, dimensions });

/** Every metric, in the order of METRICS.md. */
export const METRICS = {
  Objects: spec("Count", "ingest"),
  ObjectsFailed: spec("Count", "ingest"),
  ObjectsUnbalanced: spec("Count", "ingest"),
  Records: spec("Count", "ingest"),
  Indexed: spec("Count", "ingest"),
  Raw: spec("Count", "ingest"),
  Duplicate: spec("Count", "ingest"),
  Excluded: spec("Count", "ingest"),
  Quarantined: spec("Count", "ingest"),
  Skipped: spec("Count", "ingest"),
  BytesStored: spec("Bytes", "ingest"),
  BytesRead: spec("Bytes", "ingest"),
  ObjectMilliseconds: spec("Milliseconds", "ingest"),
  BulkMilliseconds: spec("Milliseconds", "ingest"),
  BulkRequests: spec("Count", "ingest"),
  BulkRejected: spec("Count", "ingest"),
  BulkInFlight: spec("Count", "ingest"),
  DeliveryDelay: spec("Seconds", "ingest"),
  EventDelay: spec("Seconds", "ingest"),
  BrakedSeconds: spec("Seconds", "ingest"),
  PermissionDenied: spec("Count", "ingest"),
  BundlesRefused: spec("Count", "ingest"),
  MessagesFailed: spec("Count", "ingest"),
  SourceRecords: spec("Count", "ingest", "Installation, Source"),
  SourceRaw: spec("Count", "ingest", "Installation, Source"),
  DeadLetters: spec("Count", "replay"),
  Replayed: spec("Count", "replay"),
  Parked: spec("Count", "replay"),
  ParkedWaiting: spec("Count", "replay"),
  ReplayFailed: spec("Count", "replay"),
  ApplyFailed: spec("Count", "apply"),
  ApplyChanged: spec("Count", "apply"),
} as const satisfies Record<string, MetricSpec>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** How a metric is summed up over a period. */
export interface Summary {
  /** `Sum`, `Maximum`, `p99` … */
  readonly statistic: string;
  readonly period: Duration;
  readonly label?: string;
}

/** Sums, the statistic of every count. */
export const SUM = Stats.SUM;
/** Maxima, the statistic of everything that must never exceed a line. */
export const MAXIMUM = Stats.MAXIMUM;
/** Minima. */
export const MINIMUM = Stats.MINIMUM;

/** Gives a metric of the whole installation. */
export function installationMetric(installation: string, name: MetricName, summary: Summary): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: name,
    dimensionsMap: { Installation: installation },
    ...summary,
  });
}

/** Gives a metric of one source. */
export function sourceMetric(
  installation: string,
  dataset: string,
  name: "SourceRecords" | "SourceRaw",
  summary: Summary,
): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: name,
    dimensionsMap: { Installation: installation, Source: dataset },
    ...summary,
  });
}

/** Counts the custom metrics that an installation pays for, with as many sources as may have their own and `other`. */
export function customMetrics(sources: number = MAX_SOURCES): number {
  const each = (metric: MetricSpec): number =>
    metric.dimensions === "Installation" ? 1 : sources + 1;
  return Object.values(METRICS).reduce((sum, metric) => sum + each(metric), 0);
}
