/**
 * A destination's settings as the user wrote them, once `npm run package` has found nothing wrong with them: what the
 * landscape needs of them, with the defaults that README names.
 */
import type { Package } from './package.ts';

export type Adapter = 'https' | 'soap' | 'soap-rm' | 'odata';

export interface Written {
  readonly secret: string;
  readonly url?: string;
  readonly path?: string;
  readonly pathFrom?: string;
  readonly adapter?: Adapter;
  readonly method?: string;
  readonly contentType?: string;
  readonly soapVersion?: string | number;
  readonly soapWrap?: boolean | string;
  readonly scope?: string;
  readonly authentication?: 'oauth' | 'certificate';
  readonly queue?: string;
  readonly queueUrl?: string;
  readonly deadLetterQueueUrl?: string;
  readonly payloadBucket?: string;
  readonly payloadBuckets?: readonly string[];
  readonly webhook?: WrittenWebhook;
  readonly cutover?: WrittenCutover;
}

/** A new side: what differs from the destination, and from when on. */
export interface WrittenCutover extends Partial<Omit<Written, 'webhook' | 'cutover'>> {
  readonly since: string;
  readonly share?: number;
}

/** The new side as it would be written by itself; undefined where there is no cut-over. */
export function newSideOf({ cutover, ...own }: Written): Written | undefined {
  if (cutover === undefined) return undefined;
  const { since: _, share: _share, ...differing } = cutover;
  const { url, path, ...rest } = own;
  const hasAddress = cutover.url !== undefined || cutover.path !== undefined;
  const address = { ...(url === undefined ? {} : { url }), ...(path === undefined ? {} : { path }) };
  return { ...rest, ...(hasAddress ? {} : address), ...differing };
}

export interface WrittenWebhook {
  readonly verify: unknown;
  readonly secret?: string;
  readonly methods?: readonly string[];
  readonly contentTypes?: readonly string[];
  readonly messageGroupId?: string;
}

/** One way in, as it was written. */
export interface Way {
  readonly type: string;
  readonly secret?: string;
  readonly header?: string;
  readonly algorithm?: string;
  readonly encoding?: string;
  readonly prefix?: string;
  readonly timestampHeader?: string;
  readonly signedContent?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly scope?: string;
}

/** In the order of the settings; each with the secret that it goes by, if it needs one. */
export function waysOf({ verify, secret }: WrittenWebhook): Way[] {
  return [verify].flat().map((written): Way => {
    const way = typeof written === 'string' ? { type: written } : (written as Way);
    const needsSecret = !['jwt', 'iam', 'none'].includes(way.type);
    return needsSecret && secret !== undefined ? { secret, ...way } : way;
  });
}

/** What the template says of a destination's queue. */
export interface QueuePlan {
  readonly name: string;
  readonly deadLetterName: string;
  readonly visibilityTimeoutSeconds: number;
  /** Somebody else's: the stack only attaches it. */
  readonly isExisting: boolean;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly enabled: boolean;
}

/** SQS's own default is 30 s; who owns a queue is told to set six times the function's time. */
const EXISTING_VISIBILITY_SECONDS = 900;

/** Logical ids are those of infra/README.md, "How it works". */
export function queuePlan(name: string, { queue }: Written, { resources }: Package): QueuePlan {
  const id = name.replace(/(^|-+)([^-]?)/g, (_, _hyphens, first: string) => first.toUpperCase());
  const mapping = resources[`EventSourceMappingOf${id}`]?.Properties ?? {};
  const created = resources[`QueueOf${id}`]?.Properties;
  // What the landscape makes has its own names, whatever stage the settings are of: operators' tools find it as `local`.
  const ending = String(created?.QueueName ?? '').endsWith('.fifo') ? '.fifo' : '';
  const queueName = created === undefined ? String(queue?.split(':').at(-1)) : `token-relay-local-${name}${ending}`;
  const scaling = mapping.ScalingConfig as { readonly MaximumConcurrency: number };
  return {
    name: queueName,
    deadLetterName: queueName.replace(/(\.fifo)?$/, '-dlq$1'),
    visibilityTimeoutSeconds: Number(created?.VisibilityTimeout ?? EXISTING_VISIBILITY_SECONDS),
    isExisting: created === undefined,
    batchSize: Number(mapping.BatchSize),
    maximumConcurrency: scaling.MaximumConcurrency,
    enabled: Boolean(mapping.Enabled),
  };
}

/** Seconds. @param id of the function in the template; undefined where there is none */
export function timeoutOf(id: 'QueueLambdaFunction' | 'WebhookLambdaFunction', { resources }: Package) {
  const seconds = resources[id]?.Properties.Timeout;
  return seconds === undefined ? undefined : Number(seconds);
}

/** Of `provider.environment`: those that are plain texts. */
export function variablesOf({ resources }: Package): Record<string, string> {
  const environment = resources.QueueLambdaFunction?.Properties.Environment as
    | { readonly Variables?: Readonly<Record<string, unknown>> }
    | undefined;
  const texts = Object.entries(environment?.Variables ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== 'DESTINATIONS',
  );
  return Object.fromEntries(texts);
}
