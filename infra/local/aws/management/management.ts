/**
 * What operators' tools ask AWS for, behind one address, as the SDK's variable `AWS_ENDPOINT_URL` has it: the relay's
 * functions and event source mappings, alarms, metrics and subscriptions; calls of SQS and Secrets Manager go on to
 * those. The relay's functions reach each service at its own address.
 */
import { type Answer, type Answerer, type LocalServer, type Request, startServer } from '../../server/server.ts';
import { AwsError, errorAnswer, jsonAnswer, readCall } from '../aws-json.ts';
import { type Alarms, callCloudWatch, createAlarms } from './cloudwatch.ts';
import { createFunctions, type Functions } from './functions.ts';
import { createTopics, type Topics } from './sns.ts';

export interface ManagementOptions {
  /** Where the services answer that have an address of their own, by the first word of `X-Amz-Target`. */
  readonly services: Readonly<Record<'AmazonSQS' | 'secretsmanager', Answerer>>;
  /** Seconds; undefined for a queue that is not there or holds nothing. */
  readonly ageOfOldestMessage: (queueName: string) => number | undefined;
  readonly newId: () => string;
  /** Default any free one. */
  readonly port?: number;
}

export interface Management {
  readonly url: string;
  readonly server: LocalServer;
  readonly functions: Functions;
  readonly alarms: Alarms;
  readonly topics: Topics;
}

const CLOUDWATCH = 'GraniteServiceVersion20100801';

export async function startManagement(options: ManagementOptions): Promise<Management> {
  const { services, ageOfOldestMessage, newId, port = 0 } = options;
  const functions = createFunctions();
  const alarms = createAlarms();
  const topics = createTopics();

  function answer(request: Request): Answer | Promise<Answer> {
    if (request.path.startsWith('/2015-03-31/')) return functions.answer(request, newId());
    const [service = ''] = (request.headers['x-amz-target'] ?? '').split('.');
    if (service === 'AmazonSQS' || service === 'secretsmanager') return services[service](request);
    if (service === CLOUDWATCH) return cloudWatch(request);
    return topics.answer(request, newId());
  }

  function cloudWatch(request: Request): Answer {
    const requestId = newId();
    try {
      const { operation, input } = readCall(request, CLOUDWATCH);
      return jsonAnswer('1.0', requestId, callCloudWatch(operation, input, { alarms, ageOfOldestMessage }));
    } catch (error) {
      if (error instanceof AwsError) return errorAnswer('1.0', requestId, error);
      throw error;
    }
  }

  const server = await startServer(answer, { port });
  return { url: server.url, server, functions, alarms, topics };
}
