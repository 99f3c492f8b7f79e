/**
 * What every alarm has, what each urgency holds, and where alarms are told.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { App, Stack, Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import type { MonitoringProps } from "../../lib/monitoring/index.js";
import { pageFreeMib, ticketFreeMib } from "../../lib/monitoring/thresholds.js";
import { alarmsOf, monitored, NAMES } from "./subject.js";

const RUNBOOK = readFileSync(new URL("../../RUNBOOK.md", import.meta.url), "utf8");
const { stack, monitoring } = monitored();
const ALARMS = alarmsOf(stack, monitoring);
const TEMPLATE = Template.fromStack(stack);

const PAGES = [
  "apply-failed",
  "brake",
  "bundles",
  "cluster-red",
  "dead-letters-main",
  "freshness",
  "nothing-finishes",
  "permission",
  "queue-old-main",
  "storage-page",
  "unbalanced",
  "vital-silent-aws.cloudtrail",
  "write-block",
];
const TICKETS = [
  "cluster-yellow",
  "ingest-errors-main",
  "ingest-throttles-main",
  "jvm-pressure",
  "objects-keep-failing",
  "parked",
  "quarantined",
  "raw-share",
  "raw-share-aws.cloudtrail",
  "raw-share-aws.waf",
  "replay-errors-main",
  "source-silent-aws.waf",
  "storage-ticket",
];

describe("alarms", () => {
  it("page or ticket", () => {
    const of = (urgency: string): string[] =>
      [...ALARMS].filter(([, alarm]) => alarm.urgency === urgency).map(([name]) => name).sort();
    assert.deepEqual(of("page"), PAGES);
    assert.deepEqual(of("ticket"), TICKETS);
  });

  it("say what they mean, what to do first, and name a section of the runbook", () => {
    const sections = new Set([...RUNBOOK.matchAll(/^### (.+)$/gm)].map(([, title]) => title));
    const named = new Set<string | undefined>();
    for (const [name, { alarm }] of ALARMS) {
      const [, section] = alarm.AlarmDescription.match(/^.+ First: .+\. Runbook: infra\/RUNBOOK\.md#(\S+)$/) ?? [];
      assert.ok(sections.has(section), `\`${name}\` names \`${section}\`, which is no section of the runbook`);
      // CloudWatch takes no more.
      assert.ok(alarm.AlarmDescription.length <= 1024, name);
      named.add(section);
    }
    assert.deepEqual([...sections].filter((section) => !named.has(section)), [], "a section without an alarm");
  });

  it("say when they end, too", () => {
    TEMPLATE.allResourcesProperties("AWS::CloudWatch::Alarm", { OKActions: Match.anyValue(), TreatMissingData: Match.anyValue() });
  });

  it("never page for events' age, raw records, duplicates or replay", () => {
    for (const [name, { alarm, urgency }] of ALARMS) {
      const read = JSON.stringify(alarm.Metrics ?? alarm.MetricName);
      assert.ok(!/EventDelay|Replayed|DeadLetters"/.test(read), name);
      assert.ok(urgency === "ticket" || !/SourceRaw|Parked|Quarantined/.test(read), name);
    }
  });

  it("can be left out by kind, and only by a kind that exists", () => {
    const { stack, monitoring } = monitored({ without: ["cluster-yellow", "raw-share"] });
    const names = [...alarmsOf(stack, monitoring).keys()];
    assert.equal(names.length, ALARMS.size - 4);
    assert.throws(() => monitored({ without: ["yellow"] }), /no alarm of kind `yellow`/);
  });

  it("refuse intervals that CloudWatch cannot watch, and sources beyond those with metrics", () => {
    const check = (props: Partial<MonitoringProps>, message: RegExp): void => {
      assert.throws(() => monitored(props), message);
    };
    for (const minutes of [0, 10, 31, 1445, 20_160]) {
      check({ vitalSources: { "aws.waf": minutes }, silentSources: {} }, /the silence of `aws.waf`/);
    }
    check({ vitalSources: { "aws.waf": 60 } }, /`aws.waf` is in `vitalSources` and in `silentSources`/);
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, place) => [`app.source-${place}`, 60]));
    check({ vitalSources: many, silentSources: {} }, /21 sources/);
  });

  it("measure free storage against the volume, and no lower than where the service stops writing", () => {
    assert.equal(pageFreeMib(1000, 15), 150 * 1024);
    assert.equal(pageFreeMib(100, 15), 20 * 1024);
    assert.equal(pageFreeMib(50, 15), 10 * 1024);
    assert.equal(ticketFreeMib(100, 25), 25 * 1024);
  });
});

describe("topics", () => {
  it("are encrypted, take TLS only, and let alarms of this account publish", () => {
    TEMPLATE.resourceCountIs("AWS::SNS::Topic", 2);
    TEMPLATE.allResourcesProperties("AWS::SNS::Topic", { KmsMasterKeyId: Match.anyValue() });
    const statement = (properties: object): object => Match.arrayWith([Match.objectLike(properties)]);
    const ours = { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } };
    const principal = { Service: "cloudwatch.amazonaws.com" };
    TEMPLATE.allResourcesProperties("AWS::SNS::TopicPolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
          Match.objectLike({ Action: "sns:Publish", Effect: "Allow", Principal: principal, Condition: ours }),
        ]),
      },
    });
    TEMPLATE.hasResourceProperties("AWS::KMS::Key", {
      EnableKeyRotation: true,
      KeyPolicy: { Statement: statement({ Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Principal: principal, Condition: ours }) },
    });
  });

  it("send mail where somebody is named", () => {
    const { stack } = monitored({ topics: { pageEmails: ["night@example.com"], ticketEmails: ["team@example.com"] } });
    const template = Template.fromStack(stack);
    template.hasResourceProperties("AWS::SNS::Subscription", { Endpoint: "night@example.com", Protocol: "email" });
    template.resourceCountIs("AWS::SNS::Subscription", 2);
  });
});

describe("the dashboard", () => {
  it("shows outcomes, freshness, queues, writing, cluster, sources and costs", () => {
    const [dashboard] = Object.values(TEMPLATE.findResources("AWS::CloudWatch::Dashboard"));
    const body = JSON.stringify(dashboard);
    assert.equal(dashboard?.["Properties"].DashboardName, NAMES.installation);
    for (const shown of ["Indexed", "DeliveryDelay", "EventDelay", "ApproximateNumberOfMessagesVisible", "BulkMilliseconds", "BulkRejected", "ClusterStatus.red", "FreeStorageSpace", "SourceRaw", "Duration", "BytesStored"]) {
      assert.ok(body.includes(shown), shown);
    }
  });
});

describe("cdk-nag", () => {
  it("has nothing to say", () => {
    const app = new App();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    monitored({}, new Stack(app, "Test"));
    assert.doesNotThrow(() => app.synth());
  });
});
