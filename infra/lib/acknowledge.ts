/**
 * [`acknowledge`]: a finding of cdk-nag that stays, with the reason why.
 */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** A finding and why it stays. */
export interface Acknowledged {
  /** The rule, with the finding in brackets where it has one. */
  readonly id: string;
  /** Why it stays. */
  readonly reason: string;
}

/** Notes that findings at a construct, and below it, stay. */
export function acknowledge(scope: IConstruct, ...findings: Acknowledged[]): void {
  Validations.of(scope).acknowledge(...findings);
}
