/**
 * The metric names against the list that the functions' crate generates, and how many of them an installation pays for.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { customMetrics, METRICS } from "../../lib/monitoring/metrics.js";

const LIST = new URL("../../../crates/sekisho-lambda/METRICS.md", import.meta.url);

it("lists the metrics that the functions write", () => {
  const rows = readFileSync(LIST, "utf8")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, name]) => name?.startsWith("`"));
  const written = rows.map(([, name, unit, writer, dimensions]) => [name?.replaceAll("`", ""), { unit, writer, dimensions }]);
  assert.ok(written.length > 0);
  assert.deepEqual(Object.entries(METRICS), written);
});

it("costs at most 100 custom metrics by default", () => {
  assert.equal(customMetrics(0), Object.keys(METRICS).length);
  // 30 of the installation and 2 of each of 20 sources and `other`.
  assert.equal(customMetrics(), 72);
});
