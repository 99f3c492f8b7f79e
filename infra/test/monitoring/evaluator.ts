/**
 * Evaluates synthesized CloudWatch alarms over recorded series, over sliding windows, as CloudWatch documents it.
 *
 * CloudWatch reads more datapoints than an alarm asks for (its evaluation range, whose length it does not tell), takes the newest that exist, and fills what is missing only where they are too few:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
import { type Datapoint, evaluate } from "./expression.js";
import { type Recorder, seriesKey } from "./recorder.js";

/** The account of examples, which the template leaves open. */
export const ACCOUNT = "111122223333";

/** What an alarm says. */
export type State = "OK" | "ALARM";

/** An alarm as the template has it. */
export interface SynthesizedAlarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: unknown[];
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Statistic?: string;
  readonly Period?: number;
  readonly Metrics?: readonly MetricQuery[];
}

interface Dimension {
  readonly Name: string;
  readonly Value: string | { readonly Ref: string };
}

interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly ReturnData?: boolean;
  readonly Period?: number;
  readonly MetricStat?: {
    readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions?: readonly Dimension[] };
    readonly Period: number;
    readonly Stat: string;
  };
}

const BREACHES: Record<string, (value: number, threshold: number) => boolean> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** Gives the minutes in which an alarm went off, from `from` on; `surplus` is how many datapoints CloudWatch reads beyond those asked for. */
export function firings(alarm: SynthesizedAlarm, recorder: Recorder, from: number, surplus: number): number[] {
  const { read, period } = source(alarm, recorder);
  const count = alarm.EvaluationPeriods + surplus;
  const fired: number[] = [];
  let state: State = "OK";
  // CloudWatch looks every minute; with periods of five and more, every fifth look is enough.
  const step = Math.min(5, period);
  for (let minute = from; minute < recorder.minutes; minute += step) {
    const next = decide(alarm, read(minute, count), state);
    if (next === "ALARM" && state === "OK") {
      fired.push(minute);
    }
    state = next;
  }
  return fired;
}

/** Decides a state from the datapoints of the evaluation range, oldest first. */
export function decide(
  alarm: Pick<SynthesizedAlarm, "ComparisonOperator" | "Threshold" | "EvaluationPeriods" | "DatapointsToAlarm" | "TreatMissingData">,
  datapoints: readonly Datapoint[],
  state: State,
): State {
  const breaches = BREACHES[alarm.ComparisonOperator];
  if (breaches === undefined) {
    throw new Error(`the evaluator does not know the comparison \`${alarm.ComparisonOperator}\`; teach it`);
  }
  const asked = alarm.EvaluationPeriods;
  const enough = alarm.DatapointsToAlarm ?? asked;
  const existing = datapoints.filter((value) => value !== undefined).slice(-asked);
  const breaching = existing.filter((value) => breaches(value, alarm.Threshold)).length;
  const missing = asked - existing.length;
  const told = (count: number): State => (count >= enough ? "ALARM" : "OK");
  if (missing === 0) {
    return told(breaching);
  }
  switch (alarm.TreatMissingData) {
    case "notBreaching":
      return told(breaching);
    case "breaching":
      return told(breaching + missing);
    case "ignore":
      return breaching >= enough || breaching < existing.length ? told(breaching) : state;
    default:
      throw new Error(`\`${alarm.TreatMissingData}\` is no deliberate answer to missing data`);
  }
}

/** Gives every series that an alarm reads. */
export function seriesOf(alarm: SynthesizedAlarm): string[] {
  return queries(alarm).flatMap((query) => (query.MetricStat === undefined ? [] : [keyOf(query.MetricStat.Metric)]));
}

type Read = (minute: number, count: number) => Datapoint[];

/** Gives how an alarm reads its datapoints, and the minutes of its period. */
function source(alarm: SynthesizedAlarm, recorder: Recorder): { read: Read; period: number } {
  const all = queries(alarm);
  const result = all.find((query) => query.ReturnData !== false);
  const metrics = all.filter((query) => query.MetricStat !== undefined);
  const reader = ({ MetricStat }: MetricQuery): Read => {
    const { Metric, Period, Stat } = MetricStat!;
    const period = Period / 60;
    const at = recorder.reader(keyOf(Metric), Stat, period);
    return (minute, count) => range(count, (back) => at(minute - back * period));
  };
  if (result === undefined) {
    throw new Error(`\`${alarm.AlarmName}\` returns nothing`);
  }
  const expression = result.Expression;
  if (expression === undefined) {
    return { read: reader(result), period: result.MetricStat!.Period / 60 };
  }
  const periods = new Set(metrics.map((query) => query.MetricStat!.Period));
  if (periods.size !== 1) {
    throw new Error(`\`${alarm.AlarmName}\` mixes periods`);
  }
  const [seconds = 60] = periods;
  const period = seconds / 60;
  if (!expression.includes("REPEAT")) {
    // Each datapoint stands for itself: all are worked out at once.
    const all = ({ MetricStat }: MetricQuery): Datapoint[] => {
      const at = recorder.reader(keyOf(MetricStat!.Metric), MetricStat!.Stat, period);
      return Array.from({ length: recorder.minutes }, (_, minute) => at(minute));
    };
    const names = new Map(metrics.map((query) => [query.Id, all(query)]));
    const each = evaluate(expression, names, recorder.minutes);
    return { period, read: (minute, count) => range(count, (back) => each[minute - back * period]) };
  }
  const readers = metrics.map((query) => [query.Id, reader(query)] as const);
  return {
    period,
    read: (minute, count) => {
      const names = new Map(readers.map(([id, read]) => [id, read(minute, count)]));
      return evaluate(expression, names, count);
    },
  };
}

/** Gives the datapoints of so many periods, oldest first. */
function range(count: number, at: (back: number) => Datapoint): Datapoint[] {
  return Array.from({ length: count }, (_, place) => at(count - 1 - place));
}

function queries(alarm: SynthesizedAlarm): readonly MetricQuery[] {
  if (alarm.Metrics !== undefined) {
    return alarm.Metrics;
  }
  const { Namespace, MetricName, Dimensions, Statistic, Period } = alarm;
  if (Namespace === undefined || MetricName === undefined || Statistic === undefined || Period === undefined) {
    throw new Error(`\`${alarm.AlarmName}\` is of a form that the evaluator does not know`);
  }
  return [{ Id: "m", MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic } }];
}

function keyOf(metric: { Namespace: string; MetricName: string; Dimensions?: readonly Dimension[] }): string {
  const dimensions = Object.fromEntries((metric.Dimensions ?? []).map(({ Name, Value }) => [Name, text(Value)]));
  return seriesKey(metric.Namespace, metric.MetricName, dimensions);
}

function text(value: Dimension["Value"]): string {
  if (typeof value === "string") {
    return value;
  }
  if (value.Ref === "AWS::AccountId") {
    return ACCOUNT;
  }
  throw new Error(`the simulation has no name for \`${JSON.stringify(value)}\``);
}
