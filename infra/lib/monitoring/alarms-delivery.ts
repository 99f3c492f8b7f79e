/**
 * Alarms of the way from the bucket to the cluster: queues, brake, freshness, refusals.
 */
import { Duration } from "aws-cdk-lib";
import { ComparisonOperator, MathExpression, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmBook } from "./alarm-book.js";
import { installationMetric, MAXIMUM, MINIMUM, type MetricName, SUM } from "./metrics.js";
import type { WatchedLane } from "./subjects.js";
import type { Thresholds } from "./thresholds.js";

const { GREATER_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = ComparisonOperator;
const FIVE_MINUTES = Duration.minutes(5);

/** Adds the alarms of one lane's queues. */
export function watchLane(book: AlarmBook, lane: WatchedLane, lines: Thresholds): void {
  book.watch({
    kind: "queue-old",
    of: lane.name,
    urgency: "page",
    means: `Messages of lane \`${lane.name}\` wait longer than ${hours(lines.oldestMessageSeconds)} before they are read at all.`,
    first: "see in the Lambda console whether `sekisho-ingest` runs, is throttled, or its event source mapping is disabled.",
    metric: lane.queue.metricApproximateAgeOfOldestMessage({ statistic: MAXIMUM, period: FIVE_MINUTES }),
    comparison: GREATER_THAN_THRESHOLD,
    threshold: lines.oldestMessageSeconds,
    datapoints: 1,
    outOf: 1,
    // SQS stops publishing for a queue that was idle for six hours: a quiet night.
    missing: TreatMissingData.NOT_BREACHING,
  });
  const one = { statistic: MINIMUM, period: FIVE_MINUTES };
  const periods = Math.max(1, Math.ceil(lines.oldestMessageSeconds / FIVE_MINUTES.toSeconds()));
  book.watch({
    kind: "dead-letters",
    of: lane.name,
    urgency: "page",
    means: `The dead-letter queue of lane \`${lane.name}\` was not empty for ${hours(lines.oldestMessageSeconds)}: replay, which runs every 15 minutes, cannot send its messages back.`,
    first: "ask why: `sekisho replay --from <queue URL> --dry-run`.",
    // The age of the oldest message says less: SQS leaves out what was received three times, and each replay run receives all of them.
    metric: new MathExpression({
      expression: "visible + hidden",
      usingMetrics: {
        visible: lane.deadLetterQueue.metricApproximateNumberOfMessagesVisible(one),
        hidden: lane.deadLetterQueue.metricApproximateNumberOfMessagesNotVisible(one),
      },
      period: FIVE_MINUTES,
      label: "messages at least",
    }),
    comparison: GREATER_THAN_THRESHOLD,
    threshold: 0,
    datapoints: periods,
    outOf: periods,
    missing: TreatMissingData.NOT_BREACHING,
  });
}

/** Adds the alarms of what ingest says about its delivery. */
export function watchDelivery(book: AlarmBook, installation: string, lines: Thresholds): void {
  const metric = (name: MetricName, statistic: string, period: Duration) =>
    installationMetric(installation, name, { statistic, period });
  book.watch({
    kind: "brake",
    urgency: "page",
    means: `For ${lines.brakedSeconds / 60} minutes the cluster has taken nothing: nothing is read, nothing is lost, messages wait in the queues.`,
    first: "ask the cluster: `GET _cluster/health` and `GET _cat/allocation?v`, and the log line `braked, messages go back` for its reason.",
    metric: metric("BrakedSeconds", MAXIMUM, FIVE_MINUTES),
    comparison: GREATER_THAN_THRESHOLD,
    threshold: lines.brakedSeconds,
    datapoints: 1,
    outOf: 1,
    // Braked messages return only every 22 minutes at last: a gap says nothing, only an invocation that writes ends it.
    missing: TreatMissingData.IGNORE,
  });
  book.watch({
    kind: "freshness",
    urgency: "page",
    means: `A live object was searchable only ${hours(lines.deliveryDelaySeconds)} after its S3 event; replayed and backfilled objects do not count.`,
    first: "see on the dashboard whether the queue depth grows or shrinks.",
    metric: metric("DeliveryDelay", MAXIMUM, FIVE_MINUTES),
    comparison: GREATER_THAN_THRESHOLD,
    threshold: lines.deliveryDelaySeconds,
    datapoints: 1,
    outOf: 12,
    // No object, no delay; what is not indexed at all is the matter of `queue-old`, `brake` and `vital-silent`.
    missing: TreatMissingData.NOT_BREACHING,
  });
  book.watch({
    kind: "permission",
    urgency: "page",
    means: "The cluster refuses our login or an item (401, 403) again and again: those messages cannot be indexed until somebody grants it.",
    first: "read the refused permission: Logs Insights, `filter level = \"ERROR\" and error like /40[13]|security_exception|no permissions/`.",
    metric: metric("PermissionDenied", SUM, FIVE_MINUTES),
    comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    threshold: 1,
    // Failed messages come again within 22 minutes, so a refusal that lasts is seen twice in 30; one that is gone at the next try wakes nobody.
    datapoints: 2,
    outOf: 6,
    missing: TreatMissingData.NOT_BREACHING,
  });
  book.watch({
    kind: "bundles",
    urgency: "page",
    means: "A published parser cannot be used, or it is not known which are published: the objects that it claims wait in the queues, other sources go on.",
    first: "read the reason, which ends with the remedy: Logs Insights, `filter message = \"bundle refused\" | stats count() by bundle, dataset, reason`; `sekisho parser rollback` always helps.",
    metric: metric("BundlesRefused", MAXIMUM, FIVE_MINUTES),
    comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    threshold: 1,
    // One answer that S3 did not give is made up for within a minute.
    datapoints: 2,
    outOf: 6,
    missing: TreatMissingData.NOT_BREACHING,
  });
  watchTotalFailure(book, metric);
}

function watchTotalFailure(
  book: AlarmBook,
  metric: (name: MetricName, statistic: string, period: Duration) => ReturnType<typeof installationMetric>,
): void {
  const period = Duration.minutes(30);
  book.watch({
    kind: "nothing-finishes",
    urgency: "page",
    means: "For an hour objects have failed and not one record was written, though the cluster is not refusing everything: a bucket, key or index permission is gone for all of them.",
    first: "read the commonest error: Logs Insights, `filter message = \"object failed\" | stats count() by error | sort by count() desc`.",
    metric: new MathExpression({
      expression: "IF(failed >= 20 AND indexed + raw + duplicate == 0 AND braked == 0, 1, 0)",
      usingMetrics: {
        failed: metric("ObjectsFailed", SUM, period),
        indexed: metric("Indexed", SUM, period),
        raw: metric("Raw", SUM, period),
        duplicate: metric("Duplicate", SUM, period),
        braked: metric("BrakedSeconds", MAXIMUM, period),
      },
      period,
      label: "objects fail and none finishes",
    }),
    comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    threshold: 1,
    // Twice: one poisoned object fails at most ten times, and a batch that failed together for a moment is read again within a minute.
    datapoints: 2,
    outOf: 2,
    missing: TreatMissingData.NOT_BREACHING,
  });
}

function hours(seconds: number): string {
  return `${seconds / 3600} hours`;
}
