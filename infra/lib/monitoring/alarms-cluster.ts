/**
 * Alarms of the OpenSearch domain.
 *
 * The service publishes each metric every minute; a gap says nothing about the cluster, so each of these keeps its state over one.
 * A cluster that is gone altogether publishes nothing: then the brake pages, since nothing can be written.
 */
import { Aws, Duration } from "aws-cdk-lib";
import { ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmBook, MetricAlarm } from "./alarm-book.js";
import { MAXIMUM, MINIMUM } from "./metrics.js";
import type { WatchedDomain } from "./subjects.js";
import { pageFreeMib, type Thresholds, ticketFreeMib } from "./thresholds.js";

const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD, LESS_THAN_OR_EQUAL_TO_THRESHOLD } = ComparisonOperator;

/** Gives a metric that the service publishes for a domain. */
export function domainMetric(domain: WatchedDomain, metricName: string, statistic: string, period: Duration): Metric {
  return new Metric({
    namespace: "AWS/ES",
    metricName,
    dimensionsMap: { DomainName: domain.domainName, ClientId: domain.account ?? Aws.ACCOUNT_ID },
    statistic,
    period,
  });
}

/** Adds the alarms of a domain. */
export function watchDomain(book: AlarmBook, domain: WatchedDomain, lines: Thresholds): void {
  for (const alarm of [...states(domain, lines), ...storage(domain, lines)]) {
    book.watch({ ...alarm, missing: TreatMissingData.IGNORE });
  }
}

type DomainAlarm = Omit<MetricAlarm, "missing">;

function states(domain: WatchedDomain, lines: Thresholds): DomainAlarm[] {
  const five = Duration.minutes(5);
  const yellowPeriods = Math.max(1, Math.ceil(lines.yellowMinutes / 5));
  return [
    {
      kind: "cluster-red",
      urgency: "page",
      means: "For five minutes at least one primary shard has been missing: writes to its index fail and searches are incomplete.",
      first: "see which: `GET _cat/indices?v&health=red`, then `GET _cluster/allocation/explain`.",
      metric: domainMetric(domain, "ClusterStatus.red", MAXIMUM, Duration.minutes(1)),
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      // A node that restarts is red for seconds.
      datapoints: 5,
      outOf: 5,
    },
    {
      kind: "write-block",
      urgency: "page",
      means: "The domain blocks all writes: storage, memory or its own protection ran out.",
      first: "see which: `GET _cluster/settings?flat_settings` and `GET _cat/allocation?v`.",
      metric: domainMetric(domain, "ClusterIndexWritesBlocked", MAXIMUM, five),
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      datapoints: 1,
      outOf: 1,
    },
    {
      kind: "cluster-yellow",
      urgency: "ticket",
      means: `For ${lines.yellowMinutes} minutes replicas have been missing: one more lost node would lose data of the cluster.`,
      first: "ask why: `GET _cluster/allocation/explain`.",
      metric: domainMetric(domain, "ClusterStatus.yellow", MINIMUM, five),
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      datapoints: yellowPeriods,
      outOf: yellowPeriods,
    },
    {
      kind: "jvm-pressure",
      urgency: "ticket",
      means: `A node has had ${lines.jvmPercent} % JVM memory pressure for 15 minutes; the domain blocks writes after 30 minutes over 92 %.`,
      first: "see what fills it: `GET _nodes/stats/breaker` and `GET _cat/shards?v` (too many shards?), then heavy searches.",
      metric: domainMetric(domain, "JVMMemoryPressure", MAXIMUM, five),
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: lines.jvmPercent,
      datapoints: 3,
      outOf: 3,
    },
  ];
}

function storage(domain: WatchedDomain, lines: Thresholds): DomainAlarm[] {
  const { volumeGib } = domain;
  const pageMib = pageFreeMib(volumeGib, lines.pageFreePercent);
  // The service publishes it per node: the minimum is the fullest one.
  const metric = domainMetric(domain, "FreeStorageSpace", MINIMUM, Duration.minutes(5));
  const shared = { metric, comparison: LESS_THAN_OR_EQUAL_TO_THRESHOLD, datapoints: 3, outOf: 3 };
  return [
    {
      ...shared,
      kind: "storage-page",
      urgency: "page",
      means: `The fullest data node has less than ${Math.round(pageMib / 1024)} of its ${volumeGib} GiB free; soon the domain blocks writes.`,
      first: "see what grew: `GET _cat/allocation?v` and `GET _cat/indices?v&s=store.size:desc`.",
      threshold: pageMib,
    },
    {
      ...shared,
      kind: "storage-ticket",
      urgency: "ticket",
      means: `The fullest data node has less than ${lines.ticketFreePercent} % of its ${volumeGib} GiB free; replay sends nothing back under 25 %.`,
      first: "compare the growth per day with the lifecycle: `GET _cat/indices?v&s=store.size:desc`.",
      threshold: ticketFreeMib(volumeGib, lines.ticketFreePercent),
    },
  ];
}
