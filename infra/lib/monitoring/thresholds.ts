/**
 * The lines that alarms draw, each with its default.
 */

/** The lines that alarms draw. */
export interface Thresholds {
  /** How old the oldest message of a queue may be, in seconds. */
  readonly oldestMessageSeconds: number;
  /** How long the brake may be closed, in seconds. */
  readonly brakedSeconds: number;
  /** How long an object may wait between its S3 event and its last document, in seconds. */
  readonly deliveryDelaySeconds: number;
  /** Free storage of the fullest data node that wakes somebody, in percent of its volume. */
  readonly pageFreePercent: number;
  /** Free storage of the fullest data node that is a ticket, in percent of its volume. */
  readonly ticketFreePercent: number;
  /** The share of raw records of an hour that is a ticket, in percent. */
  readonly rawPercent: number;
  /** How many raw records of an hour are none yet, whatever their share. */
  readonly rawLines: number;
  /** How long the cluster may be yellow, in minutes. */
  readonly yellowMinutes: number;
  /** The JVM memory pressure of a node that is a ticket, in percent. */
  readonly jvmPercent: number;
}

/** The defaults. */
export const THRESHOLDS: Thresholds = {
  oldestMessageSeconds: 2 * 60 * 60,
  brakedSeconds: 15 * 60,
  deliveryDelaySeconds: 2 * 60 * 60,
  pageFreePercent: 15,
  ticketFreePercent: 25,
  rawPercent: 0.5,
  rawLines: 100,
  yellowMinutes: 60,
  // The service blocks all writes after 30 minutes over 92 %.
  jvmPercent: 90,
};

const MIB_PER_GIB = 1024;

/** How much free storage wakes somebody, in MiB. */
export function pageFreeMib(volumeGib: number, percent: number): number {
  // The service refuses writes under 20 GiB or 20 %, whichever is less: on a small volume that comes before 15 %.
  const blockGib = Math.min(20, volumeGib * 0.2);
  return Math.round(Math.max(volumeGib * (percent / 100), blockGib) * MIB_PER_GIB);
}

/** How much free storage is a ticket, in MiB. */
export function ticketFreeMib(volumeGib: number, percent: number): number {
  return Math.round(volumeGib * (percent / 100) * MIB_PER_GIB);
}
