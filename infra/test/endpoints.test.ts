/**
 * Every SDK client in the functions' dependency graph has an endpoint in a VPC without an internet route.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { CLIENTS } from "../lib/endpoints.js";
import importedBuckets from "../deployments/imported-buckets.js";
import { resources, synthesize } from "./synthesis.js";

/** Reads the crates that the functions depend on, in Cargo.lock. */
function clients(): string[] {
  const lock = readFileSync(new URL("../../Cargo.lock", import.meta.url), "utf8");
  const graph = new Map<string, string[]>();
  for (const block of lock.split("[[package]]").slice(1)) {
    const name = /^name = "(.+)"$/m.exec(block)?.[1] ?? "";
    const list = /^dependencies = \[\n([^\]]*)\]/m.exec(block)?.[1] ?? "";
    const dependencies = [...list.matchAll(/"([^ "]+)[^"]*"/g)].map((match) => match[1] ?? "");
    graph.set(name, [...(graph.get(name) ?? []), ...dependencies]);
  }
  const seen = new Set<string>();
  const waiting = ["sekisho-ingest", "sekisho-replay", "sekisho-apply"];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (!seen.has(name)) {
      assert.ok(graph.has(name), `Cargo.lock holds no ${name}`);
      seen.add(name);
      waiting.push(...(graph.get(name) ?? []));
    }
  }
  return [...seen].filter((name) => name.startsWith("aws-sdk-")).sort();
}

/** The services that a template has endpoints for. */
function services(template: Parameters<typeof resources>[0]): string[] {
  const endpoints = resources(template, "AWS::EC2::VPCEndpoint");
  return endpoints.map((each) => JSON.stringify(each.Properties.ServiceName).replace(/^.*\.([a-z0-9]+)".*$/, "$1")).sort();
}

test("the table of clients is the code's", () => {
  assert.deepEqual(clients(), Object.keys(CLIENTS).sort());
});

test("a new VPC has an endpoint for each client that is called", () => {
  assert.deepEqual(services(synthesize().template), ["s3", "sqs"]);
});

test("roles of other accounts need STS too", () => {
  const found = services(synthesize(importedBuckets).template);
  assert.deepEqual(found, clients().map((name) => name.replace("aws-sdk-", "")));
});

test("endpoints admit the functions alone, and credentials of known accounts alone", () => {
  const { template } = synthesize();
  for (const endpoint of resources(template, "AWS::EC2::VPCEndpoint")) {
    const [statement] = endpoint.Properties.PolicyDocument.Statement;
    assert.deepEqual(statement.Condition, { StringEquals: { "aws:PrincipalAccount": [{ Ref: "AWS::AccountId" }] } });
  }
  template.resourceCountIs("AWS::EC2::InternetGateway", 0);
  template.resourceCountIs("AWS::EC2::NatGateway", 0);
  template.resourceCountIs("AWS::EC2::FlowLog", 1);
  for (const group of resources(template, "AWS::EC2::SecurityGroup")) {
    for (const rule of group.Properties.SecurityGroupIngress ?? []) {
      assert.equal(rule.CidrIp, undefined);
      assert.equal(rule.FromPort, 443);
    }
  }
});
