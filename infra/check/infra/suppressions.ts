/**
 * What the tools ask for and the stack does not do, each with its reason. One that nothing is found for any more fails
 * `npm run check:infra`.
 */
import type { Suppression } from './finding.ts';

const FUNCTIONS = ['QueueLambdaFunction', 'WebhookLambdaFunction'];
const BUCKET = ['ServerlessDeploymentBucket'];

export const CFN_LINT: readonly Suppression[] = [
  {
    rule: 'W3005',
    stages: ['plain', 'everything'],
    resources: [...FUNCTIONS, 'HttpApiRoute*'],
    reason: 'osls writes a DependsOn beside the reference that already says it; it changes nothing',
  },
];

export const CHECKOV: readonly Suppression[] = [
  {
    rule: 'CKV_AWS_18',
    resources: BUCKET,
    reason: 'the bucket holds packages, no data; who changed one stands in CloudTrail',
  },
  {
    rule: 'CKV_AWS_21',
    resources: BUCKET,
    reason: 'each package is uploaded under its own time, and none is overwritten; a release folder is the way back',
  },
  {
    rule: 'CKV_AWS_26',
    stages: ['everything'],
    resources: ['AlarmTopic'],
    reason: 'alarms hold names and numbers; CloudWatch cannot publish to a topic under the key that AWS manages',
  },
  {
    rule: 'CKV_AWS_27',
    stages: ['plain'],
    resources: ['QueueOf*', 'DeadLetterQueueOf*'],
    reason:
      'SQS encrypts them with its own key (SqsManagedSseEnabled), which this rule does not count; else custom.kmsKeyForQueues',
  },
  {
    rule: 'CKV_AWS_111',
    stages: ['everything'],
    resources: ['QueueRole', 'WebhookRole'],
    reason:
      'network interfaces of a VPC have no ARN before they are made; a Deny keeps the function itself from these calls',
  },
  {
    rule: 'CKV_AWS_115',
    stages: ['plain'],
    resources: FUNCTIONS,
    reason: 'taken from the account, so how much is the operator’s to say: custom.reservedConcurrency',
  },
  {
    rule: 'CKV_AWS_116',
    resources: FUNCTIONS,
    reason: 'for asynchronous invocations alone, and there are none; messages have a dead-letter queue of their own',
  },
  {
    rule: 'CKV_AWS_117',
    stages: ['plain'],
    resources: FUNCTIONS,
    reason:
      'a VPC adds no protection to functions that nothing can connect to, and costs endpoints and NAT; else custom.vpc',
  },
  {
    rule: 'CKV_AWS_158',
    stages: ['plain'],
    resources: ['QueueLogGroup', 'WebhookLogGroup', 'WebhookAccessLog'],
    reason:
      'CloudWatch encrypts all logs with its own key; no secret and no payload is in them; else custom.kmsKeyForLogs',
  },
  {
    rule: 'CKV_AWS_173',
    resources: FUNCTIONS,
    reason: 'the variables hold names, no secrets; Lambda encrypts them with its own key',
  },
];

/** What moto 5.2 has no type for is taken out of the template before it makes the stack, and what refers to it. */
const noType = (type: string, resources: readonly string[], stages?: readonly string[]): Suppression => ({
  rule: type,
  ...(stages && { stages }),
  resources,
  reason: 'moto makes no such resource; cfn-lint holds it against the registry',
});

export const MOTO: readonly Suppression[] = [
  noType('AWS::ApiGatewayV2::Api', ['HttpApi']),
  noType('AWS::ApiGatewayV2::Stage', ['HttpApiStage']),
  noType('AWS::ApiGatewayV2::Integration', ['HttpApiIntegrationWebhook']),
  noType('AWS::ApiGatewayV2::Route', ['HttpApiRoute*']),
  noType('AWS::ApiGatewayV2::DomainName', ['WebhookDomain'], ['everything']),
  noType('AWS::ApiGatewayV2::ApiMapping', ['WebhookDomainMapping'], ['everything']),
  noType('AWS::Logs::QueryDefinition', ['Query*']),
  noType('AWS::SQS::QueuePolicy', ['QueuePolicyOf*', 'DeadLetterQueuePolicy']),
  noType('AWS::SNS::Subscription', ['AlarmMail'], ['everything']),
  noType('AWS::CloudWatch::Alarm', ['Alarm*'], ['everything']),
  noType('AWS::CloudWatch::CompositeAlarm', ['Alarm*'], ['everything']),
  noType('AWS::CloudWatch::AlarmMuteRule', ['Maintenance*'], ['everything']),
  {
    rule: 'AWS::Lambda::EventSourceMapping',
    stages: ['everything'],
    resources: ['EventSourceMappingOfLegacy'],
    reason: 'its queue exists in another account, which moto knows nothing of',
  },
  {
    rule: 'AWS::Lambda::Permission',
    resources: ['WebhookLambdaPermissionHttpApi'],
    reason: 'names the HTTP API, which moto makes none of',
  },
  {
    rule: 'AWS::Lambda::Function.Architectures',
    stages: ['plain'],
    resources: FUNCTIONS,
    reason: 'moto passes it over where a template brings it, and says x86_64',
  },
  {
    rule: 'AWS::Lambda::Function.TracingConfig',
    stages: ['everything'],
    resources: FUNCTIONS,
    reason: 'moto passes it over where a template brings it, and says PassThrough',
  },
  {
    rule: 'AWS::SQS::Queue.RedriveAllowPolicy',
    resources: ['DeadLetterQueueOf*'],
    reason: 'moto passes it over where a template brings it; cfn-lint holds it against the registry',
  },
  {
    rule: 'AWS::Logs::LogGroup.KmsKeyId',
    stages: ['everything'],
    resources: ['QueueLogGroup', 'WebhookLogGroup', 'WebhookAccessLog'],
    reason: 'moto passes it over where a template brings it; cfn-lint holds it against the registry',
  },
  ...[
    ['AWS::Lambda::Function', FUNCTIONS] as const,
    ['AWS::Lambda::EventSourceMapping', ['EventSourceMappingOf*']] as const,
    ['AWS::SNS::Topic', ['AlarmTopic']] as const,
    ['AWS::CloudWatch::Dashboard', ['Dashboard']] as const,
  ].map(([type, resources]) => ({
    rule: `${type}.Tags`,
    stages: ['everything'],
    resources,
    reason: 'moto passes them over where a template brings them, or fails to tell them',
  })),
];
