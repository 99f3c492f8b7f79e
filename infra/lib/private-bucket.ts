/**
 * [`privateBucket`]: how every bucket of the stack is made.
 */
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, type LifecycleRule, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

/** What differs between the buckets. */
export interface PrivateBucketProps {
  /** What it holds. */
  readonly holds: string;
  /** Its name. @default - CloudFormation chooses one */
  readonly bucketName?: string;
  /** Encrypted with a key of its own, or by S3's, which some services need for delivering. @default "kms" */
  readonly encryption?: "kms" | "s3";
  /** Where requests to it are logged. @default - nowhere */
  readonly accessLogs?: IBucket;
  /** What becomes of its objects with age. */
  readonly lifecycle: LifecycleRule[];
  /** Tells EventBridge of its objects. @default false */
  readonly eventBridge?: boolean;
}

/** How long an overwritten or deleted object can be brought back. */
const NONCURRENT_DAYS = 30;
const ABANDONED_UPLOAD_DAYS = 7;

/** A bucket and its key. */
export interface PrivateBucket {
  /** The bucket. */
  readonly bucket: Bucket;
  /** Its key, unless S3's is used. */
  readonly key?: Key;
}

/** Makes a bucket: versioned, encrypted, closed to the public, TLS only; it stays when the stack goes. */
export function privateBucket(scope: Construct, props: PrivateBucketProps): PrivateBucket {
  const key =
    props.encryption === "s3"
      ? undefined
      : new Key(scope, "Key", {
          description: `Sekisho: ${props.holds}`,
          enableKeyRotation: true,
          removalPolicy: RemovalPolicy.RETAIN,
        });
  const encryption =
    key === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : // With a bucket key, S3 asks KMS once for many objects.
        { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true };
  const bucket = new Bucket(scope, "Bucket", {
    ...encryption,
    bucketName: props.bucketName,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    eventBridgeEnabled: props.eventBridge ?? false,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      {
        id: "old-versions",
        abortIncompleteMultipartUploadAfter: Duration.days(ABANDONED_UPLOAD_DAYS),
        noncurrentVersionExpiration: Duration.days(NONCURRENT_DAYS),
      },
      ...props.lifecycle,
    ],
    ...(props.accessLogs === undefined
      ? {}
      : { serverAccessLogsBucket: props.accessLogs, serverAccessLogsPrefix: `${scope.node.id}/` }),
  });
  return key === undefined ? { bucket } : { bucket, key };
}
