/**
 * An integration flow with an HTTPS sender: its address and settings as an integration developer deploys them, and how it
 * turns one message into an answer. Who may call it, and whether CSRF lets the call pass, is judged before, by
 * `runtime-node.ts`.
 */
import { createHash } from 'node:crypto';
import type { Answer, Request } from '../server.ts';

/** A message for which a flow runs. */
export interface Received {
  /** Name of the flow. */
  readonly flow: string;
  /** Its entry of the message processing log. */
  readonly mplId: string;
  /** Epoch milliseconds of the request's arrival. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The exchange's headers: of the request's those that may pass, its query parameters, and what the adapter adds. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Lower-case hex. */
  readonly bodySha256: string;
  /** What the sender named it: the header `SAP_ApplicationID` as it was sent, whether the flow may see it or not. */
  readonly messageId: string | undefined;
}

/** A message whose flow has run, with the status that the sender was answered. */
export interface Processed extends Received {
  readonly status: number;
}

/** An answer, the flow's failure (with the exception's text where the flow returns it to the sender), or no content. */
export type FlowResult = Answer | 'exception' | { readonly exception: string } | undefined;

export interface Deployment {
  readonly name: string;
  /** As in the adapter, `/orders`, or with a wildcard at the end, `/orders/*`. Exact case. */
  readonly address: string;
  /** Default true, as in the adapter. */
  readonly csrfProtected?: boolean;
  /** Default `ESBMessaging.send`. */
  readonly userRole?: string;
  /** Default 40 MB. */
  readonly maxBodyBytes?: number;
  /** What the flow does with a message. Default: answers without content. */
  readonly answer?: (received: Received) => FlowResult | Promise<FlowResult>;
  /** Request headers that reach the flow, any case; `*` for all. Default none: custom headers are dropped. */
  readonly allowedHeaders?: readonly string[];
  /** Major version of the runtime. 6 (Camel 2) answers no content with 200, 8 (Camel 3) with 204. Default 6. */
  readonly runtime?: 6 | 8;
  /** Whether the log's id comes back in the header `SAP_MessageProcessingLogID`; observed: not by default. */
  readonly returnMplId?: boolean;
}

export type IntegrationFlow = Required<Deployment>;

/** What passes without being allowed [assumed: the HTTP protocol's own]; credentials never do. */
const standardHeaders = ['accept', 'content-encoding', 'content-length', 'content-type', 'host', 'user-agent'];
const withheldHeaders = ['authorization', 'cookie', 'x-csrf-token'];

/** The flow that `deployment` describes. Throws an Error when its address does not begin with a slash. */
export function createIntegrationFlow(deployment: Deployment): IntegrationFlow {
  if (!/^\/[^*?]+(\/\*)?$/.test(deployment.address)) {
    throw new Error(`address: must be a path such as /orders or /orders/*, not ${deployment.address}`);
  }
  return {
    csrfProtected: true,
    userRole: 'ESBMessaging.send',
    maxBodyBytes: 40 * 1024 * 1024,
    answer: () => undefined,
    allowedHeaders: [],
    runtime: 6,
    returnMplId: false,
    ...deployment,
  };
}

/** Whether a request for `/http<path>` is for this flow. */
export function serves({ address }: IntegrationFlow, path: string): boolean {
  const prefix = address.endsWith('/*') ? address.slice(0, -2) : undefined;
  return path === (prefix ?? address) || (prefix !== undefined && path.startsWith(`${prefix}/`));
}

/** The message that `request` carries. `user` is the authenticated one. */
export function receive(
  flow: IntegrationFlow,
  request: Request,
  { mplId, at, user }: { readonly mplId: string; readonly at: number; readonly user: string },
): Received {
  const allowed = flow.allowedHeaders.map((name) => name.toLowerCase());
  const passes = (name: string): boolean =>
    !name.startsWith('camel') &&
    !withheldHeaders.includes(name) &&
    (standardHeaders.includes(name) || allowed.includes(name) || allowed.includes('*'));
  return {
    flow: flow.name,
    mplId,
    at,
    method: request.method,
    path: request.path,
    headers: {
      ...Object.fromEntries(Object.entries(request.headers).filter(([name]) => passes(name))),
      ...Object.fromEntries([...request.query].filter(([name]) => !name.toLowerCase().startsWith('camel'))),
      CamelHttpMethod: request.method,
      SapAuthenticatedUserName: user,
    },
    body: request.body,
    bodySha256: createHash('sha256').update(request.body).digest('hex'),
    messageId: request.headers.sap_applicationid,
  };
}

/** Runs the flow; `correlationId` is the id that a successful answer carries. */
export async function run(flow: IntegrationFlow, received: Received, correlationId: string): Promise<Answer> {
  const result = await flow.answer(received);
  if (result === 'exception') return failed(received.mplId);
  if (result !== undefined && 'exception' in result) return failed(received.mplId, result.exception);
  const { status, headers, body } = result ?? { status: flow.runtime === 8 ? 204 : 200 };
  const mplHeader = flow.returnMplId ? { SAP_MessageProcessingLogID: received.mplId } : {};
  return {
    status,
    headers: { 'x-correlationid': correlationId, ...mplHeader, ...headers },
    ...(body === undefined ? {} : { body }),
  };
}

/** 500 in SAP's words, "occured" included; with *Return Exception to Sender* the exception stands before the log's id. */
function failed(mplId: string, exception?: string): Answer {
  const detail = exception === undefined ? '' : `${exception} `;
  return {
    status: 500,
    headers: { 'Content-Type': 'text/plain' },
    body: `An internal server error occured: ${detail}The MPL ID for the failed message is : ${mplId}`,
  };
}
