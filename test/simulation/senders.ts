/**
 * Those who send: producers that put messages into queues in every form that the relay takes, and callers of webhooks
 * that try again, with the same id, until the reply says that it was accepted. What was accepted is in the ledger from
 * then on.
 */
import type { Queue } from '../../infra/local/aws/sqs/sqs.ts';
import type { InvokeResult } from './lambda.ts';
import type { Ledger, Tracked } from './ledger.ts';
import type { Arrival, DestinationPlan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import type { Store } from './store.ts';
import type { Trace } from './trace.ts';

/** Stands in everything that must not be printed and is not made by the landscape. */
export const MARK = 'CONFIDENTIAL-';
export const BUCKET = 'payloads';
export const WEBHOOK_USER = { username: 'sender', password: `${MARK}webhook-password` };
const MAX_TRIES = 6;

export interface SendersOptions {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly trace: Trace;
  readonly store: Store;
  readonly queueOf: (destination: string) => Queue;
  /** A flow took it, it lies in its queue, or is dead. */
  readonly isSafe: (message: Tracked) => boolean;
  readonly invokeWebhook: (event: object) => Promise<InvokeResult>;
}

export interface Senders {
  send(arrival: Arrival, destination: DestinationPlan): void;
  /** Callers that still try. */
  readonly waiting: number;
}

export function createSenders(options: SendersOptions): Senders {
  const { scheduler, random, ledger, trace, store, queueOf, isSafe, invokeWebhook } = options;
  let waiting = 0;

  function toQueue(arrival: Arrival): void {
    const { number, destination, group, form } = arrival;
    const payload = payloadOf(arrival);
    const { body, attributes } = asMessage(arrival, payload, store);
    const queue = queueOf(destination);
    const { messageId } = queue.send({
      body,
      attributes,
      ...(queue.fifo ? { groupId: group ?? 'g', deduplicationId: `sent-${number}` } : {}),
    });
    const id = form === 'with id' ? ownId(number) : messageId;
    const message = ledger.add({ id, arrival, payload, sentAt: scheduler.now(), accepted: true });
    message.sends = 1;
    ledger.enqueued(messageId, message);
    trace.note('producer', `m${number} into ${queue.name} (${form}${group === undefined ? '' : `, ${group}`})`);
  }

  function toWebhook(arrival: Arrival): void {
    const { number } = arrival;
    const payload = payloadOf(arrival);
    const id = ownId(arrival.namesake ?? number);
    const message = ledger.add({ id, arrival, payload, sentAt: scheduler.now(), accepted: false });
    let isAgain = false;
    waiting += 1;
    call();

    function call(): void {
      message.sends += 1;
      invokeWebhook(webhookEvent(arrival, payload)).then((result) => {
        const status = result.ok ? Number((result.payload as { statusCode?: number }).statusCode) : 502;
        trace.note('caller', `m${number} is answered ${status}`);
        ledger.count('webhook replies', String(status));
        const isTaken = status >= 200 && status < 300;
        if (isTaken) {
          message.accepted = true;
          if (!isSafe(message))
            ledger.violate('nothing is acknowledged before it is safe', `m${number} is answered ${status} too early`);
          if (arrival.form === 'unsendable header')
            ledger.violate('what no request can carry is refused', `m${number} is answered ${status}`);
        }
        if (isTaken && !isAgain && arrival.againMs !== undefined) {
          isAgain = true;
          scheduler.after(arrival.againMs, call);
        } else if (isTaken || message.sends >= MAX_TRIES || (status >= 400 && status < 500)) waiting -= 1;
        else scheduler.after(5_000 + random() * 60_000, call);
      });
    }
  }

  return {
    send: (arrival) => (arrival.via === 'webhook' ? toWebhook(arrival) : toQueue(arrival)),
    get waiting() {
      return waiting;
    },
  };
}

function ownId(number: number): string {
  return `own-id-${number}`;
}

function payloadOf({ number, form, via }: Arrival): Buffer {
  if (form === 'empty' && via === 'queue') return Buffer.alloc(0);
  const text = `{"message":${number},"note":"${MARK}payload-${number}"}`;
  return form === 'base64' ? Buffer.concat([Buffer.from(text), Buffer.from([0, 255, 254])]) : Buffer.from(text);
}

type Attributes = Record<string, { dataType: string; stringValue: string }>;

function asMessage({ number, form }: Arrival, payload: Buffer, store: Store): { body: string; attributes: Attributes } {
  const text = (stringValue: string) => ({ dataType: 'String', stringValue });
  const key = `payload-${number}`;
  switch (form) {
    case 'with id':
      return {
        body: payload.toString(),
        attributes: { messageId: text(ownId(number)), contentType: text('application/json'), own: text('kept') },
      };
    case 'base64':
      return { body: payload.toString('base64'), attributes: { bodyEncoding: text('base64') } };
    case 'empty':
      return { body: '-', attributes: { bodyEncoding: text('empty') } };
    case 'unreadable':
      return { body: payload.toString(), attributes: { bodyEncoding: text('rot13') } };
    case 'in S3':
    case 'missing in S3': {
      if (form === 'in S3') store.put(BUCKET, key, payload);
      const pointer = ['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: BUCKET, s3Key: key }];
      const size = { dataType: 'Number', stringValue: String(payload.byteLength) };
      return { body: JSON.stringify(pointer), attributes: { ExtendedPayloadSize: size } };
    }
    case 'unsendable header':
    case 'unlisted header':
      return { body: payload.toString(), attributes: { headers: text(JSON.stringify(headersOf({ number, form }))) } };
    case 'plain':
      return { body: payload.toString(), attributes: {} };
  }
}

/** What the settings let go along. */
export const FORWARDED = ['x-listed*'];

function headersOf({ number, form }: Pick<Arrival, 'number' | 'form'>): Record<string, string> {
  const name = form === 'unsendable header' ? 'x-listed' : 'x-other';
  switch (form) {
    case 'unsendable header':
    case 'unlisted header':
      return [{ [`${name} name`]: 'value' }, { [name]: 'five €' }, { [name]: 'line\u0000' }][number % 3] ?? {};
    default:
      return {};
  }
}

function webhookEvent(arrival: Arrival, payload: Buffer): object {
  const { number, namesake = number, destination, group = '', source } = arrival;
  const { username, password } = WEBHOOK_USER;
  const path = `/webhooks/${destination}`;
  return {
    version: '2.0',
    rawPath: path,
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
      'idempotency-key': ownId(namesake),
      ...(source === undefined ? {} : { 'ce-source': source }),
      ...headersOf(arrival),
      'x-lane': group,
    },
    requestContext: { http: { method: 'POST', path } },
    body: payload.toString('base64'),
    isBase64Encoded: true,
  };
}
