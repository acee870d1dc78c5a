/**
 * The two stages that are packaged and judged: the least that a user writes, and a deployment that uses everything which
 * changes the template.
 */

/** Of the stages' own account and region; nothing here is anybody's. */
export const ACCOUNT = '123456789012';
export const REGION = 'eu-west-1';

/** Whose queues are attached; no account of ours. */
const OTHER_ACCOUNT = '999999999999';
const KEY_ID = '11111111-2222-3333-4444-555555555555';
const regional = (service: string, resource: string, account = ACCOUNT) =>
  `arn:aws:${service}:${REGION}:${account}:${resource}`;

export interface Stage {
  readonly name: string;
  /** `custom` of serverless.yml. */
  readonly custom: object;
  /** In place of fields of `provider` of serverless.yml. Default none. */
  readonly provider?: object;
}

/** One destination, queue and webhook, every default. */
const PLAIN: Stage = {
  name: 'plain',
  custom: {
    destinations: {
      orders: {
        secret: 'cpi/orders',
        path: '/http/orders',
        webhook: { verify: 'basic', secret: 'webhooks/orders' },
      },
    },
  },
};

const EVERYTHING: Stage = {
  name: 'everything',
  provider: { architecture: 'x86_64' },
  custom: {
    alarms: { mail: 'operators@example.com', notDeliveredAfterSeconds: 600 },
    maintenance: [{ cron: '0 20 * * SAT', hours: 6, timezone: 'Europe/Berlin' }],
    tracing: true,
    kmsKeyArns: [regional('kms', `key/${KEY_ID}`)],
    kmsKeyForQueues: regional('kms', 'key/22222222-2222-3333-4444-555555555555'),
    kmsKeyForLogs: regional('kms', 'key/33333333-2222-3333-4444-555555555555'),
    permissionsBoundaryArn: `arn:aws:iam::${ACCOUNT}:policy/boundary`,
    reservedConcurrency: { queue: 40, webhook: 100 },
    vpc: {
      subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      securityGroupIds: ['sg-0123456789abcdef0'],
    },
    tags: { 'cost-center': '4711', team: 'integration' },
    webhookThrottling: { requestsPerSecond: 50, burst: 100 },
    webhookDomain: {
      name: 'webhooks.example.com',
      certificateArn: regional('acm', `certificate/${KEY_ID}`),
      truststoreUri: 's3://trusted-senders/senders.pem',
      truststoreVersion: 'v1',
    },
    destinations: {
      orders: {
        secret: 'cpi/orders',
        url: 'https://flows.example.com/http/orders',
        monitor: 'monitor.example.com',
        payloadBucket: 'order-payloads',
        payloadBuckets: ['sender-payloads'],
        deletePayloads: true,
        batchSize: 100,
        queueSenders: [regional('sns', 'shop-orders'), regional('events', 'rule/shop/orders')],
        webhook: { verify: 'basic', secret: 'webhooks/orders' },
      },
      invoices: {
        secret: regional('secretsmanager', 'secret:cpi/invoices-a1B2c3'),
        url: 'https://flows.example.com/http/invoices',
        fifo: true,
        queueSenders: [regional('sns', 'shop-invoices.fifo')],
        webhook: { verify: 'github', secret: 'webhooks/invoices', messageGroupId: '/customer' },
      },
      prices: {
        secret: 'cpi/prices',
        path: '/http/prices',
        csrf: true,
        cutover: { since: '2027-03-06T20:00:00Z', secret: 'cpi/prices-of-the-new-tenant', path: '/http/new-prices' },
        webhook: {
          verify: { type: 'jwt', issuer: 'https://issuer.example.com', audience: 'prices' },
          mode: 'direct',
        },
      },
      stock: {
        secret: 'cpi/stock',
        path: '/odata/stock',
        adapter: 'odata',
        timeoutSeconds: 20,
        webhook: { verify: 'iam', mode: 'direct-else-queued', methods: ['POST', 'PUT'] },
      },
      'delivery-notes': {
        secret: 'cpi/certificate',
        path: '/cxf/delivery-notes',
        adapter: 'soap',
        authentication: 'certificate',
      },
      idocs: { secret: 'cpi/idocs', path: '/cxf/idocs', adapter: 'soap-rm', enabled: false },
      legacy: {
        secret: 'cpi/orders',
        path: '/http/legacy',
        queue: regional('sqs', 'legacy-in', OTHER_ACCOUNT),
        deadLetterQueueUrl: `https://sqs.${REGION}.amazonaws.com/${OTHER_ACCOUNT}/legacy-dead`,
        maximumConcurrency: 7,
      },
    },
  },
};

export const STAGES: readonly Stage[] = [PLAIN, EVERYTHING];
