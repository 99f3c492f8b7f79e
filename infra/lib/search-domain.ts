/**
 * [`SearchDomain`]: the OpenSearch domain that documents go to, new or existing.
 */
import { ArnFormat, RemovalPolicy, Stack } from "aws-cdk-lib";
import { EbsDeviceVolumeType } from "aws-cdk-lib/aws-ec2";
import { ArnPrincipal, PolicyDocument, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { CfnResourcePolicy, LogGroup } from "aws-cdk-lib/aws-logs";
import { type CfnDomain, Domain, EngineVersion, TLSSecurityPolicy } from "aws-cdk-lib/aws-opensearchservice";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import type { SekishoFunction } from "./function.js";
import type { Network } from "./network.js";
import { closedSecurityGroup } from "./security-group.js";
import type { Settings } from "./settings.js";

/** A domain that the stack makes, in the subnets of its network. */
export interface NewDomain {
  /** Its name, up to 28 lower-case letters, digits and `-`. @default - `index.prefix`, then "sekisho" */
  readonly name?: string;
  /** The OpenSearch version, 2.19 or newer. @default "2.19" */
  readonly version?: string;
  /** Data nodes, a multiple of the network's zones. @default 2 */
  readonly dataNodes?: number;
  /** Their type. @default "r7g.large.search" */
  readonly dataNodeType?: string;
  /** The storage of each in GiB (gp3). @default 100 */
  readonly volumeGib?: number;
  /** Dedicated managers; UltraWarm needs them. @default 3 */
  readonly masterNodes?: number;
  /** Their type. @default "m7g.large.search" */
  readonly masterNodeType?: string;
  /** UltraWarm nodes; 0 for none, which also means no cold storage. @default 2 */
  readonly warmNodes?: number;
  /** Their type. @default "ultrawarm1.medium.search" */
  readonly warmNodeType?: string;
  /** The hour (UTC) of the daily automated snapshot. @default 3 */
  readonly snapshotHour?: number;
  /** IAM roles or users, by ARN, that may connect beside the functions, like those of your analysts. @default - none */
  readonly principals?: string[];
}

/** A domain that exists. */
export interface ExistingDomain {
  /** Its ARN. */
  readonly domainArn: string;
  /** Its host name, without `https://`. */
  readonly endpoint: string;
  /** Its data nodes, for the default of `maxConcurrency`. @default 2 */
  readonly dataNodes?: number;
  /** The volume of a data node in GiB, which the alarm on free storage is measured against. @default 100 */
  readonly volumeGib?: number;
}

/** Properties of [`SearchDomain`]. */
export interface SearchDomainProps {
  /** The domain. */
  readonly options: NewDomain | ExistingDomain;
  /** Put before a new domain's name: the setting `index.prefix`. */
  readonly prefix: string;
  /** The network of a new domain. @default - none, for an existing one */
  readonly network?: Network;
  /** Sets the domain up: its role is the master user of a new domain. */
  readonly apply: SekishoFunction;
  /** What writes documents. */
  readonly writers: readonly SekishoFunction[];
  /** What asks how the domain is. */
  readonly askers: readonly SekishoFunction[];
}

const VERSION = "2.19";
const DATA_NODES = 2;
const DATA_NODE_TYPE = "r7g.large.search";
const VOLUME_GIB = 100;
const MASTER_NODES = 3;
const MASTER_NODE_TYPE = "m7g.large.search";
const WARM_NODES = 2;
const WARM_NODE_TYPE = "ultrawarm1.medium.search";
const SNAPSHOT_HOUR = 3;
const LOG_DAYS = 90;
/** Three months fast, three more warm, the rest of the year in cold storage. */
const WARM_DAYS = 90;
const COLD_DAYS = 180;

/** The OpenSearch domain that documents go to. */
export class SearchDomain extends Construct {
  /** Its ARN. */
  readonly domainArn: string;
  /** Its name. */
  readonly domainName: string;
  /** Its host name. */
  readonly endpoint: string;
  /** How many data nodes it has. */
  readonly dataNodes: number;
  /** The volume of each in GiB. */
  readonly volumeGib: number;
  /** The domain, where the stack made it. */
  readonly created?: Domain;
  /** Settings of `apply` that follow from what the domain has. */
  readonly lifecycle: Settings;

  constructor(scope: Construct, id: string, props: SearchDomainProps) {
    super(scope, id);
    const { options } = props;
    this.dataNodes = options.dataNodes ?? DATA_NODES;
    this.volumeGib = options.volumeGib ?? VOLUME_GIB;
    if (isExisting(options)) {
      this.domainArn = options.domainArn;
      this.domainName = Stack.of(this).splitArn(options.domainArn, ArnFormat.SLASH_RESOURCE_NAME).resourceName ?? "";
      this.endpoint = options.endpoint;
      this.lifecycle = {};
    } else {
      this.created = this.make(options, props);
      this.domainArn = this.created.domainArn;
      this.domainName = this.created.domainName;
      this.endpoint = this.created.domainEndpoint;
      const isWarm = (options.warmNodes ?? WARM_NODES) > 0;
      this.lifecycle = isWarm ? { lifecycle: { warm_days: WARM_DAYS, cold_days: COLD_DAYS } } : {};
    }
    this.grant(props);
  }

  /** Fine-grained access control decides what each may do inside. */
  private grant(props: SearchDomainProps): void {
    for (const { user, actions } of rights(props)) {
      acknowledge(user.role, {
        id: `AwsSolutions-IAM5[Resource::${this.nagArn()}/*]`,
        reason: "A request's path is its resource; inside the domain the role of fine-grained access control decides.",
      });
      user.allow(actions, [`${this.domainArn}/*`]);
    }
  }

  /** How cdk-nag writes the domain's ARN. */
  private nagArn(): string {
    const resource = this.created?.node.defaultChild as CfnDomain | undefined;
    return resource === undefined ? this.domainArn : `<${Stack.of(this).getLogicalId(resource)}.Arn>`;
  }

  private make(options: NewDomain, props: SearchDomainProps): Domain {
    const { network } = props;
    if (network === undefined) {
      throw new Error("a new domain needs a network: leave `network` out, or import a VPC");
    }
    const name = options.name ?? domainName(props.prefix);
    const key = new Key(this, "Key", {
      description: "Sekisho: the documents of the domain",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const warmNodes = options.warmNodes ?? WARM_NODES;
    const zones = network.subnets.length;
    const logs = this.logGroups(name);
    const domain = new Domain(this, "Domain", {
      domainName: name,
      version: EngineVersion.openSearch(options.version ?? VERSION),
      vpc: network.vpc,
      vpcSubnets: [{ subnets: network.subnets }],
      securityGroups: [
        closedSecurityGroup(this, "SecurityGroup", {
          vpc: network.vpc,
          description: "Sekisho: who may reach the domain",
          from: network.functionsSecurityGroup,
        }),
      ],
      zoneAwareness: zones > 1 ? { availabilityZoneCount: zones } : { enabled: false },
      capacity: {
        dataNodes: this.dataNodes,
        dataNodeInstanceType: options.dataNodeType ?? DATA_NODE_TYPE,
        masterNodes: options.masterNodes ?? MASTER_NODES,
        masterNodeInstanceType: options.masterNodeType ?? MASTER_NODE_TYPE,
        ...(warmNodes > 0 ? { warmNodes, warmInstanceType: options.warmNodeType ?? WARM_NODE_TYPE } : {}),
        multiAzWithStandbyEnabled: false,
      },
      coldStorageEnabled: warmNodes > 0,
      ebs: { volumeSize: this.volumeGib, volumeType: EbsDeviceVolumeType.GP3 },
      encryptionAtRest: { enabled: true, kmsKey: key },
      nodeToNodeEncryption: true,
      enforceHttps: true,
      tlsSecurityPolicy: TLSSecurityPolicy.TLS_1_2_PFS,
      fineGrainedAccessControl: { masterUserArn: props.apply.role.roleArn },
      automatedSnapshotStartHour: options.snapshotHour ?? SNAPSHOT_HOUR,
      enableAutoSoftwareUpdate: true,
      enableVersionUpgrade: true,
      offPeakWindowEnabled: true,
      logging: {
        appLogEnabled: true,
        appLogGroup: logs.errors,
        slowSearchLogEnabled: true,
        slowSearchLogGroup: logs.slowSearches,
        slowIndexLogEnabled: true,
        slowIndexLogGroup: logs.slowIndexing,
        auditLogEnabled: true,
        auditLogGroup: logs.audit,
      },
      suppressLogsResourcePolicy: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    domain.node.addDependency(logs.policy);
    (domain.node.defaultChild as CfnDomain).accessPolicies = this.accessPolicy(name, options, props);
    acknowledge(domain, {
      id: "AwsSolutions-OS3",
      reason: "The domain has no public address: its security group admits the functions, its policy names the roles.",
    });
    return domain;
  }

  /**
   * Written into the domain itself; the construct of CDK would call the API from a function of its own.
   *
   * It allows on its own, beside the roles' policies, so it names for each function no more than they do.
   */
  private accessPolicy(name: string, options: NewDomain, props: SearchDomainProps): PolicyDocument {
    const resources = [Stack.of(this).formatArn({ service: "es", resource: "domain", resourceName: `${name}/*` })];
    const allow = (arn: string, actions: string[]): PolicyStatement =>
      new PolicyStatement({ actions, principals: [new ArnPrincipal(arn)], resources });
    return new PolicyDocument({
      statements: [
        ...rights(props).map(({ user, actions }) => allow(user.role.roleArn, actions)),
        // OpenSearch Dashboards uses every method, also for looking.
        ...(options.principals ?? []).map((arn) => allow(arn, ["es:ESHttp*"])),
      ],
    });
  }

  private logGroups(domain: string): {
    errors: LogGroup;
    slowSearches: LogGroup;
    slowIndexing: LogGroup;
    audit: LogGroup;
    policy: CfnResourcePolicy;
  } {
    const group = (id: string): LogGroup => new LogGroup(this, id, { retention: LOG_DAYS });
    const groups = {
      errors: group("Errors"),
      slowSearches: group("SlowSearches"),
      slowIndexing: group("SlowIndexing"),
      audit: group("Audit"),
    };
    const stack = Stack.of(this);
    const statement = new PolicyStatement({
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      principals: [new ServicePrincipal("es.amazonaws.com")],
      resources: Object.values(groups).map((each) => each.logGroupArn),
      conditions: {
        StringEquals: { "aws:SourceAccount": stack.account },
        ArnEquals: { "aws:SourceArn": stack.formatArn({ service: "es", resource: "domain", resourceName: domain }) },
      },
    });
    const policy = new CfnResourcePolicy(this, "LogPolicy", {
      policyName: `${stack.stackName}-domain-logs`,
      policyDocument: stack.toJsonString({ Version: "2012-10-17", Statement: [statement.toStatementJson()] }),
    });
    return { ...groups, policy };
  }
}

/** Which methods a function uses; `infra/test/iam` compares them with what the binaries were seen to use. */
function rights(props: SearchDomainProps): { user: SekishoFunction; actions: string[] }[] {
  const of = (users: readonly SekishoFunction[], ...methods: string[]): { user: SekishoFunction; actions: string[] }[] =>
    users.map((user) => ({ user, actions: methods.map((method) => `es:ESHttp${method}`) }));
  return [
    ...of([props.apply], "Get", "Post", "Put"),
    ...of(props.writers, "Get", "Post"),
    ...of(props.askers, "Get"),
  ];
}

/** Tells the two kinds of domains apart. */
export function isExisting(options: NewDomain | ExistingDomain): options is ExistingDomain {
  return "domainArn" in options;
}

/** Gives the name of a new domain: AWS takes 28 lower-case letters, digits and `-`. */
export function domainName(prefix: string): string {
  return `${prefix.replaceAll(/[^a-z0-9-]/g, "-")}sekisho`.slice(-28).replace(/^[^a-z]+/, "");
}
