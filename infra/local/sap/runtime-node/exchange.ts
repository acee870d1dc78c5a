/**
 * One call of a flow's endpoint that was let in: what its sender adapter needs to run the flow on it, once or, for a
 * batch, several times, and to have each run in the message processing log. The wire's shapes are for the senders.
 */
import { createHash } from 'node:crypto';
import type { Answer, Request } from '../../server/server.ts';
import { mplId, type RandomBytes } from '../identifiers.ts';
import { exchangeHeaders } from './allowed-headers.ts';
import type { IntegrationFlow } from './integration-flow.ts';
import { failureOf, type Outcome, type Processed, type Received } from './message.ts';

/** What a sender knows of a message beyond the request. */
export type MessagePart = Partial<Pick<Received, 'method' | 'body' | 'headers' | 'messageId' | 'soap' | 'odata'>>;

export interface Exchange {
  readonly request: Request;
  readonly flow: IntegrationFlow;
  /** A new entry of the log for what fails before the flow runs. */
  newMplId(): string;
  /** Runs the flow on the request, with `part` in place of or beside what follows from it; `shape` makes the answer. */
  run(part: MessagePart, shape: (outcome: Outcome, received: Received) => Answer): Promise<Answer>;
  /** The same for a sender that is answered first: the flow runs afterwards, and the log alone shows how it ends. */
  runAfter(part: MessagePart, answer: Answer): Answer;
  /** Whether a flow has run, or is to. */
  readonly ran: boolean;
}

export interface ExchangeOptions {
  readonly request: Request;
  readonly flow: IntegrationFlow;
  /** Epoch milliseconds of the request's arrival. */
  readonly at: number;
  /** The authenticated one. */
  readonly user: string;
  readonly random: RandomBytes;
  /** Is told each run when the flow has ended. */
  readonly log: (processed: Processed) => void;
}

/** For one request. */
export function createExchange({ request, flow, at, user, random, log }: ExchangeOptions): Exchange {
  let ran = false;
  const { headers, dropped } = exchangeHeaders(request, flow.allowedHeaders);

  function receive({ headers: added, ...part }: MessagePart): Received {
    const { body = request.body, method = request.method } = part;
    return {
      flow: flow.name,
      sender: flow.sender,
      mplId: mplId(random),
      at,
      path: request.path,
      headers: { ...headers, ...added, CamelHttpMethod: method, SapAuthenticatedUserName: user },
      droppedHeaders: dropped,
      messageId: request.headers.sap_applicationid,
      ...part,
      method,
      body,
      bodySha256: createHash('sha256').update(body).digest('hex'),
    };
  }

  async function work(received: Received, shape: (outcome: Outcome) => Answer): Promise<Answer> {
    const outcome = await flow.process(received);
    const answer = shape(outcome);
    const error = failureOf(outcome.result);
    const mplStatus = error === undefined ? 'COMPLETED' : 'FAILED';
    log({ ...received, status: answer.status, mplStatus, error, duplicate: outcome.duplicate });
    return answer;
  }

  return {
    request,
    flow,
    newMplId: () => mplId(random),
    run: (part, shape) => {
      ran = true;
      const received = receive(part);
      return work(received, (outcome) => shape(outcome, received));
    },
    runAfter: (part, answer) => {
      ran = true;
      // An exception in a flow's function is a bug of the landscape, and must not be lost with the promise.
      work(receive(part), () => answer).catch((error) =>
        queueMicrotask(() => {
          throw error;
        }),
      );
      return answer;
    },
    get ran() {
      return ran;
    },
  };
}
