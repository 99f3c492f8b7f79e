/**
 * [`LogBucket`]: a bucket that logs land in, made by the stack or imported.
 */
import { Duration, Stack } from "aws-cdk-lib";
import type { Key } from "aws-cdk-lib/aws-kms";
import { Bucket, type IBucket, StorageClass } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import type { SekishoFunction } from "./function.js";
import type { Lane } from "./lane.js";
import { allowDelivery, type LogService } from "./log-delivery.js";
import { privateBucket } from "./private-bucket.js";
import type { Settings } from "./settings.js";

/** A bucket that the stack makes. */
export interface NewLogBucket {
  /** Its name; WAF needs one that starts with `aws-waf-logs-`. @default - CloudFormation chooses one */
  readonly bucketName?: string;
  /** A key of its own, or S3's, which `elb` and `s3` need. @default "kms" */
  readonly encryption?: "kms" | "s3";
  /** Who delivers. @default ["cloudtrail", "config", "delivery"], and ["elb", "s3"] where S3 encrypts */
  readonly services?: readonly LogService[];
  /** The accounts whose logs are taken. @default - the stack's */
  readonly accounts?: string[];
  /** The organization whose trails are taken, like `o-0123456789`. @default - none */
  readonly organizationId?: string;
  /** Put before every key by those who deliver, with its slash. @default "" */
  readonly prefix?: string;
  /** How long logs are kept, in days. @default 400 */
  readonly keptDays?: number;
  /** How the queues learn of objects: by the bucket's own notifications, or through EventBridge. @default "stack" */
  readonly notifications?: "stack" | "eventbridge";
}

/** A bucket that exists. */
export interface ImportedLogBucket {
  /** Its name. */
  readonly bucketName: string;
  /** The ARN of its KMS key. @default - S3's encryption */
  readonly keyArn?: string;
  /**
   * How the queues learn of objects; what the bucket already notifies stays as it is.
   *
   * - `stack`: the stack adds notifications beside those that exist; S3 refuses where prefixes overlap
   * - `eventbridge`: the stack adds rules; the bucket's owner turns EventBridge on for it
   * - `sns`: the stack subscribes to `topicArn`, which the bucket notifies
   * - `owner`: the bucket's owner adds the notification; the queues let it in
   */
  readonly notifications: "stack" | "eventbridge" | "sns" | "owner";
  /** The topic of `sns`. */
  readonly topicArn?: string;
  /** The account that owns it. @default - the stack's */
  readonly account?: string;
  /** The role in that account that reads it, and the secret word between both. @default - its policy lets our roles in */
  readonly role?: ForeignRole;
}

/** A role of another account. */
export interface ForeignRole {
  /** Its ARN. */
  readonly roleArn: string;
  /** What its trust policy asks for, against confusion of deputies. */
  readonly externalId: string;
}

/** Properties of [`LogBucket`]. */
export interface LogBucketProps {
  /** The bucket, where it exists. @default - the stack makes one */
  readonly imported?: ImportedLogBucket;
  /** What a new one is like. @default - all defaults */
  readonly options?: NewLogBucket;
  /** Where requests to a new one are logged. */
  readonly accessLogs: IBucket;
}

const KEPT_DAYS = 400;
const RARELY_READ_DAYS = 90;
/** S3 delivers these only into buckets with its own encryption. */
const PLAIN_ONLY: readonly LogService[] = ["elb", "s3"];

/** A bucket that logs land in. */
export class LogBucket extends Construct {
  /** The bucket. */
  readonly bucket: IBucket;
  /** The bucket, where the stack made it. */
  readonly created?: Bucket;
  /** What it is, where it existed. */
  readonly imported?: ImportedLogBucket;
  /** How the queues learn of objects. */
  readonly notifications: ImportedLogBucket["notifications"];

  private readonly keyArn: string | undefined;

  constructor(scope: Construct, id: string, props: LogBucketProps) {
    super(scope, id);
    const { imported } = props;
    if (imported !== undefined) {
      this.imported = imported;
      this.notifications = imported.notifications;
      this.bucket = Bucket.fromBucketName(this, "Bucket", imported.bucketName);
      this.keyArn = imported.keyArn;
      return;
    }
    const options = props.options ?? {};
    this.notifications = options.notifications ?? "stack";
    const made = this.make(options, props.accessLogs);
    this.bucket = made.bucket;
    this.created = made.bucket;
    this.keyArn = made.key?.keyArn;
  }

  /** Settings that say how it is read: by bucket the role of another account, and its external id. */
  get settings(): Settings {
    const role = this.imported?.role;
    return role === undefined ? {} : { s3: { roles: { [this.bucket.bucketName]: `${role.roleArn} ${role.externalId}` } } };
  }

  /** Lets a lane's functions read its objects. */
  grantRead(lane: Lane): void {
    for (const user of [lane.ingest, lane.replay]) {
      const role = this.imported?.role;
      if (role === undefined) {
        this.grantTo(user, lane.prefixes);
      } else {
        user.allow(["sts:AssumeRole"], [role.roleArn]);
      }
    }
  }

  private grantTo(user: SekishoFunction, prefixes: readonly string[]): void {
    const keys = prefixes.length === 0 ? ["*"] : prefixes.map((prefix) => `${prefix}*`);
    user.allow(
      ["s3:GetObject", "s3:GetObjectVersion"],
      keys.map((each) => this.bucket.arnForObjects(each)),
    );
    // Without it, a missing object looks forbidden.
    user.allow(["s3:ListBucket"], [this.bucket.bucketArn]);
    if (this.keyArn !== undefined) {
      user.allow(["kms:Decrypt"], [this.keyArn]);
    }
    for (const each of keys) {
      acknowledge(user.role, {
        id: `AwsSolutions-IAM5[Resource::${this.nagArn()}/${each}]`,
        reason: "Logs are objects whose names are not known before; reading stops at the lane's prefixes.",
      });
    }
  }

  /** How cdk-nag writes the bucket's ARN. */
  private nagArn(): string {
    return this.created === undefined
      ? `arn:<AWS::Partition>:s3:::${this.bucket.bucketName}`
      : `<${this.created.stack.getLogicalId(this.created.node.defaultChild as never)}.Arn>`;
  }

  private make(options: NewLogBucket, accessLogs: IBucket): { bucket: Bucket; key?: Key } {
    const encryption = options.encryption ?? "kms";
    const services = options.services ?? (encryption === "kms" ? ["cloudtrail", "config", "delivery"] : PLAIN_ONLY);
    refuse(options, encryption, services);
    const made = privateBucket(this, {
      holds: "logs as delivered",
      bucketName: options.bucketName,
      encryption,
      accessLogs,
      eventBridge: options.notifications === "eventbridge",
      lifecycle: [
        {
          id: "age",
          expiration: Duration.days(options.keptDays ?? KEPT_DAYS),
          transitions: [
            { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(RARELY_READ_DAYS) },
          ],
        },
      ],
    });
    allowDelivery(made.bucket, {
      services,
      accounts: options.accounts ?? [Stack.of(this).account],
      organizationId: options.organizationId,
      prefix: options.prefix,
      key: made.key,
    });
    return made;
  }
}

/** Says what S3 would refuse, or silently not deliver. */
function refuse(options: NewLogBucket, encryption: "kms" | "s3", services: readonly LogService[]): void {
  const plain = services.filter((service) => PLAIN_ONLY.includes(service));
  if (encryption === "kms" && plain.length > 0) {
    throw new Error(
      `AWS delivers \`${plain.join("`, `")}\` only into buckets with S3's encryption; add a bucket with \`encryption: "s3"\` for it`,
    );
  }
  if (services.includes("waf") && !(options.bucketName ?? "").startsWith("aws-waf-logs-")) {
    throw new Error("AWS WAF delivers only into buckets whose name starts with `aws-waf-logs-`; set `bucketName`");
  }
}

/** Gives the account in an ARN. */
export function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}
