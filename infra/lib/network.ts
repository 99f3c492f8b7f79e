/**
 * [`Network`]: a VPC without an internet route, new or imported, and the endpoints that the functions need in it.
 */
import { Stack } from "aws-cdk-lib";
import {
  CfnSecurityGroupIngress,
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpoint,
  GatewayVpcEndpoint,
  IpAddresses,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { AnyPrincipal, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import { CLIENTS } from "./endpoints.js";
import type { FunctionNetwork } from "./function.js";
import { closedSecurityGroup } from "./security-group.js";

/** A VPC that the stack makes. */
export interface NewNetwork {
  /** Its addresses. @default "10.64.0.0/20" */
  readonly cidr?: string;
  /** In how many zones it has subnets, 2 or 3; more than 2 needs a stack with an account and a region. @default 2 */
  readonly zones?: number;
  /** Logs who talked to whom in it. @default true */
  readonly flowLogs?: boolean;
}

/** A VPC that exists. */
export interface ImportedNetwork {
  /** Its id. */
  readonly vpcId: string;
  /** The zones of the subnets, in their order. */
  readonly availabilityZones: string[];
  /** The subnets of the functions, and of a new domain; at most one a zone. */
  readonly subnetIds: string[];
  /** The route tables of the subnets, for an S3 endpoint; needed where the stack makes endpoints. */
  readonly routeTableIds?: string[];
  /** Whether the stack makes the endpoints, or the VPC reaches S3, SQS and STS already. @default "present" */
  readonly endpoints?: "stack" | "present";
  /** The security group of an existing domain, which must let the functions in. @default - its owner adds the rule */
  readonly domainSecurityGroupId?: string;
}

/** Properties of [`Network`]. */
export interface NetworkProps {
  /** The VPC. */
  readonly options: NewNetwork | ImportedNetwork;
  /** The accounts other than ours whose roles the functions assume. @default - none */
  readonly foreignAccounts?: readonly string[];
}

const CIDR = "10.64.0.0/20";
const ZONES = 2;
const FLOW_LOG_DAYS = 90;

/** A VPC without an internet route, and the security group of the functions in it. */
export class Network extends Construct {
  /** The VPC. */
  readonly vpc: IVpc;
  /** The subnets of the functions and of a new domain. */
  readonly subnets: ISubnet[];
  /** What the functions may reach: HTTPS. */
  readonly functionsSecurityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { options } = props;
    this.vpc = isImported(options) ? this.imported(options) : this.made(options);
    this.subnets = this.vpc.isolatedSubnets;
    this.functionsSecurityGroup = closedSecurityGroup(this, "Functions", {
      vpc: this.vpc,
      description: "Sekisho: what the functions may reach",
      to: "https",
    });
    if (!isImported(options) || options.endpoints === "stack") {
      this.addEndpoints(props.foreignAccounts ?? []);
    }
    if (isImported(options) && options.domainSecurityGroupId !== undefined) {
      new CfnSecurityGroupIngress(this, "DomainIngress", {
        groupId: options.domainSecurityGroupId,
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        sourceSecurityGroupId: this.functionsSecurityGroup.securityGroupId,
        description: "from the functions of Sekisho",
      });
    }
  }

  /** Where functions run. */
  get functions(): FunctionNetwork {
    return { vpc: this.vpc, subnets: { subnets: this.subnets }, securityGroup: this.functionsSecurityGroup };
  }

  private made(options: NewNetwork): IVpc {
    const vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr(options.cidr ?? CIDR),
      maxAzs: options.zones ?? ZONES,
      natGateways: 0,
      createInternetGateway: false,
      subnetConfiguration: [{ name: "Isolated", subnetType: SubnetType.PRIVATE_ISOLATED }],
    });
    if (options.flowLogs ?? true) {
      const logGroup = new LogGroup(this, "FlowLogs", { retention: FLOW_LOG_DAYS });
      vpc.addFlowLog("FlowLog", { destination: FlowLogDestination.toCloudWatchLogs(logGroup) });
    } else {
      acknowledge(vpc, { id: "AwsSolutions-VPC7", reason: "The deployment file turns flow logs off." });
    }
    return vpc;
  }

  private imported(options: ImportedNetwork): IVpc {
    if (options.endpoints === "stack" && options.routeTableIds === undefined) {
      throw new Error("`network.endpoints: \"stack\"` needs `network.routeTableIds`: S3 is reached through the route tables");
    }
    return Vpc.fromVpcAttributes(this, "Vpc", {
      vpcId: options.vpcId,
      availabilityZones: options.availabilityZones,
      isolatedSubnetIds: options.subnetIds,
      ...(options.routeTableIds === undefined ? {} : { isolatedSubnetRouteTableIds: options.routeTableIds }),
    });
  }

  private addEndpoints(foreignAccounts: readonly string[]): void {
    const subnets = { subnets: this.subnets };
    const accounts = [Stack.of(this).account, ...foreignAccounts];
    for (const endpoint of Object.values(CLIENTS)) {
      if (endpoint.kind === "gateway") {
        const gateway = new GatewayVpcEndpoint(this, "S3", {
          vpc: this.vpc,
          service: GatewayVpcEndpointAwsService.S3,
          subnets: [subnets],
        });
        gateway.addToPolicy(ofAccounts(accounts));
      } else if (endpoint.when === "always" || foreignAccounts.length > 0) {
        this.addInterface(endpoint.service, accounts);
      }
    }
  }

  private addInterface(service: InterfaceService, accounts: string[]): void {
    const id = service.shortName.charAt(0).toUpperCase() + service.shortName.slice(1);
    const securityGroup = closedSecurityGroup(this, `${id}Endpoint`, {
      vpc: this.vpc,
      description: `Sekisho: who may reach ${service.shortName}`,
      from: this.functionsSecurityGroup,
    });
    const endpoint = new InterfaceVpcEndpoint(this, id, {
      vpc: this.vpc,
      service,
      open: false,
      privateDnsEnabled: true,
      securityGroups: [securityGroup],
      subnets: { subnets: this.subnets },
    });
    endpoint.addToPolicy(ofAccounts(accounts));
  }
}

type InterfaceService = Extract<(typeof CLIENTS)[string], { kind: "interface" }>["service"];

/** Whoever gets into the VPC with credentials of another account can send nothing out with them. */
function ofAccounts(accounts: string[]): PolicyStatement {
  return new PolicyStatement({
    actions: ["*"],
    principals: [new AnyPrincipal()],
    resources: ["*"],
    conditions: { StringEquals: { "aws:PrincipalAccount": accounts } },
  });
}

/** Tells the two kinds of networks apart. */
export function isImported(options: NewNetwork | ImportedNetwork): options is ImportedNetwork {
  return "vpcId" in options;
}
