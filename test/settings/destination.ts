/** Destinations as an operator writes them, from which the tests of the settings begin. */

/** The least that a destination needs. */
export const orders = { secret: 'cpi/orders-key', url: 'https://flows.example.com/http/orders' };

/** The least that a webhook needs. */
export const basic = { verify: 'basic', secret: 'webhooks/orders-key', mode: 'direct' };
