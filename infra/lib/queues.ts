/**
 * [`Queues`]: the queue of a lane and its dead-letter queue.
 */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { type Conditions, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { type IQueue, Queue, QueueEncryption, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import type { SekishoFunction } from "./function.js";

/** Properties of [`Queues`]. */
export interface QueuesProps {
  /** The lane's name; with the stack's it is the name of the queue. */
  readonly lane: string;
  /** The timeout of the function that reads the queue. */
  readonly functionTimeout: Duration;
  /** After how many receives a message is dead-lettered: the setting `queue.max_receive_count`. */
  readonly maxReceiveCount: number;
  /** How long both queues keep a message: the setting `queue.retention_days`. */
  readonly retention: Duration;
}

/** Who may send to a lane beside ingest and replay. */
export type Sender = "s3.amazonaws.com" | "events.amazonaws.com" | "sns.amazonaws.com";

/** SQS keeps a message hidden for 6 × the function timeout (AWS advice for event source mappings). */
const VISIBILITY_FACTOR = 6;

/**
 * A queue and its dead-letter queue, each with a key of its own.
 *
 * Not the bucket's key: a key policy that names the bucket, and a bucket that notifies the queue, depend on each other.
 * A message that SQS moves to the dead-letter queue stays encrypted with the first key, so replay needs both.
 */
export class Queues extends Construct {
  /** What ingest reads: notifications and continuations. */
  readonly queue: Queue;
  /** What could not be finished. */
  readonly deadLetters: Queue;
  /** The key of the queue. */
  readonly key: Key;
  /** The key of the dead-letter queue. */
  readonly deadLetterKey: Key;

  constructor(scope: Construct, id: string, props: QueuesProps) {
    super(scope, id);
    this.key = this.ownKey("Key", "Sekisho: messages that name objects to ingest");
    this.deadLetterKey = this.ownKey("DeadLetterKey", "Sekisho: messages whose objects could not be finished");
    // Each queue names the other by ARN, so CloudFormation needs one of them to have a name beforehand.
    const queueName = `${Stack.of(this).stackName}-${props.lane}`;
    const queueArn = Stack.of(this).formatArn({ service: "sqs", resource: queueName });
    const common = {
      encryption: QueueEncryption.KMS,
      enforceSSL: true,
      retentionPeriod: props.retention,
      visibilityTimeout: Duration.seconds(props.functionTimeout.toSeconds() * VISIBILITY_FACTOR),
    };
    this.deadLetters = new Queue(this, "DeadLetters", {
      ...common,
      encryptionMasterKey: this.deadLetterKey,
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        sourceQueues: [Queue.fromQueueArn(this, "Source", queueArn)],
      },
    });
    this.queue = new Queue(this, "Queue", {
      ...common,
      queueName,
      encryptionMasterKey: this.key,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: props.maxReceiveCount },
    });
  }

  /** Lets ingest read the queue and send continuations to it. */
  grantIngest(ingest: SekishoFunction): void {
    ingest.allow(
      [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
      ],
      [this.queue.queueArn],
    );
    ingest.allow(["kms:Decrypt", "kms:GenerateDataKey"], [this.key.keyArn]);
  }

  /** Lets replay empty the dead-letter queue and send back. */
  grantReplay(replay: SekishoFunction): void {
    replay.allow(["sqs:SendMessage"], [this.queue.queueArn]);
    replay.allow(
      ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      [this.deadLetters.queueArn],
    );
    replay.allow(["kms:Decrypt", "kms:GenerateDataKey"], [this.key.keyArn]);
    replay.allow(["kms:Decrypt"], [this.deadLetterKey.keyArn]);
  }

  /** Lets a service of AWS send to the queue, on behalf of an account: ours, if none is named. */
  allowSender(sender: Sender, conditions: Conditions, account?: string): void {
    allow(this.queue, this.key, { sender, conditions, account });
  }

  /** Lets a service of AWS put what it could not deliver where replay finds it. */
  allowUndelivered(sender: Sender, conditions: Conditions, account?: string): void {
    allow(this.deadLetters, this.deadLetterKey, { sender, conditions, account });
  }

  private ownKey(id: string, description: string): Key {
    return new Key(this, id, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY });
  }
}

/** A service that may send, for whom, and when. */
interface Permission {
  readonly sender: Sender;
  readonly conditions: Conditions;
  readonly account: string | undefined;
}

function allow(queue: IQueue, key: Key, permission: Permission): void {
  const principals = [new ServicePrincipal(permission.sender)];
  const { conditions } = permission;
  queue.addToResourcePolicy(
    new PolicyStatement({ actions: ["sqs:SendMessage"], principals, resources: [queue.queueArn], conditions }),
  );
  // Only the account: what the message is about is checked by the queue's policy.
  const account = permission.account ?? Stack.of(queue).account;
  key.addToResourcePolicy(
    new PolicyStatement({
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      principals,
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": account } },
    }),
  );
}
