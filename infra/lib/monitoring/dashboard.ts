/**
 * The dashboard: what a person looks at first, from "is something wrong" down to "what does it cost".
 */
import { Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { domainMetric } from "./alarms-cluster.js";
import { installationMetric, MAXIMUM, MINIMUM, type MetricName, NAMESPACE, SUM } from "./metrics.js";
import type { WatchedDomain, WatchedLane } from "./subjects.js";

/** What the dashboard shows. */
export interface MonitoringDashboardProps {
  readonly installation: string;
  readonly lanes: readonly WatchedLane[];
  readonly domain: WatchedDomain;
  readonly alarms: Alarm[];
}

const PERIOD = Duration.minutes(5);
const WIDTH = 12;
const HEIGHT = 6;

/** The dashboard of one installation, of the same name. */
export class MonitoringDashboard extends Construct {
  /** The dashboard itself. */
  public readonly dashboard: Dashboard;

  public constructor(scope: Construct, id: string, props: MonitoringDashboardProps) {
    super(scope, id);
    this.dashboard = new Dashboard(this, "Dashboard", {
      dashboardName: props.installation,
      defaultInterval: Duration.days(1),
      widgets: [
        [new AlarmStatusWidget({ title: "Alarms", alarms: props.alarms, width: 2 * WIDTH, height: HEIGHT })],
        records(props),
        queues(props),
        writing(props),
        cluster(props),
        sources(props),
        costs(props),
      ],
    });
  }
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): IWidget {
  return new GraphWidget({ title, left, right, width: WIDTH, height: HEIGHT, leftYAxis: { min: 0 } });
}

function own(props: MonitoringDashboardProps, statistic: string, ...names: MetricName[]): IMetric[] {
  return names.map((name) =>
    installationMetric(props.installation, name, { statistic, period: PERIOD, label: label(name, statistic) }),
  );
}

function label(name: string, statistic: string): string {
  return statistic === SUM ? name : `${name} ${statistic}`;
}

function records(props: MonitoringDashboardProps): IWidget[] {
  return [
    graph("Where records end", own(props, SUM, "Indexed", "Raw", "Duplicate", "Excluded", "Quarantined")),
    graph("Freshness: seconds from the S3 event (live objects), and from the event itself", [
      ...own(props, "p50", "DeliveryDelay"),
      ...own(props, MAXIMUM, "DeliveryDelay"),
    ], own(props, "p50", "EventDelay")),
  ];
}

function queues(props: MonitoringDashboardProps): IWidget[] {
  const of = (queue: WatchedLane["queue"], name: string): IMetric =>
    queue.metricApproximateNumberOfMessagesVisible({ statistic: MAXIMUM, period: PERIOD, label: name });
  return [
    graph(
      "Queues: messages waiting, and the oldest's seconds",
      props.lanes.map((lane) => of(lane.queue, lane.name)),
      props.lanes.map((lane) =>
        lane.queue.metricApproximateAgeOfOldestMessage({
          statistic: MAXIMUM,
          period: PERIOD,
          label: `${lane.name} oldest`,
        }),
      ),
    ),
    graph(
      "Dead letters: waiting, found, sent back, parked",
      [...props.lanes.map((lane) => of(lane.deadLetterQueue, `${lane.name} dead letters`)), ...own(props, SUM, "DeadLetters", "Replayed", "Parked")],
      own(props, MAXIMUM, "ParkedWaiting"),
    ),
  ];
}

function writing(props: MonitoringDashboardProps): IWidget[] {
  return [
    graph("Bulk requests: milliseconds", own(props, "p50", "BulkMilliseconds").concat(own(props, "p99", "BulkMilliseconds")), own(props, MAXIMUM, "BulkInFlight")),
    graph("Refusals, failures, brake", own(props, SUM, "BulkRejected", "PermissionDenied", "ObjectsFailed", "MessagesFailed"), own(props, MAXIMUM, "BrakedSeconds")),
  ];
}

function cluster(props: MonitoringDashboardProps): IWidget[] {
  const metric = (name: string, statistic: string): IMetric => domainMetric(props.domain, name, statistic, PERIOD);
  return [
    graph(
      "Cluster: health, blocks, memory",
      [metric("ClusterStatus.red", MAXIMUM), metric("ClusterStatus.yellow", MAXIMUM), metric("ClusterIndexWritesBlocked", MAXIMUM)],
      [metric("JVMMemoryPressure", MAXIMUM), metric("CPUUtilization", MAXIMUM)],
    ),
    graph("Storage: free MiB of the fullest node", [metric("FreeStorageSpace", MINIMUM)], [metric("ThreadpoolWriteQueue", MAXIMUM)]),
  ];
}

function sources(props: MonitoringDashboardProps): IWidget[] {
  const each = (name: "SourceRecords" | "SourceRaw"): string =>
    `SEARCH('{${NAMESPACE},Installation,Source} MetricName="${name}" Installation="${props.installation}"', 'Sum', 300)`;
  const search = (expression: string): IMetric =>
    new MathExpression({ expression, usingMetrics: {}, period: PERIOD, label: "" });
  return [
    graph("Records per source", [search(each("SourceRecords"))]),
    graph("Raw records per source", [search(each("SourceRaw"))]),
  ];
}

function costs(props: MonitoringDashboardProps): IWidget[] {
  const duration = { statistic: SUM, period: PERIOD };
  return [
    graph(
      "What Lambda bills: milliseconds",
      props.lanes.flatMap((lane) => [
        lane.ingest.metricDuration({ ...duration, label: `${lane.name} ingest` }),
        lane.replay.metricDuration({ ...duration, label: `${lane.name} replay` }),
      ]),
      props.lanes.map((lane) => lane.ingest.metricInvocations({ ...duration, label: `${lane.name} ingest invocations` })),
    ),
    graph("Bytes stored in S3 and unpacked", own(props, SUM, "BytesStored", "BytesRead"), own(props, SUM, "Objects")),
  ];
}
