/**
 * The evaluator against what CloudWatch documents: missing data, metric math, and its refusal of anything else.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decide, type State } from "./evaluator.js";
import { type Datapoint, evaluate } from "./expression.js";

/** The examples of "how alarm state is evaluated when data is missing": `0` within, `X` breaching, `-` missing; IGNORE gives the state before. */
const DOCUMENTED: readonly [datapoints: string, outOf: number, enough: number, ignore: State | "keep", breaching: State, notBreaching: State][] = [
  ["0 - X - X", 3, 3, "OK", "OK", "OK"],
  ["- - - - 0", 3, 3, "OK", "OK", "OK"],
  ["- - - - -", 3, 3, "keep", "ALARM", "OK"],
  ["0 X X - X", 3, 3, "ALARM", "ALARM", "ALARM"],
  ["- - X - -", 3, 3, "keep", "ALARM", "OK"],
  ["0 - X - X", 3, 2, "ALARM", "ALARM", "ALARM"],
  ["0 0 X 0 X", 3, 2, "ALARM", "ALARM", "ALARM"],
  ["0 - X - -", 3, 2, "OK", "ALARM", "OK"],
  ["- - - - 0", 3, 2, "OK", "ALARM", "OK"],
  ["- - - X -", 3, 2, "keep", "ALARM", "OK"],
];

describe("missing data", () => {
  for (const [text, outOf, enough, ignore, breaching, notBreaching] of DOCUMENTED) {
    it(`${text}, ${enough} out of ${outOf}`, () => {
      const values = text.split(" ").map((mark): Datapoint => (mark === "-" ? undefined : Number(mark === "X")));
      const alarm = (TreatMissingData: string) => ({
        ComparisonOperator: "GreaterThanThreshold",
        Threshold: 0,
        EvaluationPeriods: outOf,
        DatapointsToAlarm: enough,
        TreatMissingData,
      });
      for (const before of ["OK", "ALARM"] as const) {
        assert.equal(decide(alarm("ignore"), values, before), ignore === "keep" ? before : ignore);
        assert.equal(decide(alarm("breaching"), values, before), breaching);
        assert.equal(decide(alarm("notBreaching"), values, before), notBreaching);
      }
    });
  }

  it("is never left to CloudWatch", () => {
    const alarm = { ComparisonOperator: "GreaterThanThreshold", Threshold: 0, EvaluationPeriods: 1, TreatMissingData: "missing" };
    assert.throws(() => decide(alarm, [undefined], "OK"), /no deliberate answer/);
  });
});

describe("metric math", () => {
  const names = new Map<string, Datapoint[]>([
    ["a", [1, 2, undefined, 4]],
    ["b", [undefined, 2, undefined, undefined]],
  ]);
  const check = (expression: string, expected: Datapoint[]): void => {
    assert.deepEqual(evaluate(expression, names, 4), expected);
  };

  it("leaves out what has no other half", () => {
    check("a + b", [undefined, 4, undefined, undefined]);
    check("a > 1", [0, 1, undefined, 1]);
    check("a >= 2 AND a == 4", [0, 0, undefined, 1]);
    check("IF(a > 1, 10 * a, 0)", [0, 20, undefined, 40]);
  });

  it("fills", () => {
    check("FILL(b, 0)", [0, 2, 0, 0]);
    check("FILL(b, REPEAT)", [undefined, 2, 2, 2]);
  });

  it("refuses what the alarms do not use", () => {
    for (const expression of ["RATE(a)", "a / b", "FILL(a, LINEAR)", "a >", "c", "a b", "IF(a, b)"]) {
      assert.throws(() => evaluate(expression, names, 4), /does not know/, expression);
    }
  });
});
