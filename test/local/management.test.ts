import { CloudWatchClient, DescribeAlarmHistoryCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  GetEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Landscape, type LocalDestination, startLandscape } from '../../infra/local/landscape.ts';

let landscape: Landscape;
let orders: LocalDestination;
beforeAll(async () => {
  landscape = await startLandscape();
  orders = landscape.connect({ name: 'orders' });
  await landscape.deploy();
});
afterAll(() => landscape.stop());

/** As the SDK's variable AWS_ENDPOINT_URL has it: every service at one address. */
function options() {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return { endpoint: landscape.management.url, region: 'eu-central-1', credentials, maxAttempts: 1 };
}

describe('Lambda', () => {
  test('shows a function as it was deployed', async () => {
    const command = new GetFunctionConfigurationCommand({ FunctionName: 'token-relay-local-queue' });
    const { Timeout, State, Environment } = await new LambdaClient(options()).send(command);
    expect({ Timeout, State }).toEqual({ Timeout: 150, State: 'Active' });
    expect(Object.keys(JSON.parse(Environment?.Variables?.DESTINATIONS ?? ''))).toEqual(['orders']);
  });

  test('lists mappings by queue, by function, and none of others', async () => {
    const client = new LambdaClient(options());
    const by = async (input: object) =>
      (await client.send(new ListEventSourceMappingsCommand(input))).EventSourceMappings?.length;
    expect(await by({ EventSourceArn: orders.queue.arn })).toBe(1);
    expect(await by({ FunctionName: 'token-relay-local-queue' })).toBe(1);
    expect(await by({ FunctionName: 'token-relay-local-webhook' })).toBe(0);
    expect(await by({ EventSourceArn: orders.deadLetterQueue.arn })).toBe(0);
  });

  test('disables and enables a mapping, which then polls or does not, and dates the change', async () => {
    const client = new LambdaClient(options());
    const list = new ListEventSourceMappingsCommand({ EventSourceArn: orders.queue.arn });
    const [before] = (await client.send(list)).EventSourceMappings ?? [];
    const UUID = before?.UUID ?? '';
    const changed = await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    expect({ State: changed.State, polling: orders.trigger?.polling }).toEqual({ State: 'Disabling', polling: false });
    const after = await client.send(new GetEventSourceMappingCommand({ UUID }));
    expect(after.State).toBe('Disabled');
    expect(after.LastModified?.getTime()).toBeGreaterThanOrEqual(before?.LastModified?.getTime() ?? 0);
    await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    expect(orders.trigger?.polling).toBe(true);
  });

  test('refuses what is for a deployment, and what is not there, with the names of AWS', async () => {
    const client = new LambdaClient(options());
    const list = new ListEventSourceMappingsCommand({ EventSourceArn: orders.queue.arn });
    const [{ UUID = '' } = {}] = (await client.send(list)).EventSourceMappings ?? [];
    await expect(client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 5 }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
    await expect(client.send(new GetEventSourceMappingCommand({ UUID: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(client.send(new GetFunctionConfigurationCommand({ FunctionName: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

test('CloudWatch knows the age of the oldest message, and of an empty queue nothing', async () => {
  const client = new CloudWatchClient(options());
  const metric = (queue: string) => ({
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateAgeOfOldestMessage',
    Dimensions: [{ Name: 'QueueName', Value: queue }],
  });
  const ageIn = async (queue: string) => {
    const stat = { Metric: metric(queue), Period: 60, Stat: 'Maximum' };
    const query = { StartTime: new Date(0), EndTime: new Date(), MetricDataQueries: [{ Id: 'a', MetricStat: stat }] };
    return (await client.send(new GetMetricDataCommand(query))).MetricDataResults?.[0]?.Values;
  };
  expect(await ageIn(orders.deadLetterQueue.name)).toEqual([]);
  orders.deadLetterQueue.send({ body: 'letter' });
  expect(await ageIn(orders.deadLetterQueue.name)).toEqual([expect.any(Number)]);
  await expect(client.send(new DescribeAlarmHistoryCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
  });
});

test('SNS lists subscriptions, confirmed or pending', async () => {
  const client = new SNSClient(options());
  const TopicArn = 'arn:aws:sns:eu-central-1:123456789012:night';
  landscape.management.topics.put(TopicArn, ['confirmed', 'pending']);
  const { Subscriptions = [] } = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  expect(Subscriptions.map(({ SubscriptionArn = '' }) => SubscriptionArn.startsWith(TopicArn))).toEqual([true, false]);
  await expect(client.send(new ListSubscriptionsByTopicCommand({ TopicArn: `${TopicArn}-2` }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  await expect(client.send(new ListTopicsCommand({}))).rejects.toThrow('not imitated');
});

test('SQS and Secrets Manager answer there as at their own addresses', async () => {
  const { QueueUrl } = await new SQSClient(options()).send(new GetQueueUrlCommand({ QueueName: orders.queue.name }));
  expect(QueueUrl).toBe(orders.queue.url);
  const command = new GetSecretValueCommand({ SecretId: orders.secret });
  expect((await new SecretsManagerClient(options()).send(command)).Name).toBe('cpi/orders');
});
