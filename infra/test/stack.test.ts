/**
 * What the stack promises, for the defaults and the other deployments.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

import existingDomain from "../deployments/existing-domain.js";
import importedBuckets from "../deployments/imported-buckets.js";
import newVpc from "../deployments/new-vpc.js";
import { SekishoStack } from "../lib/stack.js";
import { allowed, binaries, context, only, resources, synthesize } from "./synthesis.js";

const LOG_ACTIONS = ["logs:CreateLogStream", "logs:PutLogEvents"];
const TRACE_ACTIONS = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
const VPC_ACTIONS = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];
const defaults = synthesize();

test("buckets are versioned, encrypted, closed, TLS only, logged, and stay", () => {
  const { template } = defaults;
  for (const bucket of resources(template, "AWS::S3::Bucket")) {
    assert.equal(bucket.DeletionPolicy, "Retain");
    assert.equal(bucket.Properties.VersioningConfiguration.Status, "Enabled");
    assert.deepEqual(Object.values(bucket.Properties.PublicAccessBlockConfiguration), [true, true, true, true]);
    assert.ok(bucket.Properties.BucketEncryption);
    assert.ok(bucket.Properties.LifecycleConfiguration);
  }
  const logged = resources(template, "AWS::S3::Bucket").filter((bucket) => bucket.Properties.LoggingConfiguration);
  assert.equal(logged.length, 3);
  for (const policy of resources(template, "AWS::S3::BucketPolicy")) {
    assert.match(JSON.stringify(policy.Properties.PolicyDocument), /"aws:SecureTransport":"false"/);
  }
});

test("services deliver into the log bucket, for our account alone", () => {
  const policy = only(defaults.template, "AWS::S3::BucketPolicy", "Logs");
  const services = policy.Properties.PolicyDocument.Statement.filter((each: { Effect: string }) => each.Effect === "Allow");
  const principals = services.map((each: { Principal: { Service: string } }) => each.Principal.Service);
  assert.deepEqual([...new Set(principals)].sort(), [
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
  ]);
  for (const statement of services) {
    assert.match(JSON.stringify(statement.Condition), /AWS::AccountId/);
  }
});

test("what AWS would not deliver is refused", () => {
  assert.throws(() => synthesize({ logs: { create: [{ services: ["elb"] }] } }), /only into buckets with S3's encryption/);
  assert.throws(() => synthesize({ logs: { create: [{ services: ["waf"] }] } }), /start with `aws-waf-logs-`|starts with `aws-waf-logs-`/);
});

test("the bucket notifies the queue, and waits for its policy", () => {
  const bucket = only(defaults.template, "AWS::S3::Bucket", "Logs");
  const [notification] = bucket.Properties.NotificationConfiguration.QueueConfigurations;
  assert.equal(notification.Event, "s3:ObjectCreated:*");
  assert.ok(bucket.DependsOn?.some((id) => id.includes("QueuePolicy")));
});

test("queues keep 14 days, hide six timeouts, dead-letter after 10 into a queue for them alone", () => {
  const queues = resources(defaults.template, "AWS::SQS::Queue");
  assert.equal(queues.length, 2);
  const keys = new Set(queues.map((queue) => JSON.stringify(queue.Properties.KmsMasterKeyId)));
  assert.equal(keys.size, 2);
  for (const queue of queues) {
    assert.equal(queue.Properties.MessageRetentionPeriod, 14 * 24 * 3600);
    assert.equal(queue.Properties.VisibilityTimeout, 6 * 300);
  }
  const main = queues.find((queue) => queue.Properties.RedrivePolicy);
  const dead = queues.find((queue) => queue.Properties.RedriveAllowPolicy);
  assert.equal(main?.Properties.RedrivePolicy.maxReceiveCount, 10);
  assert.equal(dead?.Properties.RedriveAllowPolicy.redrivePermission, "byQueue");
  assert.equal(main?.Properties.QueueName, "Sekisho-main");
  assert.match(JSON.stringify(dead?.Properties.RedriveAllowPolicy.sourceQueueArns), /:Sekisho-main"/);
});

test("ingest reads batches and reports failures one by one", () => {
  const mapping = only(defaults.template, "AWS::Lambda::EventSourceMapping").Properties;
  assert.equal(mapping.BatchSize, 100);
  assert.equal(mapping.MaximumBatchingWindowInSeconds, 10);
  assert.deepEqual(mapping.FunctionResponseTypes, ["ReportBatchItemFailures"]);
  assert.equal(mapping.ScalingConfig.MaximumConcurrency, 10);
});

test("functions run on arm64 with traces; replay runs once at a time, every 15 minutes", () => {
  const { template } = defaults;
  for (const binary of ["LanemainIngest", "LanemainReplay", "ApplyFunction"]) {
    const { Properties } = only(template, "AWS::Lambda::Function", binary);
    assert.deepEqual(Properties.Architectures, ["arm64"]);
    assert.equal(Properties.Runtime, "provided.al2023");
    assert.equal(Properties.TracingConfig.Mode, "Active");
    assert.ok(Properties.VpcConfig);
  }
  const replay = only(template, "AWS::Lambda::Function", "LanemainReplay").Properties;
  assert.equal(replay.ReservedConcurrentExecutions, 1);
  assert.equal(only(template, "AWS::Scheduler::Schedule").Properties.ScheduleExpression, "rate(15 minutes)");
  for (const group of resources(template, "AWS::Logs::LogGroup")) {
    assert.ok(group.Properties.RetentionInDays > 0);
  }
});

test("roles may do what the README says, and no more", () => {
  const common = [...LOG_ACTIONS, ...TRACE_ACTIONS, ...VPC_ACTIONS];
  const both = ["es:ESHttpGet", "kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"];
  assert.deepEqual(allowed(defaults.template, "LanemainIngestRole"), [...common, ...both, "es:ESHttpPost", "sqs:GetQueueAttributes"].sort());
  assert.deepEqual(allowed(defaults.template, "LanemainReplayRole"), [...common, ...both, "s3:DeleteObject"].sort());
  assert.deepEqual(
    allowed(defaults.template, "ApplyRole"),
    [...common, "es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut", "kms:Decrypt", "s3:GetObject", "s3:ListBucket"].sort(),
  );
});

test("ingest may not delete in the quarantine, and writes no configuration", () => {
  const policy = JSON.stringify(only(defaults.template, "AWS::IAM::Policy", "LanemainIngestRole"));
  assert.doesNotMatch(policy, /s3:DeleteObject/);
  const { Statement } = only(defaults.template, "AWS::IAM::Policy", "LanemainIngestRole").Properties.PolicyDocument;
  const ofConfig = Statement.filter((each: object) => JSON.stringify(each).includes("ConfigBucket"));
  assert.deepEqual(ofConfig.map((each: { Action: string }) => each.Action).sort(), ["s3:GetObject", "s3:ListBucket"]);
});

test("notes of failures live 30 days", () => {
  const bucket = only(defaults.template, "AWS::S3::Bucket", "Quarantine");
  const rule = bucket.Properties.LifecycleConfiguration.Rules.find((each: { Id: string }) => each.Id === "failures");
  assert.deepEqual([rule.Prefix, rule.ExpirationInDays], ["failures/", 30]);
});

test("a new domain is encrypted, private, fine-grained, warm and cold, and logged", () => {
  const domain = only(defaults.template, "AWS::OpenSearchService::Domain");
  const { Properties } = domain;
  assert.equal(domain.DeletionPolicy, "Retain");
  assert.equal(Properties.EncryptionAtRestOptions.Enabled, true);
  assert.equal(Properties.NodeToNodeEncryptionOptions.Enabled, true);
  assert.match(Properties.DomainEndpointOptions.TLSSecurityPolicy, /^Policy-Min-TLS-1-2/);
  assert.equal(Properties.DomainEndpointOptions.EnforceHTTPS, true);
  assert.match(JSON.stringify(Properties.AdvancedSecurityOptions.MasterUserOptions), /ApplyRole/);
  assert.equal(Properties.ClusterConfig.WarmEnabled, true);
  assert.equal(Properties.ClusterConfig.ColdStorageOptions.Enabled, true);
  assert.equal(Object.keys(Properties.LogPublishingOptions).length, 4);
  assert.equal(Properties.VPCOptions.SubnetIds.length, 2);
  assert.equal(Properties.SnapshotOptions.AutomatedSnapshotStartHour, 3);
});

test("settings reach the functions: only what differs from the defaults", () => {
  const names = (start: string): string[] =>
    Object.keys(only(defaults.template, "AWS::Lambda::Function", start).Properties.Environment.Variables).sort();
  const both = ["SEKISHO_OPENSEARCH_AUTH", "SEKISHO_OPENSEARCH_URL", "SEKISHO_QUARANTINE_BUCKET", "SEKISHO_QUEUE_URL", "SEKISHO_S3_INPUT_BUCKETS"];
  assert.deepEqual(names("LanemainIngest"), ["SEKISHO_BUNDLES_BUCKET", ...both]);
  assert.deepEqual(names("LanemainReplay"), [...both, "SEKISHO_QUEUE_DEAD_LETTER_URL"].sort());
  assert.throws(() => synthesize({ settings: { queue: { url: "x" } } }), /is set by the stack/);
});

test("apply starts after the domain, and again when code or settings change", () => {
  const run = only(defaults.template, "Custom::SekishoApply");
  const other = only(synthesize({ settings: { template: { shards: 2 } } }).template, "Custom::SekishoApply");
  assert.ok(run.DependsOn?.some((id) => id.startsWith("SearchDomain")));
  assert.notDeepEqual(run.Properties.Version, other.Properties.Version);
  assert.match(only(defaults.template, "AWS::Lambda::Function", "ApplyStarter").Properties.Code.ZipFile, /InvocationType="Event"/);
});

test("an existing domain is left alone, and needs no VPC", () => {
  const { template } = synthesize(existingDomain);
  template.resourceCountIs("AWS::OpenSearchService::Domain", 0);
  template.resourceCountIs("AWS::EC2::VPC", 0);
  assert.equal(
    only(template, "AWS::Lambda::Function", "LanemainIngest").Properties.Environment.Variables.SEKISHO_INDEX_PREFIX,
    "sekisho-",
  );
});

test("imported buckets keep their notifications", () => {
  const { template } = synthesize(importedBuckets);
  template.resourceCountIs("Custom::S3BucketNotifications", 0);
  const rules = resources(template, "AWS::Events::Rule", "Logs");
  const keys = rules.map((rule) => JSON.stringify(rule.Properties.EventPattern.detail.object.key));
  assert.ok(keys.some((key) => key.includes("anything-but")));
  assert.equal(rules.length, 2);
  assert.equal(resources(template, "AWS::SNS::Subscription", "Logs").length, 4);
  assert.equal(resources(template, "AWS::SQS::Queue").length, 4);
  assert.match(JSON.stringify(template.toJSON()["Outputs"]), /turn on `Amazon EventBridge`/);
});

test("a bucket of another account is read through its role", () => {
  const { template } = synthesize(importedBuckets);
  const policy = JSON.stringify(only(template, "AWS::IAM::Policy", "LaneauditIngestRole"));
  assert.match(policy, /sts:AssumeRole/);
  assert.doesNotMatch(policy, /aws-controltower-logs/);
  assert.equal(
    only(template, "AWS::Lambda::Function", "LaneauditIngest").Properties.Environment.Variables.SEKISHO_S3_ROLES,
    "aws-controltower-logs-444455556666-us-east-1=arn:aws:iam::444455556666:role/sekisho-reads-logs sekisho-example",
  );
});

test("notifications beside those of an imported bucket come from a role for that bucket", () => {
  const { template } = synthesize({ ...existingDomain, logs: { import: [{ bucketName: "example-logs", notifications: "stack" }] } });
  const notifications = only(template, "Custom::S3BucketNotifications");
  assert.equal(notifications.Properties.Managed, false);
  const statement = only(template, "AWS::IAM::Policy", "NotifierRole").Properties.PolicyDocument.Statement[0];
  assert.deepEqual(statement.Action, ["s3:GetBucketNotification", "s3:PutBucketNotification"]);
  assert.match(JSON.stringify(statement.Resource), /:s3:::example-logs"/);
});

test("lanes that would take the same keys are refused", () => {
  const lanes = [
    { name: "a", prefixes: ["AWSLogs/"] },
    { name: "b", prefixes: ["AWSLogs/111122223333/"] },
  ];
  assert.throws(() => synthesize({ lanes }), /a key belongs to one lane/);
  assert.throws(() => synthesize({ lanes: [{ name: "a", prefixes: ["x/"] }, { name: "b" }] }), /set `notifications: "eventbridge"`/);
});

test("a lane reads its own prefixes alone", () => {
  const { template } = synthesize({ lanes: [{ name: "a", prefixes: ["x/"] }, { name: "b", prefixes: ["y/"] }] });
  const policy = JSON.stringify(only(template, "AWS::IAM::Policy", "LaneaIngestRole"));
  assert.match(policy, /\/x\/\*"/);
  assert.doesNotMatch(policy, /\/y\/\*"/);
  template.resourceCountIs("AWS::Lambda::EventSourceMapping", 2);
});

test("ARNs name no partition, account or region", () => {
  const text = JSON.stringify(defaults.template.toJSON());
  assert.doesNotMatch(text, /arn:aws:(?!iam::aws)/);
});

test("the same twice is the same, so a second deployment changes nothing", () => {
  assert.deepEqual(synthesize(newVpc).template.toJSON(), synthesize(newVpc).template.toJSON());
});

test("cdk-nag finds nothing that is not acknowledged", () => {
  for (const props of [{}, existingDomain, importedBuckets, newVpc]) {
    const app = new App({ context });
    new SekishoStack(app, "Sekisho", { ...props, functions: { binaries } });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    assert.doesNotThrow(() => app.synth());
  }
});
