/**
 * [`ConfigBucket`]: what operators publish, like parser bundles; the functions only read it.
 */
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket, IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { privateBucket } from "./private-bucket.js";

/** Properties of [`ConfigBucket`]. */
export interface ConfigBucketProps {
  /** Where requests to it are logged. */
  readonly accessLogs: IBucket;
}

/**
 * What operators publish, like parser bundles.
 *
 * An upgrade of the stack touches nothing in it, and removing the stack leaves it.
 * No function has a right on it yet: none reads bundles in this version, and whoever calls nothing needs nothing.
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
}
