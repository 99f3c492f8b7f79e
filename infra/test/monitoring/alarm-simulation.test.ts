/**
 * Which alarms each fault fires, as the synthesized alarms see the simulated components; and that an ordinary fortnight fires none.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { firings, seriesOf } from "./evaluator.js";
import { BEGIN, CASES } from "./faults.js";
import type { Recorder } from "./recorder.js";
import { DAY, HOUR, simulate } from "./simulation.js";
import { alarmsOf, monitored } from "./subject.js";
import { ORDINARY, usual } from "./traffic.js";

const { stack, monitoring } = monitored();
const ALARMS = alarmsOf(stack, monitoring);
/** CloudWatch does not tell how many datapoints it reads beyond those asked for; nothing may depend on it. */
const SURPLUSES = [0, 3];
/** Before, the windows of silence are not yet filled. */
const WARM = 3 * HOUR;

/** Gives how often each alarm went off. */
function fired(recorder: Recorder, surplus: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name, { alarm }] of ALARMS) {
    const times = firings(alarm, recorder, WARM, surplus).length;
    if (times > 0) {
      counts.set(name, times);
    }
  }
  return counts;
}

describe("the alarms of a fault", () => {
  for (const { when, fault, runs, fires } of CASES) {
    it(when, () => {
      assert.ok(runs > BEGIN);
      const recorder = simulate(runs, usual(6 * HOUR), fault);
      for (const surplus of SURPLUSES) {
        const counts = fired(recorder, surplus);
        assert.deepEqual([...counts.keys()].sort(), [...fires].sort(), `with ${surplus} surplus datapoints`);
        // Nobody is called twice for one thing.
        for (const [name, times] of counts) {
          assert.equal(times, 1, `\`${name}\` went off ${times} times`);
        }
      }
    });
  }
});

describe("an ordinary fortnight", () => {
  it("fires nothing", () => {
    const recorder = simulate(14 * DAY, usual(0), ORDINARY);
    for (const surplus of SURPLUSES) {
      assert.deepEqual(fired(recorder, surplus), new Map());
    }
  });
});

describe("the model", () => {
  it("publishes everything that an alarm reads, under the same name", () => {
    const recorder = simulate(DAY, usual(6 * HOUR), CASES.find(({ when }) => when.includes("throttled altogether"))!.fault);
    const apply = "AWS/Lambda Errors [[\"FunctionName\",\"sekisho-apply\"]]";
    const deadLetters = (key: string): boolean => key.includes("-dlq");
    for (const [name, { alarm }] of ALARMS) {
      for (const key of seriesOf(alarm)) {
        assert.ok(recorder.has(key) || key === apply || deadLetters(key), `\`${name}\` reads \`${key}\`, which nothing publishes`);
      }
    }
  });

  it("has a fault for each alarm", () => {
    const heard = new Set(CASES.flatMap(({ fires }) => fires));
    const unheard = [...ALARMS.keys()].filter((name) => !heard.has(name));
    // The vital source's own raw share is the same alarm as that of the other declared one.
    assert.deepEqual(unheard, ["raw-share-aws.cloudtrail"]);
  });
});
