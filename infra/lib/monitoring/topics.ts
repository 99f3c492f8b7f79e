/**
 * The two topics that alarms tell: one wakes somebody, the other is read in the morning.
 *
 * Both are encrypted with a key of their own, since CloudWatch cannot publish through the key that AWS manages for SNS.
 */
import { Aws } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { type ITopic, type ITopicSubscription, Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";

/** How loud an alarm is: `page` wakes somebody, `ticket` is read in the morning. */
export type Urgency = "page" | "ticket";

/** Who hears of alarms. */
export interface AlarmTopicsProps {
  /** An existing topic for pages; CloudWatch must be allowed to publish to it. Default: a new one. */
  readonly page?: ITopic;
  /** An existing topic for tickets; CloudWatch must be allowed to publish to it. Default: a new one. */
  readonly ticket?: ITopic;
  /** Addresses that are woken; each has to confirm. Default: none. Not with an existing topic. */
  readonly pageEmails?: readonly string[];
  /** Addresses that get tickets; each has to confirm. Default: none. Not with an existing topic. */
  readonly ticketEmails?: readonly string[];
  /** Further subscriptions for pages, like the HTTPS endpoint of a paging service. Default: none. */
  readonly pageSubscriptions?: readonly ITopicSubscription[];
  /** Further subscriptions for tickets. Default: none. */
  readonly ticketSubscriptions?: readonly ITopicSubscription[];
}

/** The topic of each urgency. */
export class AlarmTopics extends Construct {
  /** Wakes somebody. */
  public readonly page: ITopic;
  /** Is read in the morning. */
  public readonly ticket: ITopic;

  private key?: Key;

  public constructor(scope: Construct, id: string, props: AlarmTopicsProps = {}) {
    super(scope, id);
    this.page = props.page ?? this.create("Page", "Sekisho: somebody has to look now");
    this.ticket = props.ticket ?? this.create("Ticket", "Sekisho: somebody has to look this week");
    subscribe(this.page, props.pageEmails, props.pageSubscriptions);
    subscribe(this.ticket, props.ticketEmails, props.ticketSubscriptions);
  }

  /** Gives the topic of an urgency. */
  public of(urgency: Urgency): ITopic {
    return urgency === "page" ? this.page : this.ticket;
  }

  private create(id: string, displayName: string): Topic {
    const topic = new Topic(this, id, { displayName, enforceSSL: true, masterKey: this.ensureKey() });
    // A topic with a policy of its own has lost the default one, which lets alarms of the account publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
    return topic;
  }

  private ensureKey(): Key {
    this.key ??= this.createKey();
    return this.key;
  }

  private createKey(): Key {
    const key = new Key(this, "Key", {
      description: "Encrypts the alarm messages of Sekisho",
      enableKeyRotation: true,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        // In a key policy this means the key itself.
        resources: ["*"],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
    return key;
  }
}

function subscribe(
  topic: ITopic,
  emails: readonly string[] = [],
  subscriptions: readonly ITopicSubscription[] = [],
): void {
  for (const email of emails) {
    topic.addSubscription(new EmailSubscription(email));
  }
  for (const subscription of subscriptions) {
    topic.addSubscription(subscription);
  }
}
