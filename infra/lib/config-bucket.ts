/**
 * [`ConfigBucket`]: what operators publish, like parser bundles; the functions only read it.
 */
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket, IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import type { SekishoFunction } from "./function.js";
import { privateBucket } from "./private-bucket.js";

/** Properties of [`ConfigBucket`]. */
export interface ConfigBucketProps {
  /** Where requests to it are logged. */
  readonly accessLogs: IBucket;
}

/** Where published parsers lie. */
const PARSERS = "parsers/";

/**
 * What operators publish, like parser bundles.
 *
 * An upgrade of the stack touches nothing in it, and removing the stack leaves it.
 * Functions only read it: what they run is decided by people.
 */
export class ConfigBucket extends Construct {
  /** The bucket. */
  readonly bucket: Bucket;
  /** Its key. */
  readonly key: Key;

  constructor(scope: Construct, id: string, props: ConfigBucketProps) {
    super(scope, id);
    const made = privateBucket(this, {
      holds: "what operators publish",
      accessLogs: props.accessLogs,
      lifecycle: [],
    });
    this.bucket = made.bucket;
    this.key = made.key as Key;
  }

  /** Lets a function read the published parsers. */
  grantRead(user: SekishoFunction): void {
    user.allow(["s3:GetObject"], [this.bucket.arnForObjects(`${PARSERS}*`)]);
    // Without it, a pointer that was never written looks forbidden.
    user.allow(["s3:ListBucket"], [this.bucket.bucketArn]);
    user.allow(["kms:Decrypt"], [this.key.keyArn]);
    user.set({ bundles: { bucket: this.bucket.bucketName } });
    const bucket = this.bucket.stack.getLogicalId(this.bucket.node.defaultChild as never);
    acknowledge(user.role, {
      id: `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${PARSERS}*]`,
      reason: "A bundle's key is its digest, which nobody knows before it is published.",
    });
  }

  /** Lets a role of people publish parsers and take them back: `sekisho parser publish` and `rollback`. Nobody may delete. */
  grantPublish(publisher: IGrantable): void {
    const allow = (actions: string[], resource: string): void => {
      publisher.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [resource] }));
    };
    allow(["s3:GetObject", "s3:PutObject"], this.bucket.arnForObjects(`${PARSERS}*`));
    allow(["s3:ListBucket"], this.bucket.bucketArn);
    allow(["kms:Decrypt", "kms:GenerateDataKey"], this.key.keyArn);
  }
}
