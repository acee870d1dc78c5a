/** What follows from `custom` in serverless.yml, case by case; that it reaches the template is in package.test.ts. */
import { describe, expect, test } from 'vitest';
import { destinationOfQueue, readSettings } from '../../functions/settings/settings.ts';
import { type Stack, stack } from '../../infra/deploy/stack/stack.ts';

const service = { service: 'token-relay', stage: 'dev', region: 'eu-central-1' };
const flow = { secret: 'cpi/orders', path: '/http/orders' };
const webhook = { verify: 'basic', secret: 'webhooks/orders', mode: 'direct' };
const LEGACY = 'arn:aws:sqs:eu-central-1:999999999999:legacy-in';

const made = (destinations: object, custom: object = {}) => stack({ ...service, custom: { ...custom, destinations } });
const properties = (of: Stack, name: string) => of.resources.Resources[name]?.Properties;
const idsOf = (of: Stack) => [...Object.keys(of.resources.Resources), ...Object.keys(of.functions)];

function mistakes(custom: unknown, rest: object = {}): string[] {
  try {
    stack({ ...service, ...rest, custom });
    return [];
  } catch (error) {
    const { message, stack: trace } = error as Error;
    expect(trace).toBe(message);
    return message.split('\n').filter((line) => line !== '');
  }
}

describe('times', () => {
  test.each([
    { call: 1, batchSize: 10, timeout: 32, visibility: 192 },
    { call: 60, batchSize: 10, timeout: 150, visibility: 900 },
    { call: 60, batchSize: 11, timeout: 150, visibility: 901 },
    { call: 435, batchSize: 10, timeout: 900, visibility: 5400 },
    { call: 600, batchSize: 10_000, timeout: 900, visibility: 5401 },
  ])('calls of $call s, batches of $batchSize get $timeout s to run, $visibility s invisible', (it) => {
    const of = made({ orders: { ...flow, timeoutSeconds: it.call, batchSize: it.batchSize } });
    expect(of.functions.queue).toMatchObject({ timeout: it.timeout });
    expect(properties(of, 'QueueOfOrders')).toMatchObject({ VisibilityTimeout: it.visibility });
  });

  test('the destination with the longest calls sets the time for all', () => {
    const of = made({ slow: { ...flow, timeoutSeconds: 200 }, quick: { ...flow, timeoutSeconds: 1 } });
    expect(of.functions.queue).toMatchObject({ timeout: 430 });
    expect(properties(of, 'QueueOfQuick')).toMatchObject({ VisibilityTimeout: 2580 });
  });

  test.each([
    [10, undefined],
    [11, 1],
  ])('a batch of %i waits for %s s to fill', (batchSize, windowSeconds) => {
    const of = made({ orders: { ...flow, batchSize } });
    expect(properties(of, 'EventSourceMappingOfOrders')?.MaximumBatchingWindowInSeconds).toBe(windowSeconds);
  });
});

describe('a cut-over', () => {
  const cutover = { secret: 'cpi/orders-cf', since: '2027-03-06T20:00:00Z', timeoutSeconds: 200 };

  test('a cut-over lets the queue function read the credentials of both sides', () => {
    const role = JSON.stringify(properties(made({ orders: { ...flow, cutover } }), 'QueueRole'));
    expect(role).toContain('secret:cpi/orders-??????');
    expect(role).toContain('secret:cpi/orders-cf-??????');
  });

  test('a cut-over with longer calls on the new side gives the function their time', () => {
    expect(made({ orders: { ...flow, cutover } }).functions.queue).toMatchObject({ timeout: 430 });
  });

  test('a cut-over is checked in what only a deployment can get wrong, and told by its path', () => {
    const wrong = { ...cutover, secret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:cpi/orders-cf-a1B2c3' };
    expect(mistakes({ destinations: { orders: { ...flow, cutover: wrong } } })).toEqual([
      'custom.destinations.orders.cutover.secret: expected the ARN of a secret in eu-central-1',
    ]);
    const monitor = { ...cutover, url: 'https://acme-tmn.hci.eu1.hana.ondemand.com/http/orders' };
    expect(mistakes({ destinations: { orders: { ...flow, cutover: monitor } } })).toEqual([
      expect.stringMatching(/^custom\.destinations\.orders\.cutover\.url: .*this one is the monitor’s$/),
    ]);
    const { warnings } = made({ orders: { ...flow, cutover: { ...cutover, path: '/cxf/orders' } } });
    expect(warnings).toContain('orders.cutover.path: below /cxf/ listens adapter soap or soap-rm, not https');
  });
});

describe('a destination more', () => {
  const before = made({ orders: flow });

  test('a new destination adds its queues and their event source mapping, and changes no other', () => {
    const after = made({ orders: flow, 'eu-invoices': { ...flow, fifo: true } });
    expect(idsOf(after).filter((id) => !idsOf(before).includes(id))).toEqual([
      'QueueOfEuInvoices',
      'DeadLetterQueueOfEuInvoices',
      'QueuePolicyOfEuInvoices',
      'EventSourceMappingOfEuInvoices',
    ]);
    for (const id of [
      'QueueOfOrders',
      'DeadLetterQueueOfOrders',
      'QueuePolicyOfOrders',
      'EventSourceMappingOfOrders',
    ]) {
      expect(properties(after, id)).toEqual(properties(before, id));
    }
  });

  test('a new destination with a webhook adds the function, its role and its route', () => {
    const after = made({ orders: { ...flow, webhook } });
    expect(idsOf(after).filter((id) => !idsOf(before).includes(id))).toEqual([
      'WebhookRole',
      'WebhookAccessLog',
      'webhook',
    ]);
    expect(after.functions.webhook).toMatchObject({
      timeout: 29,
      events: [{ httpApi: { method: '*', path: '/webhooks/{destination}' } }],
    });
  });

  test('a new destination with the queue of somebody else is attached to it, and that queue is left alone', () => {
    const after = made({ orders: flow, legacy: { ...flow, queue: LEGACY } });
    expect(idsOf(after).filter((id) => !idsOf(before).includes(id))).toEqual(['EventSourceMappingOfLegacy']);
    expect(properties(after, 'EventSourceMappingOfLegacy')).toMatchObject({ EventSourceArn: LEGACY });
  });

  test('two existing queues of the same name in two accounts are both attached', () => {
    const other = LEGACY.replace('999999999999', '888888888888');
    const after = made({ one: { ...flow, queue: LEGACY }, two: { ...flow, queue: other } });
    expect(properties(after, 'EventSourceMappingOfOne')).toMatchObject({ EventSourceArn: LEGACY });
    expect(properties(after, 'EventSourceMappingOfTwo')).toMatchObject({ EventSourceArn: other });
  });
});

describe('the dead-letter queue of a created queue', () => {
  test.each([
    ['orders', false, 'orders'],
    ['invoices', true, 'invoices.fifo'],
  ])('the dead-letter queue of %s (FIFO: %s) takes what SQS moves from that queue alone', (name, fifo, queueName) => {
    const of = made({ [name]: { ...flow, fifo } });
    const id = `DeadLetterQueueOf${name[0]?.toUpperCase()}${name.slice(1)}`;
    const arn = ['arn:', { Ref: 'AWS::Partition' }, ':sqs:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }];
    expect(properties(of, id)?.RedriveAllowPolicy).toEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: [{ 'Fn::Join': ['', [...arn, `:token-relay-dev-${queueName}`]] }],
    });
  });
});

describe('the dead-letter queue of an existing queue', () => {
  const sendTo = (of: Stack) => JSON.stringify(properties(of, 'QueueRole')).match(/"sqs:SendMessage".{0,200}/)?.[0];

  test('the dead-letter queue of an existing queue is left alone if it is not named', () => {
    expect(sendTo(made({ legacy: { ...flow, queue: LEGACY } }))).toBeUndefined();
  });

  test.each([
    ['eu-central-1', 'https://sqs.eu-central-1.amazonaws.com/999999999999/dead', 'dead'],
    ['cn-north-1', 'https://sqs.cn-north-1.amazonaws.com.cn/999999999999/dead.fifo', 'dead.fifo'],
  ])(
    'the dead-letter queue of an existing queue may be written in %s where %s names it',
    (region, deadLetterQueueUrl, name) => {
      const queue = `arn:aws:sqs:${region}:999999999999:${name.replace('dead', 'in')}`;
      const destinations = { legacy: { ...flow, queue, deadLetterQueueUrl } };
      const of = stack({ ...service, region, custom: { destinations } });
      expect(sendTo(of)).toContain(`:sqs:${region}:999999999999:${name}"`);
    },
  );
});

describe('who sends to the queue', () => {
  const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:orders';
  const FIFO_TOPIC = `${TOPIC}.fifo`;
  const RULE = 'arn:aws:events:eu-central-1:123456789012:rule/shop/orders';
  const statementOf = (service: string, ...senders: string[]) => ({
    Effect: 'Allow',
    Principal: { Service: `${service}.amazonaws.com` },
    Action: 'sqs:SendMessage',
    Resource: { 'Fn::GetAtt': ['QueueOfOrders', 'Arn'] },
    Condition: { ArnEquals: { 'aws:SourceArn': senders } },
  });

  /** Whoever has the right in a policy of its own sends, with TLS. */
  const tlsOnly = {
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:*',
    Resource: { 'Fn::GetAtt': ['QueueOfOrders', 'Arn'] },
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };

  test('a queue without senders keeps out who comes without TLS, and lets nobody in', () => {
    expect(properties(made({ orders: flow }), 'QueuePolicyOfOrders')).toEqual({
      Queues: [{ Ref: 'QueueOfOrders' }],
      PolicyDocument: { Version: '2012-10-17', Statement: [tlsOnly] },
    });
  });

  test('all dead-letter queues keep out who comes without TLS, by one policy that lets nobody in', () => {
    const of = made({ orders: flow, invoices: { ...flow, fifo: true }, legacy: { ...flow, queue: LEGACY } });
    expect(properties(of, 'DeadLetterQueuePolicy')).toEqual({
      Queues: [{ Ref: 'DeadLetterQueueOfOrders' }, { Ref: 'DeadLetterQueueOfInvoices' }],
      PolicyDocument: { Version: '2012-10-17', Statement: [{ ...tlsOnly, Resource: '*' }] },
    });
  });

  test('no queue has two policies, of which SQS would keep the last', () => {
    const of = made({ orders: { ...flow, queueSenders: [TOPIC] }, invoices: flow });
    const queues = Object.values(of.resources.Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::SQS::QueuePolicy' ? (Properties.Queues as { Ref: string }[]).map(({ Ref }) => Ref) : [],
    );
    expect(queues.sort()).toEqual(
      ['DeadLetterQueueOfInvoices', 'DeadLetterQueueOfOrders', 'QueueOfInvoices', 'QueueOfOrders'].sort(),
    );
  });

  test('a stack with existing queues alone has no policy of a queue', () => {
    expect(idsOf(made({ legacy: { ...flow, queue: LEGACY } })).filter((id) => /Policy/.test(id))).toEqual([]);
  });

  test.each([
    ['a topic', [TOPIC], [statementOf('sns', TOPIC)]],
    ['a rule', [RULE], [statementOf('events', RULE)]],
    [
      'topics and a rule',
      [TOPIC, RULE, `${TOPIC}-2`],
      [statementOf('sns', TOPIC, `${TOPIC}-2`), statementOf('events', RULE)],
    ],
  ])('a queue lets %s send, and the service in no other’s name', (_, queueSenders, statements) => {
    const of = made({ orders: { ...flow, queueSenders } });
    expect(properties(of, 'QueuePolicyOfOrders')).toEqual({
      Queues: [{ Ref: 'QueueOfOrders' }],
      PolicyDocument: { Version: '2012-10-17', Statement: [tlsOnly, ...statements] },
    });
  });

  test('a FIFO queue lets a FIFO topic send', () => {
    const of = made({ orders: { ...flow, fifo: true, queueSenders: [FIFO_TOPIC] } });
    expect(properties(of, 'QueuePolicyOfOrders')).toMatchObject({
      PolicyDocument: { Statement: [tlsOnly, statementOf('sns', FIFO_TOPIC)] },
    });
  });

  test.each([
    ['another topic to a FIFO queue', { fifo: true }, TOPIC, 'expected FIFO topics: no other may send to a FIFO queue'],
    [
      'a rule to a FIFO queue',
      { fifo: true },
      RULE,
      'EventBridge sends to FIFO queues with content-based deduplication alone, which this is not',
    ],
    [
      'a topic to an existing queue',
      { queue: LEGACY },
      TOPIC,
      'belongs to a created queue; what may send to an existing one its owner says in its policy',
    ],
  ])('a queue does not let %s send', (_, settings, sender, line) => {
    expect(mistakes({ destinations: { orders: { ...flow, ...settings, queueSenders: [sender] } } })).toEqual([
      `custom.destinations.orders.queueSenders: ${line}`,
    ]);
  });
});

describe('above 3.5 KB', () => {
  /** Settings whose DESTINATIONS, with URLs at their longest, has this many bytes. */
  const ofBytes = (bytes: number) => {
    const padded = (length: number) => ({ ...flow, headers: { 'X-Padding': 'x'.repeat(length) } });
    const url = 'x'.repeat(135);
    const queue = { queue: 'token-relay-dev-orders', queueUrl: url, deadLetterQueueUrl: url };
    return { orders: padded(bytes - JSON.stringify({ orders: { ...padded(0), ...queue } }).length) };
  };

  test.each([
    [3584, 'stays in the environment'],
    [3585, 'becomes a file'],
  ])('a DESTINATIONS of %i bytes above 3.5 KB %s', (bytes, what) => {
    const { value } = made(ofBytes(bytes)).destinations;
    expect(value === '@destinations.json').toBe(what === 'becomes a file');
  });

  test('the file of DESTINATIONS has no URLs, but the name by which a queue finds its destination', () => {
    const { file = '' } = made(ofBytes(4000)).destinations;
    expect(Object.keys(JSON.parse(file).orders)).toEqual(['secret', 'path', 'headers', 'queue']);
    const settings = readSettings({ DESTINATIONS: '@destinations.json' }, () => file);
    const arn = 'arn:aws:sqs:eu-central-1:123456789012:token-relay-dev-orders';
    expect(destinationOfQueue(arn, settings)?.[0]).toBe('orders');
  });
});

describe('mistakes', () => {
  test.each([
    ['no destinations', {}, ['custom.destinations: expected an object with at least one destination']],
    ['no custom', undefined, ['custom.destinations: expected an object with at least one destination']],
    [
      'a typing error in a field',
      { destinations: { orders: { ...flow, timeoutSecond: 5 } } },
      ['custom.destinations.orders.timeoutSecond: unknown field, did you mean timeoutSeconds?'],
    ],
    [
      'a destination of the name that custom has',
      { destinations: { destinations: 3 } },
      ['custom.destinations.destinations: expected an object with secret, and url or path'],
    ],
    [
      'the bare name of a queue',
      { destinations: { orders: { ...flow, queue: 'legacy-in' } } },
      ['custom.destinations.orders.queue: expected the ARN of an existing queue; leave it out and one is created'],
    ],
    [
      'the URL of a created queue',
      { destinations: { orders: { ...flow, queueUrl: 'https://x/', deadLetterQueueUrl: 'https://x/' } } },
      [
        'custom.destinations.orders.queueUrl: belongs to an existing queue; of a created one it is filled in',
        'custom.destinations.orders.deadLetterQueueUrl: belongs to an existing queue; of a created one it is filled in',
      ],
    ],
    [
      'a dead-letter queue that no permission can name',
      { destinations: { orders: { ...flow, queue: LEGACY, deadLetterQueueUrl: 'https://queues.example.com/dead' } } },
      ['custom.destinations.orders.deadLetterQueueUrl: expected https://sqs.<region>.amazonaws.com/<account>/<queue>'],
    ],
    [
      'secrets that would open others',
      { destinations: { orders: { ...flow, secret: 'cpi/*', webhook: { ...webhook, secret: 'web?' } } } },
      [
        'custom.destinations.orders.secret: expected the name or ARN of a secret in Secrets Manager',
        'custom.destinations.orders.webhook.secret: expected the name or ARN of a secret in Secrets Manager',
      ],
    ],
    [
      'two names that are one in the template',
      { destinations: { 'eu-orders': flow, euOrders: flow } },
      ['custom.destinations.euOrders: expected a name that differs from eu-orders in more than hyphens and capitals'],
    ],
    [
      'two names that are one among the routes',
      { destinations: { euOrders: flow, euorders: flow } },
      ['custom.destinations.euorders: expected a name that differs from euOrders in more than hyphens and capitals'],
    ],
    [
      'a key that is no ARN',
      { destinations: { orders: flow }, kmsKeyArns: ['alias/mine'] },
      ['custom.kmsKeyArns: expected a list of ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>'],
    ],
  ])('a mistake in the stack is named: %s', (_, custom, lines) => {
    expect(mistakes(custom)).toEqual(lines);
  });

  test.each([
    ['standard', false, 'token-relay-dev-', 76],
    ['FIFO', true, 'token-relay-dev--dlq.fifo', 80],
  ])('a name too long for a %s queue and its dead-letter queue is a mistake', (_, fifo, rest, most) => {
    const named = (length: number) => ({ destinations: { ['a'.repeat(length)]: { ...flow, fifo } } });
    expect(mistakes(named(most - rest.length))).toEqual([]);
    expect(mistakes(named(most - rest.length + 1))).toHaveLength(1);
    expect(mistakes(named(63))).toEqual([expect.stringContaining('SQS takes 80 characters')]);
  });

  test.each([
    ['stage', { stage: 'v1.2' }, 'provider.stage: expected letters, digits, - and _'],
    ['service', { service: 'token relay' }, 'service: expected letters, digits, - and _'],
  ])('a %s that no queue can have in its name is reported once', (_, rest, line) => {
    expect(mistakes({ destinations: { orders: flow, invoices: flow } }, rest)).toEqual([line]);
  });
});
