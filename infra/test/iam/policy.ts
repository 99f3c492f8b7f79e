/**
 * Evaluates policies of a template as IAM does, as far as ours go: allow and deny, wildcards, four operators of conditions.
 */

/** A template, as JSON. */
export interface TemplateJson {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: any }>>;
}

/** A statement with texts for values. */
export interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Who, by ARN or service; empty in a policy of a role. */
  readonly principals: readonly string[];
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a request says of itself beside action and resource. */
export type Context = Readonly<Record<string, string>>;

/** Writes a value of a template as text: what is known only at deployment by its name, in `<>`. */
export function text(value: any): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value?.Ref === "string") {
    return `<${value.Ref}>`;
  }
  if (Array.isArray(value?.["Fn::GetAtt"])) {
    return `<${value["Fn::GetAtt"].join(".")}>`;
  }
  if (Array.isArray(value?.["Fn::Join"])) {
    const [separator, parts] = value["Fn::Join"] as [string, unknown[]];
    return parts.map(text).join(separator);
  }
  throw new Error(`no text: ${JSON.stringify(value)}`);
}

/** Reads the statements of a policy. */
export function statements(document: any): Statement[] {
  return list(document?.Statement).map((each: any) => {
    for (const unknown of ["NotAction", "NotResource", "NotPrincipal"]) {
      if (unknown in each) {
        throw new Error(`${unknown} is not evaluated: ${JSON.stringify(each)}`);
      }
    }
    return {
      effect: each.Effect,
      actions: list(each.Action).map(text),
      resources: list(each.Resource ?? "*").map(text),
      principals: Object.values(typeof each.Principal === "string" ? { AWS: each.Principal } : (each.Principal ?? {}))
        .flatMap(list)
        .map(text),
      condition: each.Condition ?? {},
    };
  });
}

/** Whether a statement speaks of a request. */
export function speaksOf(statement: Statement, action: string, resource: string, context: Context): boolean {
  return (
    statement.actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
    statement.resources.some((pattern) => matches(pattern, resource)) &&
    holds(statement.condition, context)
  );
}

/** Matches as IAM does: `*` for any text, `?` for one character. */
export function matches(pattern: string, value: string): boolean {
  const quoted = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${quoted.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s").test(value);
}

/** A key that the request lacks holds in none of these operators. */
function holds(condition: Statement["condition"], context: Context): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const found = context[key];
      return found !== undefined && list(wanted).some((each) => compare(operator, text(each), found));
    }),
  );
}

function compare(operator: string, wanted: string, found: string): boolean {
  switch (operator) {
    case "Bool":
    case "StringEquals":
      return wanted === found;
    case "ArnLike":
      return matches(wanted, found);
    case "NumericLessThan":
      return Number(found) < Number(wanted);
    default:
      throw new Error(`the operator ${operator} is not evaluated`);
  }
}

function list(value: any): any[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
