/** Destinations as an operator writes them, from which the tests of the settings begin; and why one cannot be used. */
import { RelayError } from '../../functions/error.ts';
import { readSettings, type Settings } from '../../functions/settings/settings.ts';

type Read = ReturnType<Settings['destinations']['get']>;

/** The least that a destination needs. */
export const orders = { secret: 'cpi/orders-key', url: 'https://flows.example.com/http/orders' };

/** The least that a webhook needs. */
export const basic = { verify: 'basic', secret: 'webhooks/orders-key', mode: 'direct' };

/** Of a destination that was read and is invalid. */
export function errorOf(read: Read): RelayError {
  if (read === undefined || !('error' in read)) throw new Error('expected an invalid destination');
  if (!(read.error instanceof RelayError)) throw new Error('expected an error of ours');
  return read.error;
}

/** The one destination `orders`, read as it was written. */
export function read(written: object): Read {
  return readSettings({ DESTINATIONS: JSON.stringify({ orders: written }) }).destinations.get('orders');
}
