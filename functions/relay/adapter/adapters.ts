/**
 * Which adapter a destination has. The code for SOAP and OData is loaded only for a destination that needs it, from the
 * cold start on, so that it is there by the time the first token is.
 */
import { type Adapter, type AdapterOptions, createAdapter } from './adapter.ts';

export function adapterOf({ destination, ...options }: AdapterOptions): Adapter {
  switch (destination.adapter) {
    case 'https':
      return createAdapter({ destination, ...options });
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
  // The first message gets the error; until then nobody waits for it, and it must not end the process.
  loading.catch(() => undefined);
  return { exchange: async (...call) => (await loading).exchange(...call) };
}
