/**
 * What is allowed though no recorded call needs it, and why: the one list of such rights.
 */

/** Rights without a call. */
export interface Reason {
  /** Whose: a binary, or the construct of a role that none of our binaries has. */
  readonly roles: readonly string[];
  readonly actions: readonly string[];
  readonly reason: string;
}

const FUNCTIONS = ["sekisho-ingest", "sekisho-replay", "sekisho-apply"];

/** Every right of a role that no binary uses by itself. */
export const WITHOUT_CALL: readonly Reason[] = [
  {
    roles: [...FUNCTIONS, "ApplyStarterRole"],
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    reason: "Lambda writes what a function prints, with the function's role; metrics are lines of it.",
  },
  {
    roles: FUNCTIONS,
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    reason: "Lambda sends the segments of an invocation, with the function's role.",
  },
  {
    roles: FUNCTIONS,
    actions: [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
    ],
    reason: "Lambda puts the function into the VPC, with its role; the code itself is denied all of it.",
  },
  {
    roles: ["sekisho-ingest"],
    actions: ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"],
    reason: "The event source mapping polls the queue with the function's role, and reads its settings when it is made.",
  },
  {
    roles: ["ScheduleRole", "ApplyStarterRole"],
    actions: ["lambda:InvokeFunction"],
    reason: "The schedule starts replay, the starter of a deployment apply: no binary of ours makes these calls.",
  },
  {
    roles: ["NetworkVpcFlowLogIAMRole"],
    actions: ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
    reason: "The VPC writes who talked to whom; CDK makes the role.",
  },
  {
    roles: ["NotifierRole"],
    actions: [
      "s3:GetBucketNotification",
      "s3:PutBucketNotification",
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ],
    reason: "CDK's function adds notifications beside those of an imported bucket when the stack is deployed.",
  },
];
