/**
 * A destination: the endpoint of one integration flow and how it is called. As `settings.ts` checked it, with every
 * default. README.md next to this file explains each setting.
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
  /** Lower-case name of the message's header or attribute that holds the rest of the path. */
  readonly pathFrom?: string;
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** For messages that carry no content type. */
  readonly contentType: string;
  /** Lower-case names of the message's headers that reach the flow; `*` at the end of a name stands for any rest. */
  readonly forwardHeaders: readonly string[];
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Requested scopes, separated by spaces. Absent: all that the client has. */
  readonly scope?: string;
  /** Longest use of one token, whatever its lifetime. */
  readonly maxTokenUseSeconds: number;
  /** With a token, or with the service key's client certificate itself. */
  readonly authentication: 'oauth' | 'certificate';
  /** True: a CSRF token is fetched before the first message. False: when the endpoint first demands one. */
  readonly csrf: boolean;
  /** The header with the message id. SAP RM has its own place for the id, and a header only if it is set. */
  readonly idHeader?: string;
  readonly timeoutSeconds: number;
  /** Host of the tenant's monitor: with it an MPL id is a link. A new side has the old one's only in the same tenant. */
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
   * Whether a payload in S3 is deleted once its message is delivered. SQS may hand out a delivered message again; it is
   * then rejected, since its payload is gone. A lifecycle rule of the bucket avoids that.
   */
  readonly deletePayloads: boolean;
  readonly webhook?: WebhookSettings;
  /** Which side of a cut-over these settings are of. Absent: there is no cut-over. */
  readonly side?: 'old' | 'new';
  /** Absent on the new side itself. */
  readonly cutover?: Cutover;
}

/** A second way to SAP, for messages that were sent from a time on. */
export interface Cutover {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Per cent of the messages sent since then; the others stay on the old side. */
  readonly share: number;
  /** The destination with the settings that differ on the new side. */
  readonly newSide: Destination;
}

/** The destination, and with a cut-over its new side. */
export function sidesOf(destination: Destination): Destination[] {
  return destination.cutover === undefined ? [destination] : [destination, destination.cutover.newSide];
}

/** Whether both are one tenant's, as far as settings tell: the same client, and the same host where `url` names it. */
export function isOfOneTenant(one: Address, other: Address): boolean {
  return one.secret === other.secret && URL.parse(one.url ?? '')?.origin === URL.parse(other.url ?? '')?.origin;
}

interface Address {
  readonly secret: string;
  readonly url?: string | undefined;
}

interface HttpsSettings {
  readonly adapter: 'https';
}

interface EnvelopeSettings {
  readonly soapVersion: SoapVersion;
  readonly soapAction: string;
  /** Whether a payload without an envelope gets one. */
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
  /** `guid`: an id that is no GUID becomes one, the same each time. */
  readonly messageIdFormat: 'guid' | 'as-is';
  readonly qualityOfService?: 'ExactlyOnce' | 'ExactlyOnceInOrder';
  readonly queueId?: string;
  /** Whether the message's group on a FIFO queue is the queue id. */
  readonly queueIdFromGroup: boolean;
}

export interface ODataSettings {
  readonly adapter: 'odata';
  /** Whether a batch is sent again, all of it, after a part of it was carried out. */
  readonly resendPartialBatch: boolean;
}

/** How messages come in by HTTP. */
export interface WebhookSettings {
  /** Any one of these lets a request in. `iam` and `none` stand alone. */
  readonly verify: readonly Verification[];
  /**
   * `queued`: the caller is answered once the message is in the queue. `direct`: the caller waits for the flow.
   * `direct-else-queued`: it waits, and the message is queued if the flow cannot have run.
   */
  readonly mode: 'queued' | 'direct' | 'direct-else-queued';
  /** Where the sender's message id is: a header's name in lower case, or a JSON pointer (RFC 6901). */
  readonly messageId?: string;
  /** Where the message group is, in the same form; for FIFO queues only. Absent: one group for all. */
  readonly messageGroupId?: string;
  readonly methods: readonly string[];
  /** Media types without parameters, lower case; `text/*` for all of a kind. Absent: any. */
  readonly contentTypes?: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  /** Absent: the destination's. */
  readonly forwardHeaders?: readonly string[];
  readonly returnHeaders: readonly string[];
  /** Origins for which the handshake of CloudEvents succeeds; `*` for all. */
  readonly allowedOrigins: readonly string[];
}

/** The secrets, by name or ARN, that a webhook's senders are verified by. */
export function verificationSecrets({ verify }: WebhookSettings): string[] {
  return verify.flatMap((way) => ('secret' in way ? [way.secret] : []));
}

/** Prefix of the objects that a webhook stores in `payloadBucket`; its function may write no others there. */
export function storedUnder(name: string): string {
  return `webhooks/${name}/`;
}

/** Prefix of the bodies that were too large for a dead letter; the queue function writes no other objects there. */
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
    const { secret, name } = destination;
    throw new RelayError(
      'SECRET_MALFORMED',
      `secret "${secret}": expected a service key with "url", since destination "${name}" has only a path; ` +
        `the operator must store the whole service key or set ${name}.url`,
    );
  }
  return `${serviceUrl.replace(/\/+$/, '')}${destination.path ?? ''}`;
}
