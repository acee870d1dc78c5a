/**
 * Which adapter a destination has. What only some destinations need is loaded when there is one of them: beginning with
 * the cold start's setup, so that it is there by the time the first token is.
 */
import type { Adapter, AdapterOptions } from './adapter.ts';
import { httpsAdapter } from './https.ts';

export function adapterOf({ destination, ...options }: AdapterOptions): Adapter {
  switch (destination.adapter) {
    case 'https':
      return httpsAdapter({ destination, ...options });
    case 'soap':
      return loaded(import('./soap/soap.ts').then(({ soapAdapter }) => soapAdapter({ destination, ...options })));
    case 'soap-rm':
      return loaded(
        import('./soap/soap-rm.ts').then(({ soapRmAdapter }) => soapRmAdapter({ destination, ...options })),
      );
    case 'odata':
      return loaded(import('./odata/odata.ts').then(({ odataAdapter }) => odataAdapter({ destination, ...options })));
  }
}

function loaded(loading: Promise<Adapter>): Adapter {
  // Whoever sends a message is told; until then nobody is there to be.
  loading.catch(() => undefined);
  return { exchange: async (...call) => (await loading).exchange(...call) };
}
