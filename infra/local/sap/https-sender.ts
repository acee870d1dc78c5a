/**
 * The HTTPS sender adapter: a request is one message, whatever its body is, and the flow's result is the answer. Methods,
 * CSRF and size are judged before, by `runtime-node.ts`.
 */
import type { Answer } from '../server.ts';
import type { Exchange } from './exchange.ts';
import type { IntegrationFlow } from './integration-flow.ts';
import { failureOf, type Received } from './message.ts';

/** Runs the flow; `correlationId` is the id that a successful answer carries. */
export function answerHttps({ flow, run }: Exchange, correlationId: string): Promise<Answer> {
  return run({}, ({ result }, received) => {
    const failure = failureOf(result);
    if (failure !== undefined) return failed(flow, received.mplId, failure);
    const { status, headers, body } = (result as Answer | undefined) ?? noContent(flow, received);
    return {
      status,
      headers: { 'x-correlationid': correlationId, ...returnedHeaders(flow, received), ...headers },
      ...(body === undefined ? {} : { body }),
    };
  });
}

/** What a flow's channel and scripts make of a successful answer's headers, at every sender. */
export function returnedHeaders(flow: IntegrationFlow, { mplId, headers }: Received): Record<string, string> {
  const protocol = ['host', 'content-length', 'content-encoding', 'content-type'];
  return {
    ...(flow.leaksHeaders
      ? Object.fromEntries(Object.entries(headers).filter(([name]) => !protocol.includes(name)))
      : {}),
    ...(flow.returnMplId === true || flow.returnMplId === 'header' ? { SAP_MessageProcessingLogID: mplId } : {}),
  };
}

function noContent({ runtime, returnMplId }: IntegrationFlow, { mplId }: Received): Answer {
  if (returnMplId === 'body') {
    return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: `The MPL ID for the message is : ${mplId}` };
  }
  return { status: runtime === 8 ? 204 : 200 };
}

/** 500 in SAP's words, "occured" included; with *Return Exception to Sender* the exception stands before the log's id. */
function failed({ returnException }: IntegrationFlow, mplId: string, exception: string): Answer {
  const detail = exception === '' || !returnException ? '' : `${exception} `;
  return {
    status: 500,
    headers: { 'Content-Type': 'text/plain' },
    body: `An internal server error occured: ${detail}The MPL ID for the failed message is : ${mplId}`,
  };
}
