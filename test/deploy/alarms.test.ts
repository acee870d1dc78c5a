/** What is watched, who is told and where it is looked at: the alarms, the dashboard and the queries of a stack. */
import { readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type AttemptLine, createTelemetry } from '../../functions/telemetry/telemetry.ts';
import { limitMistakes } from '../../infra/deploy/stack/limits.ts';
import { type Stack, stack } from '../../infra/deploy/stack/stack.ts';
import { evaluateAlarms } from './cloudwatch.ts';
import { alarmsOver, MINUTE_MS, made, measured, resolved, resources, STARTS_AT, short } from './replayed.ts';

const service = { service: 'token-relay', stage: 'prod', region: 'eu-central-1' };
const flow = { secret: 'cpi/orders', path: '/http/orders' };
const MAIL = { mail: 'operators@example.com' };
const MONITOR = 'acme.integrationsuite.cfapps.eu10.hana.ondemand.com';

type Properties = Readonly<Record<string, unknown>>;
const propertiesOf = (of: Stack, type: string): Properties[] =>
  Object.values(of.resources.Resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
const stacked = (custom: object) => stack({ ...service, custom: { destinations: { orders: flow }, ...custom } });
const namesOf = (of: Stack, type = 'AWS::CloudWatch::Alarm') =>
  propertiesOf(of, type).map(({ AlarmName }) => String(AlarmName));
const many = (count: number, entry: (index: number) => object = () => flow) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`flow-${index}`, entry(index)]));

describe('Without custom.alarms', () => {
  test('nobody is told, which packaging says, and there are a dashboard and the queries all the same', () => {
    const of = stacked({});
    expect(of.warnings).toEqual(['custom.alarms: nobody is told of trouble; set { mail: … } or { topicArn: … }']);
    const types = Object.values(of.resources.Resources).map(({ Type }) => Type);
    expect(types.filter((type) => /CloudWatch|SNS/.test(type))).toEqual(['AWS::CloudWatch::Dashboard']);
    expect(types.filter((type) => type === 'AWS::Logs::QueryDefinition')).toHaveLength(5);
  });
});

describe('Who is told', () => {
  test('is the address that is set, by a topic of the stack', () => {
    const of = stacked({ alarms: MAIL });
    expect(of.warnings).toEqual([]);
    expect(propertiesOf(of, 'AWS::SNS::Topic')).toEqual([{ TopicName: 'token-relay-prod-alarms' }]);
    expect(propertiesOf(of, 'AWS::SNS::Subscription')).toEqual([
      { TopicArn: { Ref: 'AlarmTopic' }, Protocol: 'email', Endpoint: MAIL.mail },
    ]);
  });

  test('is whoever listens to the topic that is set, and none is made', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:123456789012:pager';
    const of = stacked({ alarms: { topicArn } });
    expect(propertiesOf(of, 'AWS::SNS::Topic')).toEqual([]);
    const [needsAPerson] = propertiesOf(of, 'AWS::CloudWatch::CompositeAlarm');
    expect(needsAPerson).toMatchObject({ AlarmActions: [topicArn] });
  });

  test.each([
    ['neither', {}, ['custom.alarms: expected either mail or topicArn']],
    [
      'both',
      { ...MAIL, topicArn: 'arn:aws:sns:eu-central-1:123456789012:a' },
      ['custom.alarms: expected either mail or topicArn'],
    ],
    ['no address', { mail: 'operators' }, ['custom.alarms.mail: expected a mail address']],
    [
      'a topic elsewhere',
      { topicArn: 'arn:aws:sns:eu-west-1:123456789012:a' },
      ['custom.alarms.topicArn: expected the ARN of a standard topic of SNS in eu-central-1'],
    ],
    [
      'a FIFO topic, which no alarm tells',
      { topicArn: 'arn:aws:sns:eu-central-1:123456789012:a.fifo' },
      ['custom.alarms.topicArn: expected the ARN of a standard topic of SNS in eu-central-1'],
    ],
    ['a typing error', { ...MAIL, mial: 'x' }, ['custom.alarms.mial: unknown field, did you mean mail?']],
    [
      'no time at all',
      { ...MAIL, notDeliveredAfterSeconds: 10 },
      ['custom.alarms.notDeliveredAfterSeconds: expected a whole number of seconds from 60 to 86400'],
    ],
    ['a text', 'operators@example.com', ['custom.alarms: expected an object with mail, or with topicArn']],
  ])('%s is a mistake', (_, alarms, lines) => {
    expect(mistakes({ alarms })).toEqual(lines);
  });
});

describe('Maintenance', () => {
  const windows = [
    { cron: '0 20 * * SAT', hours: 6, timezone: 'Europe/Berlin' },
    { cron: '30 1 1 * *', hours: 360 },
  ];

  test('silences what wakes somebody, and nothing else', () => {
    const of = stacked({ alarms: MAIL, maintenance: windows, destinations: { orders: flow, stock: flow } });
    const waking = ['token-relay-prod-sap-down', 'token-relay-prod-needs-a-person'];
    expect(propertiesOf(of, 'AWS::CloudWatch::AlarmMuteRule')).toEqual([
      expect.objectContaining({
        Rule: { Schedule: { Expression: 'cron(0 20 * * SAT)', Duration: 'PT6H', Timezone: 'Europe/Berlin' } },
        MuteTargets: { AlarmNames: waking },
      }),
      expect.objectContaining({
        Name: 'token-relay-prod-maintenance-2',
        Rule: { Schedule: { Expression: 'cron(30 1 1 * *)', Duration: 'PT360H' } },
      }),
    ]);
    expect(namesOf(of, 'AWS::CloudWatch::CompositeAlarm')).toEqual(expect.arrayContaining(waking));
  });

  const CRON = 'expected minute, hour, day of month, month and day of week, as in 0 20 * * SAT';
  test.each<[string, unknown, string]>([
    ['no list', { cron: '0 20 * * SAT' }, 'custom.maintenance: expected a list of windows with cron and hours'],
    ['no window', ['0 20 * * SAT'], 'custom.maintenance[0]: expected an object with cron and hours'],
    ['six fields', [{ cron: '0 0 20 * * SAT', hours: 1 }], `custom.maintenance[0].cron: ${CRON}`],
    [
      'no hours',
      [{ cron: '0 20 * * SAT', hours: 0 }],
      'custom.maintenance[0].hours: expected a whole number of hours from 1 to 360',
    ],
    [
      'a time zone that is none',
      [{ cron: '0 20 * * SAT', hours: 1, timezone: '+01:00' }],
      'custom.maintenance[0].timezone: expected a time zone of the tz database, as in Europe/Berlin',
    ],
    [
      'an unknown field',
      [{ cron: '0 20 * * SAT', hours: 1, hour: 2 }],
      'custom.maintenance[0].hour: unknown field, did you mean hours?',
    ],
  ])('%s is a mistake', (_, maintenance, line) => {
    expect(mistakes({ alarms: MAIL, maintenance })).toEqual([line]);
  });

  test('without alarms is a mistake', () => {
    expect(mistakes({ maintenance: windows })).toEqual([
      'custom.maintenance: there is nothing to silence without custom.alarms',
    ]);
  });
});

describe('Each alarm', () => {
  const all = resources
    .filter(({ Type }) => /CloudWatch::(Composite)?Alarm$/.test(Type))
    .map(({ Properties }) => Properties);

  test('has a name of its own, whatever destinations are called', () => {
    const names = ['orders', 'queue', 'webhook', 'sap', 'dead', 'orders-dead', 'not', 'SAP', 'host-1'].filter(
      (name) => name !== 'sap',
    );
    const webhook = { verify: 'basic', secret: 'w' };
    const of = stacked({
      alarms: MAIL,
      destinations: Object.fromEntries(names.map((name) => [name, { ...flow, webhook }])),
    });
    const alarms = [...namesOf(of), ...namesOf(of, 'AWS::CloudWatch::CompositeAlarm')];
    expect(new Set(alarms).size).toBe(alarms.length);
    expect(alarms.every((name) => name.startsWith('token-relay-prod-') && name.length <= 255)).toBe(true);
  });

  test('says in two sentences what it means and what to do, and where the runbook tells more', () => {
    for (const { AlarmName, AlarmDescription } of all) {
      const [, words = '', anchor = ''] =
        /^(.*) infra\/ops\/runbook\.md#([a-z0-9-]+)$/.exec(String(AlarmDescription)) ?? [];
      expect(short(String(AlarmName)).endsWith(anchor), `${AlarmName} ${anchor}`).toBe(true);
      expect(words.match(/[.](?= |$)/g)?.length, words).toBe(2);
      expect(String(AlarmDescription).length).toBeLessThanOrEqual(1_024);
    }
  });

  test('has a section in the runbook', async () => {
    const runbook = await readFile(new URL('../../infra/ops/runbook.md', import.meta.url), 'utf8');
    const sections = [...runbook.matchAll(/^#{2,3} (\S+)$/gm)].map(([, section]) => section);
    const anchors = new Set(all.map(({ AlarmDescription }) => String(AlarmDescription).split('#').at(-1)));
    expect(anchors.size).toBe(22);
    expect([...anchors].filter((anchor) => !sections.includes(anchor))).toEqual([]);
  });

  test('takes what is not measured for good, since most is sent only when something has happened', () => {
    const simple = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    expect(simple.map(({ Properties }) => Properties.TreatMissingData)).toEqual(simple.map(() => 'notBreaching'));
  });

  test('tells by itself where it can wait, and by one of the few that wake somebody where it cannot', () => {
    const rules = all.map(({ AlarmRule }) => AlarmRule ?? '').join(' ');
    const simple = resources
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => Properties);
    for (const { AlarmName, AlarmActions } of simple)
      expect(AlarmActions === undefined, String(AlarmName)).toBe(rules.includes(`"${AlarmName}"`));
    const waiting = simple
      .filter(({ AlarmActions }) => AlarmActions !== undefined)
      .map(({ AlarmName }) => short(String(AlarmName)));
    const ofEach = ['letters-expire', 'rejected', 'in-flight'];
    expect(waiting.sort()).toEqual(
      [
        ...['orders', 'stock', 'invoices'].flatMap((name) => ofEach.map((kind) => `${name}-${kind}`)),
        // Dead letters of FIFO wake somebody: what comes after them has gone on.
        'orders-dead-letters',
        'stock-dead-letters',
        'queue-throttled',
        'webhook-throttled',
        'credential-ends',
        'credential-ends-soon',
      ].sort(),
    );
  });

  test('is there before a rule names it', () => {
    const { Resources } = made.resources;
    const ids = new Map(Object.entries(Resources).map(([id, { Properties }]) => [Properties.AlarmName, id]));
    for (const { Properties, DependsOn = [] } of Object.values(Resources)) {
      const named = [...`${Properties.AlarmRule ?? ''} "${Properties.ActionsSuppressor ?? ''}"`.matchAll(/"([^"]+)"/g)];
      for (const [, name] of named) expect(DependsOn, name).toContain(ids.get(name ?? ''));
    }
  });

  test('of a destination that is not polled, or is FIFO, is none that would always be red', () => {
    const of = stacked({
      alarms: MAIL,
      destinations: { off: { ...flow, enabled: false }, lane: { ...flow, fifo: true } },
    });
    const names = namesOf(of);
    expect(names.filter((name) => /not-picked-up|nobody-polls/.test(name))).toEqual([
      'token-relay-prod-lane-not-picked-up',
    ]);
  });

  test('of an existing queue is about that queue, and about its dead-letter queue where that is named', () => {
    const queue = 'arn:aws:sqs:eu-central-1:123456789012:legacy-in';
    const deadLetterQueueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/legacy-dead';
    const of = stacked({
      alarms: MAIL,
      destinations: { a: { ...flow, queue, deadLetterQueueUrl }, b: { ...flow, queue: `${queue}-2` } },
    });
    const queues = JSON.stringify(propertiesOf(of, 'AWS::CloudWatch::Alarm')).match(/legacy-[\w-]+/g);
    expect([...new Set(queues)].sort()).toEqual(['legacy-dead', 'legacy-in', 'legacy-in-2']);
    expect(namesOf(of).filter((name) => name.endsWith('dead-letters'))).toEqual(['token-relay-prod-a-dead-letters']);
  });
});

describe('What no run of the relay brings about is held against the rules by hand:', () => {
  const HOURS = 2;
  type Put = readonly [minutes: readonly [from: number, to: number], value: number];
  /** Of what CloudWatch is fed with; the names of the alarms that go red then. */
  function redAfter(
    namespace: string,
    name: string,
    dimensions: Readonly<Record<string, string>>,
    puts: readonly Put[],
  ) {
    const { metrics } = measured();
    for (const [[from, to], value] of puts)
      for (let minute = from; minute < to; minute += 1)
        metrics.put(namespace, name, dimensions, value, STARTS_AT + minute * MINUTE_MS);
    return [...alarmsOver(metrics, HOURS).states.keys()]
      .map(short)
      .filter((alarm) => !/needs-a-person|only-sap/.test(alarm));
  }
  const QUEUE = { QueueName: 'token-relay-orders' };
  const DEAD = { QueueName: 'token-relay-orders-dlq' };
  const FUNCTION = { FunctionName: 'QueueLambdaFunction' };
  const SERVICE = { service: 'token-relay' };
  const always = (value: number): Put[] => [[[0, HOURS * 60], value]];

  test.each<[string, string, string, Readonly<Record<string, string>>, readonly Put[], readonly string[]]>([
    ['in flight, one too few', 'AWS/SQS', 'ApproximateNumberOfMessagesNotVisible', QUEUE, always(95_999), []],
    [
      'in flight for two minutes',
      'AWS/SQS',
      'ApproximateNumberOfMessagesNotVisible',
      QUEUE,
      [
        [[5, 7], 96_000],
        [[7, 60], 1],
      ],
      [],
    ],
    ['in flight', 'AWS/SQS', 'ApproximateNumberOfMessagesNotVisible', QUEUE, always(96_000), ['orders-in-flight']],
    ['a letter of nearly ten days', 'AWS/SQS', 'ApproximateAgeOfOldestMessage', DEAD, always(863_999), []],
    [
      'a letter of ten days',
      'AWS/SQS',
      'ApproximateAgeOfOldestMessage',
      DEAD,
      always(864_000),
      ['orders-letters-expire'],
    ],
    ['a queue of nearly 15 minutes', 'AWS/SQS', 'ApproximateAgeOfOldestMessage', QUEUE, always(899), []],
    [
      'a function that hung once',
      'AWS/Lambda',
      'Duration',
      FUNCTION,
      [
        [[5, 6], 149_000],
        [[6, 90], 20],
      ],
      ['queue-function-near-timeout'],
    ],
    ['a function that stopped in time', 'AWS/Lambda', 'Duration', FUNCTION, always(148_300), []],
    [
      'refusals for four minutes',
      'AWS/Lambda',
      'Throttles',
      FUNCTION,
      [
        [[5, 9], 9],
        [[9, 60], 0],
      ],
      [],
    ],
    [
      'refusals for five minutes',
      'AWS/Lambda',
      'Throttles',
      FUNCTION,
      [
        [[5, 10], 1],
        [[10, 60], 0],
      ],
      ['queue-throttled'],
    ],
    ['31 days left', 'TokenRelay', 'CredentialDaysLeft', SERVICE, [[[5, 6], 31]], []],
    ['30 days left, told once a day', 'TokenRelay', 'CredentialDaysLeft', SERVICE, [[[5, 6], 30]], ['credential-ends']],
    [
      'seven days left',
      'TokenRelay',
      'CredentialDaysLeft',
      SERVICE,
      [[[5, 6], 7]],
      ['credential-ends', 'credential-ends-soon'],
    ],
  ])('%s', (_, namespace, name, dimensions, puts, expected) => {
    expect(redAfter(namespace, name, dimensions, puts)).toEqual(expected);
  });

  test.each([
    [20, 1, []],
    [19, 1, ['webhook-5xx']],
    [0, 0, []],
  ])('%i requests to the webhooks in a minute, of which %i is answered with 5xx', (count, errors, expected) => {
    const { metrics } = measured();
    for (let minute = 0; minute < 10; minute += 1) {
      const at = STARTS_AT + minute * MINUTE_MS;
      if (count > 0) metrics.put('AWS/ApiGateway', 'Count', { ApiId: 'HttpApi' }, count, at);
      if (errors > 0) metrics.put('AWS/ApiGateway', '5xx', { ApiId: 'HttpApi' }, errors, at);
    }
    const { states } = evaluateAlarms(resources, metrics, STARTS_AT, STARTS_AT + 20 * MINUTE_MS);
    expect([...states.keys()].map(short).filter((name) => name !== 'needs-a-person')).toEqual(expected);
  });
});

describe('The dashboard', () => {
  const body = JSON.parse(textOf(propertiesOf(made, 'AWS::CloudWatch::Dashboard')[0]?.DashboardBody));

  test('has a list of the destinations, by which the rows of one are chosen', () => {
    const [variable] = body.variables;
    expect(variable).toMatchObject({ type: 'pattern', defaultValue: 'orders', id: 'destination' });
    expect(variable.values.map(({ value }: { value: string }) => value)).toEqual(['orders', 'stock', 'invoices']);
    expect(JSON.stringify(body.widgets)).toContain(variable.pattern);
  });

  test('asks in this order: is anything stuck, since when, where, whose fault is it, which messages', () => {
    const asked = body.widgets.map(
      ({ properties: { title } }: { properties: { title: string } }) => title.split('?')[0],
    );
    const questions = ['Is somebody called', 'Is anything stuck', 'Since when', 'Where', 'Whose fault', 'Which'];
    expect(asked.filter((title: string) => questions.includes(title))).toEqual(questions);
    const rows = body.widgets.map(({ y }: { y: number }) => y);
    expect(rows).toEqual([...rows].sort((one: number, other: number) => one - other));
    for (const { x, width } of body.widgets) expect(x + width).toBeLessThanOrEqual(24);
  });

  test('shows alarms that are there', () => {
    const shown = JSON.stringify(body).match(/:alarm:[\w-]+/g) ?? [];
    const names = resources.map(({ Properties }) => String(Properties.AlarmName));
    for (const alarm of shown) expect(names).toContain(alarm.slice(7).replace('CHOSEN_DESTINATION', 'orders'));
    expect(shown.length).toBeGreaterThan(10);
  });
});

describe('The queries', () => {
  const queriesOf = (custom: object) =>
    Object.fromEntries(
      propertiesOf(stacked(custom), 'AWS::Logs::QueryDefinition').map(({ Name, ...rest }) => [String(Name), rest]),
    );

  test('lie below service and stage, and look into the logs of the functions that there are', () => {
    const plain = queriesOf({});
    expect(Object.keys(plain)).toEqual(
      ['life-of-a-message', 'not-delivered', 'for-the-sap-ticket', 'slowest-calls', 'token-events'].map(
        (name) => `token-relay/prod/${name}`,
      ),
    );
    for (const { LogGroupNames } of Object.values(plain)) expect(LogGroupNames).toEqual([{ Ref: 'QueueLogGroup' }]);
    const webhook = { verify: 'basic', secret: 'w' };
    for (const { LogGroupNames } of Object.values(queriesOf({ destinations: { orders: { ...flow, webhook } } })))
      expect(LogGroupNames).toEqual([{ Ref: 'QueueLogGroup' }, { Ref: 'WebhookLogGroup' }]);
  });

  test('have parameters for what they ask for, and use each', () => {
    for (const { Parameters = [], QueryString } of Object.values(queriesOf({}))) {
      const names = (Parameters as { Name: string }[]).map(({ Name }) => Name);
      expect([...new Set(String(QueryString).match(/(?<=\{\{)\w+(?=\}\})/g) ?? [])]).toEqual(names);
    }
  });

  test('link each message’s log where the monitor is known', () => {
    const life = (destinations: object) => queriesOf({ destinations })['token-relay/prod/life-of-a-message'];
    expect(life({ orders: flow })?.QueryString).not.toContain('concat');
    const link = `fields concat("https://${MONITOR}/shell/monitoring/Messages/%7B%22identifier%22%3A%22", mplId, "%22%7D") as monitor`;
    expect(life({ orders: { ...flow, monitor: MONITOR } })?.QueryString).toContain(link);
    const other = 'other-tmn.hci.eu1.hana.ondemand.com';
    expect(life({ a: { ...flow, monitor: MONITOR }, b: { ...flow, monitor: other } })?.Parameters).toMatchObject([
      { Name: 'messageId' },
      { Name: 'monitor', DefaultValue: MONITOR, Description: expect.stringContaining(other) },
    ]);
  });

  test('name for a ticket where each destination is', () => {
    const ticket = queriesOf({ destinations: { a: flow, b: { secret: 's', url: 'https://b.example.com/http/b' } } })[
      'token-relay/prod/for-the-sap-ticket'
    ];
    expect(ticket?.QueryString).toContain(
      '# a: /http/orders on the host of its secret\n# b: https://b.example.com/http/b\n',
    );
  });
});

describe('A cut-over', () => {
  const NEO = 'https://acme.hana.ondemand.com/http/orders';
  const neo = { secret: 'cpi/neo', url: NEO };
  const cutover = { secret: 'cpi/cf', path: '/http/orders', since: '2027-03-06T20:00:00Z' };
  const NEO_MONITOR = 'acme-tmn.hana.ondemand.com';

  /** How many destinations the `sap-down` of each host counts, by its name. */
  function downs(orders: object, others: object): Record<string, readonly string[]> {
    const of = stacked({ alarms: MAIL, destinations: { orders, stock: others, invoices: others } });
    const rules = propertiesOf(of, 'AWS::CloudWatch::CompositeAlarm').filter(({ AlarmName }) =>
      /(?<!-only)-sap-down$/.test(String(AlarmName)),
    );
    return Object.fromEntries(
      rules.map(({ AlarmName, AlarmRule }) => [
        String(AlarmName).slice('token-relay-prod-'.length),
        ['orders', 'stock', 'invoices'].filter((name) => String(AlarmRule).includes(`-${name}-blocked`)),
      ]),
    );
  }
  const [without, withOrders] = [
    ['stock', 'invoices'],
    ['orders', 'stock', 'invoices'],
  ];

  test.each<[string, object, object, string, readonly string[]]>([
    ['from one host to another', { ...neo, cutover }, neo, 'acme-hana-ondemand-com-sap-down', without],
    ['from a host to that of a secret', { ...neo, cutover }, flow, 'sap-down', without],
    ['between the hosts of two secrets', { ...flow, cutover }, flow, 'sap-down', without],
    [
      'of a tenant whose monitor is known',
      { ...flow, monitor: NEO_MONITOR, cutover },
      { ...flow, monitor: NEO_MONITOR },
      'acme-tmn-hana-ondemand-com-sap-down',
      without,
    ],
    [
      'between two secrets of one host',
      { ...neo, cutover: { secret: 'cpi/other', since: cutover.since } },
      neo,
      'acme-hana-ondemand-com-sap-down',
      withOrders,
    ],
    [
      'between two paths of one secret',
      { ...flow, cutover: { path: '/http/other', since: cutover.since } },
      flow,
      'sap-down',
      withOrders,
    ],
  ])('a cut-over %s counts for a host only if both sides have it', (_, orders, others, name, counted) => {
    expect(downs(orders, others)).toEqual({ [name]: counted });
  });

  test('a side that is blocked while the other host is down is told of all the same', () => {
    const destinations = { orders: { ...neo, cutover }, stock: neo, invoices: neo };
    const of = propertiesOf(stacked({ alarms: MAIL, destinations }), 'AWS::CloudWatch::CompositeAlarm');
    const rule = of.find(({ AlarmName }) => AlarmName === 'token-relay-prod-only-sap-down')?.AlarmRule;
    const [, unexplained] = String(rule).split(' AND NOT (');
    expect(rule).toContain('ALARM("token-relay-prod-acme-hana-ondemand-com-sap-down")');
    expect(String(rule).split(' AND NOT (').at(-1)).toContain('ALARM("token-relay-prod-orders-blocked")');
    expect(unexplained).not.toContain('stock-blocked');
  });

  test('a cut-over is in the queries: which side a line is of, and where each is', () => {
    const queries = (destinations: object) =>
      propertiesOf(stacked({ destinations }), 'AWS::Logs::QueryDefinition').map(({ QueryString }) =>
        String(QueryString),
      );
    for (const text of queries({ orders: neo })) expect(text).not.toMatch(/\bside\b/);
    const [life, notDelivered, ticket] = queries({ orders: { ...neo, cutover }, stock: flow });
    expect(life).toMatch(/^fields .*, destination, side, .*/);
    expect(life).toMatch(/\| display .*, destination, side, /);
    expect(notDelivered).toContain('by destination, side, outcome');
    expect(ticket).toContain(
      `# orders, old side: ${NEO}\n# orders, new side: /http/orders on the host of its secret\n# stock: /http/orders on`,
    );
    expect(ticket).toMatch(/\| display .*, side, /);
  });
});

describe('Names', () => {
  const emitted = told();

  test('of metrics in alarms and dashboard are those that the relay writes, and the dashboard has them all', () => {
    const template = JSON.stringify(resources.map(({ Properties }) => Properties));
    const dashboard = JSON.parse(textOf(propertiesOf(made, 'AWS::CloudWatch::Dashboard')[0]?.DashboardBody));
    const shown = dashboard.widgets
      .flatMap(({ properties: { metrics = [] } }: { properties: { metrics?: string[][] } }) => metrics)
      .filter(([namespace]: string[]) => namespace === 'TokenRelay')
      .map(([, name]: string[]) => name);
    const alarmed = [...template.matchAll(/"Namespace":"TokenRelay","MetricName":"(\w+)"/g)].map(
      ([, name = '']) => name,
    );
    expect(alarmed.length).toBeGreaterThan(20);
    expect([...new Set(shown)].sort()).toEqual([...emitted.metrics].sort());
    expect(alarmed.filter((name) => !emitted.metrics.has(name))).toEqual([]);
  });

  test('of dimensions are those that the relay writes', () => {
    const own = JSON.stringify(resources.map(({ Properties }) => Properties));
    const used = [...own.matchAll(/"Namespace":"TokenRelay","MetricName":"\w+","Dimensions":(\[[^\]]*\])/g)].map(
      ([, list = '[]']) =>
        JSON.parse(list)
          .map(({ Name }: { Name: string }) => Name)
          .join(),
    );
    expect(new Set(used)).toEqual(new Set(['service,destination', 'service']));
    expect(emitted.dimensions).toEqual(new Set(['service,destination', 'service']));
    expect(made.functions.queue).toMatchObject({ environment: { POWERTOOLS_SERVICE_NAME: 'token-relay' } });
  });

  test('of fields in queries are those of the lines that the relay writes', () => {
    const monitored = stacked({ destinations: { orders: { ...flow, monitor: MONITOR } } });
    const text = propertiesOf(monitored, 'AWS::Logs::QueryDefinition')
      .map(({ QueryString }) => QueryString)
      .join('\n');
    const bare = text.replace(/^#.*$/gm, '').replace(/"[^"]*"/g, '');
    const made = ['attempts', 'messages', 'oldestSeconds', 'lastAt', 'monitor'];
    const words = new Set(bare.match(/@?[A-Za-z_]\w*/g));
    for (const word of [
      'fields',
      'filter',
      'sort',
      'stats',
      'limit',
      'display',
      'by',
      'as',
      'and',
      'or',
      'asc',
      'desc',
      'count',
      'count_distinct',
      'max',
      'concat',
      '@timestamp',
      ...made,
    ])
      words.delete(word);
    expect([...words].filter((word) => !emitted.fields.has(word))).toEqual([]);
    const messages = text.match(/(?<=message = ")[^"]+/g) ?? [];
    expect(messages.filter((message) => !emitted.messages.has(message))).toEqual([]);
  });

  test('and numbers of every line hold the schemas: one level of fields, texts and numbers, units of CloudWatch', () => {
    for (const line of emitted.lines) {
      if ('_aws' in line) {
        const { _aws, ...fields } = line as { _aws: { Timestamp: number; CloudWatchMetrics: Embedded[] } } & Properties;
        expect(Number.isInteger(_aws.Timestamp)).toBe(true);
        const [{ Namespace, Dimensions: [dimensions = []] = [], Metrics = [] } = {} as Embedded] =
          _aws.CloudWatchMetrics;
        expect(Namespace).toBe('TokenRelay');
        expect(Object.keys(fields).sort()).toEqual([...dimensions, ...Metrics.map(({ Name }) => Name)].sort());
        for (const { Name, Unit } of Metrics) {
          expect(['Count', 'Milliseconds', 'Seconds', 'None']).toContain(Unit);
          expect([fields[Name]].flat().every((value) => typeof value === 'number')).toBe(true);
        }
      } else {
        expect(line).toMatchObject({
          level: expect.any(String),
          message: expect.any(String),
          timestamp: expect.any(String),
        });
        expect(Object.values(line).every((value) => ['string', 'number', 'boolean'].includes(typeof value))).toBe(true);
      }
    }
  });
});

test('What ten destinations with five webhooks cost is what infra/README.md says', async () => {
  const webhook = { verify: 'basic', secret: 'w' };
  const of = stacked({ alarms: MAIL, destinations: many(10, (index) => (index < 5 ? { ...flow, webhook } : flow)) });
  const metrics = propertiesOf(of, 'AWS::CloudWatch::Alarm').map(({ Metrics }) =>
    Metrics === undefined ? 1 : (Metrics as { MetricStat?: object }[]).filter(({ MetricStat }) => MetricStat).length,
  );
  const count = metrics.reduce((sum, number) => sum + number, 0);
  const composites = propertiesOf(of, 'AWS::CloudWatch::CompositeAlarm').length;
  expect([count, composites]).toEqual([155, 4]);
  const readme = await readFile(new URL('../../infra/README.md', import.meta.url), 'utf8');
  expect(readme.replace(/\s+/g, ' ')).toContain(
    `of these ten come to ${(count * 0.1 + composites * 0.5 + 3).toFixed(2)} more: ${count} metrics that alarms look at, of 0.10 each`,
  );
});

describe('The template', () => {
  test('is the same bytes each time', () => {
    const custom = { alarms: MAIL, maintenance: [{ cron: '0 20 * * SAT', hours: 6 }], destinations: many(5) };
    expect(JSON.stringify(stacked(custom))).toBe(JSON.stringify(stacked(custom)));
  });

  test('of 25 destinations with alarms and webhooks is within the limits, of 34 it is not', () => {
    const webhook = { verify: 'basic', secret: 'w' };
    // Beside them the framework adds what does not grow with the destinations.
    const ofFramework = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`Framework${index}`, { Type: 'x' }]),
    );
    const lines = (count: number) => {
      const { resources: of } = stacked({ alarms: MAIL, destinations: many(count, () => ({ ...flow, webhook })) });
      return limitMistakes({ Resources: { ...of.Resources, ...ofFramework } });
    };
    expect(lines(25)).toEqual([]);
    expect(lines(34).join()).toContain('resources, CloudFormation takes 500');
  });

  test('puts rules together in parts where one would be too long', () => {
    const of = stacked({ alarms: MAIL, destinations: many(20) });
    const rules = propertiesOf(of, 'AWS::CloudWatch::CompositeAlarm').map(({ AlarmRule }) => String(AlarmRule));
    const named = (rule: string) => rule.match(/"[^"]+"/g) ?? [];
    for (const rule of rules) expect([named(rule).length <= 100, rule.length <= 10_240]).toEqual([true, true]);
    const all = rules.flatMap(named);
    for (const name of namesOf(of).filter((one) => /-(blocked|not-delivered|function-errors)$/.test(one)))
      expect(all, name).toContain(`"${name}"`);
  });

  test.each<[string, number, string, readonly string[]]>([
    ['25 destinations', 25, 'flow', []],
    ['30 destinations', 30, 'flow', ['not-delivered']],
    [
      '32 destinations with long names',
      32,
      `flow-${'x'.repeat(51)}`,
      ['not-delivered', 'blocked', 'token-refused', 'failing'],
    ],
  ])('has for %s of one host a sap-down that CloudWatch takes, with parts where it must', (_, count, name, kinds) => {
    // Queues of their own leave room in the stack: it has 500 resources at most.
    const queueOf = (index: number) => `arn:aws:sqs:eu-central-1:123456789012:q${index}`;
    const destinations = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${name}-${index}`, { ...flow, queue: queueOf(index) }]),
    );
    const of = stacked({ alarms: MAIL, destinations });
    const rules = Object.fromEntries(
      propertiesOf(of, 'AWS::CloudWatch::CompositeAlarm').map(({ AlarmName, AlarmRule }) => [
        String(AlarmName).replace('token-relay-prod-', ''),
        String(AlarmRule),
      ]),
    );
    const parts = Object.keys(rules).filter((rule) => rule.endsWith('-of-several'));
    expect(parts.map((part) => part.replace(/^SAP-(.+)-of-several$/, '$1'))).toEqual(kinds);
    const named = ['sap-down', ...parts].flatMap((rule) => rules[rule]?.match(/"[^"]+"/g) ?? []);
    expect(new Set(named).size).toBe(4 * count + parts.length);
    expect(limitMistakes(of.resources as never)).toEqual([]);
  });

  test('traces the functions where custom.tracing says so, and lets them', () => {
    const of = stacked({ tracing: true });
    expect(of.functions.queue).toMatchObject({ tracing: 'Active' });
    expect(JSON.stringify(of.resources.Resources.QueueRole)).toContain('xray:PutTraceSegments');
    const none = stacked({});
    expect(JSON.stringify([none.functions, none.resources])).not.toMatch(/xray|tracing/);
    expect(mistakes({ tracing: 'yes' })).toEqual(['custom.tracing: expected true or false']);
  });

  const withEnvironment = (environment: object) => ({ provider: { runtime: 'nodejs24.x', environment } });

  test.each(['POWERTOOLS_METRICS_DISABLED', 'POWERTOOLS_DEV'])('lets nobody end the metrics by %s', (name) => {
    expect(mistakes({}, withEnvironment({ [name]: 'x', OTHER: 'y' }))).toEqual([
      `provider.environment.${name}: not supported: alarms and dashboard are about the metrics that it switches off`,
    ]);
  });

  test.each([
    ['POWERTOOLS_SERVICE_NAME', ''],
    ['POWERTOOLS_SERVICE_NAME', { Ref: 'x' }],
    ['POWERTOOLS_METRICS_NAMESPACE', 'AWS/SQS'],
    ['POWERTOOLS_METRICS_NAMESPACE', 'of "mine"'],
  ])('refuses in %s what CloudWatch, or the text of the dashboard, does not take: %j', (name, value) => {
    expect(mistakes({}, withEnvironment({ [name]: value }))).toEqual([
      `provider.environment.${name}: expected at most 255 letters, digits and . - _ / # :, not beginning with AWS/ or :`,
    ]);
  });

  test('looks for the metrics where the functions put them, when they are renamed', () => {
    const named = { POWERTOOLS_SERVICE_NAME: 'sap-relay', POWERTOOLS_METRICS_NAMESPACE: 'Acme/Integration' };
    const of = stack({
      ...service,
      ...withEnvironment(named),
      custom: { destinations: { orders: flow }, alarms: MAIL },
    });
    expect(of.functions.queue).toMatchObject({ environment: { POWERTOOLS_SERVICE_NAME: 'sap-relay' } });
    const alarms = JSON.stringify(propertiesOf(of, 'AWS::CloudWatch::Alarm'));
    const dashboard = JSON.parse(textOf(propertiesOf(of, 'AWS::CloudWatch::Dashboard')[0]?.DashboardBody));
    const shown = dashboard.widgets.flatMap(
      ({ properties: { metrics = [] } }: { properties: { metrics?: string[][] } }) => metrics,
    );
    expect(JSON.stringify([alarms, shown])).not.toContain('TokenRelay');

    for (const [name, value] of Object.entries(named)) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const emitted = told();
    const services = emitted.lines.map((line) => line.service);
    expect([emitted.namespaces, new Set(services)]).toEqual([new Set(['Acme/Integration']), new Set(['sap-relay'])]);

    const own = [
      ...alarms.matchAll(/"Namespace":"([^"]+)","MetricName":"\w+","Dimensions":\[\{"Name":"service",([^}]*)\}/g),
    ];
    const ofDashboard = shown.filter(([namespace]: string[]) => !namespace?.startsWith('AWS/'));
    expect(new Set(own.map(([, namespace, dimension]) => `${namespace} ${dimension}`))).toEqual(
      new Set(['Acme/Integration "Value":"sap-relay"']),
    );
    expect(new Set(ofDashboard.map(([namespace, , , name]: string[]) => `${namespace} ${name}`))).toEqual(
      new Set(['Acme/Integration sap-relay']),
    );
  });

  test('changes with custom.alarms the mappings of standard queues, which stay enabled by it', () => {
    const destinations = { orders: flow, lane: { ...flow, fifo: true }, off: { ...flow, enabled: false } };
    const [without = [], after = []] = [{}, { alarms: MAIL }].map((custom) =>
      propertiesOf(stacked({ destinations, ...custom }), 'AWS::Lambda::EventSourceMapping'),
    );
    const [orders] = without;
    expect(orders).toMatchObject({ Enabled: true });
    expect(after).toEqual([{ ...orders, MetricsConfig: { Metrics: ['EventCount'] } }, ...without.slice(1)]);
  });
});

interface Embedded {
  readonly Namespace: string;
  readonly Dimensions: string[][];
  readonly Metrics: { readonly Name: string; readonly Unit: string }[];
}

/** Everything that telemetry can be told, told once: what it writes of it. */
function told() {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => [stream, stream.write] as const);
  const telemetry = createTelemetry();
  for (const [stream] of streams) stream.write = ((text: unknown) => written.push(String(text)) > 0) as never;
  try {
    const destination = 'orders';
    const of = {
      destination,
      messageId: 'm',
      attempt: 1,
      executed: 'no',
      durationMs: 1,
      calls: 1,
      bytes: 1,
      status: 401,
    } as const;
    const more = {
      mplId: 'l',
      reason: 'r',
      token: 'new',
      tokenAgeMs: 1,
      ageSeconds: 1,
      triedForSeconds: 1,
      resent: true,
    } as const;
    const outcomes: AttemptLine['outcome'][] = ['delivered', 'rejected', 'failed', 'blocked'];
    telemetry.middleware.before?.({
      context: { functionName: 'queue', invokedFunctionArn: 'a', memoryLimitInMB: '1', awsRequestId: 'i' },
    } as never);
    for (const outcome of outcomes) telemetry.attempted({ ...of, ...more, outcome });
    telemetry.postponed({ destination, messages: 1, reason: 'r' });
    telemetry.queued({ destination, messageId: 'm', bytes: 1, durationMs: 1 });
    telemetry.notQueued({ destination, messageId: 'm', reason: 'r' });
    telemetry.turnedAway({ destination });
    telemetry.refused({ destination, count: 1 });
    telemetry.deadLettered({ destination, messageId: 'm', outcome: 'failed' });
    telemetry.tokenRequested();
    telemetry.tokenRefused(destination);
    telemetry.certificateRead({ secret: 's', daysLeft: 1 });
    telemetry.renewalFailed('r');
    telemetry.middleware.after?.({} as never);
  } finally {
    for (const [stream, write] of streams) stream.write = write;
  }
  const lines: Properties[] = written.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line));
  const embedded = lines.flatMap(
    (line) => (line._aws as { CloudWatchMetrics: Embedded[] } | undefined)?.CloudWatchMetrics ?? [],
  );
  return {
    lines,
    namespaces: new Set(embedded.map(({ Namespace }) => Namespace)),
    metrics: new Set(embedded.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))),
    dimensions: new Set(embedded.flatMap(({ Dimensions }) => Dimensions.map((names) => names.join()))),
    fields: new Set(lines.filter((line) => !('_aws' in line)).flatMap((line) => Object.keys(line))),
    messages: new Set(lines.map(({ message }) => message)),
  };
}

function textOf(value: unknown): string {
  const known = resolved(value) as string | { 'Fn::Join': [string, string[]] };
  return typeof known === 'string' ? known : known['Fn::Join'][1].join('');
}

function mistakes(custom: object, rest: object = {}): string[] {
  try {
    stack({ ...service, ...rest, custom: { destinations: { orders: flow }, ...custom } });
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').filter((line) => line !== '');
  }
}
