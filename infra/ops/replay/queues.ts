/**
 * Where the queues are: a client for the place that the command names, and the dead-letter queue of a destination found by
 * the name that the deployment gave it (`infra/deploy/stack/queue.ts`).
 */
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DEFAULT_PLACE, landscapeUrl, type Place } from '../place.ts';
import { Mistake } from './mistake.ts';

export interface Deployment extends Place {
  readonly destination: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ClientOptions {
  readonly region?: string;
  readonly queueUrl?: string | undefined;
  /** Whose queue is found by its name. */
  readonly deployment?: Deployment;
  readonly environment: Environment;
}

/**
 * The region is `--region`, else that of the queue's URL; of a deployment, and where nothing says it, eu-central-1.
 * The endpoint is what the SDK's own variables say, else the host of the queue's URL, or the landscape.
 */
export function createClient({ region, queueUrl, deployment, environment }: ClientOptions): SQSClient {
  const { AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE } = environment;
  // A variable that is set to nothing is not set, as for the SDK.
  const byVariable = AWS_ENDPOINT_URL_SQS || AWS_ENDPOINT_URL || undefined;
  const byUrl = queueUrl === undefined ? undefined : new URL(queueUrl);
  const endpoint = byVariable ?? byUrl?.origin ?? (deployment && landscapeUrl(deployment));
  const local = endpoint !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(endpoint).hostname);
  const [, urlRegion] = /(?:^|\.)sqs\.([a-z0-9-]+)\./.exec(byUrl?.hostname ?? '') ?? [];
  return new SQSClient({
    region: region ?? urlRegion ?? (byUrl && AWS_REGION) ?? DEFAULT_PLACE.region,
    // Queue URLs that are made from ARNs have AWS's host, also where the queues are reached at another.
    useQueueUrlAsEndpoint: false,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
    ...(endpoint === undefined ? {} : { endpoint }),
    // The local landscape checks no signature; without these the SDK would look for an account's credentials.
    ...(local && AWS_ACCESS_KEY_ID === undefined && AWS_PROFILE === undefined
      ? { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
      : {}),
  });
}

/** @throws Mistake; Error of the SDK */
export function findDeadLetterQueue(client: SQSClient, deployment: Deployment): Promise<string> {
  return findQueue(client, deployment, { ending: '-dlq', option: '--dead-letter-queue' });
}

/**
 * @param option that names a queue by its URL @returns its URL; whether it is FIFO is told by which of both names exists
 * @throws Mistake if there is none, or both; Error of the SDK
 */
export async function findQueue(
  client: SQSClient,
  { service, stage, destination }: Deployment,
  { ending = '', option }: { readonly ending?: string; readonly option: string },
): Promise<string> {
  const name = `${service}-${stage}-${destination}${ending}`;
  const urls = await Promise.all([urlOf(client, name), urlOf(client, `${name}.fifo`)]);
  const [url, other] = urls.filter((found) => found !== undefined);
  if (url === undefined) {
    const place = `${name} or ${name}.fifo in ${await client.config.region()}`;
    throw new Mistake(`there is no queue ${place}: check --stage, --region and --destination, or give ${option}`);
  }
  if (other !== undefined) throw new Mistake(`there are ${name} and ${name}.fifo: name one with ${option} <url>`);
  return url;
}

async function urlOf(client: SQSClient, QueueName: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  } catch (error) {
    if (
      error instanceof Error &&
      ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'].includes(error.name)
    ) {
      return undefined;
    }
    throw error;
  }
}
