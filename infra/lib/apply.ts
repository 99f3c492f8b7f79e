/**
 * [`Apply`]: the function that sets the cluster up, and what starts it after a deployment.
 */
import { CustomResource, Duration, RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnEventInvokeConfig, Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.js";
import { type FunctionNetwork, type FunctionOptions, SekishoFunction } from "./function.js";

/** Properties of [`Apply`]. */
export interface ApplyProps {
  /** What all functions share. */
  readonly functions: FunctionOptions;
  /** The VPC of the function. @default - none */
  readonly network?: FunctionNetwork;
}

const MEMORY_MB = 512;
const TIMEOUT_SECONDS = 600;
/** A domain that is being changed refuses some requests; Lambda tries again for so long. */
const MAX_EVENT_AGE_SECONDS = 6 * 60 * 60;

/**
 * Starts a function and answers CloudFormation at once, always with success: what the function does then rolls nothing back.
 *
 * CDK's own trigger would do the same with Node's SDK, which the simulated account does not have.
 */
const STARTER = `import json, urllib.request, boto3
def handler(event, context):
    note = "nothing to do"
    if event["RequestType"] != "Delete":
        try:
            name = event["ResourceProperties"]["FunctionName"]
            payload = json.dumps({"reason": "deployment", "stack": event["StackId"]}).encode()
            boto3.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
            note = "started"
        except Exception as error:
            note = "not started: %s; invoke the apply function by hand" % error
    print(note)
    body = json.dumps({"Status": "SUCCESS", "Reason": note, "PhysicalResourceId": "sekisho-apply",
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Note": note}}).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request).close()
`;

/** The function that sets the cluster up: its role is the master user of a new domain. */
export class Apply extends SekishoFunction {
  constructor(scope: Construct, id: string, props: ApplyProps) {
    super(scope, id, {
      ...props.functions,
      network: props.network,
      binary: "sekisho-apply",
      description: "sets the cluster up: templates, lifecycle, roles",
      memoryMb: MEMORY_MB,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
    });
    new CfnEventInvokeConfig(this, "Retry", {
      functionName: this.function.functionName,
      qualifier: "$LATEST",
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS,
    });
  }

  /** Starts it after the deployment of others, and again whenever its code or settings change. */
  runAfter(...others: Construct[]): void {
    const starter = this.starter();
    const run = new CustomResource(this, "Run", {
      serviceToken: starter.functionArn,
      resourceType: "Custom::SekishoApply",
      serviceTimeout: Duration.minutes(5),
      properties: {
        FunctionName: this.function.functionName,
        // A version is made when code or settings have changed; then this property changes, and CloudFormation asks again.
        Version: this.function.currentVersion.version,
      },
    });
    run.node.addDependency(this.role, ...others);
  }

  private starter(): Function {
    const role = new Role(this, "StarterRole", {
      description: "Sekisho: starts apply after a deployment",
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    });
    const logGroup = new LogGroup(this, "StarterLogs", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [this.function.functionArn] }),
    );
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [logGroup.logGroupArn] }),
    );
    const starter = new Function(this, "Starter", {
      description: "Sekisho: starts apply after a deployment",
      runtime: Runtime.PYTHON_3_13,
      handler: "index.handler",
      code: Code.fromInline(STARTER),
      timeout: Duration.minutes(1),
      role,
      logGroup,
    });
    acknowledge(starter, {
      id: "AwsSolutions-L1",
      reason: "The newest runtime that this version of CDK can name is not yet offered in every region and partition; this one is.",
    });
    return starter;
  }
}
