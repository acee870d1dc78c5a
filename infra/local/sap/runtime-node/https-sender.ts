/**
 * The HTTPS sender adapter: a request is one message, whatever its body is, and the flow's result is the answer.
 * Methods, CSRF and size are judged before, by `runtime-node.ts`.
 */
import type { Answer } from '../../server/server.ts';
import type { Exchange } from './exchange.ts';
import type { IntegrationFlow } from './integration-flow.ts';
import { failureOf, type Received } from './message.ts';

/** Runs the flow; `correlationId` is the id that a successful answer carries. */
export function answerHttps({ flow, run }: Exchange, correlationId: string): Promise<Answer> {
  return run({}, ({ result }, received) => {
    const failure = failureOf(result);
    if (failure !== undefined) return failed(flow, received, failure);
    const { status, headers, body } = (result as Answer | undefined) ?? noContent(flow);
    const text = body ?? mplIdText(flow, received, status);
    return {
      status,
      headers: {
        'x-correlationid': correlationId,
        ...returnedHeaders(flow, received),
        ...(body === undefined && text !== undefined ? { 'Content-Type': 'text/plain' } : {}),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    };
  });
}

/** What a flow's channel and scripts make of a successful answer's headers, at every sender. */
export function returnedHeaders(flow: IntegrationFlow, received: Received): Record<string, string> {
  const protocol = ['host', 'content-length', 'content-encoding', 'content-type'];
  return {
    ...(flow.leaksHeaders
      ? Object.fromEntries(Object.entries(received.headers).filter(([name]) => !protocol.includes(name)))
      : {}),
    ...mplIdHeader(flow, received),
  };
}

/** The log's id as a header, at every sender and on failures too, where the flow is set so. */
export function mplIdHeader({ returnMplId }: IntegrationFlow, { mplId }: Received): Record<string, string> {
  return returnMplId === true || returnMplId === 'header' ? { SAP_MessageProcessingLogID: mplId } : {};
}

/** The log's id as the text of an answer that has none of its own, at every sender, where the flow is set so. */
export function mplIdText({ returnMplId }: IntegrationFlow, { mplId }: Received, status: number): string | undefined {
  if (returnMplId !== 'body') return undefined;
  return status >= 400 ? failureText('', mplId) : `The MPL ID for the message is : ${mplId}`;
}

/** SAP's words, "occured" included; `detail` is empty or ends with a blank. */
export function failureText(detail: string, mplId: string): string {
  return `An internal server error occured: ${detail}The MPL ID for the failed message is : ${mplId}`;
}

function noContent({ runtime, returnMplId }: IntegrationFlow): Answer {
  return { status: runtime === 8 && returnMplId !== 'body' ? 204 : 200 };
}

/** 500; with *Return Exception to Sender* the exception stands before the log's id. */
function failed(flow: IntegrationFlow, received: Received, exception: string): Answer {
  const detail = exception === '' || !flow.returnException ? '' : `${exception} `;
  return {
    status: 500,
    headers: { 'Content-Type': 'text/plain', ...mplIdHeader(flow, received) },
    body: failureText(detail, received.mplId),
  };
}
