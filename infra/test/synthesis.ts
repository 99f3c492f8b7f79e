/**
 * Synthesizes stacks for the tests, with binaries that are none: no Rust is compiled.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";

import { SekishoStack, type SekishoStackProps } from "../lib/stack.js";

/** A folder of binaries that are none. */
export const binaries = mkdtempSync(join(tmpdir(), "sekisho-binaries-"));
for (const binary of ["sekisho-ingest", "sekisho-replay", "sekisho-apply"]) {
  writeFileSync(join(binaries, binary), binary);
}

/** The switches of `cdk.json`, which the command line would give. */
export const context = (
  JSON.parse(readFileSync(new URL("../cdk.json", import.meta.url), "utf8")) as { context: Record<string, unknown> }
).context;

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: string[];
}

/** A stack and what it synthesizes to. */
export interface Synthesis {
  readonly stack: SekishoStack;
  readonly template: Template;
}

/** Synthesizes a stack. */
export function synthesize(props: SekishoStackProps = {}): Synthesis {
  const app = new App({ context });
  const stack = new SekishoStack(app, "Sekisho", { ...props, functions: { ...props.functions, binaries } });
  return { stack, template: Template.fromStack(stack) };
}

/** Gives the resources of a type whose logical id starts with some text. */
export function resources(template: Template, type: string, start = ""): Resource[] {
  const found = template.findResources(type) as Record<string, Resource>;
  return Object.entries(found)
    .filter(([id]) => id.startsWith(start))
    .map(([, resource]) => resource);
}

/** Gives the one resource of a type whose logical id starts with some text. */
export function only(template: Template, type: string, start = ""): Resource {
  const found = resources(template, type, start);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} resources ${type} ${start}`);
  }
  return found[0];
}

/** Gives the actions that the policy of a role allows, sorted. */
export function allowed(template: Template, role: string): string[] {
  const policies = resources(template, "AWS::IAM::Policy", role);
  const statements = policies.flatMap((policy) => policy.Properties.PolicyDocument.Statement);
  return [...new Set(statements.filter((each) => each.Effect === "Allow").flatMap((each) => each.Action))].sort() as string[];
}
