/**
 * [`Lane`]: a queue with functions of its own, so that one source's flood does not delay another.
 */
import { Duration } from "aws-cdk-lib";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";

import { defaultNumber } from "./defaults.js";
import { type FunctionNetwork, type FunctionOptions, SekishoFunction } from "./function.js";
import { Queues } from "./queues.js";
import { ReplaySchedule } from "./replay-schedule.js";
import type { Settings } from "./settings.js";

/** What a lane is made of. */
export interface LaneOptions {
  /** Its name: lower-case letters, digits and `-`. */
  readonly name: string;
  /** The key prefixes that go into it; no prefix may start with one of another lane. @default - every key that no other lane takes */
  readonly prefixes?: readonly string[];
  /** How many ingest functions work at once, from 2 to 1,000. @default - the lane's share of what the cluster takes */
  readonly maxConcurrency?: number;
  /** How many messages one invocation gets at most. @default 100 */
  readonly batchSize?: number;
  /** How long SQS waits for a batch to fill, in seconds, up to 300. @default 10 */
  readonly batchWindowSeconds?: number;
  /** The memory of the ingest function in MB. @default 1769, one whole processor */
  readonly memoryMb?: number;
  /** How long one invocation may take, in seconds, up to 900. @default 300 */
  readonly timeoutSeconds?: number;
  /** How often dead letters are looked at, in minutes. @default 15 */
  readonly replayMinutes?: number;
}

/** Properties of [`Lane`]. */
export interface LaneProps extends LaneOptions {
  /** How many ingest functions work at once. */
  readonly maxConcurrency: number;
  /** What all functions share. */
  readonly functions: FunctionOptions;
  /** The VPC of the functions. @default - none */
  readonly network?: FunctionNetwork;
  /** The operator's settings, for the queue. */
  readonly settings: Settings;
}

/** One whole processor; the pipeline is one stream of CPU work beside its waiting. */
const MEMORY_MB = 1769;
const REPLAY_MEMORY_MB = 512;
const TIMEOUT_SECONDS = 300;
const BATCH_SIZE = 100;
const BATCH_WINDOW_SECONDS = 10;
const REPLAY_MINUTES = 15;

/**
 * A queue, its dead-letter queue, the ingest function that reads it and the replay function that empties the other.
 *
 * The setting `queue.url` is one queue, where continuations go: so each lane has functions of its own, from the same code.
 */
export class Lane extends Construct {
  /** Its name. */
  readonly laneName: string;
  /** The key prefixes that go into it; empty: every key. */
  readonly prefixes: readonly string[];
  /** Its queues. */
  readonly queues: Queues;
  /** Reads the queue. */
  readonly ingest: SekishoFunction;
  /** Sends dead letters back. */
  readonly replay: SekishoFunction;
  /** How often replay runs. */
  readonly replayInterval: Duration;

  constructor(scope: Construct, id: string, props: LaneProps) {
    super(scope, id);
    this.laneName = props.name;
    this.prefixes = props.prefixes ?? [];
    const timeout = Duration.seconds(props.timeoutSeconds ?? TIMEOUT_SECONDS);
    const queue = props.settings.queue ?? {};
    this.queues = new Queues(this, "Queues", {
      lane: props.name,
      functionTimeout: timeout,
      maxReceiveCount: queue.max_receive_count ?? defaultNumber("queue", "max_receive_count"),
      retention: Duration.days(queue.retention_days ?? defaultNumber("queue", "retention_days")),
    });
    const functions = { ...props.functions, network: props.network, timeout };
    this.ingest = new SekishoFunction(this, "Ingest", {
      ...functions,
      binary: "sekisho-ingest",
      description: `reads the objects that the queue of lane ${props.name} names`,
      memoryMb: props.memoryMb ?? MEMORY_MB,
    });
    this.replay = new SekishoFunction(this, "Replay", {
      ...functions,
      binary: "sekisho-replay",
      description: `sends the dead letters of lane ${props.name} back`,
      memoryMb: REPLAY_MEMORY_MB,
      // Two would read each other's messages and lose count.
      reservedConcurrency: 1,
    });
    this.replayInterval = Duration.minutes(props.replayMinutes ?? REPLAY_MINUTES);
    new ReplaySchedule(this, "Schedule", { replay: this.replay, every: this.replayInterval });
    this.wire(props);
  }

  private wire(props: LaneProps): void {
    this.queues.grantIngest(this.ingest);
    this.queues.grantReplay(this.replay);
    const url = this.queues.queue.queueUrl;
    this.ingest.set({ queue: { url } });
    this.replay.set({ queue: { url, dead_letter_url: this.queues.deadLetters.queueUrl } });
    const mapping = new CfnEventSourceMapping(this, "Mapping", {
      functionName: this.ingest.function.functionName,
      eventSourceArn: this.queues.queue.queueArn,
      batchSize: props.batchSize ?? BATCH_SIZE,
      maximumBatchingWindowInSeconds: props.batchWindowSeconds ?? BATCH_WINDOW_SECONDS,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: props.maxConcurrency },
    });
    // Lambda tries the role's rights on the queue and its key when the mapping is made.
    mapping.node.addDependency(this.ingest.role);
  }
}
