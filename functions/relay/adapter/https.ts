/**
 * What SAP's HTTPS sender adapter wants of a call: the payload as it is, with its content type, the message id in a
 * header, and the CSRF handshake, which the adapter has on by default: all of it is what every adapter's call has.
 *
 * @see SAP Help, "HTTPS Sender Adapter"
 */
import { type Adapter, type AdapterOptions, createAdapter } from './adapter.ts';

export function httpsAdapter(options: AdapterOptions): Adapter {
  return createAdapter(options);
}
