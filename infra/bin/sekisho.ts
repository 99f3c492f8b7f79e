/**
 * The CDK application: one stack, described by a deployment file (`-c deployment=FILE`) or by the defaults alone.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

import type { FunctionOptions } from "../lib/function.js";
import { SekishoStack, type SekishoStackProps } from "../lib/stack.js";

const STACK = "Sekisho";

const app = new App();
const chosen = await deployment();
new SekishoStack(app, text("stack") ?? STACK, {
  description: "Sekisho: every log in the bucket becomes an ECS document in OpenSearch",
  ...chosen,
  functions: { ...chosen.functions, ...fromCommandLine() },
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

/** What the deployment file exports. */
async function deployment(): Promise<SekishoStackProps> {
  const named = text("deployment");
  if (named === undefined) {
    return {};
  }
  const path = resolve(named);
  if (!existsSync(path)) {
    throw new Error(`cannot find the deployment file \`${path}\``);
  }
  const module = (await import(pathToFileURL(path).href)) as { default?: SekishoStackProps };
  if (module.default === undefined) {
    throw new Error(`\`${path}\` has no default export; write \`export default { … } satisfies SekishoStackProps\``);
  }
  return module.default;
}

/** `-c binaries=DIR` and `-c architecture=x86_64`, for tests and trials. */
function fromCommandLine(): FunctionOptions {
  const binaries = text("binaries");
  const architecture = text("architecture");
  if (architecture !== undefined && architecture !== "arm64" && architecture !== "x86_64") {
    throw new Error(`\`architecture\` is \`arm64\` or \`x86_64\`, not \`${architecture}\``);
  }
  return {
    ...(binaries === undefined ? {} : { binaries: resolve(binaries) }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

function text(name: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name);
  return value === undefined ? undefined : String(value);
}
