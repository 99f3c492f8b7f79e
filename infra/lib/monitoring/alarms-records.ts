/**
 * Alarms of what becomes of records: books that do not balance, raw, quarantined and parked ones, and sources that fell silent.
 */
import { Duration } from "aws-cdk-lib";
import { ComparisonOperator, type Metric, MathExpression, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmBook, AlarmText } from "./alarm-book.js";
import { installationMetric, MAXIMUM, sourceMetric, SUM } from "./metrics.js";
import type { Thresholds } from "./thresholds.js";

const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD, LESS_THAN_THRESHOLD } = ComparisonOperator;
const HOUR = Duration.hours(1);

/** Which sources are watched each for itself: dataset → after how many minutes without a record it is silent. */
export type SilenceIntervals = Readonly<Record<string, number>>;

/** Adds the alarms of outcomes. */
export function watchOutcomes(book: AlarmBook, installation: string): void {
  const sum = (name: "ObjectsUnbalanced" | "Quarantined", period: Duration) =>
    installationMetric(installation, name, { statistic: SUM, period });
  const some = { comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD, threshold: 1, datapoints: 1 };
  // Nothing happened where nothing ran.
  const missing = TreatMissingData.NOT_BREACHING;
  book.watch({
    ...some,
    kind: "unbalanced",
    urgency: "page",
    means: "An object's books do not balance: a record was read and its end is not known. This is a fault of Sekisho.",
    first: "name the object: Logs Insights, `filter message = \"object failed\" and error like /balance/ | display bucket, key, error`.",
    metric: sum("ObjectsUnbalanced", Duration.minutes(5)),
    // An hour, so that its redeliveries do not page again.
    outOf: 12,
    missing,
  });
  book.watch({
    ...some,
    kind: "quarantined",
    urgency: "ticket",
    means: "Within the last day records could not be indexed even raw; they are in the quarantine bucket.",
    first: "read the reasons: `sekisho audit s3://<log bucket> --since 1d`.",
    metric: sum("Quarantined", HOUR),
    outOf: 24,
    missing,
  });
  book.watch({
    ...some,
    kind: "parked",
    urgency: "ticket",
    means: "Messages are parked that do not return by themselves: their objects failed for a fault of their own and are not indexed.",
    first: "read the causes: Logs Insights over `sekisho-replay`, `filter message = \"message parked\" | display object, cause, error`.",
    metric: installationMetric(installation, "ParkedWaiting", { statistic: MAXIMUM, period: Duration.minutes(30) }),
    outOf: 1,
    // Each replay run counts them; between runs, or when none runs, they are still there.
    missing: TreatMissingData.IGNORE,
  });
}

/** Adds the alarms of raw records: of all together, and of each declared source, whose trouble the others would outnumber. */
export function watchRaw(book: AlarmBook, installation: string, sources: readonly string[], lines: Thresholds): void {
  const summary = { statistic: SUM, period: HOUR };
  const watch = (of: string | undefined, records: Metric, raw: Metric): void => {
    book.watch({
      kind: "raw-share",
      of,
      urgency: "ticket",
      means: `In an hour of the last day more than ${lines.rawPercent} % and ${lines.rawLines} of the records${of === undefined ? "" : ` of \`${of}\``} were indexed raw: a parser no longer fits.`,
      first: "see which and why: search `event.kind: pipeline_error`, by `event.dataset` and `error.message`.",
      metric: new MathExpression({
        expression: `IF(raw > ${lines.rawLines} AND raw > ${lines.rawPercent / 100} * records, 1, 0)`,
        usingMetrics: { records, raw },
        period: HOUR,
        label: "too many raw records",
      }),
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      datapoints: 1,
      outOf: 24,
      missing: TreatMissingData.NOT_BREACHING,
    });
  };
  watch(
    undefined,
    installationMetric(installation, "Records", summary),
    installationMetric(installation, "Raw", summary),
  );
  for (const source of sources) {
    watch(
      source,
      sourceMetric(installation, source, "SourceRecords", summary),
      sourceMetric(installation, source, "SourceRaw", summary),
    );
  }
}

/** Adds an alarm for each source that must not fall silent. */
export function watchSilence(
  book: AlarmBook,
  installation: string,
  kind: "vital-silent" | "source-silent",
  intervals: SilenceIntervals,
  lines: Thresholds,
): void {
  for (const [dataset, minutes] of Object.entries(intervals)) {
    const text: AlarmText = {
      kind,
      of: dataset,
      urgency: kind === "vital-silent" ? "page" : "ticket",
      means: `For ${minutes} minutes not one record of \`${dataset}\` was read: it stopped sending, or its objects do not get here.`,
      first: "look whether the source still puts objects: `aws s3 ls s3://<log bucket>/<its prefix>/ --recursive | tail`.",
    };
    const { period, periods } = window(dataset, minutes);
    book.watch({
      ...text,
      // While the brake is closed long enough to page, nothing is read of any source: that is no silence.
      metric: new MathExpression({
        expression: `IF(FILL(braked, REPEAT) > ${lines.brakedSeconds}, 1, FILL(records, 0))`,
        usingMetrics: {
          braked: installationMetric(installation, "BrakedSeconds", { statistic: MAXIMUM, period }),
          records: sourceMetric(installation, dataset, "SourceRecords", { statistic: SUM, period }),
        },
        period,
        label: `records of ${dataset}`,
      }),
      comparison: LESS_THAN_THRESHOLD,
      threshold: 1,
      datapoints: periods,
      outOf: periods,
      // Where not even the brake says anything, nothing was read at all.
      missing: TreatMissingData.BREACHING,
    });
  }
}

/** CloudWatch looks back one day with periods under an hour, and seven with longer ones. */
function window(dataset: string, minutes: number): { period: Duration; periods: number } {
  const length = minutes <= 24 * 60 ? 5 : 60;
  if (!Number.isInteger(minutes) || minutes < 30 || minutes > 7 * 24 * 60 || minutes % length !== 0) {
    throw new Error(
      `the silence of \`${dataset}\` is \`${minutes}\` minutes; give a multiple of 5 from 30 to 1440, or of 60 up to 10080`,
    );
  }
  return { period: Duration.minutes(length), periods: minutes / length };
}
