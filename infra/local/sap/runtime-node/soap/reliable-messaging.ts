/**
 * What the sender SOAP (SAP RM) adds to SOAP: a message id, a quality of service and a queue id, from the query or from
 * the envelope's header, which reach the flow as headers of its exchange. It hands the id on and does nothing with it:
 * each resend runs the flow again (SAP: "Sender and Receiver with SAP RM Protocol").
 */
import type { XmlElement } from '../xml.ts';
import { type Envelope, EnvelopeError, qualifiedName } from './envelope.ts';

/** The header block's name, as senders in the field write it. */
export const messageIdBlock = '{http://www.sap.com/webas/640/soap/features/messageId/}messageId';

const qualitiesOfService = ['ExactlyOnce', 'ExactlyOnceInOrder'];

export interface ReliableMessage {
  /** Without `uuid:` or `urn:uuid:`; undefined when the sender gave none. */
  readonly messageId: string | undefined;
  readonly qualityOfService: string | undefined;
  readonly queueId: string | undefined;
  /** What the flow sees of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The protocol's part of a message. The header block comes before the query [assumed], where quality and queue have
 * their only place [assumed]. Throws an EnvelopeError for a quality of service that there is not, and for one in order
 * without a queue.
 */
export function readReliableMessage(query: URLSearchParams, { headers: blocks, version }: Envelope): ReliableMessage {
  const block = blocks.find((one: XmlElement) => qualifiedName(one) === messageIdBlock);
  const sent = block?.text ?? query.get('MessageId') ?? undefined;
  const messageId = sent === undefined || sent === '' ? undefined : sent.replace(/^(urn:)?uuid:/i, '');
  const qualityOfService = query.get('QualityOfService') ?? undefined;
  const queueId = query.get('QueueId') ?? undefined;
  if (qualityOfService !== undefined && !qualitiesOfService.includes(qualityOfService)) {
    throw new EnvelopeError('client', `QualityOfService must be ${qualitiesOfService.join(' or ')}.`, version);
  }
  if (qualityOfService === 'ExactlyOnceInOrder' && (queueId ?? '') === '') {
    throw new EnvelopeError('client', 'QualityOfService ExactlyOnceInOrder needs a QueueId.', version);
  }
  return {
    messageId,
    qualityOfService,
    queueId,
    headers: {
      ...(messageId === undefined ? {} : { SapMessageIdEx: messageId, SapMessageId: messageId }),
      ...(qualityOfService === undefined ? {} : { SapPlainSoapQoS: qualityOfService }),
      ...(queueId === undefined ? {} : { SapPlainSoapQueueId: queueId }),
    },
  };
}
