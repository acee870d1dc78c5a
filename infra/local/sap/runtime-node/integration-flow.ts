/**
 * An integration flow: its sender adapter, address and channel settings as an integration developer deploys them, and
 * what it makes of one message. Who may call it, and whether CSRF lets the call pass, is judged before, by
 * `runtime-node.ts`; how a message looks on the wire is for the sender's own file.
 */
import {
  createIdempotentProcessCall,
  type IdempotentProcessCall,
  type ProcessedIds,
} from './idempotent-process-call.ts';
import type { FlowResult, Outcome, Received, Sender } from './message.ts';
import type { ODataChannel } from './odata/channel.ts';
import type { SoapChannel } from './soap/channel.ts';

export type { FlowFault, FlowResult, Processed, Received, Sender } from './message.ts';

export interface Deployment {
  readonly name: string;
  /** Default `https`. Its servlet answers at `/http<address>`; `soap` and `soap-rm` at `/cxf`; see `endpointPath`. */
  readonly sender?: Sender;
  /**
   * HTTPS: `/orders`, or with a wildcard at the end, `/orders/*`. SOAP: `/orders`, which also answers
   * `/orders/<anything>`. OData: the artifact's name, `/ORDERS`. Exact case.
   */
  readonly address: string;
  /** Default true for `https` and `odata`, false for `soap` and `soap-rm`, whose adapters do not have the option. */
  readonly csrfProtected?: boolean;
  /**
   * What may be called. Default `https`: GET POST PUT DELETE PATCH HEAD; `odata`: the same and MERGE; SOAP: POST, and
   * GET for `?wsdl` alone.
   */
  readonly methods?: readonly string[];
  /** Default `ESBMessaging.send`. */
  readonly userRole?: string;
  /** "Maximum Message Size", default 40 MB. */
  readonly maxBodyBytes?: number;
  /** What the flow does with a message. Default: answers without content; OData: what its entity sets do. */
  readonly answer?: (received: Received) => FlowResult | Promise<FlowResult>;
  /** Request headers that reach the flow, any case; `*` for all. Default none: custom headers are dropped. */
  readonly allowedHeaders?: readonly string[];
  /** Major version of the runtime. 6 (Camel 2) answers no content with 200, 8 (Camel 3) with 204. Default 6. */
  readonly runtime?: 6 | 8;
  /**
   * Whether the log's id comes back with whatever status: `header` or true, in `SAP_MessageProcessingLogID`, with
   * failures too; `body`, as the text of an answer that has none of its own. Default false, as observed: a failure's
   * text alone has it.
   */
  readonly returnMplId?: boolean | 'header' | 'body';
  /** "Return Exception to Sender": whether an exception's text is told, beside the log's id. Default true. */
  readonly returnException?: boolean;
  /**
   * Whether the exchange's headers come back as headers of the answer, as they do unless a script strips them. Default
   * false.
   */
  readonly leaksHeaders?: boolean;
  /** The flow's work is done once for each message id. Default: it is done each time. */
  readonly idempotentProcessCall?: IdempotentProcessCall;
  /** Of the senders `soap` and `soap-rm`. */
  readonly soap?: SoapChannel;
  /** Of the sender `odata`. */
  readonly odata?: ODataChannel;
}

type Defaulted = 'idempotentProcessCall' | 'answer';

export interface IntegrationFlow extends Required<Omit<Deployment, Defaulted>> {
  /** Runs the flow on one message. */
  process(received: Received): Promise<Outcome>;
}

const servlets = { https: '/http', soap: '/cxf', 'soap-rm': '/cxf', odata: '/gw/odata/SAP' } as const;
const readAndWrite = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'];
const methods = {
  https: readAndWrite,
  soap: ['GET', 'POST'],
  'soap-rm': ['GET', 'POST'],
  odata: [...readAndWrite, 'MERGE'],
};

/**
 * The flow that `deployment` describes; `ids` are those that its idempotent process call has seen so far. Throws an
 * Error when its address does not have the sender's form.
 */
export function createIntegrationFlow(
  deployment: Deployment,
  { now, ids }: { readonly now: () => number; readonly ids: ProcessedIds },
): IntegrationFlow {
  const { sender = 'https', address, answer = () => undefined, idempotentProcessCall, ...settings } = deployment;
  const wildcard = sender === 'https' ? /\/\*$/ : /(?!)/;
  if (!/^\/[^*?]+$/.test(address.replace(wildcard, ''))) {
    throw new Error(
      `address: must be a path such as /orders${sender === 'https' ? ' or /orders/*' : ''}, not ${address}`,
    );
  }
  const work = async (received: Received): Promise<Outcome> => ({ result: await answer(received), duplicate: false });
  return {
    csrfProtected: sender === 'https' || sender === 'odata',
    methods: methods[sender],
    userRole: 'ESBMessaging.send',
    maxBodyBytes: 40 * 1024 * 1024,
    allowedHeaders: [],
    runtime: 6,
    returnMplId: false,
    returnException: true,
    leaksHeaders: false,
    soap: {},
    odata: {},
    ...settings,
    sender,
    address,
    process:
      idempotentProcessCall === undefined
        ? work
        : createIdempotentProcessCall(idempotentProcessCall, work, { now, ids }),
  };
}

/** Below the node's URL, where senders send to: `/http/orders`, `/cxf/orders`, `/gw/odata/SAP/ORDERS;v=1`. */
export function endpointPath({ sender = 'https', address }: Pick<Deployment, 'sender' | 'address'>): string {
  return `${servlets[sender]}${address.replace(/\/\*$/, '')}${sender === 'odata' ? ';v=1' : ''}`;
}

/** Whether a request for `path` is for this flow: its own endpoint, or one below where it has such. */
export function serves(flow: Pick<IntegrationFlow, 'sender' | 'address'>, path: string): boolean {
  const endpoint = endpointPath(flow);
  const below = flow.sender !== 'https' || flow.address.endsWith('/*');
  return path === endpoint || (below && path.startsWith(`${endpoint}/`));
}
