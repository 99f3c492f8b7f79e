/**
 * What an installation costs a month, from measured speeds and sizes: the formulas behind COST.md.
 */

/** What was measured of a source, on the machine and with the data that COST.md names. */
export interface SourceFigures {
  /** The source's share of the unzipped bytes. */
  readonly share: number;
  /** Unzipped megabytes that one processor reads, parses and maps in a second. */
  readonly megabytesPerSecond: number;
  /** Bytes of the index for each unzipped byte, without replicas. */
  readonly indexBytesPerByte: number;
}

/** Measured: see COST.md. */
export const SOURCES: Readonly<Record<string, SourceFigures>> = {
  "aws.cloudtrail": { share: 0.5, megabytesPerSecond: 54, indexBytesPerByte: 0.57 },
  "aws.waf": { share: 0.25, megabytesPerSecond: 41, indexBytesPerByte: 0.47 },
  "aws.vpcflow": { share: 0.25, megabytesPerSecond: 17.5, indexBytesPerByte: 1.85 },
};

/** Prices in US dollars, us-east-1, without discounts; read them anew before you decide. */
export const PRICES = {
  lambdaGbSecond: 0.0000133334,
  lambdaMillionRequests: 0.2,
  sqsMillionRequests: 0.4,
  s3GbMonth: 0.023,
  s3ThousandGets: 0.0004,
  ebsGbMonth: 0.122,
  managedGbMonth: 0.024,
  dataNodeHour: 0.167,
  masterNodeHour: 0.136,
  warmNodeHour: 0.238,
} as const;

/** What is assumed and not measured. */
export const ASSUMED = {
  /** Lambda's time over the engine's: waiting for S3 and for the cluster, compression, a slower processor. */
  lambdaFactor: 3,
  /** Unzipped megabytes of one object. */
  objectMegabytes: 0.5,
  /** Gzipped bytes of each unzipped byte; real logs, as a rule of thumb. */
  gzip: 0.1,
  /** The memory of the ingest function in GB. */
  lambdaGb: 1769 / 1024,
  /** Messages of one invocation. */
  batch: 100,
  /** Storage of a data node that may be full. */
  fill: 0.75,
  /** Storage of one data node in GB, at most: what its memory searches well. */
  dataNodeGb: 500,
  /** What one UltraWarm node addresses, in GB. */
  warmNodeGb: 1500,
  /** Least nodes: two zones. */
  nodes: 2,
  masters: 3,
  days: 30,
  hours: 730,
} as const;

/** When indices move, in days: the defaults of a new domain. */
export interface Ages {
  readonly warm: number;
  readonly cold: number;
  readonly remove: number;
}

/** A month's cost in US dollars, and what it comes from. */
export interface Estimate {
  readonly hotGb: number;
  readonly warmGb: number;
  readonly coldGb: number;
  readonly dataNodes: number;
  readonly warmNodes: number;
  readonly lambdaSeconds: number;
  readonly lambda: number;
  readonly queue: number;
  readonly s3: number;
  readonly instances: number;
  readonly storage: number;
  readonly total: number;
}

/** Estimates a month for so many unzipped gigabytes a day. */
export function estimate(gigabytesPerDay: number, ages: Ages): Estimate {
  const sources = Object.values(SOURCES);
  const perDay = (of: (source: SourceFigures) => number): number =>
    gigabytesPerDay * sources.reduce((sum, source) => sum + source.share * of(source), 0);
  const indexGb = perDay((source) => source.indexBytesPerByte);
  // One replica while an index is hot; UltraWarm and cold storage keep one copy, durable as S3 is.
  const hotGb = indexGb * ages.warm * 2;
  const warmGb = indexGb * (ages.cold - ages.warm);
  const coldGb = indexGb * (ages.remove - ages.cold);
  const volumesGb = hotGb / ASSUMED.fill;
  const dataNodes = Math.max(ASSUMED.nodes, even(volumesGb / ASSUMED.dataNodeGb));
  const warmNodes = Math.max(ASSUMED.nodes, Math.ceil(warmGb / ASSUMED.warmNodeGb));
  const lambdaSeconds = perDay((source) => 1000 / source.megabytesPerSecond) * ASSUMED.lambdaFactor * ASSUMED.days;
  const objects = ((gigabytesPerDay * 1000) / ASSUMED.objectMegabytes) * ASSUMED.days;
  const invocations = objects / ASSUMED.batch;
  const lambda =
    lambdaSeconds * ASSUMED.lambdaGb * PRICES.lambdaGbSecond + (invocations / 1e6) * PRICES.lambdaMillionRequests;
  // S3 sends each notification; ten are received and deleted at once.
  const queue = ((objects * 1.2) / 1e6) * PRICES.sqsMillionRequests;
  const s3 =
    gigabytesPerDay * ASSUMED.gzip * ages.remove * PRICES.s3GbMonth + (objects / 1000) * PRICES.s3ThousandGets;
  const instances =
    ASSUMED.hours *
    (dataNodes * PRICES.dataNodeHour + ASSUMED.masters * PRICES.masterNodeHour + warmNodes * PRICES.warmNodeHour);
  const storage = volumesGb * PRICES.ebsGbMonth + (warmGb + coldGb) * PRICES.managedGbMonth;
  const total = lambda + queue + s3 + instances + storage;
  return { hotGb, warmGb, coldGb, dataNodes, warmNodes, lambdaSeconds, lambda, queue, s3, instances, storage, total };
}

/** A whole number of nodes for each of two zones. */
function even(nodes: number): number {
  return Math.ceil(nodes / 2) * 2;
}
