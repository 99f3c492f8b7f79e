/**
 * [`AccessLogBucket`]: where S3 writes down who asked the other buckets for what.
 */
import { Duration } from "aws-cdk-lib";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import { privateBucket } from "./private-bucket.js";

/** PCI DSS 10.5.1 keeps audit trails for a year. */
const KEPT_DAYS = 366;

/** Where S3 writes down who asked the other buckets for what. */
export class AccessLogBucket extends Construct {
  /** The bucket. */
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // S3 delivers its access logs only to buckets that are encrypted with its own keys.
    const made = privateBucket(this, {
      holds: "access logs",
      encryption: "s3",
      lifecycle: [{ id: "age", expiration: Duration.days(KEPT_DAYS) }],
    });
    this.bucket = made.bucket;
    acknowledge(this.bucket, {
      id: "AwsSolutions-S1",
      reason: "This is the bucket for access logs; its own would never end.",
    });
  }
}
