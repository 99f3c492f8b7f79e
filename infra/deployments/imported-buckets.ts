/**
 * Logs land in buckets that exist, some of another account; a domain and its VPC exist too, and a source has a lane of its own.
 */
import type { SekishoStackProps } from "../lib/stack.js";

export default {
  logs: {
    import: [
      { bucketName: "example-logs", notifications: "eventbridge" },
      {
        bucketName: "example-organization-trail",
        keyArn: "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000",
        notifications: "sns",
        topicArn: "arn:aws:sns:us-east-1:111122223333:example-organization-trail",
      },
      {
        bucketName: "aws-controltower-logs-444455556666-us-east-1",
        account: "444455556666",
        notifications: "sns",
        topicArn: "arn:aws:sns:us-east-1:444455556666:example-log-archive",
        role: { roleArn: "arn:aws:iam::444455556666:role/sekisho-reads-logs", externalId: "sekisho-example" },
      },
    ],
  },
  lanes: [
    { name: "audit", prefixes: ["AWSLogs/111122223333/CloudTrail/", "o-0123456789/AWSLogs/"], maxConcurrency: 10 },
    { name: "main" },
  ],
  domain: {
    domainArn: "arn:aws:es:us-east-1:111122223333:domain/siem",
    endpoint: "vpc-siem-0123456789abcdefghijklmnop.us-east-1.es.amazonaws.com",
    dataNodes: 6,
  },
  network: {
    vpcId: "vpc-0123456789abcdef0",
    availabilityZones: ["us-east-1a", "us-east-1b"],
    subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    routeTableIds: ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
    endpoints: "stack",
    domainSecurityGroupId: "sg-0123456789abcdef0",
  },
} satisfies SekishoStackProps;
