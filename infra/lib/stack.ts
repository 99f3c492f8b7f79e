/**
 * [`SekishoStack`]: the whole of Sekisho in one stack.
 */
import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";

import { AccessLogBucket } from "./access-log-bucket.js";
import { Apply } from "./apply.js";
import { ConfigBucket } from "./config-bucket.js";
import type { SekishoFunction } from "./function.js";
import { Lane, type LaneOptions } from "./lane.js";
import { accountOf, LogBucket } from "./log-bucket.js";
import { declaredSources, Monitoring } from "./monitoring/index.js";
import { Network } from "./network.js";
import { connect, overlap } from "./notifications.js";
import type { MonitoringOptions, SekishoProps } from "./props.js";
import { QuarantineBucket } from "./quarantine-bucket.js";
import { isExisting, SearchDomain } from "./search-domain.js";
import { merge, type Settings } from "./settings.js";

/** Properties of [`SekishoStack`]. */
export interface SekishoStackProps extends StackProps, SekishoProps {}

const LANE = "main";
/** How many bulk writers a data node gets by default; the functions find their own pace below that. */
const WRITERS_PER_NODE = 5;
/** SQS takes no less. */
const LEAST_CONCURRENCY = 2;
/** What only the stack can know; a value here would cut a wire. */
const OWN: readonly (readonly [keyof Settings, string])[] = [
  ["queue", "url"],
  ["queue", "dead_letter_url"],
  ["quarantine", "bucket"],
  ["bundles", "bucket"],
  ["s3", "input_buckets"],
  ["s3", "roles"],
  ["metrics", "sources"],
];

/** From a bucket that logs land in to a domain that holds them as documents. */
export class SekishoStack extends Stack {
  /** The installation's name in metrics: `index.prefix` without its trailing `-`, or `sekisho`. */
  readonly installation: string;
  /** The operator's settings. */
  readonly settings: Settings;
  /** The VPC, where there is one. */
  readonly network?: Network;
  /** The buckets that logs land in. */
  readonly logs: readonly LogBucket[];
  /** Where S3 writes down who asked the buckets for what. */
  readonly accessLogs: AccessLogBucket;
  /** What could not be indexed, and why messages failed. */
  readonly quarantine: QuarantineBucket;
  /** What operators publish. */
  readonly config: ConfigBucket;
  /** The queues with their functions; at least one. */
  readonly lanes: readonly Lane[];
  /** Sets the cluster up. */
  readonly apply: Apply;
  /** Where documents go. */
  readonly search: SearchDomain;
  /** Alarms, their topics and the dashboard; none where they are turned off. */
  readonly monitoring?: Monitoring;

  constructor(scope: Construct, id: string, props: SekishoStackProps = {}) {
    super(scope, id, props);
    this.settings = props.settings ?? {};
    refuseOwn(this.settings);
    const prefix = this.settings.index?.prefix ?? "";
    this.installation = prefix.replace(/-$/, "") || "sekisho";
    this.network = this.makeNetwork(props);
    this.accessLogs = new AccessLogBucket(this, "AccessLogs");
    this.quarantine = new QuarantineBucket(this, "Quarantine", { accessLogs: this.accessLogs.bucket });
    this.config = new ConfigBucket(this, "Config", { accessLogs: this.accessLogs.bucket });
    this.logs = this.makeLogs(props);
    this.lanes = this.makeLanes(props);
    const functions = { functions: props.functions ?? {}, network: this.network?.functions };
    this.apply = new Apply(this, "Apply", functions);
    this.search = new SearchDomain(this, "Search", {
      options: props.domain ?? {},
      prefix,
      network: this.network,
      apply: this.apply,
      writers: this.lanes.map((lane) => lane.ingest),
      askers: this.lanes.map((lane) => lane.replay),
    });
    this.wire(watchedSources(props));
    if (props.monitoring !== false) {
      this.monitoring = this.watch(props.monitoring ?? {});
    }
    this.apply.runAfter(this.search);
    this.say();
  }

  /** All functions. */
  get functions(): SekishoFunction[] {
    return [...this.lanes.flatMap((lane) => [lane.ingest, lane.replay]), this.apply];
  }

  private makeNetwork(props: SekishoProps): Network | undefined {
    const isPublic = props.domain !== undefined && isExisting(props.domain) && props.network === undefined;
    if (isPublic) {
      return undefined;
    }
    const foreign = (props.logs?.import ?? []).flatMap((bucket) => bucket.role?.roleArn ?? []);
    return new Network(this, "Network", {
      options: props.network ?? {},
      foreignAccounts: [...new Set(foreign.map((arn) => accountOf(arn)))],
    });
  }

  private makeLogs(props: SekishoProps): LogBucket[] {
    const imported = props.logs?.import ?? [];
    const created = props.logs?.create ?? (imported.length === 0 ? [{}] : []);
    const accessLogs = this.accessLogs.bucket;
    // The first keeps its plain name when a second is added: another name would be another bucket.
    const name = (index: number): string => (index === 0 ? "" : String(index + 1));
    return [
      ...created.map((options, index) => new LogBucket(this, `Logs${name(index)}`, { options, accessLogs })),
      ...imported.map((bucket) => new LogBucket(this, `Logs-${bucket.bucketName}`, { imported: bucket, accessLogs })),
    ];
  }

  private makeLanes(props: SekishoProps): Lane[] {
    const wanted: readonly LaneOptions[] = props.lanes ?? [{ name: LANE }];
    const clash = overlap(wanted.map((lane) => ({ laneName: lane.name, prefixes: lane.prefixes ?? [] })));
    if (clash !== undefined) {
      throw new Error(`two lanes would take the same keys: ${clash}; a key belongs to one lane`);
    }
    const maxConcurrency = share(props.domain?.dataNodes, wanted.length);
    return wanted.map(
      (lane) =>
        new Lane(this, `Lane-${lane.name}`, {
          ...lane,
          maxConcurrency: lane.maxConcurrency ?? maxConcurrency,
          functions: props.functions ?? {},
          network: this.network?.functions,
          settings: this.settings,
        }),
    );
  }

  private wire(sources: readonly string[]): void {
    for (const lane of this.lanes) {
      this.quarantine.grantIngest(lane.ingest);
      this.quarantine.grantReplay(lane.replay);
      this.config.grantRead(lane.ingest);
      for (const log of this.logs) {
        log.grantRead(lane);
      }
    }
    this.config.grantRead(this.apply);
    for (const log of this.logs) {
      connect(log, this.lanes);
    }
    const cluster: Settings = { opensearch: { url: `https://${this.search.endpoint}`, auth: "sigv4" } };
    const roles = Object.assign({}, ...this.logs.map((log) => log.settings.s3?.roles ?? {})) as Record<string, string>;
    const input_buckets = this.logs.map((log) => log.bucket.bucketName);
    const inputs: Settings = { s3: { input_buckets, ...(Object.keys(roles).length === 0 ? {} : { roles }) } };
    for (const lane of this.lanes) {
      const watched: Settings = sources.length === 0 ? {} : { metrics: { sources } };
      lane.ingest.set(merge(cluster, inputs, watched, this.settings));
      lane.replay.set(merge(cluster, inputs, this.settings));
    }
    this.apply.set(merge(cluster, this.search.lifecycle, this.access(), this.settings));
  }

  /** Which role of AWS has which role of the cluster. */
  private access(): Settings {
    const given = this.settings.access;
    return {
      access: {
        ingest_roles: this.lanes.map((lane) => lane.ingest.role.roleArn),
        replay_roles: this.lanes.map((lane) => lane.replay.role.roleArn),
        apply_roles: [this.apply.role.roleArn, ...(given?.apply_roles ?? [])],
      },
    };
  }

  private watch(options: MonitoringOptions): Monitoring {
    return new Monitoring(this, "Monitoring", {
      ...options,
      installation: this.installation,
      lanes: this.lanes.map((lane) => ({
        name: lane.laneName,
        queue: lane.queues.queue,
        deadLetterQueue: lane.queues.deadLetters,
        ingest: lane.ingest.function,
        replay: lane.replay.function,
      })),
      apply: this.apply.function,
      domain: { domainName: this.search.domainName, volumeGib: this.search.volumeGib },
    });
  }

  private say(): void {
    const output = (id: string, description: string, value: string): void => {
      new CfnOutput(this, id, { description, value });
    };
    for (const [index, log] of this.logs.entries()) {
      output(`LogBucket${index + 1}`, "Logs go here", log.bucket.bucketName);
    }
    output("Endpoint", "The cluster", `https://${this.search.endpoint}`);
    output("ApplyFunction", "Sets the cluster up again when invoked", this.apply.function.functionName);
    output("QuarantineBucket", "Records that could not be indexed", this.quarantine.bucket.bucketName);
    output("ConfigBucket", "What operators publish", this.config.bucket.bucketName);
    for (const lane of this.lanes) {
      output(`Queue-${lane.laneName}`.replaceAll("-", ""), `The queue of lane ${lane.laneName}`, lane.queues.queue.queueUrl);
    }
  }
}

function refuseOwn(settings: Settings): void {
  for (const [group, name] of OWN) {
    const values = settings[group] as Readonly<Record<string, unknown>> | undefined;
    if (values?.[name] !== undefined) {
      throw new Error(`\`settings.${group}.${name}\` is set by the stack; leave it out`);
    }
  }
}

/** Sources that alarms watch need metrics of their own. */
function watchedSources(props: SekishoProps): string[] {
  const options = props.monitoring === false ? {} : (props.monitoring ?? {});
  return declaredSources(options.vitalSources, options.silentSources);
}

function share(dataNodes = LEAST_CONCURRENCY, lanes = 1): number {
  return Math.max(LEAST_CONCURRENCY, Math.floor((dataNodes * WRITERS_PER_NODE) / lanes));
}
