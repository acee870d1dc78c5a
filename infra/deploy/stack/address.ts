/** What a destination's address at SAP says of itself: whose it is, and which sender adapter listens there. */
import type { DestinationSettings } from './destination.ts';

/** @see SAP Help, "HTTPS Sender Adapter", "SOAP (SOAP 1.x) Sender Adapter", "OData Sender Adapter": address fields */
const LISTENERS: Readonly<Record<string, readonly string[]>> = {
  '/http/': ['https'],
  '/cxf/': ['soap', 'soap-rm'],
  '/gw/': ['odata'],
};

/**
 * Where people look at messages and build flows: `/itspaces` on a host of its own (`<tenant>-tmn.…` on Neo), which no
 * message reaches.
 */
export function isMonitor(field: 'url' | 'path', value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (field === 'path') return /^\/itspaces(\/|$)/.test(value);
  const { hostname, pathname } = URL.parse(value) ?? { hostname: '', pathname: '' };
  return /^\/itspaces(\/|$)/.test(pathname) || /^[^.]*(-tmn\.|itspaces)|\.itspaces\./.test(hostname);
}

/** @returns a line for the host of SAP's API, and for an address at which another sender adapter listens */
export function addressWarnings({ name: destination, side, url, path, adapter }: DestinationSettings): string[] {
  const name = side === 'new' ? `${destination}.cutover` : destination;
  const { hostname = '', pathname = '' } = URL.parse(url ?? '') ?? {};
  const address = path ?? pathname;
  // A service key of the plan `api` names it; the runtime's, of the plan `integration-flow`, is `.it-…-rt.cfapps.`.
  const isApi = /\.it-[a-z0-9]+\.cfapps\./.test(hostname);
  const ofHost = isApi ? [`${name}.url: this is the host of SAP’s API; the runtime’s has -rt before .cfapps`] : [];
  const ofPath = Object.entries(LISTENERS)
    .filter(([start, adapters]) => address.startsWith(start) && !adapters.includes(adapter))
    .map(([start, adapters]) => {
      const field = path === undefined ? 'url' : 'path';
      return `${name}.${field}: below ${start} listens adapter ${adapters.join(' or ')}, not ${adapter}`;
    });
  return [...ofHost, ...ofPath];
}
