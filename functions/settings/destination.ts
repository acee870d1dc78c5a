/**
 * A destination: one integration flow's endpoint and how it is called, as `settings.ts` checked it, with every default
 * filled in. What each setting means is said in README.md beside this file.
 */
import { RelayError } from '../error.ts';
import type { Verification } from './verification.ts';

export type Destination = EndpointSettings & (HttpsSettings | SoapSettings | SoapRmSettings | ODataSettings);

/** What every destination has, whatever its adapter. */
interface EndpointSettings {
  readonly name: string;
  /** Name or ARN of the secret with the client credentials. */
  readonly secret: string;
  /** The endpoint; absent where `path` is joined to the service key's `url`. */
  readonly url?: string;
  readonly path?: string;
  /** Lower-case name of the message's header or attribute that says the rest of the path. */
  readonly pathFrom?: string;
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** For messages that carry no content type. */
  readonly contentType: string;
  /** Lower-case names of the message's headers that reach the flow; `*` at the end stands for any rest. */
  readonly forwardHeaders: readonly string[];
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Scopes to ask for, separated by spaces. Absent: all that the client has. */
  readonly scope?: string;
  /** Longest use of one token, whatever its lifetime. */
  readonly maxTokenUseSeconds: number;
  /** How the endpoint is called: with a token, or with the service key's client certificate itself. */
  readonly authentication: 'oauth' | 'certificate';
  /** True: a CSRF token is fetched before the first message. False: when the endpoint first demands one. */
  readonly csrf: boolean;
  /** The header that carries the message id; for SAP RM, which has its own way, only where it is set. */
  readonly idHeader?: string;
  readonly timeoutSeconds: number;
  /** Host of the tenant's monitor: with it an MPL id is a link. */
  readonly monitor?: string;
  readonly queue?: string;
  /** ARNs of the SNS topics and EventBridge rules that may send to the queue, where it is a created one. */
  readonly queueSenders: readonly string[];
  readonly fifo: boolean;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly enabled: boolean;
  /** Calls of the endpoint in flight for one batch. */
  readonly concurrency: number;
  readonly retryForHours: number;
  readonly queueUrl?: string;
  readonly deadLetterQueueUrl?: string;
  readonly payloadBucket?: string;
  readonly payloadBuckets: readonly string[];
  /**
   * Whether a payload in S3 is deleted once its message is delivered. A delivered message that SQS hands out again, as it
   * may, then finds nothing and is rejected; a lifecycle rule of the bucket does without that.
   */
  readonly deletePayloads: boolean;
  readonly webhook?: WebhookSettings;
}

interface HttpsSettings {
  readonly adapter: 'https';
}

interface EnvelopeSettings {
  readonly soapVersion: SoapVersion;
  readonly soapAction: string;
  /** Whether a payload that is no envelope is put into one. */
  readonly soapWrap: boolean;
}

export type SoapVersion = '1.1' | '1.2';

export interface SoapSettings extends EnvelopeSettings {
  readonly adapter: 'soap';
}

export interface SoapRmSettings extends EnvelopeSettings {
  readonly adapter: 'soap-rm';
  /** Where the message id stands: the query parameter `MessageId`, or SAP's SOAP header. */
  readonly messageIdAs: 'query' | 'header';
  /** `guid`: an id that is no GUID becomes one, always the same. */
  readonly messageIdFormat: 'guid' | 'as-is';
  readonly qualityOfService?: 'ExactlyOnce' | 'ExactlyOnceInOrder';
  readonly queueId?: string;
  /** Whether the message's group on a FIFO queue is the queue id. */
  readonly queueIdFromGroup: boolean;
}

export interface ODataSettings {
  readonly adapter: 'odata';
  /** Whether a batch of which a part was carried out is sent again whole. */
  readonly resendPartialBatch: boolean;
}

/** The way in by HTTP. */
export interface WebhookSettings {
  /** Who may come in: any one of these lets a request in. `iam` and `none` stand alone. */
  readonly verify: readonly Verification[];
  /** Stored first, and answered then; or the caller waits for the flow; or it waits, and what the flow cannot have seen is stored. */
  readonly mode: 'queued' | 'direct' | 'direct-else-queued';
  /** Where the sender's id is: a header's name in lower case, or a JSON pointer (RFC 6901). */
  readonly messageId?: string;
  /** Where the lane is in which order must hold, in the same form; FIFO queues alone. Absent: all in one. */
  readonly messageGroupId?: string;
  readonly methods: readonly string[];
  /** Media types without parameters, lower case; `text/*` for all of a kind. Absent: any. */
  readonly contentTypes?: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  /** Absent: the destination's. */
  readonly forwardHeaders?: readonly string[];
  readonly returnHeaders: readonly string[];
  /** Which origins the handshake of CloudEvents admits; `*` for all. */
  readonly allowedOrigins: readonly string[];
}

/** The secrets, by name or ARN, that a webhook's senders prove themselves with. */
export function verificationSecrets({ verify }: WebhookSettings): string[] {
  return verify.flatMap((way) => ('secret' in way ? [way.secret] : []));
}

/** How the names begin of what a webhook stores in `payloadBucket`, where its function may write nothing else. */
export function storedUnder(name: string): string {
  return `webhooks/${name}/`;
}

/** How the names begin of the bodies that a dead letter had no room for; the queue's function writes nothing else there. */
export function deadLettersUnder(name: string): string {
  return `dead-letters/${name}/`;
}

/**
 * Where the message goes: the `url` setting, or `path` on the host that the service key names.
 *
 * @param serviceUrl the `url` field of the secret, where it has one
 * @throws RelayError `SECRET_MALFORMED` if `path` needs a service key's `url` and the secret has none
 */
export function endpoint(destination: Destination, serviceUrl: string | undefined): URL {
  const url = new URL(destination.url ?? joined(destination, serviceUrl));
  for (const [name, value] of Object.entries(destination.query)) url.searchParams.append(name, value);
  return url;
}

function joined(destination: Destination, serviceUrl: string | undefined): string {
  if (serviceUrl === undefined) {
    throw new RelayError(
      'SECRET_MALFORMED',
      `secret "${destination.secret}": expected a service key with "url", since destination "${destination.name}" has only a path; the operator must store the whole service key or set ${destination.name}.url`,
    );
  }
  return `${serviceUrl.replace(/\/+$/, '')}${destination.path ?? ''}`;
}
