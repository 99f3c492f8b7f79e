/**
 * [`SekishoProps`]: what an operator may choose, as plain data.
 */
import type { FunctionOptions } from "./function.js";
import type { LaneOptions } from "./lane.js";
import type { ImportedLogBucket, NewLogBucket } from "./log-bucket.js";
import type { ImportedNetwork, NewNetwork } from "./network.js";
import type { MonitoringProps } from "./monitoring/index.js";
import type { ExistingDomain, NewDomain } from "./search-domain.js";
import type { Settings } from "./settings.js";

/** What may be chosen about alarms; what they watch is the stack's to say. */
export type MonitoringOptions = Omit<MonitoringProps, "installation" | "lanes" | "apply" | "domain">;

/** What an operator may choose; everything has a default. */
export interface SekishoProps {
  /** Settings that differ from `config/sekisho.toml`; queues, buckets and roles are the stack's to set. @default - none */
  readonly settings?: Settings;
  /** The buckets that logs land in. @default - one that the stack makes */
  readonly logs?: {
    /** Buckets that the stack makes. @default - one, unless others are imported */
    readonly create?: readonly NewLogBucket[];
    /** Buckets that exist. @default - none */
    readonly import?: readonly ImportedLogBucket[];
  };
  /** Queues by key prefix, so that a source can have its own. @default - one for every key */
  readonly lanes?: readonly LaneOptions[];
  /** Where documents go. @default - a new domain */
  readonly domain?: NewDomain | ExistingDomain;
  /** The VPC of the functions and a new domain. @default - a new one for a new domain; none for an existing domain */
  readonly network?: NewNetwork | ImportedNetwork;
  /** How the functions run. @default - see `FunctionOptions` */
  readonly functions?: FunctionOptions;
  /** Alarms, their topics and the dashboard, or `false` for none. @default - all alarms, two new topics */
  readonly monitoring?: MonitoringOptions | false;
}
