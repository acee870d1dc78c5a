/**
 * What is sent: orders through a standard queue and in groups through a FIFO queue, some under an id of their own, some
 * of which the flow refuses for good. Each says in its body what the flow is to answer, so that the truth about it is
 * known.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { LocalDestination } from '../../infra/local/landscape.ts';
import type { FlowResult, Received } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import type { Random } from '../doubles/random.ts';

/** A message that was sent. */
export interface Sent {
  /** With which it must arrive. */
  readonly messageId: string;
  /** SQS's own. */
  readonly recordId: string;
  /** On FIFO. */
  readonly group?: string;
  /** Its place in the group, or among all that were sent to the standard queue. */
  readonly place: number;
  readonly bodySha256: string;
  /** What the flow answers in the end. */
  readonly verdict: number;
}

export interface Traffic {
  /** Sends so many to each queue, all in one turn. */
  send(count: number): void;
  readonly sent: readonly Sent[];
}

export interface TrafficOptions {
  readonly standard: LocalDestination;
  readonly fifo: LocalDestination;
  readonly groups: number;
  readonly random: Random;
}

const REFUSALS = [400, 409, 410, 412, 415, 422] as const;
/** Of all messages, those that the flow refuses for good. */
const REFUSED = 0.05;

export function createTraffic({ standard, fifo, groups, random }: TrafficOptions): Traffic {
  const sent: Sent[] = [];
  const places = new Map<string, number>();

  function sendOne({ queue }: LocalDestination, group?: string): void {
    const place = (places.get(group ?? '') ?? 0) + 1;
    places.set(group ?? '', place);
    const verdict = random.chance(REFUSED) ? random.pick(REFUSALS) : 200;
    const body = JSON.stringify({ order: randomUUID(), group, place, answer: verdict });
    const ownId = random.chance(0.5) ? `order-${randomUUID()}` : undefined;
    const { messageId: recordId } = queue.send({
      body,
      ...(ownId === undefined ? {} : { attributes: { messageId: { dataType: 'String', stringValue: ownId } } }),
      ...(group === undefined ? {} : { groupId: group, deduplicationId: randomUUID() }),
    });
    sent.push({
      messageId: ownId ?? recordId,
      recordId,
      ...(group === undefined ? {} : { group }),
      place,
      bodySha256: createHash('sha256').update(body).digest('hex'),
      verdict,
    });
  }

  return {
    sent,
    send(count) {
      for (let index = 0; index < count; index += 1) {
        sendOne(standard);
        sendOne(fifo, `group-${random.between(1, groups)}`);
      }
    },
  };
}

/** What the flow makes of an order: what its body says. */
export function verdictOf({ body }: Received): FlowResult {
  const { answer } = JSON.parse(body.toString()) as { answer: number };
  return answer === 200 ? undefined : { status: answer, body: 'refused' };
}
