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
    resources: ['QueueOf*', 'DeadLetterQueueOf*'],
    reason: 'SQS encrypts them with its own key (SqsManagedSseEnabled), which this rule does not count',
  },
  {
    rule: 'CKV_AWS_115',
    resources: FUNCTIONS,
    reason: 'reserved concurrency is taken from the account; how much is the operator’s to say',
  },
  {
    rule: 'CKV_AWS_116',
    resources: FUNCTIONS,
    reason: 'for asynchronous invocations alone, and there are none; messages have a dead-letter queue of their own',
  },
  {
    rule: 'CKV_AWS_117',
    resources: FUNCTIONS,
    reason: 'a VPC adds no protection to functions that nothing can connect to, and costs endpoints and NAT',
  },
  {
    rule: 'CKV_AWS_158',
    resources: ['QueueLogGroup', 'WebhookLogGroup', 'WebhookAccessLog'],
    reason: 'CloudWatch encrypts all logs with its own key; there is no secret and no payload in them',
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
  noType('AWS::SQS::QueuePolicy', ['QueuePolicyOf*'], ['everything']),
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
    resources: FUNCTIONS,
    reason: 'moto passes it over where a template brings it, and says x86_64',
  },
  {
    rule: 'AWS::Lambda::Function.TracingConfig',
    stages: ['everything'],
    resources: FUNCTIONS,
    reason: 'moto passes it over where a template brings it, and says PassThrough',
  },
];
