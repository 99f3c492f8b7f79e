/**
 * Which actions of IAM a recorded call needs, and where: what the service reference of AWS says, in one place.
 */
import type { Site, Thing } from "./site.js";

/** A call, as `calls.json` holds it. */
export interface Call {
  readonly service: string;
  readonly operation: string;
  readonly resource: string;
  /** The answer was 404: without `s3:ListBucket` it would be 403. */
  readonly missing?: boolean;
}

/** A right that somebody needs. */
export interface Need {
  readonly action: string;
  /** Of what the call was. */
  readonly resource: string;
  /** How wide the grant may be. */
  readonly scope: string;
}

/** The operations of S3 on objects: the action, and what S3 does with the key on behalf of the caller. */
const OBJECTS: Readonly<Record<string, readonly [action: string, ofKey?: string]>> = {
  GetObject: ["s3:GetObject", "kms:Decrypt"],
  "GetObject versionId": ["s3:GetObjectVersion", "kms:Decrypt"],
  // The SDK asks for checksums (`x-amz-checksum-mode`), which S3 decrypts.
  HeadObject: ["s3:GetObject", "kms:Decrypt"],
  "HeadObject versionId": ["s3:GetObjectVersion", "kms:Decrypt"],
  PutObject: ["s3:PutObject", "kms:GenerateDataKey"],
  DeleteObject: ["s3:DeleteObject"],
};

/** The operations of SQS: batches have no actions of their own. */
const QUEUES: Readonly<Record<string, readonly [action: string, ...ofKey: string[]]>> = {
  ReceiveMessage: ["sqs:ReceiveMessage", "kms:Decrypt"],
  DeleteMessageBatch: ["sqs:DeleteMessage"],
  ChangeMessageVisibilityBatch: ["sqs:ChangeMessageVisibility"],
  // Whoever sends makes a data key, and decrypts it to see that it is whole.
  SendMessageBatch: ["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"],
};

const METHODS: Readonly<Record<string, string>> = { GET: "es:ESHttpGet", POST: "es:ESHttpPost", PUT: "es:ESHttpPut" };

/** Gives what a call needs at a site; nothing where the site has no such thing. */
export function needs(call: Call, site: Site): Need[] {
  switch (call.service) {
    case "s3":
      return site.buckets(call.resource.split("/")[0] ?? "").flatMap((bucket) => ofBucket(call, bucket));
    case "sqs":
      return ofQueue(call, site.queue(call.resource));
    case "sts":
      return site.foreignRoles.map((role) => exact("sts:AssumeRole", role));
    case "es":
      return [{ action: known(METHODS, call.operation), resource: `${site.domain}${call.resource}`, scope: `${site.domain}/*` }];
    default:
      throw new Error(`no service that is known: ${JSON.stringify(call)}`);
  }
}

function ofBucket(call: Call, bucket: Thing): Need[] {
  const list = exact("s3:ListBucket", bucket.arn);
  if (call.operation === "ListObjectsV2") {
    return [list];
  }
  const [action, ofKey] = known(OBJECTS, call.operation);
  const objects = bucket.prefixes.map((prefix) => ({
    action,
    resource: `${bucket.arn}/${prefix}${call.resource.split("/")[1] ?? ""}/x`,
    scope: `${bucket.arn}/${prefix}*`,
  }));
  const keys = ofKey === undefined ? [] : bucket.keys.map((key) => exact(ofKey, key));
  return [...objects, ...keys, ...(call.missing === true ? [list] : [])];
}

function ofQueue(call: Call, queue: Thing): Need[] {
  const [action, ...ofKey] = known(QUEUES, call.operation);
  return [exact(action, queue.arn), ...ofKey.flatMap((each) => queue.keys.map((key) => exact(each, key)))];
}

function exact(action: string, resource: string): Need {
  return { action, resource, scope: resource };
}

function known<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = table[name];
  if (found === undefined) {
    throw new Error(`which actions does \`${name}\` need? add it to infra/test/iam/actions.ts`);
  }
  return found;
}
