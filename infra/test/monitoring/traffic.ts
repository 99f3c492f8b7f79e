/**
 * What arrives on ordinary days, and the small troubles of an ordinary fortnight.
 */
import { type Arrival, type Attempt, DAY, type DomainMetrics, type Fault, HOUR, type Message } from "./simulation.js";

/** Gives the usual traffic, starting so many minutes after Monday 00:00. */
export function usual(start: number): (minute: number) => readonly Arrival[] {
  return (minute) => {
    const now = minute + start;
    const hour = Math.floor((now % DAY) / HOUR);
    const isWork = now % (7 * DAY) < 5 * DAY && hour >= 6 && hour < 20;
    const arrivals: Arrival[] = [];
    // CloudTrail delivers about every five minutes, day and night: that is why its silence can be an alarm.
    if (now % 5 === 0) {
      arrivals.push({ source: "aws.cloudtrail", objects: isWork ? 6 : 1 });
    }
    if (isWork && now % 5 === 1) {
      arrivals.push({ source: "aws.vpcflow", objects: 20 });
    }
    if (isWork ? now % 5 === 2 : now % (6 * HOUR) === 0) {
      arrivals.push({ source: "aws.waf", objects: 3 });
    }
    // A small source, once in ten minutes.
    if (isWork && now % 10 === 3) {
      arrivals.push({ source: "aws.guardduty", objects: 1, records: 50 });
    }
    // The nightly batch.
    if (now % DAY === 2 * HOUR) {
      arrivals.push({ source: "aws.config", objects: 2000 });
    }
    return arrivals;
  };
}

/** The small troubles of an ordinary fortnight, none of which anybody has to hear of. */
export const ORDINARY: Fault = {
  attempt: (message: Message, minute: number): Attempt | undefined => {
    // S3 answers 503 now and then; the next try succeeds.
    if (message.index % 500 === 0 && message.receives === 1) {
      return { ends: "failed", blame: "nobody" };
    }
    // SQS delivers something twice, and a few records of every object of one source are of no known form.
    if (message.index % 300 === 0) {
      return { ends: "written", duplicate: true };
    }
    // One cluster write fails for a moment on Wednesday: the brake closes for half a minute.
    if (minute === 2 * DAY + 11 * HOUR + 2 && message.receives === 1) {
      return { ends: "failed", blame: "nobody", whole: true };
    }
    return message.source === "aws.waf" && message.index % 10 === 0 ? { ends: "written", raw: 2 } : undefined;
  },
  domain: (minute: number, healthy: DomainMetrics): DomainMetrics | undefined => {
    const time = minute % DAY;
    // The service misses a minute, takes a snapshot under load, restarts a node on Tuesday night, and replaces all nodes on Thursday night.
    if (time === 7 * HOUR) {
      return undefined;
    }
    if (minute >= DAY && minute < DAY + 40) {
      return { ...healthy, red: Number(minute < DAY + 2), yellow: 1 };
    }
    return { ...healthy, jvm: time < HOUR ? 80 : 40 + (minute % 30), freeMib: healthy.freeMib - minute * 3 };
  },
  replay: (minute: number): boolean => minute !== 5 * DAY + 3 * HOUR,
  ingest: (minute: number) => (minute === 3 * DAY + 12 * HOUR ? "throttled" : "runs"),
  apply: new Map([[8 * DAY + 10 * HOUR, false]]),
};
