/**
 * Everything new, with a larger domain, a second bucket for what S3 and load balancers write, and analysts who may connect.
 */
import type { SekishoStackProps } from "../lib/stack.js";

export default {
  logs: {
    create: [{ organizationId: "o-0123456789", accounts: ["111122223333", "444455556666"] }, { encryption: "s3" }],
  },
  lanes: [{ name: "main", memoryMb: 3538, timeoutSeconds: 600 }],
  network: { cidr: "10.80.0.0/20" },
  domain: {
    dataNodes: 4,
    dataNodeType: "r7g.xlarge.search",
    volumeGib: 500,
    principals: ["arn:aws:iam::111122223333:role/analysts"],
  },
} satisfies SekishoStackProps;
