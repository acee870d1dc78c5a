/**
 * The flow behind a destination: deployed where its settings say that it listens, behind the sender adapter that they name,
 * with answers that fit. What an address cannot be on a runtime node is said in a sentence.
 */
import type { Deployment, FlowResult, Received } from '../sap/runtime-node/integration-flow.ts';
import type { Adapter, Written } from './settings.ts';

export interface PlacedFlow {
  /** Below the runtime node's URL, query included. */
  readonly target: string;
  /** Absent: nothing listens there. */
  readonly deployment?: Deployment;
  /** What is not as one might think. */
  readonly note?: string;
}

/** Where each sender adapter listens. SAP Help, "HTTPS Sender Adapter", "SOAP (SOAP 1.x) Sender Adapter", "OData Sender Adapter". */
const SERVLETS: Readonly<Record<Adapter, string>> = {
  https: '/http',
  soap: '/cxf',
  'soap-rm': '/cxf',
  odata: '/gw/odata/SAP',
};

export function placeFlow(name: string, settings: Written): PlacedFlow {
  const { adapter = 'https', url, path } = settings;
  const { pathname, search } = url === undefined ? { pathname: path ?? '/', search: '' } : new URL(url);
  const servlet = SERVLETS[adapter];
  if (pathname.startsWith(`${servlet}/`)) return served(name, pathname, search, settings);
  const isRuntimes = Object.values(SERVLETS).some((other) => pathname.startsWith(`${other}/`));
  if (url === undefined || isRuntimes) {
    const note = `nothing of adapter ${adapter} listens at ${pathname}: 404, as at SAP`;
    return { target: `${pathname}${search}`, note };
  }
  // A proxy before the runtime, such as API Management, has addresses of its own.
  const rest = adapter === 'odata' ? `/${name};v=1/${pathname.split('/').at(-1)}` : pathname;
  const placed = served(name, `${servlet}${rest}`, search, settings);
  return { ...placed, note: `${url.split('?')[0]} is here ${placed.target.split('?')[0]}` };
}

function served(name: string, pathname: string, search: string, settings: Written): PlacedFlow {
  const { adapter = 'https', pathFrom } = settings;
  const target = `${pathname}${search}`;
  const below = pathname.slice(SERVLETS[adapter].length);
  if (adapter !== 'odata') {
    const address = adapter === 'https' && pathFrom !== undefined ? `${below.replace(/\/$/, '')}/*` : below;
    return { target, deployment: deployment(name, address, adapter) };
  }
  const [, service] = /^(\/[^/;]+);v=1(\/|$)/.exec(below) ?? [];
  if (service === undefined) return { target, note: `no OData service is at ${pathname}, expected ;v=1 in it: 404` };
  return { target, deployment: deployment(name, service, adapter) };
}

function deployment(name: string, address: string, adapter: Adapter): Deployment {
  const common = { name, address, allowedHeaders: ['*'], sender: adapter };
  switch (adapter) {
    case 'https':
      return { ...common, answer: receivedAsJson };
    case 'soap':
      return { ...common, answer: receivedAsXml, soap: { messageExchangePattern: 'request-reply' } };
    case 'soap-rm':
      return { ...common, idempotentProcessCall: {} };
    case 'odata':
      // What entities there are at SAP, nobody here knows: any may be created, and is taken to exist.
      return { ...common, answer: answeredByOData, odata: { anyEntitySet: { key: 'ID' } } };
  }
}

function receivedAsJson({ flow, body }: Received): FlowResult {
  const text = `${JSON.stringify({ flow, receivedBytes: body.byteLength })}\n`;
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: text };
}

function receivedAsXml({ flow, body }: Received): FlowResult {
  const text = `<received xmlns="urn:token-relay:local" flow="${flow}" bytes="${body.byteLength}"/>`;
  return { status: 200, headers: { 'Content-Type': 'application/xml' }, body: text };
}

function answeredByOData({ odata }: Received): FlowResult {
  return odata?.kind === 'create' || odata?.kind === 'query' ? undefined : { status: 204 };
}
