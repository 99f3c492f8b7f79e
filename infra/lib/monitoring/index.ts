/**
 * Watches an installation: two topics, the alarms that matter, one dashboard.
 *
 * `RUNBOOK.md` has a section for each kind of alarm, and the table of which fault fires which.
 */
import type { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { AlarmBook } from "./alarm-book.js";
import { watchDomain } from "./alarms-cluster.js";
import { watchDelivery, watchLane } from "./alarms-delivery.js";
import { watchApply, watchFailing, watchLaneFunctions } from "./alarms-functions.js";
import { type SilenceIntervals, watchOutcomes, watchRaw, watchSilence } from "./alarms-records.js";
import { MonitoringDashboard } from "./dashboard.js";
import { MAX_SOURCES } from "./metrics.js";
import type { WatchedDomain, WatchedLane } from "./subjects.js";
import { THRESHOLDS, type Thresholds } from "./thresholds.js";
import { AlarmTopics, type AlarmTopicsProps } from "./topics.js";

export type { SilenceIntervals } from "./alarms-records.js";
export type { WatchedDomain, WatchedLane } from "./subjects.js";
export { THRESHOLDS, type Thresholds } from "./thresholds.js";
export { AlarmTopics, type AlarmTopicsProps } from "./topics.js";

/** What is watched, and who hears of it. */
export interface MonitoringProps {
  /** The dimension `Installation` of our metrics: `index.prefix` without its last `-`. Default: `sekisho`. */
  readonly installation?: string;
  /** Every lane: its queues and functions. */
  readonly lanes: readonly WatchedLane[];
  /** Sets up the cluster. Default: nothing does. */
  readonly apply?: IFunction;
  readonly domain: WatchedDomain;
  /** Who hears of alarms. Default: two new topics that nobody has subscribed to. */
  readonly topics?: AlarmTopicsProps;
  /** Other lines than the defaults. */
  readonly thresholds?: Partial<Thresholds>;
  /** Sources whose silence wakes somebody: dataset → minutes (30 and more). Default: none. */
  readonly vitalSources?: SilenceIntervals;
  /** Sources whose silence is a ticket: dataset → minutes (30 and more). Default: none. */
  readonly silentSources?: SilenceIntervals;
  /** Kinds of alarms to leave out, like `cluster-yellow` for a domain of one node. Default: none. */
  readonly without?: readonly string[];
  /** The address of the runbook in alarm texts. Default: its path in the repository. */
  readonly runbook?: string;
}

/** Topics, alarms and dashboard of one installation. */
export class Monitoring extends Construct {
  /** Where alarms are told. */
  public readonly topics: AlarmTopics;
  /** Every alarm by its name without the installation, like `queue-old-main`. */
  public readonly alarms: ReadonlyMap<string, Alarm>;
  /** What a person looks at. */
  public readonly dashboard: MonitoringDashboard;

  public constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const installation = props.installation ?? "sekisho";
    const lines = { ...THRESHOLDS, ...props.thresholds };
    const vital = props.vitalSources ?? {};
    const silent = props.silentSources ?? {};
    const declared = declaredSources(vital, silent);
    this.topics = new AlarmTopics(this, "Topics", props.topics);
    const book = new AlarmBook(this, {
      installation,
      topics: this.topics,
      runbook: props.runbook ?? "infra/RUNBOOK.md",
      without: props.without ?? [],
    });
    for (const lane of props.lanes) {
      watchLane(book, lane, lines);
      watchLaneFunctions(book, lane);
    }
    watchDelivery(book, installation, lines);
    watchDomain(book, props.domain, lines);
    watchOutcomes(book, installation);
    watchRaw(book, installation, declared, lines);
    watchSilence(book, installation, "vital-silent", vital, lines);
    watchSilence(book, installation, "source-silent", silent, lines);
    watchFailing(book, installation, lines);
    if (props.apply !== undefined) {
      watchApply(book, props.apply);
    }
    book.close();
    this.alarms = book.alarms;
    this.dashboard = new MonitoringDashboard(this, "Dashboard", { ...props, installation, alarms: [...book.alarms.values()] });
  }
}

/**
 * Gives the sources that are watched each for itself.
 *
 * They must be the setting `metrics.sources` of ingest, or they would be counted as `other` and their alarms be blind.
 */
export function declaredSources(vital: SilenceIntervals = {}, silent: SilenceIntervals = {}): string[] {
  const twice = Object.keys(vital).find((dataset) => dataset in silent);
  if (twice !== undefined) {
    throw new Error(`\`${twice}\` is in \`vitalSources\` and in \`silentSources\`; leave it in one`);
  }
  const declared = [...Object.keys(vital), ...Object.keys(silent)];
  if (declared.length > MAX_SOURCES) {
    throw new Error(`${declared.length} sources are watched each for itself; only ${MAX_SOURCES} have metrics of their own`);
  }
  return declared;
}
