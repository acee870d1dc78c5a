/**
 * SAP's SOAP (SAP RM) sender adapter: SOAP, and in addition a message id, quality of service and queue. The adapter
 * does not deduplicate. It passes the id on, which is the same over every retry, and the receiver must take a message
 * only once.
 *
 * @see SAP Help, "Configure the SOAP (SAP RM) Sender Adapter", "Sender and Receiver with SAP RM Protocol"
 */

import type { Message } from '../../../message/message.ts';
import type { Destination, SoapRmSettings } from '../../../settings/destination.ts';
import { type Adapter, type AdapterOptions, createAdapter } from '../adapter.ts';
import { readFault } from './fault-meaning.ts';
import { guidOf } from './guid.ts';
import { soapShape } from './soap.ts';

/** Namespace of SAP's header `messageId`, as NetWeaver writes it. */
const MESSAGE_ID_NAMESPACE = 'http://www.sap.com/webas/640/soap/features/messageId/';

export function soapRmAdapter(options: AdapterOptions<Destination & SoapRmSettings>): Adapter {
  const { destination } = options;
  const { messageIdAs, messageIdFormat, qualityOfService } = destination;

  return createAdapter(options, {
    async shape(message) {
      const id = messageIdFormat === 'guid' ? guidOf(message.id) : message.id;
      const text = messageIdFormat === 'guid' ? `uuid:${id}` : id;
      const isHeader = messageIdAs === 'header';
      const block = isHeader ? { local: 'messageId', uri: MESSAGE_ID_NAMESPACE, text } : undefined;
      const queueId = queueIdOf(message, destination);
      return {
        ...(await soapShape(message, destination, block)),
        query: {
          ...(isHeader ? {} : { MessageId: id }),
          ...(qualityOfService === undefined ? {} : { QualityOfService: qualityOfService }),
          ...(queueId === undefined ? {} : { QueueId: queueId }),
        },
      };
    },
    read: readFault,
  });
}

/** All messages without a group are in one queue, which has the destination's name. */
function queueIdOf(
  { group }: Message,
  { name, queueId, queueIdFromGroup }: Destination & SoapRmSettings,
): string | undefined {
  return queueIdFromGroup ? group || name : queueId;
}
