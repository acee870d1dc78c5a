/**
 * The sender adapters by name: how each answers a call that was let in, and one that is too large. What is common to
 * all of them is judged before, by `runtime-node.ts`.
 */
import type { Answer } from '../../server/server.ts';
import { type RandomBytes, uuid } from '../identifiers.ts';
import type { Exchange } from './exchange.ts';
import { answerHttps } from './https-sender.ts';
import type { Sender } from './message.ts';
import { createODataSender } from './odata/sender.ts';
import * as answers from './runtime-answer.ts';
import { answerSoap, soapTooLarge } from './soap/sender.ts';

export interface SenderAdapter {
  answer(exchange: Exchange): Promise<Answer>;
  /** The message is larger than the flow takes. */
  tooLarge(exchange: Exchange): Answer;
}

export interface SendersOptions {
  readonly random: RandomBytes;
  /** Of the node's URL. */
  readonly scheme: 'http' | 'https';
}

/** All four, for one runtime node. */
export function createSenders({ random, scheme }: SendersOptions): Readonly<Record<Sender, SenderAdapter>> {
  const tooLarge = ({ flow, newMplId }: Exchange): Answer => answers.tooLarge(flow.maxBodyBytes, newMplId());
  const soap = { answer: (exchange: Exchange) => answerSoap(exchange, scheme), tooLarge: soapTooLarge };
  return {
    https: { answer: (exchange) => answerHttps(exchange, uuid(random)), tooLarge },
    soap,
    'soap-rm': soap,
    odata: { answer: createODataSender({ random, scheme }), tooLarge },
  };
}
