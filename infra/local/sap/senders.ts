/**
 * The sender adapters by name: how each answers a call that was let in, and one that is too large. What is common to all
 * of them is judged before, by `runtime-node.ts`.
 */
import type { Answer } from '../server.ts';
import type { Exchange } from './exchange.ts';
import { answerHttps } from './https-sender.ts';
import { type RandomBytes, uuid } from './identifiers.ts';
import type { Sender } from './message.ts';
import * as answers from './runtime-answer.ts';

export interface SenderAdapter {
  answer(exchange: Exchange): Promise<Answer>;
  /** The message is larger than the flow takes. */
  tooLarge(exchange: Exchange): Answer;
}

/** All four, for one runtime node. */
export function createSenders(random: RandomBytes): Readonly<Record<Sender, SenderAdapter>> {
  const tooLarge = ({ flow, newMplId }: Exchange): Answer => answers.tooLarge(flow.maxBodyBytes, newMplId());
  const notYet = { answer: async () => answers.notFound(), tooLarge };
  return {
    https: { answer: (exchange) => answerHttps(exchange, uuid(random)), tooLarge },
    soap: notYet,
    'soap-rm': notYet,
    odata: notYet,
  };
}
