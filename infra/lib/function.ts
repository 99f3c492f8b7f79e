/**
 * [`SekishoFunction`]: one of the Lambda functions with its own role, log group and settings.
 */
import { fileURLToPath } from "node:url";

import { Annotations, ArnFormat, type Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Function, type FunctionProps, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { RustFunction } from "cargo-lambda-cdk";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import { type Binary, missingTarget, prebuilt, type ProcessorArchitecture } from "./code.js";
import { environment, type Settings } from "./settings.js";

/** What all functions of an installation share. */
export interface FunctionOptions {
  /** The processors that run the functions. @default "arm64", a fifth cheaper */
  readonly architecture?: ProcessorArchitecture;
  /** A folder with prebuilt binaries: `<binary>/bootstrap` or `<binary>`. @default - cargo-lambda builds them */
  readonly binaries?: string;
  /** How many days CloudWatch keeps the functions' logs. @default 90 */
  readonly logRetentionDays?: number;
  /** Sends traces to X-Ray. @default true */
  readonly tracing?: boolean;
  /** Environment variables beside the settings, like `RUST_LOG`. @default - none */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where a function reaches a cluster without an internet route. */
export interface FunctionNetwork {
  /** The VPC. */
  readonly vpc: IVpc;
  /** The subnets. */
  readonly subnets: SubnetSelection;
  /** What the functions may reach. */
  readonly securityGroup: ISecurityGroup;
}

/** Properties of [`SekishoFunction`]. */
export interface SekishoFunctionProps extends FunctionOptions {
  /** Which binary it runs. */
  readonly binary: Binary;
  /** What it does, for the console. */
  readonly description: string;
  /** Its memory in MB; 1,769 MB is one whole processor. */
  readonly memoryMb: number;
  /** How long one invocation may take. */
  readonly timeout: Duration;
  /** How many may run at once. @default - what the account has */
  readonly reservedConcurrency?: number;
  /** The VPC that it runs in. @default - none */
  readonly network?: FunctionNetwork;
}

const LOG_RETENTION_DAYS = 90;

/** One of the Lambda functions. Its role may do nothing but what is granted by name. */
export class SekishoFunction extends Construct {
  /** What runs. */
  readonly function: Function;
  /** Its role. */
  readonly role: Role;
  /** Where it logs. */
  readonly logGroup: LogGroup;
  /** How long one invocation may take. */
  readonly timeout: Duration;

  constructor(scope: Construct, id: string, props: SekishoFunctionProps) {
    super(scope, id);
    this.timeout = props.timeout;
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Sekisho: ${props.description}`,
    });
    this.logGroup = new LogGroup(this, "Logs", {
      retention: props.logRetentionDays ?? LOG_RETENTION_DAYS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [this.logGroup.logGroupArn]);
    this.function = make(this, props, { role: this.role, logGroup: this.logGroup });
    if (props.tracing ?? true) {
      acknowledge(this.role, {
        id: "AwsSolutions-IAM5[Resource::*]",
        reason: "X-Ray's actions for writing know no resources.",
      });
    }
    if (props.network !== undefined) {
      this.allowNetworkInterfaces(this.function);
    }
  }

  /** Allows actions on resources, and nothing else. */
  allow(actions: string[], resources: string[]): void {
    this.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
  }

  /** Puts settings into its environment. */
  set(settings: Settings): void {
    for (const [name, value] of Object.entries(environment(settings))) {
      this.function.addEnvironment(name, value);
    }
  }

  /**
   * Lambda itself makes the network interfaces, with the function's role; the code in the function may not.
   * AWS names both: all interfaces of the account as the resource, and the denial by `lambda:SourceFunctionArn`.
   */
  private allowNetworkInterfaces(code: Function): void {
    const actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ];
    const list = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"];
    const stack = Stack.of(this);
    this.allow(actions, [stack.formatArn({ service: "ec2", resource: "*", resourceName: "*" })]);
    this.allow(list, ["*"]);
    // The ARN of a function is known only when it exists, and it needs this policy before: the account's functions are enough.
    const functions = stack.formatArn({
      service: "lambda",
      resource: "function",
      resourceName: "*",
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: [...actions, ...list],
        resources: ["*"],
        conditions: { ArnLike: { "lambda:SourceFunctionArn": functions } },
      }),
    );
    acknowledge(
      this.role,
      {
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:*/*]`,
        reason: "Lambda makes the interfaces, whose ids nobody knows before; the function's code is denied the same.",
      },
      { id: "AwsSolutions-IAM5[Resource::*]", reason: "Describing knows no resources; the function's code is denied it." },
    );
    code.node.addDependency(this.role);
  }
}

/** What a function gets that was made for it. */
type Owned = Pick<FunctionProps, "role" | "logGroup">;

function make(scope: Construct, props: SekishoFunctionProps, owned: Owned): Function {
  const architecture = props.architecture ?? "arm64";
  const common = {
    ...owned,
    description: `Sekisho: ${props.description}`,
    architecture: architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
    memorySize: props.memoryMb,
    timeout: props.timeout,
    tracing: (props.tracing ?? true) ? Tracing.ACTIVE : Tracing.DISABLED,
    environment: { ...props.environment },
    ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    ...(props.network === undefined ? {} : network(props.network)),
  };
  if (props.binaries !== undefined) {
    return new Function(scope, "Function", {
      ...common,
      runtime: Runtime.PROVIDED_AL2023,
      handler: "bootstrap",
      code: prebuilt(props.binaries, props.binary),
    });
  }
  const missing = missingTarget(architecture);
  if (missing !== undefined) {
    Annotations.of(scope).addWarningV2("sekisho:target", missing);
  }
  const manifestPath = fileURLToPath(new URL(`../../crates/${props.binary}/Cargo.toml`, import.meta.url));
  return new RustFunction(scope, "Function", {
    ...common,
    manifestPath,
    binaryName: props.binary,
    runtime: "provided.al2023",
    bundling: { cargoLambdaFlags: ["--locked"] },
  });
}

function network(props: FunctionNetwork): Pick<FunctionProps, "vpc" | "vpcSubnets" | "securityGroups"> {
  return { vpc: props.vpc, vpcSubnets: props.subnets, securityGroups: [props.securityGroup] };
}
