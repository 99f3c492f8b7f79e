/**
 * [`ReplaySchedule`]: starts a replay function at intervals.
 */
import type { Duration } from "aws-cdk-lib";
import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Construct } from "constructs";

import type { SekishoFunction } from "./function.js";

/** Properties of [`ReplaySchedule`]. */
export interface ReplayScheduleProps {
  /** What it starts. */
  readonly replay: SekishoFunction;
  /** How often. */
  readonly every: Duration;
}

/** Starts a replay function at intervals, with a role that may do only that. */
export class ReplaySchedule extends Construct {
  constructor(scope: Construct, id: string, props: ReplayScheduleProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const group = stack.formatArn({
      service: "scheduler",
      resource: "schedule-group",
      resourceName: "default",
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    const role = new Role(this, "Role", {
      description: "Sekisho: starts replay",
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": stack.account, "aws:SourceArn": group } },
      }),
    });
    const { functionArn } = props.replay.function;
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [functionArn] }));
    const minutes = props.every.toMinutes();
    const schedule = new CfnSchedule(this, "Schedule", {
      description: "Sekisho: looks at the dead letters",
      scheduleExpression: `rate(${minutes} minute${minutes === 1 ? "" : "s"})`,
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: functionArn,
        roleArn: role.roleArn,
        // A run that is late is not made up for: the next one finds the same messages.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: Math.max(60, minutes * 60) },
      },
    });
    schedule.node.addDependency(role);
  }
}
