/**
 * What is watched: lanes and the domain.
 */
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

/** A lane: a queue with its dead-letter queue, and the functions that read them. */
export interface WatchedLane {
  /** Lower case, hyphens; part of alarm names. */
  readonly name: string;
  readonly queue: IQueue;
  readonly deadLetterQueue: IQueue;
  readonly ingest: IFunction;
  readonly replay: IFunction;
}

/** The OpenSearch domain. */
export interface WatchedDomain {
  readonly domainName: string;
  /** The volume of one data node in GiB: free storage is measured against it. */
  readonly volumeGib: number;
  /** The account of the domain. Default: this one. */
  readonly account?: string;
}
