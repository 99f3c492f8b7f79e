/**
 * The installation whose alarms are tested: one lane, a vital source, and one whose silence is a ticket.
 */
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Function } from "aws-cdk-lib/aws-lambda";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { Monitoring, type MonitoringProps } from "../../lib/monitoring/index.js";
import { ACCOUNT, type SynthesizedAlarm } from "./evaluator.js";

const REGION = "ap-northeast-1";

/** The names that the simulation publishes under. */
export const NAMES = {
  installation: "sekisho",
  queue: "sekisho-main",
  deadLetters: "sekisho-main-dlq",
  ingest: "sekisho-ingest",
  replay: "sekisho-replay",
  apply: "sekisho-apply",
  domain: "logs",
} as const;

/** The volume of a data node in the simulation, in GiB. */
export const VOLUME_GIB = 500;

/** Makes a stack with nothing but the monitoring of existing things. */
export function monitored(
  props: Partial<MonitoringProps> = {},
  stack: Stack = new Stack(new App(), "Test", { env: { account: ACCOUNT, region: REGION } }),
): { stack: Stack; monitoring: Monitoring } {
  const queue = (id: string, name: string) => Queue.fromQueueArn(stack, id, `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`);
  const named = (id: string, name: string) => Function.fromFunctionArn(stack, id, `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`);
  const monitoring = new Monitoring(stack, "Monitoring", {
    lanes: [
      {
        name: "main",
        queue: queue("Queue", NAMES.queue),
        deadLetterQueue: queue("DeadLetters", NAMES.deadLetters),
        ingest: named("Ingest", NAMES.ingest),
        replay: named("Replay", NAMES.replay),
      },
    ],
    apply: named("Apply", NAMES.apply),
    domain: { domainName: NAMES.domain, volumeGib: VOLUME_GIB },
    vitalSources: { "aws.cloudtrail": 60 },
    silentSources: { "aws.waf": 720 },
    ...props,
  });
  return { stack, monitoring };
}

/** Gives the alarms of a stack by name without the installation, with their urgency. */
export function alarmsOf(stack: Stack, monitoring: Monitoring): Map<string, { alarm: SynthesizedAlarm; urgency: "page" | "ticket" }> {
  const page = stack.resolve(monitoring.topics.page.topicArn) as unknown;
  const found = Template.fromStack(stack).findResources("AWS::CloudWatch::Alarm");
  return new Map(
    Object.values(found).map((resource) => {
      const alarm = (resource as { Properties: SynthesizedAlarm }).Properties;
      const isPage = JSON.stringify(alarm.AlarmActions) === JSON.stringify([page]);
      return [alarm.AlarmName.replace(/^sekisho-/, ""), { alarm, urgency: isPage ? "page" : "ticket" } as const];
    }),
  );
}
