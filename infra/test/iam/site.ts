/**
 * [`Site`]: what the names of the recorded calls are in a synthesized stack.
 */
import type { LogBucket } from "../../lib/log-bucket.js";
import type { Lane } from "../../lib/lane.js";
import type { SekishoFunction } from "../../lib/function.js";
import type { SekishoStack } from "../../lib/stack.js";
import { text } from "./policy.js";

/** A bucket or queue. */
export interface Thing {
  readonly arn: string;
  /** The keys that its contents are encrypted with. */
  readonly keys: readonly string[];
  /** The beginnings of the keys of objects in it. */
  readonly prefixes: readonly string[];
}

/** A lane of a stack, through the eyes of the functions. */
export class Site {
  /** What the queues' and buckets' names of the recording are. */
  private readonly names: Readonly<Record<string, readonly Thing[]>>;
  /** The roles of other accounts that are assumed. */
  readonly foreignRoles: readonly string[];
  /** The domain. */
  readonly domain: string;

  constructor(
    readonly stack: SekishoStack,
    readonly lane: Lane,
  ) {
    const { queues } = lane;
    const arn = (value: string): string => text(stack.resolve(value));
    const keys = (...values: (string | undefined)[]): string[] => values.filter((each) => each !== undefined).map(arn);
    const prefixes = lane.prefixes.length === 0 ? [""] : lane.prefixes;
    const own = stack.logs.filter((log) => log.imported?.role === undefined);
    this.foreignRoles = stack.logs.flatMap((log) => log.imported?.role?.roleArn ?? []);
    this.domain = arn(stack.search.domainArn);
    this.names = {
      logs: own.map((log) => ({ arn: arn(log.bucket.bucketArn), keys: keys(keyOf(log)), prefixes })),
      // Read with the rights of the assumed role, which its owner grants.
      foreign: [],
      quarantine: [{ arn: arn(stack.quarantine.bucket.bucketArn), keys: keys(stack.quarantine.key.keyArn), prefixes: [""] }],
      config: [{ arn: arn(stack.config.bucket.bucketArn), keys: keys(stack.config.key.keyArn), prefixes: ["parsers/"] }],
      queue: [{ arn: arn(queues.queue.queueArn), keys: keys(queues.key.keyArn), prefixes: [] }],
      // What SQS moves there stays encrypted with the first key.
      "queue-dlq": [
        { arn: arn(queues.deadLetters.queueArn), keys: keys(queues.deadLetterKey.keyArn, queues.key.keyArn), prefixes: [] },
      ],
    };
  }

  /** The functions, by the names of their binaries. */
  get functions(): Readonly<Record<string, SekishoFunction>> {
    return { "sekisho-ingest": this.lane.ingest, "sekisho-replay": this.lane.replay, "sekisho-apply": this.stack.apply };
  }

  /** The buckets that a recorded one stands for. */
  buckets(name: string): readonly Thing[] {
    const found = this.names[name];
    if (found === undefined) {
      throw new Error(`the recording names no bucket \`${name}\` that is known`);
    }
    return found;
  }

  /** The queue that a recorded one stands for; it has the name of its bucket. */
  queue(name: string): Thing {
    const [found] = this.names[name.replace("logs", "queue")] ?? [];
    if (found === undefined) {
      throw new Error(`the recording names no queue \`${name}\` that is known`);
    }
    return found;
  }

  /** The role of a function. */
  role(user: SekishoFunction): string {
    return this.stack.getLogicalId(user.role.node.defaultChild as never);
  }
}

function keyOf(log: LogBucket): string | undefined {
  return log.created?.encryptionKey?.keyArn ?? log.imported?.keyArn;
}
