/**
 * What every alarm has: a name, an urgency, a text that says what it means and what to do first, a runbook section, and a deliberate answer to missing data.
 */
import {
  Alarm,
  type ComparisonOperator,
  type IMetric,
  type TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { Construct } from "constructs";
import type { AlarmTopics, Urgency } from "./topics.js";

/** What is said of an alarm, whatever it watches. */
export interface AlarmText {
  /** The kind, which is also the runbook section: lower case, hyphens. */
  readonly kind: string;
  /** Which of several of a kind, like a lane or a source. Default: there is but one. */
  readonly of?: string;
  /** Who hears of it. */
  readonly urgency: Urgency;
  /** What it means, one sentence. */
  readonly means: string;
  /** The first thing to do, one sentence. */
  readonly first: string;
}

/** An alarm over one metric or expression. */
export interface MetricAlarm extends AlarmText {
  readonly metric: IMetric;
  readonly comparison: ComparisonOperator;
  readonly threshold: number;
  /** How many of the last `outOf` periods have to breach. */
  readonly datapoints: number;
  readonly outOf: number;
  readonly missing: TreatMissingData;
}

/** How alarms are named and told. */
export interface AlarmBookProps {
  /** Put before each name. */
  readonly installation: string;
  readonly topics: AlarmTopics;
  /** The address of the runbook, to which `#section` is added. */
  readonly runbook: string;
  /** Kinds that this installation does not want. */
  readonly without: readonly string[];
}

/** Creates alarms that all look alike. */
export class AlarmBook {
  /** What was created, by name without the installation. */
  public readonly alarms = new Map<string, Alarm>();
  private readonly unwanted: Set<string>;
  private readonly leftOut = new Set<string>();

  public constructor(
    private readonly scope: Construct,
    private readonly props: AlarmBookProps,
  ) {
    this.unwanted = new Set(props.without);
  }

  /** Adds an alarm over a metric, unless its kind is unwanted. */
  public watch(spec: MetricAlarm): Alarm | undefined {
    const name = this.enter(spec);
    if (name === undefined) {
      return undefined;
    }
    const alarm = new Alarm(this.scope, constructId(name), {
      alarmName: this.fullName(name),
      alarmDescription: this.describe(spec),
      metric: spec.metric,
      comparisonOperator: spec.comparison,
      threshold: spec.threshold,
      evaluationPeriods: spec.outOf,
      datapointsToAlarm: spec.datapoints,
      treatMissingData: spec.missing,
    });
    const action = new SnsAction(this.props.topics.of(spec.urgency));
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.alarms.set(name, alarm);
    return alarm;
  }

  /** Refuses kinds to leave out that do not exist: a misspelt one would leave its alarm in. */
  public close(): void {
    const [unknown] = this.unwanted;
    if (unknown !== undefined) {
      throw new Error(`there is no alarm of kind \`${unknown}\` to leave out; see infra/RUNBOOK.md for the kinds`);
    }
  }

  private enter(spec: AlarmText): string | undefined {
    if (this.unwanted.delete(spec.kind) || this.leftOut.has(spec.kind)) {
      this.leftOut.add(spec.kind);
      return undefined;
    }
    return spec.of === undefined ? spec.kind : `${spec.kind}-${spec.of}`;
  }

  private fullName(name: string): string {
    return `${this.props.installation}-${name}`;
  }

  private describe(spec: AlarmText): string {
    const section = `${this.props.runbook}#${spec.kind}`;
    return `${spec.means} First: ${spec.first} Runbook: ${section}`;
  }
}

function constructId(name: string): string {
  return name
    .split(/[^a-zA-Z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
