/**
 * The faults of the README's "What happens when…", each as what it does to the components, and which alarms somebody then hears.
 *
 * A fault says only what breaks: what is published because of it is the simulation's matter.
 */
import { type Attempt, DAY, type DomainMetrics, type Fault, HOUR, type Message } from "./simulation.js";

/** When a fault begins, in minutes; the days before are ordinary. */
export const BEGIN = 4 * HOUR;

/** A fault and the alarms that it fires; every other stays silent. */
export interface Case {
  readonly when: string;
  readonly fault: Fault;
  /** How long the model runs, in minutes. */
  readonly runs: number;
  readonly fires: readonly string[];
}

const failed = (blame: "own" | "nobody" | "hopeless", more: object = {}): Attempt => ({ ends: "failed", blame, ...more });
const during = (length: number) => (minute: number): boolean => minute >= BEGIN && minute < BEGIN + length;

/** One object that is put at the beginning, with what becomes of it each time. */
function oneObject(end: Attempt): Fault {
  return {
    arrivals: (minute, usual) => (minute === BEGIN ? [...usual, { source: "app.one", objects: 1 }] : usual),
    attempt: (message) => (message.source === "app.one" ? end : undefined),
  };
}

/** Every attempt of a source ends so, for some time. */
function sourceEnds(source: string, length: number, end: Attempt): Fault {
  const isTime = during(length);
  return { attempt: (message, minute) => (message.source === source && isTime(minute) ? end : undefined) };
}

function down(length: number, domain?: Partial<DomainMetrics>): Fault {
  const isTime = during(length);
  return {
    refuses: isTime,
    // A cluster that is gone publishes nothing.
    domain: (minute, usual) => (!isTime(minute) ? usual : domain === undefined ? undefined : { ...usual, ...domain }),
  };
}

function domain(length: number, changed: Partial<DomainMetrics>): Fault {
  const isTime = during(length);
  return { domain: (minute, usual) => (isTime(minute) ? { ...usual, ...changed } : usual) };
}

/** Fills up by a tenth of the volume an hour; under 5 % every write is refused, until somebody makes room after six hours. */
function filling(): Fault {
  const free = (minute: number, usual: number): number =>
    minute < BEGIN || minute >= BEGIN + 8 * HOUR ? usual : Math.max(0.04, 0.5 - ((minute - BEGIN) / HOUR) * 0.1) * usual * 2;
  const isFull = (minute: number): boolean => free(minute, 0.5) < 0.05;
  return {
    refuses: isFull,
    domain: (minute, usual) => ({ ...usual, freeMib: free(minute, usual.freeMib), blocked: Number(isFull(minute)) }),
  };
}

function mode(length: number, how: "throttled" | "stopped"): Fault {
  const isTime = during(length);
  return { ingest: (minute) => (isTime(minute) ? how : "runs") };
}

function without(source: string, length: number): Fault {
  const isTime = during(length);
  return {
    arrivals: (minute, usual) => (isTime(minute) ? usual.filter((arrival) => arrival.source !== source) : usual),
  };
}

/** Every message once more, and five times: what was written is there already. */
const REDELIVERED: Fault = {
  arrivals: (minute, usual) =>
    during(6 * HOUR)(minute) ? usual.map((arrival) => ({ ...arrival, objects: arrival.objects * 5 })) : usual,
  attempt: (message, minute) => (during(6 * HOUR)(minute) && message.index % 5 !== 0 ? { ends: "written", duplicate: true } : undefined),
};

/** S3 refuses one source's objects for longer than a message lives in the queue, then everything is well. */
const TRANSIENT: Fault = sourceEnds("aws.vpcflow", 3 * HOUR, failed("nobody"));

const REPLAY_BROKEN: Fault = { ...TRANSIENT, replay: (minute) => !during(7 * HOUR)(minute) };

/** A permission on the logs is gone: every attempt fails for what looks like a fault of the object's own. */
const NO_LOGS: Fault = { attempt: (_message: Message, minute: number) => (during(3 * HOUR)(minute) ? failed("own") : undefined) };

const DENIED: Fault = {
  attempt: (_message, minute) => (during(3 * HOUR)(minute) ? failed("own", { denied: true, whole: true }) : undefined),
};

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [
  { when: "the cluster does not answer for 5 minutes", fault: down(5), runs: DAY, fires: [] },
  { when: "the cluster does not answer for an hour", fault: down(HOUR), runs: DAY, fires: ["brake"] },
  {
    when: "the cluster does not answer for 72 hours",
    fault: down(3 * DAY),
    runs: 4 * DAY,
    fires: ["brake", "dead-letters-main", "freshness"],
  },
  {
    when: "a shard is lost for an hour: one index takes nothing",
    fault: { ...sourceEnds("aws.vpcflow", HOUR, failed("nobody")), ...domain(HOUR, { red: 1 }) },
    runs: DAY,
    fires: ["cluster-red"],
  },
  { when: "a node restarts: 2 minutes red, 40 minutes yellow", fault: { domain: (minute, usual) => (during(40)(minute) ? { ...usual, red: Number(minute < BEGIN + 2), yellow: 1 } : usual) }, runs: DAY, fires: [] },
  { when: "replicas are missing for 3 hours", fault: domain(3 * HOUR, { yellow: 1 }), runs: DAY, fires: ["cluster-yellow"] },
  { when: "the JVM is under pressure for an hour", fault: domain(HOUR, { jvm: 94 }), runs: DAY, fires: ["jvm-pressure"] },
  {
    when: "the cluster fills up to the flood stage, and has room again 4 hours later",
    fault: filling(),
    runs: DAY,
    fires: ["storage-ticket", "storage-page", "write-block", "brake", "freshness"],
  },
  { when: "the domain blocks all writes for an hour", fault: down(HOUR, { blocked: 1 }), runs: DAY, fires: ["write-block", "brake"] },
  { when: "an operator blocks one index for a day", fault: sourceEnds("aws.vpcflow", DAY, failed("nobody")), runs: 2 * DAY, fires: ["objects-keep-failing"] },
  { when: "the shard limit is reached, for 3 hours", fault: down(3 * HOUR, {}), runs: DAY, fires: ["brake", "freshness"] },
  { when: "the role lacks a permission on one index", fault: sourceEnds("aws.waf", 2 * HOUR, failed("own", { denied: true })), runs: DAY, fires: ["permission"] },
  { when: "a published parser cannot be used, for 2 hours", fault: sourceEnds("aws.vpcflow", 2 * HOUR, failed("nobody", { held: true })), runs: DAY, fires: ["bundles"] },
  { when: "the cluster refuses the login, for 3 hours", fault: DENIED, runs: DAY, fires: ["permission", "brake", "freshness"] },
  { when: "an upgrade whose `apply` fails: the templates are missing for an hour", fault: { ...down(HOUR, {}), apply: new Map([[BEGIN, true], [BEGIN + HOUR, false]]) }, runs: DAY, fires: ["apply-failed", "brake"] },
  { when: "nobody may read the logs any more, for 3 hours", fault: NO_LOGS, runs: DAY, fires: ["nothing-finishes", "vital-silent-aws.cloudtrail"] },
  { when: "a poisoned object fails every time", fault: oneObject(failed("own")), runs: DAY, fires: ["parked"] },
  { when: "a continuation makes no progress", fault: oneObject(failed("own")), runs: DAY, fires: ["parked"] },
  { when: "an object is deleted before it was read", fault: oneObject(failed("hopeless")), runs: DAY, fires: ["parked"] },
  { when: "a message cannot be understood", fault: oneObject(failed("hopeless")), runs: DAY, fires: ["parked"] },
  { when: "an object's books do not balance", fault: oneObject(failed("own", { unbalanced: true })), runs: DAY, fires: ["unbalanced", "parked"] },
  { when: "an object ends the process", fault: oneObject({ ends: "crashed" }), runs: 2 * DAY, fires: ["ingest-errors-main", "parked"] },
  { when: "an object is truncated", fault: oneObject({ ends: "written", quarantined: 1 }), runs: DAY, fires: ["quarantined"] },
  { when: "a record is too long, too deep or without an end", fault: oneObject({ ends: "written", quarantined: 1 }), runs: DAY, fires: ["quarantined"] },
  { when: "an index maps a field otherwise: it moves to `other`", fault: oneObject({ ends: "written" }), runs: DAY, fires: [] },
  { when: "a record arrives for a retired index: it goes to `-late`", fault: oneObject({ ends: "written", late: true }), runs: DAY, fires: [] },
  { when: "50 records of an object do not parse", fault: oneObject({ ends: "written", raw: 50 }), runs: DAY, fires: [] },
  {
    when: "the parser of a declared source breaks",
    fault: sourceEnds("aws.waf", 4 * HOUR, { ends: "written", raw: 1000 }),
    runs: DAY,
    fires: ["raw-share", "raw-share-aws.waf"],
  },
  {
    when: "the parser of a large source that is not declared breaks",
    fault: sourceEnds("aws.vpcflow", 4 * HOUR, { ends: "written", raw: 1000 }),
    runs: DAY,
    fires: ["raw-share"],
  },
  {
    when: "the parser of a source breaks that is under 0.5 % of all records and not declared",
    fault: sourceEnds("aws.guardduty", 4 * HOUR, { ends: "written", raw: 50 }),
    runs: DAY,
    fires: [],
  },
  { when: "S3 refuses one source for 3 hours: dead letters, then replayed", fault: TRANSIENT, runs: DAY, fires: [] },
  { when: "replay fails for 7 hours meanwhile", fault: REPLAY_BROKEN, runs: DAY, fires: ["replay-errors-main", "dead-letters-main"] },
  { when: "SQS delivers everything five times for 6 hours", fault: REDELIVERED, runs: DAY, fires: [] },
  {
    when: "a backfill (`sekisho load`) takes half of the cluster for 12 hours",
    fault: { capacity: (minute) => (during(12 * HOUR)(minute) ? 100 : 600) },
    runs: DAY,
    fires: [],
  },
  {
    when: "objects with events of last year are put",
    fault: { arrivals: (minute, usual) => (during(6 * HOUR)(minute) ? usual.map((arrival) => ({ ...arrival, eventAge: 365 * 86_400 })) : usual) },
    runs: DAY,
    fires: [],
  },
  {
    when: "the cluster is slow: for 6 hours less is written than arrives",
    fault: { capacity: (minute) => (during(6 * HOUR)(minute) ? 2 : 600) },
    runs: DAY,
    fires: ["queue-old-main", "freshness"],
  },
  { when: "ingest is throttled for 10 minutes", fault: mode(10, "throttled"), runs: DAY, fires: [] },
  {
    when: "ingest is throttled altogether for 4 hours",
    fault: mode(4 * HOUR, "throttled"),
    runs: DAY,
    fires: ["ingest-throttles-main", "vital-silent-aws.cloudtrail", "queue-old-main", "freshness"],
  },
  {
    when: "the event source mapping is disabled for 4 hours",
    fault: mode(4 * HOUR, "stopped"),
    runs: DAY,
    fires: ["vital-silent-aws.cloudtrail", "queue-old-main", "freshness"],
  },
  { when: "a vital source falls silent for 3 hours", fault: without("aws.cloudtrail", 3 * HOUR), runs: DAY, fires: ["vital-silent-aws.cloudtrail"] },
  { when: "another declared source falls silent for a day", fault: without("aws.waf", DAY), runs: 2 * DAY, fires: ["source-silent-aws.waf"] },
  { when: "a source that is not declared falls silent for a day", fault: without("aws.vpcflow", DAY), runs: 2 * DAY, fires: [] },
];
