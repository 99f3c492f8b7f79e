/**
 * The list of settings is that of `config/sekisho.toml`, and values are written as the functions read them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { defaultNumber, lines } from "../lib/defaults.js";
import { environment, merge, SETTINGS } from "../lib/settings.js";

function kind(value: string): string {
  if (value.startsWith('"')) return "text";
  if (value.startsWith("[")) return "list";
  if (value.startsWith("{")) return "map";
  return value === "true" || value === "false" ? "boolean" : "number";
}

test("names and types are those of config/sekisho.toml", () => {
  const ours = Object.entries(SETTINGS).flatMap(([group, names]) =>
    Object.entries(names).map(([name, type]) => `${group}.${name}: ${type}`),
  );
  const theirs = [...lines()].map(([name, value]) => `${name}: ${kind(value)}`);
  assert.deepEqual(ours.sort(), theirs.sort());
});

test("values are written as the functions read them", () => {
  const variables = environment({
    index: { prefix: "a-", rotation: { "aws.waf": "monthly", "aws.vpcflow": "daily" } },
    ledger: { enabled: false },
    replay: { rate: 7 },
    s3: { input_buckets: ["one", "two"] },
  });
  assert.deepEqual(variables, {
    SEKISHO_INDEX_PREFIX: "a-",
    SEKISHO_INDEX_ROTATION: "aws.waf=monthly,aws.vpcflow=daily",
    SEKISHO_LEDGER_ENABLED: "false",
    SEKISHO_REPLAY_RATE: "7",
    SEKISHO_S3_INPUT_BUCKETS: "one,two",
  });
});

test("a misspelt setting and a comma in a list are refused", () => {
  assert.throws(() => environment({ index: { prefx: "a" } } as never), /no setting is called `index.prefx`/);
  assert.throws(() => environment({ ignore: { keys: ["a,b"] } }), /holds a comma/);
});

test("later settings win, one by one", () => {
  const merged = merge({ replay: { rate: 1, park_days: 2 } }, { replay: { rate: 3 } });
  assert.deepEqual(merged, { replay: { rate: 3, park_days: 2 } });
});

test("defaults are read, not repeated", () => {
  assert.equal(defaultNumber("queue", "retention_days"), 14);
  assert.equal(defaultNumber("queue", "max_receive_count"), 10);
});
