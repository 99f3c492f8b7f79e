/**
 * A model of the installation, minute by minute: messages, queues, the ingest function with its brake, replay, the domain; each publishes what its real counterpart publishes.
 *
 * One message is one object. The numbers are those of the code: pauses and brake as `delivery.brake_ms` and `brake_longest_ms` say, ten receives, replay every 15 minutes, three replays for a fault of its own.
 */
import { type MetricName, METRICS, NAMESPACE } from "../../lib/monitoring/metrics.js";
import { ACCOUNT } from "./evaluator.js";
import { Recorder, seriesKey } from "./recorder.js";
import { NAMES, VOLUME_GIB } from "./subject.js";

/** Minutes of an hour. */
export const HOUR = 60;
/** Minutes of a day. */
export const DAY = 24 * HOUR;

/** How one attempt at an object ends. */
export type Attempt =
  | { readonly ends: "written"; readonly raw?: number; readonly quarantined?: number; readonly duplicate?: true; readonly late?: true }
  /** Its message fails for a fault of its own, or of nobody; its records may be read before. */
  | { readonly ends: "failed"; readonly blame: "own" | "nobody" | "hopeless"; readonly denied?: true; readonly held?: true; readonly unbalanced?: true; readonly whole?: true }
  /** The process ends without an answer. */
  | { readonly ends: "crashed" };

/** One message. */
export interface Message {
  readonly source: string;
  readonly records: number;
  readonly sent: number;
  /** How old its events are when it is sent, in seconds. */
  readonly eventAge: number;
  readonly index: number;
  receives: number;
  visible: number;
  replays: number;
  replayed: boolean;
  blame: "own" | "nobody" | "hopeless";
}

/** What a fault changes; everything else goes its usual way. */
export interface Fault {
  /** What arrives in a minute beside or instead of the usual. */
  readonly arrivals?: (minute: number, usual: readonly Arrival[]) => readonly Arrival[];
  /** How an attempt ends. */
  readonly attempt?: (message: Message, minute: number) => Attempt | undefined;
  /** Why the cluster takes nothing at all in this minute. */
  readonly refuses?: (minute: number) => boolean;
  /** Whether ingest is invoked, throttled, or not invoked at all. */
  readonly ingest?: (minute: number) => "runs" | "throttled" | "stopped";
  /** How many objects ingest finishes in a minute. */
  readonly capacity?: (minute: number) => number;
  /** What the domain publishes; `undefined` is nothing. */
  readonly domain?: (minute: number, usual: DomainMetrics) => DomainMetrics | undefined;
  /** Whether replay can do its work. */
  readonly replay?: (minute: number) => boolean;
  /** Runs of apply: minute → whether it fails. */
  readonly apply?: ReadonlyMap<number, boolean>;
}

/** Objects that arrive in a minute. */
export interface Arrival {
  readonly source: string;
  readonly objects: number;
  readonly records?: number;
  readonly eventAge?: number;
}

/** What the domain publishes. */
export interface DomainMetrics {
  readonly red: number;
  readonly yellow: number;
  readonly blocked: number;
  readonly freeMib: number;
  readonly jvm: number;
}

const HEALTHY: DomainMetrics = { red: 0, yellow: 0, blocked: 0, freeMib: VOLUME_GIB * 1024 * 0.5, jvm: 55 };
const RECEIVES = 10;
const REPLAY_EVERY = 15;
const MAX_REPLAYS = 3;
/** What `replay.rate` of 50 a second sends in the four minutes of a run. */
const REPLAY_RUN = 12_000;
const CAPACITY = 600;
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 15;
/** SQS leaves messages out of the age of the oldest that were received this often. */
const COUNTED_RECEIVES = 3;
/** SQS stops publishing for a queue that was idle so long. */
const IDLE = 6 * HOUR;

/** Runs the model for some minutes. */
export function simulate(minutes: number, usual: (minute: number) => readonly Arrival[], fault: Fault = {}): Recorder {
  const world = new World(new Recorder(minutes), usual, fault);
  for (let minute = 0; minute < minutes; minute += 1) {
    world.tick(minute);
  }
  return world.recorder;
}

class World {
  private queue: Message[] = [];
  private dead: Message[] = [];
  private parked = 0;
  private sentObjects = 0;
  /** Since when the process has written nothing, until when it reads nothing, and its last pause. */
  private brake: { since: number; until: number; step: number } | undefined;
  private lastUse = { queue: 0, dead: -Infinity };

  public constructor(
    public readonly recorder: Recorder,
    private readonly usual: (minute: number) => readonly Arrival[],
    private readonly fault: Fault,
  ) {}

  public tick(minute: number): void {
    this.arrive(minute);
    this.runIngest(minute);
    if (minute % REPLAY_EVERY === 0) {
      this.runReplay(minute);
    }
    const applied = this.fault.apply?.get(minute);
    if (applied !== undefined) {
      this.lambda(NAMES.apply, "Errors", minute, Number(applied));
    }
    this.publishQueues(minute);
    this.publishDomain(minute);
  }

  private arrive(minute: number): void {
    const usual = this.usual(minute);
    for (const arrival of this.fault.arrivals?.(minute, usual) ?? usual) {
      for (let object = 0; object < arrival.objects; object += 1) {
        this.sentObjects += 1;
        this.queue.push({
          source: arrival.source,
          records: arrival.records ?? 1000,
          sent: minute,
          eventAge: arrival.eventAge ?? 300,
          index: this.sentObjects,
          receives: 0,
          visible: minute,
          replays: 0,
          replayed: false,
          blame: "nobody",
        });
      }
    }
  }

  private runIngest(minute: number): void {
    // SQS moves a message when it would be received once more than allowed.
    const spent = this.queue.filter((message) => message.visible <= minute && message.receives >= RECEIVES);
    const mode = this.fault.ingest?.(minute) ?? "runs";
    const waiting = this.queue.filter((message) => message.visible <= minute && message.receives < RECEIVES);
    if (mode !== "runs") {
      // The mapping retries what is throttled; nothing is received for good.
      if (mode === "throttled" && waiting.length > 0) {
        this.lambda(NAMES.ingest, "Throttles", minute, 1);
      }
      return;
    }
    this.toDeadLetters(spent, minute);
    const batch = waiting.slice(0, this.fault.capacity?.(minute) ?? CAPACITY);
    if (batch.length === 0) {
      return;
    }
    new Invocation(minute, (name, value, source) => this.own(name, minute, value, source)).work(batch, {
      attempt: (message) => this.attempt(message, minute),
      brake: this.brake,
      crashed: () => this.lambda(NAMES.ingest, "Errors", minute, 1),
      braked: (brake) => {
        this.brake = brake;
      },
    });
    this.lambda(NAMES.ingest, "Errors", minute, 0);
    this.queue = this.queue.filter((message) => message.visible !== -1);
  }

  private attempt(message: Message, minute: number): Attempt {
    if (this.fault.refuses?.(minute) ?? false) {
      return { ends: "failed", blame: "nobody", whole: true };
    }
    return this.fault.attempt?.(message, minute) ?? { ends: "written" };
  }

  private toDeadLetters(spent: readonly Message[], minute: number): void {
    if (spent.length === 0) {
      return;
    }
    const gone = new Set(spent);
    this.queue = this.queue.filter((message) => !gone.has(message));
    for (const message of spent) {
      message.visible = minute;
      this.dead.push(message);
    }
  }

  private runReplay(minute: number): void {
    if (!(this.fault.replay?.(minute) ?? true)) {
      this.lambda(NAMES.replay, "Errors", minute, 1);
      return;
    }
    const domain = this.domain(minute);
    const isReady =
      domain !== undefined && domain.red === 0 && domain.blocked === 0 &&
      domain.freeMib > VOLUME_GIB * 1024 * 0.25 && !(this.fault.refuses?.(minute) ?? false);
    const seen = this.dead.slice(0, REPLAY_RUN);
    let [sent, parked] = [0, 0];
    for (const message of seen) {
      if (message.blame === "hopeless" || (message.blame === "own" && message.replays >= MAX_REPLAYS)) {
        parked += 1;
      } else if (isReady) {
        sent += 1;
        this.queue.push({
          ...message,
          // SQS sees a new message.
          sent: minute,
          receives: 0,
          visible: minute,
          replays: message.replays + Number(message.blame === "own"),
          replayed: true,
        });
      } else {
        continue;
      }
      message.visible = -1;
    }
    this.dead = this.dead.filter((message) => message.visible !== -1);
    this.parked += parked;
    const said = { DeadLetters: seen.length, Replayed: sent, Parked: parked, ParkedWaiting: this.parked, ReplayFailed: 0 };
    for (const [name, value] of Object.entries(said)) {
      this.own(name as MetricName, minute, value);
    }
    this.lambda(NAMES.replay, "Errors", minute, 0);
  }

  private publishQueues(minute: number): void {
    const counted = this.queue.filter((message) => message.receives < COUNTED_RECEIVES);
    const oldest = counted.reduce((oldest, message) => Math.min(oldest, message.sent), minute);
    if (this.queue.length > 0) {
      this.lastUse.queue = minute;
    }
    if (minute - this.lastUse.queue < IDLE) {
      this.sqs(NAMES.queue, "ApproximateAgeOfOldestMessage", minute, (minute - oldest) * 60);
    }
    if (this.dead.length > 0) {
      this.lastUse.dead = minute;
    }
    if (minute - this.lastUse.dead < IDLE) {
      this.sqs(NAMES.deadLetters, "ApproximateNumberOfMessagesVisible", minute, this.dead.length);
      this.sqs(NAMES.deadLetters, "ApproximateNumberOfMessagesNotVisible", minute, 0);
    }
  }

  private domain(minute: number): DomainMetrics | undefined {
    return this.fault.domain === undefined ? HEALTHY : this.fault.domain(minute, HEALTHY);
  }

  private publishDomain(minute: number): void {
    const domain = this.domain(minute);
    if (domain === undefined) {
      return;
    }
    const dimensions = { DomainName: NAMES.domain, ClientId: ACCOUNT };
    const put = (metric: string, value: number): void =>
      this.recorder.put(seriesKey("AWS/ES", metric, dimensions), minute, value);
    put("ClusterStatus.red", domain.red);
    put("ClusterStatus.yellow", domain.yellow);
    put("ClusterIndexWritesBlocked", domain.blocked);
    put("FreeStorageSpace", domain.freeMib);
    put("JVMMemoryPressure", domain.jvm);
  }

  private own(name: MetricName, minute: number, value: number, source?: string): void {
    const installation = { Installation: NAMES.installation };
    const dimensions = METRICS[name].dimensions === "Installation" ? installation : { ...installation, Source: source ?? "other" };
    this.recorder.put(seriesKey(NAMESPACE, name, dimensions), minute, value);
  }

  private lambda(name: string, metric: string, minute: number, value: number): void {
    this.recorder.put(seriesKey("AWS/Lambda", metric, { FunctionName: name }), minute, value);
  }

  private sqs(name: string, metric: string, minute: number, value: number): void {
    this.recorder.put(seriesKey("AWS/SQS", metric, { QueueName: name }), minute, value);
  }
}

type Brake = { since: number; until: number; step: number } | undefined;

interface Hands {
  readonly attempt: (message: Message) => Attempt;
  readonly brake: Brake;
  readonly crashed: () => void;
  readonly braked: (brake: Brake) => void;
}

/** What ingest does with the messages of one minute, as `Ingest::work` does: nothing, one as a probe, or all. */
class Invocation {
  private readonly counts = new Map<MetricName, number>();

  public constructor(
    private readonly minute: number,
    private readonly put: (name: MetricName, value: number, source?: string) => void,
  ) {
    for (const [name, metric] of Object.entries(METRICS)) {
      const sampled = name.endsWith("Delay") || name.endsWith("Milliseconds");
      if (metric.writer === "ingest" && metric.dimensions === "Installation" && !sampled) {
        this.counts.set(name as MetricName, 0);
      }
    }
  }

  public work(batch: readonly Message[], hands: Hands): void {
    let brake = hands.brake;
    const holds = brake !== undefined && brake.until > this.minute;
    const probes = brake !== undefined && !holds;
    const tried = holds ? 0 : batch.length;
    let [refused, taken] = [false, false];
    for (const [place, message] of batch.entries()) {
      message.receives += 1;
      if (place >= tried || (refused && (probes || place > 100))) {
        this.giveBack(message, "nobody");
        continue;
      }
      const end = hands.attempt(message);
      if (end.ends === "crashed") {
        // Nobody hides its message or counts anything: it comes again after the queue's visibility timeout, worked on alone.
        hands.crashed();
        message.visible = this.minute + 30;
        message.blame = "own";
        continue;
      }
      refused ||= end.ends === "failed" && end.whole === true;
      taken ||= end.ends === "written";
      this.end(message, end);
    }
    if (refused && !taken) {
      const step = Math.min(brake === undefined ? FIRST_PAUSE : brake.step * 2, LONGEST_PAUSE);
      brake = { since: brake?.since ?? this.minute, until: this.minute + step, step };
    } else if (taken) {
      brake = undefined;
    }
    hands.braked(brake);
    this.hide(batch, brake);
    this.add("BrakedSeconds", brake === undefined ? 0 : Math.max(1, (this.minute - brake.since) * 60));
    for (const [name, value] of this.counts) {
      this.put(name, value);
    }
  }

  private end(message: Message, end: Exclude<Attempt, { ends: "crashed" }>): void {
    this.add("Objects", 1);
    if (end.ends === "failed") {
      this.add("ObjectsFailed", 1);
      this.add("PermissionDenied", Number(end.denied ?? false));
      this.add("BundlesRefused", Number(end.held ?? false));
      this.add("ObjectsUnbalanced", Number(end.unbalanced ?? false));
      this.giveBack(message, end.blame);
      return;
    }
    const { raw = 0, quarantined = 0 } = end;
    const rest = message.records - raw - quarantined;
    this.add("Records", message.records);
    this.add("Raw", end.duplicate ? 0 : raw);
    this.add("Quarantined", quarantined);
    this.add(end.duplicate ? "Duplicate" : "Indexed", rest);
    this.put("SourceRecords", message.records, message.source);
    this.put("SourceRaw", end.duplicate ? 0 : raw, message.source);
    const waited = (this.minute - message.sent) * 60 + 30;
    if (!message.replayed && end.duplicate === undefined) {
      this.put("DeliveryDelay", waited);
      this.put("EventDelay", waited + message.eventAge);
    }
    message.visible = -1;
  }

  private giveBack(message: Message, blame: Message["blame"]): void {
    this.add("MessagesFailed", 1);
    message.blame = blame;
    message.visible = this.minute + 1;
  }

  /** Doubles with each receive, spread by up to a half; no earlier than the brake allows. */
  private hide(batch: readonly Message[], brake: Brake): void {
    for (const message of batch) {
      if (message.visible !== this.minute + 1) {
        continue;
      }
      const spread = 1 + (message.index % 8) / 16;
      const pause = Math.min(FIRST_PAUSE * 2 ** (message.receives - 1), LONGEST_PAUSE);
      const atLeast = brake === undefined ? 0 : Math.max(0, brake.until - this.minute);
      message.visible = this.minute + Math.max(1, Math.round(Math.max(pause, atLeast) * spread));
    }
  }

  private add(name: MetricName, value: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + value);
  }
}
