/**
 * Which AWS services the functions call, and how each is reached from subnets without an internet route.
 *
 * The keys are the SDK crates in the functions' dependency graph; a test reads that graph, so a new client without a line here fails the build.
 */
import { InterfaceVpcEndpointAwsService } from "aws-cdk-lib/aws-ec2";

/** How a service is reached. */
export type Endpoint =
  /** Through the route table; S3 has such a gateway, without a price. */
  | { readonly kind: "gateway" }
  /** Through an interface of its own; `when` says which installations call it. */
  | { readonly kind: "interface"; readonly service: InterfaceVpcEndpointAwsService; readonly when: "always" | "foreign buckets" };

/** The clients. */
export const CLIENTS: Readonly<Record<string, Endpoint>> = {
  "aws-sdk-s3": { kind: "gateway" },
  "aws-sdk-sqs": { kind: "interface", service: InterfaceVpcEndpointAwsService.SQS, when: "always" },
  // The functions' own credentials come with their environment; only roles of other accounts are asked for.
  "aws-sdk-sts": { kind: "interface", service: InterfaceVpcEndpointAwsService.STS, when: "foreign buckets" },
};

/** Services that the functions depend on without calling them, and who does. */
export const WITHOUT_ENDPOINT: Readonly<Record<string, string>> = {
  kms: "S3 and SQS call it on behalf of whoever reads or writes",
  logs: "Lambda carries the functions' output to CloudWatch Logs outside of the VPC",
  monitoring: "metrics are lines of the log (EMF)",
  xray: "Lambda itself sends the segments of an invocation; the binaries hold no X-Ray client",
  es: "the domain has interfaces of its own in the VPC",
};
