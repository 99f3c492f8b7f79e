/**
 * [`connect`]: brings the news of a bucket's objects to the queues of the lanes, and never replaces what the bucket notifies already.
 */
import { Annotations, ArnFormat, CfnOutput, Stack } from "aws-cdk-lib";
import { CfnRule } from "aws-cdk-lib/aws-events";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket, type CfnBucket, EventType, type NotificationKeyFilter } from "aws-cdk-lib/aws-s3";
import { SqsDestination } from "aws-cdk-lib/aws-s3-notifications";
import { CfnSubscription } from "aws-cdk-lib/aws-sns";

import { acknowledge } from "./acknowledge.js";
import type { Lane } from "./lane.js";
import type { LogBucket } from "./log-bucket.js";

const CREATED = "s3:ObjectCreated:*";

/** Brings the news of a bucket's objects to the queues of the lanes. */
export function connect(log: LogBucket, lanes: readonly Lane[]): void {
  switch (log.notifications) {
    case "stack":
      refuseOverlap(log, lanes);
      return log.created === undefined ? addToImported(log, lanes) : addToCreated(log.created, lanes);
    case "eventbridge":
      return addRules(log, lanes);
    case "sns":
      return subscribe(log, lanes);
    case "owner":
      refuseOverlap(log, lanes);
      return letOwner(log, lanes);
  }
}

/** Says which prefixes two lanes both claim; the order of lanes decides nothing. */
export function overlap(lanes: readonly { laneName: string; prefixes: readonly string[] }[]): string | undefined {
  const claims = lanes.flatMap((lane) => lane.prefixes.map((prefix) => ({ lane: lane.laneName, prefix })));
  for (const [index, one] of claims.entries()) {
    const other = claims.slice(index + 1).find((each) => isNested(each.prefix, one.prefix));
    if (other !== undefined) {
      return `\`${one.prefix}\` of lane \`${one.lane}\` and \`${other.prefix}\` of lane \`${other.lane}\``;
    }
  }
  const rest = lanes.filter((lane) => lane.prefixes.length === 0);
  return rest.length > 1 ? `every key, of lanes \`${rest.map((lane) => lane.laneName).join("` and `")}\`` : undefined;
}

function isNested(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** S3 knows no `every other key`: a notification without a prefix overlaps with all. */
function refuseOverlap(log: LogBucket, lanes: readonly Lane[]): void {
  if (lanes.length > 1 && lanes.some((lane) => lane.prefixes.length === 0)) {
    throw new Error(
      `S3 cannot notify one queue of some prefixes and another of all other keys; give every lane prefixes, or set \`notifications: "eventbridge"\` for ${log.node.id}`,
    );
  }
}

function addToCreated(bucket: Bucket, lanes: readonly Lane[]): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  const queueConfigurations = lanes.flatMap((lane) =>
    filters(lane).map((rules) => ({
      event: CREATED,
      queue: lane.queues.queue.queueArn,
      ...(rules.length === 0 ? {} : { filter: { s3Key: { rules } } }),
    })),
  );
  resource.notificationConfiguration = { queueConfigurations };
  for (const lane of lanes) {
    // Only the account: the bucket waits for this policy, so the policy cannot wait for the bucket's name.
    lane.queues.allowSender("s3.amazonaws.com", { StringEquals: { "aws:SourceAccount": Stack.of(bucket).account } });
    resource.node.addDependency(lane.queues);
  }
}

function filters(lane: Lane): { name: string; value: string }[][] {
  return lane.prefixes.length === 0 ? [[]] : lane.prefixes.map((value) => [{ name: "prefix", value }]);
}

/** CDK's function reads what the bucket notifies and adds to it. */
function addToImported(log: LogBucket, lanes: readonly Lane[]): void {
  const role = notifierRole(Stack.of(log), log.bucket.bucketArn);
  const bucket = Bucket.fromBucketAttributes(log, "Notified", {
    bucketName: log.bucket.bucketName,
    // Without updates: CDK would add rights on every bucket.
    notificationsHandlerRole: role.withoutPolicyUpdates(),
  });
  for (const lane of lanes) {
    const filters: NotificationKeyFilter[] = lane.prefixes.map((prefix) => ({ prefix }));
    const destination = new SqsDestination(lane.queues.queue);
    if (filters.length === 0) {
      bucket.addEventNotification(EventType.OBJECT_CREATED, destination);
    }
    for (const filter of filters) {
      bucket.addEventNotification(EventType.OBJECT_CREATED, destination, filter);
    }
  }
  bucket.node.addDependency(role);
}

/** The one role of that function; it may do two things to the buckets that it is made for. */
function notifierRole(stack: Stack, bucketArn: string): Role {
  const existing = stack.node.tryFindChild("NotifierRole") as Role | undefined;
  const role = existing ?? new Role(stack, "NotifierRole", {
    description: "Sekisho: adds notifications to imported buckets",
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
  });
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["s3:GetBucketNotification", "s3:PutBucketNotification"], resources: [bucketArn] }),
  );
  if (existing === undefined) {
    const logs = stack.formatArn({
      service: "logs",
      resource: "log-group",
      resourceName: `/aws/lambda/${stack.stackName}-BucketNotificationsHandler*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [logs],
      }),
    );
    acknowledge(role, {
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda/${stack.stackName}-BucketNotificationsHandler*]`,
      reason: "CloudFormation chooses the end of the function's name.",
    });
  }
  return role;
}

function addRules(log: LogBucket, lanes: readonly Lane[]): void {
  const claimed = lanes.flatMap((lane) => lane.prefixes);
  for (const lane of lanes) {
    const key = keyPattern(lane, claimed);
    const rule = new CfnRule(log, `Rule-${lane.laneName}`, {
      description: `Sekisho: new logs for lane ${lane.laneName}`,
      eventPattern: {
        source: ["aws.s3"],
        "detail-type": ["Object Created"],
        detail: { bucket: { name: [log.bucket.bucketName] }, ...(key === undefined ? {} : { object: { key } }) },
      },
      targets: [
        {
          id: "queue",
          arn: lane.queues.queue.queueArn,
          deadLetterConfig: { arn: lane.queues.deadLetters.queueArn },
        },
      ],
    });
    const conditions = { ArnEquals: { "aws:SourceArn": rule.attrArn } };
    lane.queues.allowSender("events.amazonaws.com", conditions);
    lane.queues.allowUndelivered("events.amazonaws.com", conditions);
  }
  if (log.created === undefined) {
    tell(log, "EventBridge", `turn on \`Amazon EventBridge\` in the properties of the bucket \`${log.bucket.bucketName}\`; its other notifications stay`);
  }
}

type Pattern = ({ prefix: string } | { "anything-but": { prefix: string[] } })[];

function keyPattern(lane: Lane, claimed: readonly string[]): Pattern | undefined {
  if (lane.prefixes.length > 0) {
    return lane.prefixes.map((prefix) => ({ prefix }));
  }
  return claimed.length === 0 ? undefined : [{ "anything-but": { prefix: [...claimed] } }];
}

function subscribe(log: LogBucket, lanes: readonly Lane[]): void {
  const topicArn = log.imported?.topicArn;
  if (topicArn === undefined) {
    throw new Error(`\`notifications: "sns"\` of \`${log.bucket.bucketName}\` needs \`topicArn\``);
  }
  const claimed = lanes.flatMap((lane) => lane.prefixes);
  for (const lane of lanes) {
    const key = keyPattern(lane, claimed);
    const object = key === undefined ? {} : { object: { key: encoded(key) } };
    const subscription = new CfnSubscription(log, `Subscription-${lane.laneName}`, {
      topicArn,
      protocol: "sqs",
      endpoint: lane.queues.queue.queueArn,
      rawMessageDelivery: true,
      filterPolicyScope: "MessageBody",
      filterPolicy: { Records: { s3: { bucket: { name: [log.bucket.bucketName] }, ...object } } },
      redrivePolicy: { deadLetterTargetArn: lane.queues.deadLetters.queueArn },
    });
    const conditions = { ArnEquals: { "aws:SourceArn": topicArn } };
    const { account } = Stack.of(log).splitArn(topicArn, ArnFormat.NO_RESOURCE_NAME);
    lane.queues.allowSender("sns.amazonaws.com", conditions, account);
    lane.queues.allowUndelivered("sns.amazonaws.com", conditions, account);
    subscription.node.addDependency(lane.queues);
  }
  tell(log, "Topic", `let the bucket \`${log.bucket.bucketName}\` notify \`${topicArn}\` of ${CREATED}; where a notification to a queue or function exists, move that one behind the topic too`);
}

/** S3 writes keys like forms do, but for the slash. */
function encoded(pattern: Pattern): Pattern {
  const encode = (prefix: string): string => encodeURIComponent(prefix).replaceAll("%2F", "/").replaceAll("%20", "+");
  return pattern.map((each) =>
    "prefix" in each ? { prefix: encode(each.prefix) } : { "anything-but": { prefix: each["anything-but"].prefix.map(encode) } },
  );
}

function letOwner(log: LogBucket, lanes: readonly Lane[]): void {
  const { bucket } = log;
  const account = log.imported?.account ?? Stack.of(log).account;
  for (const lane of lanes) {
    lane.queues.allowSender(
      "s3.amazonaws.com",
      { StringEquals: { "aws:SourceAccount": account }, ArnEquals: { "aws:SourceArn": bucket.bucketArn } },
      account,
    );
    const keys = lane.prefixes.length === 0 ? "every key" : lane.prefixes.map((prefix) => `\`${prefix}\``).join(", ");
    tell(log, `Queue-${lane.laneName}`, `let the bucket \`${bucket.bucketName}\` notify ${lane.queues.queue.queueArn} of ${CREATED} for ${keys}, beside what it notifies already`);
  }
}

/** What is left to do by hand, at synthesis and in the outputs of the stack. */
function tell(log: LogBucket, id: string, what: string): void {
  Annotations.of(log).addInfo(what);
  new CfnOutput(log, `Next${id.replaceAll(/[^A-Za-z0-9]/g, "")}`, { description: "To do by hand", value: what });
}
