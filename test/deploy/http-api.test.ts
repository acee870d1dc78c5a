/** What `custom` says of the gateway, case by case; that it reaches the template is in package.test.ts. */
import { describe, expect, test } from 'vitest';
import { stack } from '../../infra/deploy/stack/stack.ts';

const webhook = { verify: 'basic', secret: 'webhooks/orders' };
const flow = { secret: 'cpi/orders', path: '/http/orders' };
const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
const domain = { name: 'webhooks.example.com', certificateArn: CERTIFICATE };

function made(custom: object, destinations: object = { orders: { ...flow, webhook } }) {
  return stack({ service: 'token-relay', stage: 'dev', region: 'eu-central-1', custom: { ...custom, destinations } });
}

function mistakes(custom: object, destinations?: object): string[] {
  try {
    made(custom, destinations);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').filter((line) => line !== '');
  }
}

describe('routes', () => {
  const ALL = { httpApi: { method: '*', path: '/webhooks/{destination}' } };
  const of = (verify: unknown, methods = ['POST']) => {
    const isUsed = JSON.stringify(verify).includes('basic');
    const orders = { ...flow, webhook: { ...(isUsed ? { secret: 'webhooks/orders' } : {}), verify, methods } };
    return (made({}, { orders, plain: flow }).functions.webhook as { events: unknown }).events;
  };

  test.each([
    ['basic', 'basic'],
    ['a list', ['basic', { type: 'stripe', secret: 'webhooks/stripe' }]],
    ['none', 'none'],
  ])('an API with verify %s has one route for all methods', (_, verify) => {
    expect(of(verify)).toEqual([ALL]);
  });

  test.each([
    ['its name', 'iam'],
    ['an object', { type: 'iam' }],
    ['a list of it', [{ type: 'iam' }]],
  ])('an API with verify iam, as %s, has a route for each method whose signature the gateway checks', (_, verify) => {
    const route = (method: string) => ({
      httpApi: { method, path: '/webhooks/orders', authorizer: { type: 'aws_iam' } },
    });
    expect(of(verify, ['POST', 'PUT'])).toEqual([ALL, route('POST'), route('PUT')]);
  });
});

describe('the webhook function may send', () => {
  const permissions = (destinations: object) => {
    const { WebhookRole } = made({}, destinations).resources.Resources;
    const policies = (WebhookRole?.Properties.Policies ?? []) as {
      PolicyDocument: { Statement: { Action: string[]; Resource: unknown[] }[] };
    }[];
    const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    return Object.fromEntries(statements.map(({ Action, Resource }) => [Action[0], Resource]));
  };
  const LEGACY = 'arn:aws:sqs:eu-central-1:999999999999:legacy-in';

  test('the webhook function may send nowhere where the caller waits', () => {
    const direct = { ...flow, payloadBucket: 'payloads', webhook: { ...webhook, mode: 'direct' } };
    const allowed = permissions({ direct, plain: { ...flow, payloadBucket: 'payloads' } });
    expect(allowed).not.toHaveProperty(['sqs:SendMessage']);
    expect(allowed).not.toHaveProperty(['s3:PutObject']);
  });

  test.each(['queued', 'direct-else-queued'])(
    'the webhook function may send to the queue of a webhook that is %s, and to no other',
    (mode) => {
      const orders = { ...flow, payloadBucket: 'payloads', webhook: { ...webhook, mode } };
      const allowed = permissions({ orders, plain: { ...flow, payloadBucket: 'others' } });
      expect(allowed['sqs:SendMessage']).toHaveLength(1);
      expect(JSON.stringify(allowed['sqs:SendMessage'])).toContain(':token-relay-dev-orders"');
      expect(allowed['s3:PutObject'], 'not over dead letters, nor over what others keep there').toEqual([
        { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::payloads/webhooks/orders/*']] },
      ]);
    },
  );

  test.each([
    ['queued', false],
    ['direct', true],
    ['direct-else-queued', true],
  ])('the webhook function may send and, in mode %s, read the credentials for SAP: %s', (mode, may) => {
    const read = JSON.stringify(
      permissions({ orders: { ...flow, webhook: { ...webhook, mode } } })['secretsmanager:GetSecretValue'],
    );
    expect(read.includes('secret:cpi/orders-')).toBe(may);
    expect(read).toContain('secret:webhooks/orders-');
  });

  test.each([
    ['queued', false],
    ['direct', true],
  ])('the webhook function may, in mode %s, read the credentials of the new side of a cut-over: %s', (mode, may) => {
    const cutover = { secret: 'cpi/orders-cf', since: '2027-03-06T20:00:00Z' };
    const read = JSON.stringify(
      permissions({ orders: { ...flow, cutover, webhook: { ...webhook, mode } } })['secretsmanager:GetSecretValue'],
    );
    expect(read.includes('secret:cpi/orders-cf-')).toBe(may);
  });

  test('the webhook function may send to somebody else’s queue, by its ARN or where queueUrl says', () => {
    const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/999999999999/front';
    expect(permissions({ orders: { ...flow, queue: LEGACY, webhook } })['sqs:SendMessage']).toEqual([LEGACY]);
    expect(
      JSON.stringify(permissions({ orders: { ...flow, queue: LEGACY, queueUrl, webhook } })['sqs:SendMessage']),
    ).toContain(':sqs:eu-central-1:999999999999:front');
  });
});

describe('mistakes', () => {
  const LIMIT = 'expected a whole number from 1 to';
  const IN_REGION = 'expected the ARN of a certificate in ACM, in eu-central-1';
  test.each<[string, object, string]>([
    ['a limit of nothing', { webhookThrottling: { burst: 0 } }, `webhookThrottling.burst: ${LIMIT} 5000`],
    [
      'a limit beyond the account’s',
      { webhookThrottling: { requestsPerSecond: 10_001 } },
      `webhookThrottling.requestsPerSecond: ${LIMIT} 10000`,
    ],
    ['a text as limit', { webhookThrottling: { burst: 'many' } }, `webhookThrottling.burst: ${LIMIT} 5000`],
    [
      'a misspelt limit',
      { webhookThrottling: { bursts: 5 } },
      'webhookThrottling.bursts: unknown field, did you mean burst?',
    ],
    [
      'a number in place of limits',
      { webhookThrottling: 100 },
      'webhookThrottling: expected an object with requestsPerSecond and burst',
    ],
    [
      'a name alone',
      { webhookDomain: 'example.com' },
      'webhookDomain: expected an object with name and certificateArn',
    ],
    [
      'a URL as name',
      { webhookDomain: { ...domain, name: 'https://example.com' } },
      'webhookDomain.name: expected the name of a domain, such as webhooks.example.com',
    ],
    ['no certificate', { webhookDomain: { name: domain.name } }, `webhookDomain.certificateArn: ${IN_REGION}`],
    [
      'a certificate of another region',
      { webhookDomain: { ...domain, certificateArn: CERTIFICATE.replace('eu-central-1', 'us-east-1') } },
      `webhookDomain.certificateArn: ${IN_REGION}`,
    ],
    [
      'a truststore that is not in S3',
      { webhookDomain: { ...domain, truststoreUri: 'https://example.com/ca.pem' } },
      'webhookDomain.truststoreUri: expected s3://bucket/key',
    ],
    [
      'a version of no truststore',
      { webhookDomain: { ...domain, truststoreVersion: 'v1' } },
      'webhookDomain.truststoreVersion: expected the version of the object at truststoreUri',
    ],
    [
      'a misspelt field',
      { webhookDomain: { ...domain, trustStore: 's3://a' } },
      'webhookDomain.trustStore: unknown field, did you mean truststoreUri?',
    ],
  ])('a mistake in the API is named: %s', (_, custom, line) => {
    expect(mistakes(custom)).toEqual([`custom.${line}`]);
  });

  test('a domain for no API is a mistake', () => {
    expect(mistakes({ webhookDomain: domain }, { orders: flow })).toEqual([
      'custom.webhookDomain: no destination has a webhook',
    ]);
  });

  const elsewhere = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:webhooks/orders-AbCdEf';
  const here = elsewhere.replace('us-east-1', 'eu-central-1');
  test.each<[string, object, string[]]>([
    ['the whole ARN of a secret', { secret: here }, []],
    [
      'the ARN of a secret in another region, which the function does not ask',
      { secret: elsewhere },
      ['webhook.secret: expected the ARN of a secret in eu-central-1'],
    ],
    [
      'an ARN that lacks its end, of which the policy would allow nothing',
      { secret: here.replace('-AbCdEf', '') },
      ['webhook.secret: expected the whole ARN, with the hyphen and six characters that end it; or the name'],
    ],
    [
      'such a one in an entry of verify',
      { verify: ['basic', { type: 'stripe', secret: elsewhere }] },
      ['webhook.secret: expected the ARN of a secret in eu-central-1'],
    ],
  ])('a mistake in the domain is named: %s', (_, fields, lines) => {
    const orders = { ...flow, webhook: { ...webhook, ...fields } };
    expect(mistakes({}, { orders })).toEqual(lines.map((line) => `custom.destinations.orders.${line}`));
  });

  test('a queueUrl in another region, where the function does not send, is a mistake', () => {
    const queueUrl = 'https://sqs.us-east-1.amazonaws.com/999999999999/in';
    const orders = { ...flow, queue: 'arn:aws:sqs:eu-central-1:999999999999:in', queueUrl, webhook };
    expect(mistakes({}, { orders })).toEqual(['custom.destinations.orders.queueUrl: expected a queue in eu-central-1']);
  });

  test('a queueUrl that is no URL is a mistake', () => {
    const orders = { ...flow, queue: 'arn:aws:sqs:eu-central-1:999999999999:in', queueUrl: 'https://example.com/in' };
    expect(mistakes({}, { orders })).toEqual([
      'custom.destinations.orders.queueUrl: expected https://sqs.<region>.amazonaws.com/<account>/<queue>',
    ]);
  });
});
