/**
 * Alarms of the functions themselves.
 */
import { Duration } from "aws-cdk-lib";
import { ComparisonOperator, MathExpression, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { AlarmBook } from "./alarm-book.js";
import { installationMetric, MAXIMUM, SUM } from "./metrics.js";
import type { WatchedLane } from "./subjects.js";
import type { Thresholds } from "./thresholds.js";

const SOME = { comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, threshold: 1 };

/** Adds the alarms of one lane's functions. */
export function watchLaneFunctions(book: AlarmBook, lane: WatchedLane): void {
  const many = { ...SOME, of: lane.name, urgency: "ticket", missing: TreatMissingData.NOT_BREACHING } as const;
  book.watch({
    ...many,
    kind: "ingest-errors",
    means: `Within the last day invocations of \`sekisho-ingest\` (lane \`${lane.name}\`) ended without an answer: out of memory, out of time, a crash, or wrong settings.`,
    first: "see which: Logs Insights over its log group, `filter message = \"invocation failed\" or @message like /Task timed out|Runtime exited/`.",
    metric: lane.ingest.metricErrors({ statistic: SUM, period: Duration.hours(1) }),
    datapoints: 1,
    outOf: 24,
  });
  book.watch({
    ...many,
    kind: "ingest-throttles",
    means: `For half an hour invocations of \`sekisho-ingest\` (lane \`${lane.name}\`) were throttled: the account's concurrency is used up, or the mapping asks for more than is reserved.`,
    first: "compare `ConcurrentExecutions` of the account with its quota.",
    metric: lane.ingest.metricThrottles({ statistic: SUM, period: Duration.minutes(5) }),
    datapoints: 6,
    outOf: 6,
  });
  book.watch({
    ...many,
    kind: "replay-errors",
    means: `Runs of \`sekisho-replay\` (lane \`${lane.name}\`) fail: what is dead-lettered stays there.`,
    first: "read its last error: Logs Insights over its log group, `filter level = \"ERROR\"`.",
    metric: lane.replay.metricErrors({ statistic: SUM, period: Duration.minutes(15) }),
    // A schedule of 15 minutes: one failed run is made up for by the next.
    datapoints: 2,
    outOf: 4,
  });
}

/** Adds the alarm of what sets up the cluster. */
export function watchApply(book: AlarmBook, apply: IFunction): void {
  book.watch({
    ...SOME,
    kind: "apply-failed",
    urgency: "page",
    means: "`sekisho-apply` could not set up the cluster (templates, roles, lifecycle): after an upgrade ingest may refuse to write.",
    first: "read its answer: Logs Insights over its log group, `filter level = \"ERROR\"`, then invoke it again.",
    // Not `ApplyFailed`: a run that ends without an answer writes no metric, and Lambda counts both as an error.
    metric: apply.metricErrors({ statistic: MAXIMUM, period: Duration.minutes(1) }),
    datapoints: 1,
    outOf: 1,
    // It runs only after a deployment: its last run stays true until the next.
    missing: TreatMissingData.IGNORE,
  });
}

/** Adds the alarm of objects that fail for most of a day. */
export function watchFailing(book: AlarmBook, installation: string, lines: Thresholds): void {
  const period = Duration.hours(1);
  book.watch({
    ...SOME,
    kind: "objects-keep-failing",
    urgency: "ticket",
    means: "In 12 of the last 16 hours objects failed: something refuses them again and again, like an index that somebody has blocked.",
    first: "read the commonest error: Logs Insights, `filter message = \"object failed\" | stats count() by error | sort by count() desc`.",
    // While the brake is closed, what it lets try fails, and its own alarm is on.
    metric: new MathExpression({
      expression: `IF(braked > ${lines.brakedSeconds}, 0, failed)`,
      usingMetrics: {
        braked: installationMetric(installation, "BrakedSeconds", { statistic: MAXIMUM, period }),
        failed: installationMetric(installation, "ObjectsFailed", { statistic: SUM, period }),
      },
      period,
      label: "objects failed",
    }),
    // One poisoned object is parked after nine hours at most: that is its own ticket.
    datapoints: 12,
    outOf: 16,
    missing: TreatMissingData.NOT_BREACHING,
  });
}
