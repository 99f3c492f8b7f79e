/**
 * [`QuarantineBucket`]: what could not be indexed, why messages failed, and messages that wait.
 */
import { Duration } from "aws-cdk-lib";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket, IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import type { SekishoFunction } from "./function.js";
import { privateBucket } from "./private-bucket.js";

/** Properties of [`QuarantineBucket`]. */
export interface QuarantineBucketProps {
  /** Where requests to it are logged. */
  readonly accessLogs: IBucket;
}

/** Where notes of failed messages lie; ingest may not delete, so those of messages that succeeded later stay. */
export const FAILURES = "failures/";
const FAILURE_DAYS = 30;

/** What could not be indexed, why messages failed, and messages that wait. It notifies nobody and is never an input. */
export class QuarantineBucket extends Construct {
  /** The bucket. */
  readonly bucket: Bucket;
  /** Its key. */
  readonly key: Key;

  constructor(scope: Construct, id: string, props: QuarantineBucketProps) {
    super(scope, id);
    const made = privateBucket(this, {
      holds: "records that could not be indexed, and why messages failed",
      accessLogs: props.accessLogs,
      lifecycle: [{ id: "failures", prefix: FAILURES, expiration: Duration.days(FAILURE_DAYS) }],
    });
    this.bucket = made.bucket;
    this.key = made.key as Key;
  }

  /** Lets ingest write and read, but not delete. */
  grantIngest(ingest: SekishoFunction): void {
    this.grant(ingest, ["s3:PutObject", "s3:GetObject"]);
  }

  /** Lets replay also delete what has succeeded. */
  grantReplay(replay: SekishoFunction): void {
    this.grant(replay, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]);
  }

  private grant(user: SekishoFunction, actions: string[]): void {
    user.allow(actions, [this.bucket.arnForObjects("*")]);
    // Without it, a note that was never written looks forbidden.
    user.allow(["s3:ListBucket"], [this.bucket.bucketArn]);
    user.allow(["kms:Decrypt", "kms:GenerateDataKey"], [this.key.keyArn]);
    user.set({ quarantine: { bucket: this.bucket.bucketName } });
    acknowledge(user.role, {
      id: `AwsSolutions-IAM5[Resource::<${logicalId(this.bucket)}.Arn>/*]`,
      reason: "The keys are made from the records and messages; the whole bucket belongs to ingest and replay.",
    });
  }
}

function logicalId(bucket: Bucket): string {
  return bucket.stack.getLogicalId(bucket.node.defaultChild as never);
}
