/**
 * What the functions ask for is allowed, and nothing else is, but for what `reasons.ts` explains.
 *
 * `calls.json` is what the released binaries asked for in `tests/e2e/rights`; `UPDATE_EXPECT=1` on that test writes it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import existingDomain from "../../deployments/existing-domain.js";
import importedBuckets from "../../deployments/imported-buckets.js";
import newVpc from "../../deployments/new-vpc.js";
import type { SekishoStackProps } from "../../lib/stack.js";
import { synthesize } from "../synthesis.js";
import { findings, grants, OF_CODE, type Recording, refused } from "./findings.js";
import { matches, speaksOf, statements, type TemplateJson } from "./policy.js";
import { type Reason, WITHOUT_CALL } from "./reasons.js";
import { Site } from "./site.js";

const recording = JSON.parse(readFileSync(new URL("calls.json", import.meta.url), "utf8")) as Recording;

/** A stack and its lanes. */
interface Installation {
  readonly template: TemplateJson;
  readonly sites: readonly Site[];
}

function install(props: SekishoStackProps): Installation {
  const { stack, template } = synthesize(props);
  return { template: template.toJSON() as TemplateJson, sites: stack.lanes.map((lane) => new Site(stack, lane)) };
}

const deployments: Readonly<Record<string, Installation>> = {
  defaults: install({}),
  "existing domain": install(existingDomain),
  "imported buckets": install(importedBuckets),
  "new VPC": install(newVpc),
  "notifications beside others": install({
    ...existingDomain,
    logs: { import: [{ bucketName: "example-logs", notifications: "stack" }] },
  }),
};
const defaults = deployments["defaults"] as Installation;

const used = new Set<Reason>();
for (const [name, { template, sites }] of Object.entries(deployments)) {
  test(`rights are what the recorded calls need: ${name}`, () => {
    assert.deepEqual(findings(template, sites, recording, used), []);
  });
}

test("every reason explains a right that some deployment has, and no recorded call needs", () => {
  assert.deepEqual(
    WITHOUT_CALL.filter((reason) => !used.has(reason)),
    [],
  );
  const explained = WITHOUT_CALL.flatMap((each) => each.actions);
  const given = new Set(Object.values(deployments).flatMap(({ template }) => grants(template).map((each) => each.action)));
  assert.deepEqual(
    explained.filter((action) => !given.has(action)),
    [],
  );
});

/** Changes a copy of the policies of a function's role. */
function changed(role: string, change: (statements: any[]) => void): TemplateJson {
  const template = structuredClone(defaults.template) as { Resources: Record<string, any> };
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === "AWS::IAM::Policy" && JSON.stringify(Properties.Roles).includes(role)) {
      change(Properties.PolicyDocument.Statement);
    }
  }
  return template;
}

test("a grant that is left out is noticed, whichever it is", () => {
  const explained = (name: string): string[] =>
    WITHOUT_CALL.filter((each) => each.roles.includes(name)).flatMap((each) => each.actions);
  let leftOut = 0;
  for (const site of defaults.sites) {
    for (const [name, user] of Object.entries(site.functions)) {
      const role = site.role(user);
      for (const grant of grants(defaults.template).filter((each) => each.role === role && !explained(name).includes(each.action))) {
        const template = changed(role, (all) => {
          for (const statement of all.filter((each) => each.Effect === "Allow")) {
            const [read] = statements({ Statement: [statement] });
            const resources = [statement.Resource].flat();
            if (read?.actions.includes(grant.action) === true) {
              const rest = resources.filter((_, index) => read.resources[index] !== grant.resource);
              const others = read.actions.filter((action) => action !== grant.action);
              all.splice(all.indexOf(statement), 1, { ...statement, Action: others }, { ...statement, Action: grant.action, Resource: rest });
            }
          }
        });
        const found = findings(template, defaults.sites, recording);
        assert.ok(
          found.some((each) => each.startsWith(`${name} may not ${grant.action} `)),
          `${name} without ${grant.action} on ${grant.resource}: ${found.join("; ")}`,
        );
        leftOut += 1;
      }
    }
  }
  assert.ok(leftOut > 30, `${leftOut}`);
});

test("a surplus grant is noticed: another action, a wider resource, a wildcard, a resource's own policy", () => {
  const bucket = { "Fn::GetAtt": ["QuarantineBucket2B128B57", "Arn"] };
  const surplus = [
    { Action: "s3:DeleteObject", Resource: { "Fn::Join": ["", [bucket, "/*"]] } },
    { Action: "s3:GetObject", Resource: "*" },
    { Action: "sqs:*", Resource: "*" },
    { Action: "kms:GenerateDataKey", Resource: { "Fn::GetAtt": ["LogsKeyB5D1D597", "Arn"] } },
  ];
  for (const statement of surplus) {
    const template = changed("LanemainIngestRole", (all) => all.push({ Effect: "Allow", ...statement }));
    const found = findings(template, defaults.sites, recording);
    assert.ok(found.some((each) => each.startsWith(`sekisho-ingest may ${statement.Action} on`)), found.join("; "));
  }
  const template = structuredClone(defaults.template) as { Resources: Record<string, any> };
  const domain = Object.values(template.Resources).find(({ Type }) => Type === "AWS::OpenSearchService::Domain");
  for (const statement of domain?.Properties.AccessPolicies.Statement) {
    statement.Action = "es:ESHttp*";
  }
  assert.ok(findings(template, defaults.sites, recording).some((each) => each.startsWith("sekisho-replay may es:ESHttp* on")));
});

test("a denial, a closed key and a closed endpoint are noticed", () => {
  const change = (type: string, edit: (properties: any) => void): string[] => {
    const template = structuredClone(defaults.template) as { Resources: Record<string, any> };
    for (const resource of Object.values(template.Resources).filter(({ Type }) => Type === type)) {
      edit(resource.Properties);
    }
    return findings(template, defaults.sites, recording);
  };
  const denial = { Effect: "Deny", Principal: "*", Action: "sqs:SendMessage", Resource: "*" };
  assert.match(change("AWS::SQS::QueuePolicy", (each) => each.PolicyDocument.Statement.push(denial)).join(), /a policy denies it/);
  assert.match(change("AWS::KMS::Key", (each) => each.KeyPolicy.Statement.shift()).join(), /does not let the account decide/);
  assert.match(change("AWS::EC2::VPCEndpoint", (each) => each.PolicyDocument.Statement.pop()).join(), /no endpoint of the VPC/);
});

test("the code of a function may not touch network interfaces, which Lambda makes with its role", () => {
  for (const site of defaults.sites) {
    for (const user of Object.values(site.functions)) {
      const need = { action: "ec2:CreateNetworkInterface", resource: "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:subnet/x" };
      assert.equal(refused(defaults.template, site.role(user), need), "a policy denies it");
    }
  }
});

test("wildcards and conditions are read as IAM reads them", () => {
  assert.ok(matches("s3:Get*", "s3:GetObject") && !matches("s3:Get", "s3:GetObject") && matches("a?c", "abc") && !matches("a.c", "abc"));
  const [statement] = statements({
    Statement: [{ Effect: "Deny", Action: "s3:*", Resource: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
  });
  assert.ok(statement !== undefined);
  assert.equal(speaksOf(statement, "s3:GetObject", "x", OF_CODE), false);
  assert.equal(speaksOf(statement, "s3:GetObject", "x", { "aws:SecureTransport": "false" }), true);
  assert.throws(() => statements({ Statement: [{ Effect: "Allow", NotAction: "s3:*" }] }), /NotAction is not evaluated/);
});
