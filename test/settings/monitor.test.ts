/** Links from MPL ids, in the forms that SAP's own API returns as `AlternateWebLink`. */
import { expect, test } from 'vitest';
import { mplLink } from '../../functions/settings/monitor.ts';

const ID = 'AGXYZabcdefghijklmnopqrstuvw';

test.each([
  [
    'on Cloud Foundry',
    'acme.integrationsuite.cfapps.eu10.hana.ondemand.com',
    `https://acme.integrationsuite.cfapps.eu10.hana.ondemand.com/shell/monitoring/Messages/%7B%22identifier%22%3A%22${ID}%22%7D`,
  ],
  [
    'of a trial',
    'acme.integrationsuite-trial.cfapps.us10.hana.ondemand.com',
    `https://acme.integrationsuite-trial.cfapps.us10.hana.ondemand.com/shell/monitoring/Messages/%7B%22identifier%22%3A%22${ID}%22%7D`,
  ],
  [
    'on Neo, behind /itspaces',
    'acme-tmn.hci.eu1.hana.ondemand.com',
    `https://acme-tmn.hci.eu1.hana.ondemand.com/itspaces/shell/monitoring/Messages/%7B%22identifier%22%3A%22${ID}%22%7D`,
  ],
])('the link to the monitor follows from the tenant’s host: %s', (_, monitor, link) => {
  expect(mplLink(monitor, ID)).toBe(link);
});
