/**
 * Keeps what the simulated components publish, minute by minute, and sums it up as CloudWatch does.
 */
import type { Datapoint } from "./expression.js";

/** Names one series: namespace, metric and dimensions. */
export function seriesKey(namespace: string, metric: string, dimensions: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${namespace} ${metric} ${JSON.stringify(sorted)}`;
}

interface Minutes {
  readonly sum: Float64Array;
  readonly max: Float64Array;
  readonly min: Float64Array;
  /** How many values were published in the minute. */
  readonly count: Uint32Array;
}

/** What was published until now. */
export class Recorder {
  private readonly series = new Map<string, Minutes>();
  private readonly windows = new Map<string, Float64Array>();

  public constructor(public readonly minutes: number) {}

  /** Publishes one value in a minute. */
  public put(key: string, minute: number, value: number): void {
    let series = this.series.get(key);
    if (series === undefined) {
      const array = (): Float64Array => new Float64Array(this.minutes);
      series = { sum: array(), max: array().fill(-Infinity), min: array().fill(Infinity), count: new Uint32Array(this.minutes) };
      this.series.set(key, series);
    }
    series.sum[minute]! += value;
    series.max[minute] = Math.max(series.max[minute]!, value);
    series.min[minute] = Math.min(series.min[minute]!, value);
    series.count[minute]! += 1;
  }

  /** Tells whether a series was ever published. */
  public has(key: string): boolean {
    return this.series.has(key);
  }

  /** Gives how to read the datapoint of the `period` minutes that end with a minute. */
  public reader(key: string, statistic: string, period: number): (minute: number) => Datapoint {
    const id = `${key} ${statistic} ${period}`;
    let window = this.windows.get(id);
    if (window === undefined) {
      window = this.sumUp(key, statistic, period);
      this.windows.set(id, window);
    }
    const values = window;
    return (minute) => {
      const value = values[minute];
      return value === undefined || Number.isNaN(value) ? undefined : value;
    };
  }

  private sumUp(key: string, statistic: string, period: number): Float64Array {
    const window = new Float64Array(this.minutes).fill(NaN);
    const series = this.series.get(key);
    if (series === undefined) {
      return window;
    }
    const { start, add } = summary(statistic, series);
    for (let end = 0; end < this.minutes; end += 1) {
      let value = start;
      let some = false;
      for (let minute = Math.max(0, end - period + 1); minute <= end; minute += 1) {
        if (series.count[minute]! > 0) {
          value = add(value, minute);
          some = true;
        }
      }
      if (some) {
        window[end] = value;
      }
    }
    return window;
  }
}

function summary(statistic: string, series: Minutes): { start: number; add: (value: number, minute: number) => number } {
  switch (statistic) {
    case "Sum":
      return { start: 0, add: (value, minute) => value + series.sum[minute]! };
    case "Maximum":
      return { start: -Infinity, add: (value, minute) => Math.max(value, series.max[minute]!) };
    case "Minimum":
      return { start: Infinity, add: (value, minute) => Math.min(value, series.min[minute]!) };
    default:
      throw new Error(`the evaluator does not know the statistic \`${statistic}\`; teach it`);
  }
}
