/**
 * [`closedSecurityGroup`]: a security group that allows only what is written into it.
 */
import { CfnSecurityGroup, type ISecurityGroup, type IVpc, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";

/** The port of everything here. */
const HTTPS = 443;

/** Who may connect, and whether connections may be made. */
export interface SecurityGroupProps {
  /** The VPC. */
  readonly vpc: IVpc;
  /** What it is for. */
  readonly description: string;
  /** The security group whose members may connect to the HTTPS port. @default - nobody */
  readonly from?: ISecurityGroup;
  /** Whether members may connect to HTTPS ports. @default "nothing" */
  readonly to?: "https" | "nothing";
}

/** Makes a security group whose rules stand inside it, so that nobody adds one elsewhere. */
export function closedSecurityGroup(scope: Construct, id: string, props: SecurityGroupProps): ISecurityGroup {
  const port = { ipProtocol: "tcp", fromPort: HTTPS, toPort: HTTPS };
  const group = new CfnSecurityGroup(scope, id, {
    vpcId: props.vpc.vpcId,
    groupDescription: props.description,
    securityGroupIngress:
      props.from === undefined
        ? []
        : [{ ...port, sourceSecurityGroupId: props.from.securityGroupId, description: "from the functions" }],
    securityGroupEgress: [
      props.to === "https"
        ? { ...port, cidrIp: "0.0.0.0/0", description: "S3, the endpoints and the domain: there is no other route" }
        : // AWS allows everything where no rule is given; this one matches no address.
          { ipProtocol: "icmp", fromPort: 252, toPort: 86, cidrIp: "255.255.255.255/32", description: "nothing" },
    ],
  });
  return SecurityGroup.fromSecurityGroupId(scope, `${id}Ref`, group.attrGroupId, { mutable: false });
}
