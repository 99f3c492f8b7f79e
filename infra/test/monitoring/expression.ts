/**
 * Evaluates the metric math that our alarms use, and refuses every other.
 *
 * Series are aligned arrays, oldest first; `undefined` is a missing datapoint.
 */

/** One datapoint, or none. */
export type Datapoint = number | undefined;
type Series = Datapoint[];
type Names = ReadonlyMap<string, Series>;

/** Evaluates an expression over series of the same length. */
export function evaluate(expression: string, names: Names, length: number): Series {
  const parser = new Parser(tokens(expression), names, length);
  const series = parser.conjunction();
  parser.end();
  return series;
}

function tokens(expression: string): string[] {
  const found = expression.match(/[A-Za-z_]\w*|\d+(?:\.\d+)?|==|>=|<=|[-+*/<>(),]|\S/g);
  return found ?? [];
}

const COMPARE: Record<string, (a: number, b: number) => number> = {
  ">": (a, b) => Number(a > b),
  ">=": (a, b) => Number(a >= b),
  "==": (a, b) => Number(a === b),
};

class Parser {
  private place = 0;

  public constructor(
    private readonly tokens: readonly string[],
    private readonly names: Names,
    private readonly length: number,
  ) {}

  /** comparison { AND comparison } */
  public conjunction(): Series {
    let left = this.comparison();
    while (this.take("AND")) {
      left = both(left, this.comparison(), (a, b) => Number(a !== 0 && b !== 0));
    }
    return left;
  }

  /** Refuses what is left over. */
  public end(): void {
    if (this.place < this.tokens.length) {
      this.refuse();
    }
  }

  private comparison(): Series {
    const left = this.sum();
    const compare = COMPARE[this.tokens[this.place] ?? ""];
    if (compare === undefined) {
      return left;
    }
    this.place += 1;
    return both(left, this.sum(), compare);
  }

  private sum(): Series {
    let left = this.product();
    while (this.take("+")) {
      left = both(left, this.product(), (a, b) => a + b);
    }
    return left;
  }

  private product(): Series {
    let left = this.atom();
    while (this.take("*")) {
      left = both(left, this.atom(), (a, b) => a * b);
    }
    return left;
  }

  private atom(): Series {
    const token = this.tokens[this.place] ?? "";
    this.place += 1;
    if (/^\d/.test(token)) {
      return Array.from({ length: this.length }, () => Number(token));
    }
    if (token === "IF") {
      return this.choose();
    }
    if (token === "FILL") {
      return this.fill();
    }
    const series = this.names.get(token);
    if (series !== undefined) {
      return series;
    }
    this.place -= 1;
    return this.refuse();
  }

  /** IF(condition, then, otherwise): missing where one of the three is. */
  private choose(): Series {
    this.expect("(");
    const condition = this.conjunction();
    this.expect(",");
    const yes = this.conjunction();
    this.expect(",");
    const no = this.conjunction();
    this.expect(")");
    return condition.map((value, at) => {
      const [a, b] = [yes[at], no[at]];
      return value === undefined || a === undefined || b === undefined ? undefined : value !== 0 ? a : b;
    });
  }

  /** FILL(series, number) or FILL(series, REPEAT): the last datapoint before the gap, nothing before the first. */
  private fill(): Series {
    this.expect("(");
    const series = this.conjunction();
    this.expect(",");
    const token = this.tokens[this.place] ?? "";
    if (token !== "REPEAT" && !/^\d/.test(token)) {
      this.refuse();
    }
    this.place += 1;
    this.expect(")");
    let last: Datapoint = token === "REPEAT" ? undefined : Number(token);
    return series.map((value) => {
      if (token === "REPEAT") {
        last = value ?? last;
      }
      return value ?? last;
    });
  }

  private take(token: string): boolean {
    const found = this.tokens[this.place] === token;
    this.place += Number(found);
    return found;
  }

  private expect(token: string): void {
    if (!this.take(token)) {
      this.refuse();
    }
  }

  private refuse(): never {
    const rest = this.tokens.slice(this.place).join(" ");
    throw new Error(`the evaluator does not know \`${rest}\`; teach it what CloudWatch does with it`);
  }
}

function both(left: Series, right: Series, join: (a: number, b: number) => number): Series {
  return left.map((a, at) => {
    const b = right[at];
    return a === undefined || b === undefined ? undefined : join(a, b);
  });
}
