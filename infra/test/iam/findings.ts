/**
 * Compares what the functions ask for with what a stack's policies allow, both ways.
 */
import { type Call, type Need, needs } from "./actions.js";
import { type Context, speaksOf, type Statement, statements, type TemplateJson, text } from "./policy.js";
import { type Reason, WITHOUT_CALL } from "./reasons.js";
import type { Site } from "./site.js";

/** The recorded calls, by binary. */
export type Recording = Readonly<Record<string, readonly Call[]>>;

/** What a request of a function's code says of itself. */
export const OF_CODE: Context = {
  "aws:SecureTransport": "true",
  "s3:TlsVersion": "1.2",
  "aws:PrincipalAccount": "<AWS::AccountId>",
  "lambda:SourceFunctionArn": "arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:x",
};
/** The owner of every key lets the account's policies decide. */
const ACCOUNT = "arn:<AWS::Partition>:iam::<AWS::AccountId>:root";
/** Services that are reached through an endpoint of the VPC, where there is one. */
const THROUGH_ENDPOINT = ["s3", "sqs", "sts"];

/** Gives what is wrong with the rights of a stack; `used` collects the reasons that were needed. */
export function findings(template: TemplateJson, sites: readonly Site[], recording: Recording, used = new Set<Reason>()): string[] {
  const found: string[] = [];
  const wanted = new Map<string, { name: string; needs: Need[] }>();
  for (const site of sites) {
    for (const [name, user] of Object.entries(site.functions)) {
      const own = (recording[name] ?? []).flatMap((call) => needs(call, site));
      const role = site.role(user);
      wanted.set(role, { name, needs: [...(wanted.get(role)?.needs ?? []), ...own] });
    }
  }
  for (const [role, user] of wanted) {
    for (const need of user.needs) {
      const refusal = refused(template, role, need);
      if (refusal !== undefined) {
        found.push(`${user.name} may not ${need.action} on ${need.resource}: ${refusal}`);
      }
    }
  }
  for (const grant of grants(template)) {
    const user = wanted.get(grant.role);
    const isNeeded = user?.needs.some((need) => need.action === grant.action && need.scope === grant.resource);
    if (isNeeded === true) {
      continue;
    }
    const name = user?.name ?? grant.role;
    const reason = WITHOUT_CALL.find(
      (each) => each.actions.includes(grant.action) && each.roles.some((role) => (user === undefined ? name.includes(role) : name === role)),
    );
    if (reason === undefined) {
      found.push(`${name} may ${grant.action} on ${grant.resource} (${grant.policy}), which no recorded call needs`);
    } else {
      used.add(reason);
    }
  }
  return found;
}

/** Says why a role may not do something; nothing where it may. */
export function refused(template: TemplateJson, role: string, need: Pick<Need, "action" | "resource">): string | undefined {
  const speaks = (each: Statement): boolean => speaksOf(each, need.action, need.resource, OF_CODE);
  const own = ofRole(template, role).flatMap(({ document }) => statements(document));
  const ofResources = resourcePolicies(template).flatMap(({ type, document }) => {
    // The policy of a key, or of an endpoint, speaks of whatever passes; see below.
    return type === "AWS::KMS::Key" || type === "AWS::EC2::VPCEndpoint" ? [] : statements(document);
  });
  if ([...own, ...ofResources].some((each) => each.effect === "Deny" && speaks(each))) {
    return "a policy denies it";
  }
  if (!own.some((each) => each.effect === "Allow" && speaks(each))) {
    return "its role does not allow it";
  }
  const service = need.action.split(":")[0] ?? "";
  if (service === "kms") {
    return ofKey(template, need);
  }
  return THROUGH_ENDPOINT.includes(service) ? ofEndpoint(template, service, need) : undefined;
}

function ofKey(template: TemplateJson, need: Pick<Need, "action" | "resource">): string | undefined {
  const policies = resourcePolicies(template).filter(({ id, type }) => type === "AWS::KMS::Key" && need.resource === `<${id}.Arn>`);
  const delegates = (each: Statement): boolean =>
    each.effect === "Allow" && each.principals.includes(ACCOUNT) && speaksOf(each, need.action, need.resource, OF_CODE);
  const closed = policies.some(({ document }) => !statements(document).some(delegates));
  return closed ? "the key does not let the account decide" : undefined;
}

function ofEndpoint(template: TemplateJson, service: string, need: Pick<Need, "action" | "resource">): string | undefined {
  const all = resourcePolicies(template).filter(({ type }) => type === "AWS::EC2::VPCEndpoint");
  if (all.length === 0) {
    return undefined;
  }
  const own = all.filter(({ properties }) => text(properties.ServiceName).endsWith(`.${service}`));
  const passes = own.some(({ document }) => {
    return statements(document).some((each) => each.effect === "Allow" && speaksOf(each, need.action, need.resource, OF_CODE));
  });
  return passes ? undefined : "no endpoint of the VPC lets it pass";
}

/** One action of one role on one resource. */
interface Grant {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  /** The policy that says so. */
  readonly policy: string;
}

/** Everything that roles are allowed, by their own policies and by those of resources. */
export function grants(template: TemplateJson): Grant[] {
  const roles = Object.keys(template.Resources).filter((id) => template.Resources[id]?.Type === "AWS::IAM::Role");
  const found: Grant[] = [];
  const add = (role: string, policy: string, each: Statement): void => {
    for (const action of each.actions) {
      found.push(...each.resources.map((resource) => ({ role, action, resource, policy })));
    }
  };
  for (const role of roles) {
    const { ManagedPolicyArns, Policies } = template.Resources[role]?.Properties ?? {};
    if (ManagedPolicyArns !== undefined || Policies !== undefined) {
      throw new Error(`${role} has policies that are not evaluated`);
    }
    for (const { id, document } of ofRole(template, role)) {
      statements(document)
        .filter((each) => each.effect === "Allow")
        .forEach((each) => add(role, id, each));
    }
    for (const { id, type, document } of resourcePolicies(template)) {
      // What may pass an endpoint is not yet allowed.
      const isGrant = type !== "AWS::EC2::VPCEndpoint";
      const names = (each: Statement): boolean => each.principals.includes(`<${role}.Arn>`) || each.principals.includes("*");
      statements(document)
        .filter((each) => isGrant && each.effect === "Allow" && names(each))
        .forEach((each) => add(role, id, each));
    }
  }
  return found;
}

/** A policy, and what it is of. */
interface Policy {
  readonly id: string;
  readonly type: string;
  readonly properties: any;
  readonly document: unknown;
}

function ofRole(template: TemplateJson, role: string): Policy[] {
  return policies(template, { "AWS::IAM::Policy": "PolicyDocument" }).filter(({ properties }) =>
    properties.Roles.some((each: unknown) => text(each) === `<${role}>`),
  );
}

function resourcePolicies(template: TemplateJson): Policy[] {
  return policies(template, {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::OpenSearchService::Domain": "AccessPolicies",
  });
}

function policies(template: TemplateJson, types: Readonly<Record<string, string>>): Policy[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
    const property = types[Type];
    if (property === undefined) {
      return [];
    }
    const document = Type === "AWS::OpenSearchService::Domain" ? ofDomain(id, Properties) : Properties[property];
    return document === undefined ? [] : [{ id, type: Type, properties: Properties, document }];
  });
}

/** A domain's policy cannot name the domain that it is part of, so it writes the ARN out: here it gets the domain's. */
function ofDomain(id: string, properties: any): unknown {
  const written = `arn:<AWS::Partition>:es:<AWS::Region>:<AWS::AccountId>:domain/${text(properties.DomainName)}`;
  const document = structuredClone(properties.AccessPolicies);
  for (const statement of document?.Statement ?? []) {
    const resources = [statement.Resource].flat().map(text);
    statement.Resource = resources.map((each: string) => each.replace(written, `<${id}.Arn>`));
  }
  return document;
}
