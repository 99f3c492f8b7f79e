/**
 * [`allowDelivery`]: lets services of AWS deliver logs into a bucket, each with the policy that its documentation asks for.
 */
import { Stack } from "aws-cdk-lib";
import { type Conditions, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";

/**
 * Services that deliver logs.
 *
 * - `cloudtrail`: trails, also of an organization and of Control Tower
 * - `config`: AWS Config
 * - `delivery`: everything that goes through delivery.logs: VPC flow logs, Network Load Balancers, Route 53 Resolver, Network Firewall …
 * - `waf`: the same, into a bucket whose name starts with `aws-waf-logs-`
 * - `elb`: Application and Classic Load Balancers; only into a bucket with S3's encryption
 * - `s3`: S3 server access logs; only into a bucket with S3's encryption
 */
export type LogService = "cloudtrail" | "config" | "delivery" | "waf" | "elb" | "s3";

/** What the policies are made from. */
export interface DeliveryProps {
  /** Who delivers. */
  readonly services: readonly LogService[];
  /** The accounts whose logs are taken. */
  readonly accounts: string[];
  /** The organization, for its trails. @default - none */
  readonly organizationId?: string;
  /** Put before every key, with its slash. @default "" */
  readonly prefix?: string;
  /** The key of the bucket. @default - S3's */
  readonly key?: Key;
}

/** A statement for one service. */
interface Rule {
  readonly principal: string;
  readonly conditions: Conditions;
  /** Below which keys it may write. */
  readonly keys: string[];
  /** What else it asks the bucket. */
  readonly asks: string[];
}

/** Lets services of AWS deliver logs into a bucket. */
export function allowDelivery(bucket: Bucket, props: DeliveryProps): void {
  for (const rule of rules(bucket, props)) {
    const principals = [new ServicePrincipal(rule.principal)];
    const { conditions } = rule;
    if (rule.asks.length > 0) {
      bucket.addToResourcePolicy(
        new PolicyStatement({ actions: rule.asks, principals, resources: [bucket.bucketArn], conditions }),
      );
    }
    bucket.addToResourcePolicy(
      new PolicyStatement({
        actions: ["s3:PutObject"],
        principals,
        resources: rule.keys.map((keys) => bucket.arnForObjects(keys)),
        conditions,
      }),
    );
    props.key?.addToResourcePolicy(
      new PolicyStatement({
        actions: ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
        principals,
        resources: ["*"],
        conditions,
      }),
    );
  }
}

function rules(bucket: Bucket, props: DeliveryProps): Rule[] {
  const { partition } = Stack.of(bucket);
  const { accounts } = props;
  const prefix = props.prefix ?? "";
  const logs = accounts.map((account) => `${prefix}AWSLogs/${account}/*`);
  const ofAccounts = { StringEquals: { "aws:SourceAccount": accounts } };
  const from = (service: string, resource: string): Conditions => ({
    ...ofAccounts,
    ArnLike: { "aws:SourceArn": accounts.map((account) => `arn:${partition}:${service}:*:${account}:${resource}`) },
  });
  const has = (service: LogService): boolean => props.services.includes(service);
  const found: Rule[] = [];
  if (has("cloudtrail")) {
    // A trail of the organization is one of the management account, and writes for every member below the organization's id.
    const organization = props.organizationId === undefined ? [] : [`${prefix}AWSLogs/${props.organizationId}/*`];
    found.push({
      principal: "cloudtrail.amazonaws.com",
      conditions: { ArnLike: from("cloudtrail", "trail/*")["ArnLike"] },
      keys: [...logs, ...organization],
      asks: ["s3:GetBucketAcl"],
    });
  }
  if (has("config")) {
    found.push({
      principal: "config.amazonaws.com",
      conditions: ofAccounts,
      keys: accounts.map((account) => `${prefix}AWSLogs/${account}/Config/*`),
      asks: ["s3:GetBucketAcl", "s3:ListBucket"],
    });
  }
  if (has("delivery") || has("waf")) {
    found.push({
      principal: "delivery.logs.amazonaws.com",
      conditions: from("logs", "*"),
      keys: logs,
      asks: ["s3:GetBucketAcl", "s3:ListBucket"],
    });
  }
  if (has("elb")) {
    found.push({
      principal: "logdelivery.elasticloadbalancing.amazonaws.com",
      conditions: from("elasticloadbalancing", "loadbalancer/*"),
      keys: logs,
      asks: [],
    });
  }
  if (has("s3")) {
    found.push({
      principal: "logging.s3.amazonaws.com",
      conditions: ofAccounts,
      keys: [`${prefix}*`],
      asks: [],
    });
  }
  return found;
}
