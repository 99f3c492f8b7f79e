/**
 * Watches a stack of ours: finds what is watched among its members, so that the stack needs one line.
 */
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CfnDomain, type Domain } from "aws-cdk-lib/aws-opensearchservice";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { declaredSources, Monitoring, type MonitoringProps } from "./index.js";

/** What an operator may choose about alarms; everything has a default. */
export interface MonitoringOptions
  extends Pick<MonitoringProps, "topics" | "thresholds" | "vitalSources" | "silentSources" | "without" | "runbook"> {
  /** The volume of one data node of an existing domain, in GiB. Default: 134; a new domain is asked itself. */
  readonly volumeGib?: number;
}

/** A function of the stack, whose settings can still be added to. */
interface Settable {
  readonly function: IFunction;
  set(settings: { readonly metrics: { readonly sources: string[] } }): void;
}

/** The members of `SekishoStack` that are watched. */
export interface WatchedStack extends Construct {
  readonly installation: string;
  readonly lanes: readonly {
    readonly laneName: string;
    readonly queues: { readonly queue: IQueue; readonly deadLetters: IQueue };
    readonly ingest: Settable;
    readonly replay: Settable;
  }[];
  readonly apply: { readonly function: IFunction };
  readonly search: { readonly domainName: string; readonly created?: Domain };
}

/** Adds topics, alarms and dashboard to a stack, and lets ingest count the declared sources by name. */
export function watchStack(stack: WatchedStack, options: MonitoringOptions = {}): Monitoring {
  const { volumeGib, ...props } = options;
  const sources = declaredSources(props.vitalSources, props.silentSources);
  if (sources.length > 0) {
    for (const lane of stack.lanes) {
      lane.ingest.set({ metrics: { sources } });
    }
  }
  return new Monitoring(stack, "Monitoring", {
    ...props,
    installation: stack.installation,
    lanes: stack.lanes.map((lane) => ({
      name: lane.laneName,
      queue: lane.queues.queue,
      deadLetterQueue: lane.queues.deadLetters,
      ingest: lane.ingest.function,
      replay: lane.replay.function,
    })),
    apply: stack.apply.function,
    domain: { domainName: stack.search.domainName, volumeGib: volumeOf(stack.search.created) ?? volumeGib },
  });
}

/** Asks a domain of ours for the volume of its data nodes. */
function volumeOf(domain: Domain | undefined): number | undefined {
  const ebs = domain?.node.defaultChild instanceof CfnDomain ? domain.node.defaultChild.ebsOptions : undefined;
  const size = ebs !== undefined && "volumeSize" in ebs ? ebs.volumeSize : undefined;
  return typeof size === "number" ? size : undefined;
}
