/**
 * A domain with a public endpoint and fine-grained access control exists; logs land in a new bucket.
 */
import type { SekishoStackProps } from "../lib/stack.js";

export default {
  domain: {
    domainArn: "arn:aws:es:us-east-1:111122223333:domain/siem",
    endpoint: "search-siem-0123456789abcdefghijklmnop.us-east-1.es.amazonaws.com",
  },
  settings: { index: { prefix: "sekisho-" } },
} satisfies SekishoStackProps;
